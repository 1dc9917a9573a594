r"""Spatial temporal graph convolutional networks (ST-GCN)."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import BatchNorm1d, Identity, Linear, Module, ModuleList, Parameter, ParameterList
from torch_geometric.data import Batch, Data
from torch_geometric.utils import scatter

from pyg_vision._compile import frames_are_compiled, uncompiled_frame, without_compiling
from pyg_vision._validation import validation_enabled
from pyg_vision.data._packed_tracks import Level, PackedTracks
from pyg_vision.data._uniform_tracks import UniformTracks
from pyg_vision.data.layouts import skeleton_layout
from pyg_vision.data.motion import second_difference
from pyg_vision.data.partition import Partition, SkeletonGraph, num_relations, skeleton_graph
from pyg_vision.data.skeleton import read_layout, read_shapes, skeletons_to_dense
from pyg_vision.data.skeleton_layout import SkeletonLayout
from pyg_vision.data.tracks import Tracks
from pyg_vision.nn.blocks.stgcn_block import STGCNBlock
from pyg_vision.nn.blocks.temporal_conv import TemporalConv
from pyg_vision.ops.relation_plan import RelationPlan


class BlockSize(NamedTuple):
    r"""The published size of one block."""

    channels: int
    stride: int


BLOCKS = (
    *[BlockSize(64, 1)] * 4,
    BlockSize(128, 2),
    *[BlockSize(128, 1)] * 2,
    BlockSize(256, 2),
    *[BlockSize(256, 1)] * 2,
)


class STGCN(Module):
    r"""The model from the `"Spatial Temporal Graph Convolutional Networks for Skeleton-Based
    Action Recognition" <https://arxiv.org/abs/1801.07455>`_ paper: ten blocks, 3.1 M parameters.

    .. math::
        \mathbf{X}^{(\ell + 1)} = \textrm{STGCNBlock}(\mathbf{X}^{(\ell)},\; \mathbf{w} \odot
        \mathbf{m}^{(\ell)})

    where :math:`\mathbf{w}` are the weights of the typed edges and :math:`\mathbf{m}^{(\ell)}` a
    learned importance of each of them. The mean over joints and frames, then over persons, is
    classified. The model knows the edges of its layout; a graph needs none of its own.

    What persons that are absent and frames that are padding mean is explicit:

    * A dense tensor is taken as it is, zeros and all, as in the published code: they take part in
      batch norm, in pooling and in the mean over persons.
    * A :class:`~torch_geometric.data.Batch` is packed: each sequence has the frames and persons
      that it has, and no zero takes part in anything.
    * With :obj:`padding="published"` and :obj:`window=(T, M)`, a batch is filled up with zeros to
      :math:`T` frames and :math:`M` persons, so that it equals the dense run.

    The same state dict loads into :class:`DenseSTGCN`, which computes the same as published. The
    importance is a parameter :math:`(K, V, V)` of each block, as published, of which only the
    entries of edges take part.

    Args:
        in_channels (int): Channels of a joint, such as 3 for :math:`(x, y, \textrm{score})`.
        num_classes (int): The number of classes, :obj:`0` for none, which makes the head the
            identity.
        layout (str or SkeletonLayout, optional): The skeleton, see
            :func:`~pyg_vision.data.skeleton_layout`. (default: :obj:`"openpose"`)
        partition (str, optional): The partition strategy, see
            :func:`~pyg_vision.data.skeleton_graph`. (default: :obj:`"stgcn"`)
        edge_importance (bool, optional): Whether edges have a learned importance.
            (default: :obj:`True`)
        dropout (float, optional): Dropout in all blocks but the first. (default: :obj:`0.0`)
        two_stream (bool, optional): If :obj:`True`, a second model of the same size sees the
            motion of the joints (second differences), and the logits of both are added.
            (default: :obj:`False`)
        padding (str, optional): :obj:`"published"` to fill up batches. (default: :obj:`None`)
        window ((int, int), optional): To how many frames and persons. (default: :obj:`None`)
        max_hop (int, optional): The farthest distance joined. (default: :obj:`1`)
        dilation (int, optional): The step between distances. (default: :obj:`1`)
        kernel_size (int, optional): The frames of a temporal convolution. (default: :obj:`9`)

    Shapes:
        - **input:** a dense tensor :math:`(N, C, T, V, M)`, or a PyG batch of skeleton sequences
        - **output:** logits :math:`(N, \textrm{num\_classes})`

    Raises:
        TypeError: If an argument is of another type; when called, if the input is neither.
        ValueError: If a number is out of range, or one of :obj:`padding` and :obj:`window` is
            given without the other; when called, if the data have another layout or shape, do not
            fit the window, or hold NaN or infinite values.
    """

    edge_weight: Tensor

    def __init__(
        self,
        in_channels: int,
        num_classes: int,
        layout: str | SkeletonLayout = "openpose",
        partition: Partition = "stgcn",
        edge_importance: bool = True,
        dropout: float = 0.0,
        two_stream: bool = False,
        padding: str | None = None,
        window: tuple[int, int] | None = None,
        max_hop: int = 1,
        dilation: int = 1,
        kernel_size: int = 9,
    ) -> None:
        super().__init__()
        for name, value, least in (
            ("in_channels", in_channels, 1),
            ("num_classes", num_classes, 0),
        ):
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                wanted = "a positive integer" if least else "an integer that is not negative"
                raise ValueError(f"'{name}' must be {wanted} (got {value!r})")
        if not 0.0 <= dropout < 1.0:
            raise ValueError(f"'dropout' must be in [0, 1) (got {dropout})")
        self.in_channels = in_channels
        self.num_classes = num_classes
        self.layout = skeleton_layout(layout)
        self.partition = partition
        self.padding = padding
        self.window = _read_window(padding, window)
        self.two_stream = two_stream
        if two_stream:
            kwargs: dict[str, Any] = {
                "layout": self.layout,
                "partition": partition,
                "edge_importance": edge_importance,
                "dropout": dropout,
                "max_hop": max_hop,
                "dilation": dilation,
                "kernel_size": kernel_size,
            }
            self.origin_stream = type(self)(in_channels, num_classes, **kwargs)
            self.motion_stream = type(self)(in_channels, num_classes, **kwargs)
            return
        graph = skeleton_graph(self.layout, partition, max_hop, dilation)
        # Where parameters are made, as under torch.device("cuda"); on meta it would lose its edges.
        device = torch.get_default_device()
        if device.type != "meta":
            graph = SkeletonGraph(*(value.to(device) for value in graph))
        self.num_relations = num_relations(partition, max_hop, dilation)
        # Rounded to float32 first, as the published code stores them.
        self.register_buffer("edge_weight", graph.edge_weight.float(), persistent=False)
        joints = self.layout.num_joints
        self.plan = RelationPlan(graph.edge_index, graph.edge_type, self.num_relations, joints)
        self.data_bn = self._make_norm(joints * in_channels)
        widths = [in_channels, *(block.channels for block in BLOCKS)]
        self.blocks = ModuleList(
            self._make_block(
                widths[i],
                channels,
                num_relations=self.num_relations,
                kernel_size=kernel_size,
                stride=stride,
                dropout=dropout if i > 0 else 0.0,
                residual=i > 0,
            )
            for i, (channels, stride) in enumerate(BLOCKS)
        )
        self.edge_importance: ParameterList | None = None
        if edge_importance:
            shape = (self.num_relations, joints, joints)
            self.edge_importance = ParameterList(Parameter(torch.ones(shape)) for _ in BLOCKS)
        self.fcn = self._make_head(widths[-1], num_classes)

    def reset_parameters(self) -> None:
        r"""Resets all learnable parameters, as published: those of a convolution, and ones for the
        importance of edges.
        """
        for module in self.modules():
            reset = getattr(module, "reset_parameters", None)
            if module is not self and callable(reset) and not isinstance(module, STGCN):
                reset()
            elif isinstance(module, ParameterList):
                for importance in module:
                    torch.nn.init.ones_(importance)

    def reset_classifier(self, num_classes: int) -> None:
        r"""Replaces the head by a new one.

        Args:
            num_classes (int): The number of classes, :obj:`0` for none.

        Raises:
            ValueError: If the number is negative or no integer.
        """
        if isinstance(num_classes, bool) or not isinstance(num_classes, int) or num_classes < 0:
            raise ValueError(
                f"'num_classes' must be an integer that is not negative (got {num_classes!r})"
            )
        self.num_classes = num_classes
        if self.two_stream:
            self.origin_stream.reset_classifier(num_classes)
            self.motion_stream.reset_classifier(num_classes)
            return
        head = self._make_head(BLOCKS[-1].channels, num_classes)
        weight = next(self.blocks.parameters())
        self.fcn = head.to(weight.device, weight.dtype).train(self.training)

    @property
    def edge_index(self) -> Tensor:
        r"""The edges of one skeleton, of a model of one stream."""
        return self.plan.edge_index

    @property
    def edge_type(self) -> Tensor:
        r"""Their types."""
        return self.plan.edge_type

    @uncompiled_frame
    def forward(self, x: Tensor | Data) -> Tensor:
        r"""Runs the model.

        Args:
            x (torch.Tensor or Batch): The motion.
        """
        if isinstance(x, Data) and frames_are_compiled():
            # The tracks are read before what is compiled, which then takes any of them.
            nodes, packed, num_sequences = without_compiling(self._pack_tensors)(x)
            return self._run_packed(nodes, packed)[:num_sequences]
        return self._run(x)

    def _run(self, x: Tensor | Data) -> Tensor:
        return self._logits(*self._pack(x))

    def _run_packed(self, x: Tensor, packed: PackedTracks) -> Tensor:
        return self._logits(x, packed.unpack(self.layout.num_joints))

    def extract_feature(self, x: Tensor | Data) -> Any:
        r"""Returns the features and the class scores of each joint in each frame that is left.

        The two strides leave every fourth frame.

        Args:
            x (torch.Tensor or Batch): The motion.

        Returns:
            tuple or Batch: For a dense tensor, the class scores
            :math:`(N, \textrm{num\_classes}, T^{\prime}, V, M)` and the features
            :math:`(N, C^{\prime}, T^{\prime}, V, M)`, as in the published code. For a batch, a
            batch of the same sequences with the features as :obj:`x`, the class scores as
            :obj:`scores`, and their classes :obj:`y`. Of two streams, scores are added and
            features concatenated.
        """
        nodes, tracks = self._pack(x)
        scores, features, tracks = self._classify_nodes(nodes, tracks)
        if isinstance(x, Tensor):
            shape = (x.size(0), x.size(4), -1, x.size(3))
            return tuple(
                value.view(*shape, value.size(-1)).permute(0, 4, 2, 3, 1)
                for value in (scores, features)
            )
        sizes = [persons * frames * joints for persons, frames, joints in tracks.shapes]
        parts = zip(
            torch.split(features, sizes), torch.split(scores, sizes), tracks.shapes, strict=True
        )
        sequences = [
            Data(x=feature, scores=score, skeleton_shape=shape, layout=self.layout)
            for feature, score, shape in parts
        ]
        if isinstance(x.y, Tensor) and x.y.dim() > 0 and x.y.size(0) == len(sequences):
            for i, sequence in enumerate(sequences):
                sequence.y = x.y[i : i + 1]
        return Batch.from_data_list(sequences)

    def _pack(self, x: Tensor | Data) -> tuple[Tensor, Tracks]:
        r"""Returns node features :math:`(|\mathcal{V}|, C)`, and what the nodes are."""
        if isinstance(x, Tensor):
            self._check_dense(x)
            return self._unfold(x)
        if not isinstance(x, Data):
            raise TypeError(f"the input must be a tensor or a Batch (got '{type(x).__name__}')")
        self._check_data(x)
        if self.window is None:
            return x.x.contiguous(), Tracks.of(x)
        return self._unfold(skeletons_to_dense(x, *self.window))

    def _pack_tensors(self, x: Data) -> tuple[Tensor, PackedTracks, int]:
        r"""Returns node features, what all layers ask about the nodes as tensors, and the number
        of sequences.
        """
        nodes, tracks = self._pack(x)
        nodes = nodes.view_as(nodes)  # what is marked is not the caller's
        torch._dynamo.maybe_mark_dynamic(nodes, 0)
        levels: list[Level] = []
        steps: set[tuple[int, int]] = set()
        for block in (self.origin_stream if self.two_stream else self).blocks:
            convs = [module for module in block.modules() if isinstance(module, TemporalConv)]
            steps |= {(conv.kernel_size // 2, conv.stride) for conv in convs}
            stride: int = block.stride  # type: ignore[assignment]
            if stride > 1:
                levels.append(Level(tuple(sorted(steps)), stride))
                steps = set()
        levels.append(Level(tuple(sorted(steps)), 1))
        return nodes, PackedTracks(tracks, levels, nodes.device), tracks.num_sequences

    def _unfold(self, x: Tensor) -> tuple[Tensor, Tracks]:
        num, channels, frames, joints, persons = x.shape
        tracks = UniformTracks(num, persons, frames, joints)
        return x.permute(0, 4, 2, 3, 1).reshape(-1, channels).contiguous(), tracks

    def _check_dense(self, x: Tensor) -> None:
        joints = self.layout.num_joints
        if x.dim() != 5 or x.size(1) != self.in_channels or x.size(3) != joints or 0 in x.shape:
            raise ValueError(
                f"a dense input must be [sequences, in_channels={self.in_channels}, frames, "
                f"{joints} joints of layout '{self.layout.name}', persons] and not empty (got "
                f"shape {list(x.shape)})"
            )
        self._check_values(x)

    def _check_data(self, data: Data) -> None:
        shapes = read_shapes(data)
        layout = read_layout(data)
        if layout is not None and layout != self.layout:
            raise ValueError(
                f"the model is made for layout '{self.layout.name}' (got data of layout "
                f"'{layout.name}')"
            )
        joints = {shape.num_joints for shape in shapes}
        if joints != {self.layout.num_joints}:
            raise ValueError(
                f"layout '{self.layout.name}' of the model has {self.layout.num_joints} joints "
                f"(got data of {sorted(joints)} joints)"
            )
        x = data.x
        if not isinstance(x, Tensor) or x.dim() != 2 or x.size(1) != self.in_channels:
            found = list(x.shape) if isinstance(x, Tensor) else type(x).__name__
            raise ValueError(
                f"'x' of the graph must be [nodes, in_channels={self.in_channels}] (got {found})"
            )
        self._check_values(x)

    def _check_values(self, x: Tensor) -> None:
        if not x.is_floating_point():
            raise TypeError(f"the input must be floating-point (got {x.dtype})")
        dtype = next(self.parameters()).dtype
        if x.dtype != dtype and not torch.is_autocast_enabled(x.device.type):
            raise TypeError(
                f"the input must be of the type of the model, {dtype} (got {x.dtype}); cast one of "
                f"them, for example with x.to({dtype})"
            )
        if validation_enabled(x) and not bool(x.isfinite().all()):
            raise ValueError("the input holds NaN or infinite values")

    def _edge_weights(self) -> list[Tensor]:
        if self.edge_importance is None:
            return [self.edge_weight] * len(self.blocks)
        edges = (self.edge_type, *self.edge_index)
        return [self.edge_weight * importance[edges] for importance in self.edge_importance]

    def _features(self, x: Tensor, tracks: Tracks) -> tuple[Tensor, Tracks]:
        r"""Returns the features of the nodes after the last block, and what these nodes are."""
        x = self.data_bn(x.reshape(tracks.num_frames, -1)).reshape(x.shape)
        for block, weight in zip(self.blocks, self._edge_weights(), strict=True):
            x = block(x, tracks, self.edge_index, self.edge_type, weight, self.plan)
            tracks = tracks.strided(block.stride)  # type: ignore[arg-type]
        return x, tracks

    def _logits(self, x: Tensor, tracks: Tracks) -> Tensor:
        if self.two_stream:
            motion = second_difference(x, tracks)
            return self.origin_stream._logits(x, tracks) + self.motion_stream._logits(
                motion, tracks
            )
        return self.fcn(_pool(*self._features(x, tracks)))

    def _classify_nodes(self, x: Tensor, tracks: Tracks) -> tuple[Tensor, Tensor, Tracks]:
        if self.two_stream:
            motion = second_difference(x, tracks)
            scores, features, after = self.origin_stream._classify_nodes(x, tracks)
            others, more, _ = self.motion_stream._classify_nodes(motion, tracks)
            return scores + others, torch.cat((features, more), dim=1), after
        features, tracks = self._features(x, tracks)
        return self.fcn(features), features, tracks

    def _make_norm(self, channels: int) -> Module:
        return BatchNorm1d(channels)

    def _make_block(self, in_channels: int, out_channels: int, **kwargs: Any) -> Module:
        return STGCNBlock(in_channels, out_channels, **kwargs)

    def _make_head(self, in_channels: int, num_classes: int) -> Module:
        return Linear(in_channels, num_classes) if num_classes else Identity()


def _pool(x: Tensor, tracks: Tracks) -> Tensor:
    r"""Averages over joints and frames of a track, then over the tracks of a sequence."""
    frames = x.reshape(tracks.num_frames, tracks.num_joints, x.size(1)).mean(dim=1)
    if tracks.regular:
        persons = frames.reshape(tracks.num_tracks, tracks.length, x.size(1)).mean(dim=1)
    else:
        track = tracks.track_of_frame(x.device)
        persons = scatter(frames, track, dim=0, dim_size=tracks.num_tracks, reduce="mean")
    if tracks.even:
        num_persons = tracks.num_tracks // tracks.num_sequences
        return persons.reshape(tracks.num_sequences, num_persons, x.size(1)).mean(dim=1)
    sequence = tracks.sequence_of_track(x.device)
    return scatter(persons, sequence, dim=0, dim_size=tracks.num_sequences, reduce="mean")


def _read_window(padding: str | None, window: tuple[int, int] | None) -> tuple[int, int] | None:
    if padding not in (None, "published"):
        raise ValueError(f"'padding' must be 'published' or None (got {padding!r})")
    if padding is None and window is None:
        return None
    if padding is None or window is None:
        raise ValueError(
            f"padding='published' and window=(frames, persons) belong together, so that an output "
            f"never depends on what else is in a batch (got padding={padding!r}, window={window!r})"
        )
    if (
        not isinstance(window, tuple | list)
        or len(window) != 2
        or any(type(size) is not int or size < 1 for size in window)
    ):
        raise ValueError(
            f"'window' must be two positive integers, frames and persons (got {window!r})"
        )
    return window[0], window[1]
