r"""What the classifiers of skeleton sequences share: how they read their input, and their head."""

from __future__ import annotations

from collections.abc import Iterable
from typing import overload

import torch
from torch import Tensor
from torch.nn import Identity, Linear, Module, ParameterList
from torch_geometric.data import Batch, Data
from torch_geometric.utils import scatter

from pyg_vision._checks import check_int
from pyg_vision._compile import frames_are_compiled, uncompiled_frame, without_compiling
from pyg_vision._validation import validation_enabled
from pyg_vision.data.layout import SkeletonLayout
from pyg_vision.data.layouts import skeleton_layout
from pyg_vision.data.packed_tracks import Level, PackedTracks
from pyg_vision.data.skeleton import read_layout, read_shapes, skeletons_to_dense
from pyg_vision.data.tracks import Tracks
from pyg_vision.data.uniform_tracks import UniformTracks
from pyg_vision.nn.layers.temporal_conv import TemporalConv
from pyg_vision.nn.layers.temporal_max_pool import TemporalMaxPool
from pyg_vision.nn.models._fusable_model import FusableModel
from pyg_vision.weights.key_rules import KeyRules


class SkeletonClassifier(FusableModel):
    r"""A classifier of skeleton sequences, dense tensors or PyG batches.

    A family of models makes its :obj:`blocks`, each with a :obj:`stride`, and its head, and says in
    :meth:`node_features` what becomes of the nodes. Everything else is here.

    Args:
        in_channels (int): Channels of a joint.
        num_classes (int): The number of classes, :obj:`0` for none.
        layout (str or SkeletonLayout): The skeleton.
        padding (str, optional): :obj:`"published"` to fill up batches. (default: :obj:`None`)
        window ((int, int), optional): To how many frames and persons. (default: :obj:`None`)
    """

    takes_graphs = True  # a dense twin takes dense tensors only

    fcn: Module
    published: KeyRules
    _num_features: int

    def __init__(
        self,
        in_channels: int,
        num_classes: int,
        layout: str | SkeletonLayout,
        padding: str | None = None,
        window: tuple[int, int] | None = None,
    ) -> None:
        super().__init__()
        self.in_channels = check_int("in_channels", in_channels)
        self.num_classes = check_int("num_classes", num_classes, 0)
        self.layout = skeleton_layout(layout)
        self.padding = padding
        self.window = _read_window(padding, window)

    def node_features(self, x: Tensor, tracks: Tracks) -> tuple[Tensor, Tracks]:
        r"""Returns the features of the nodes after the last block, and their tracks.

        Args:
            x (torch.Tensor): The node features :math:`(|\mathcal{V}|, C)`.
            tracks (Tracks): The persons, frames and joints that the nodes are.
        """
        raise NotImplementedError

    def reset_parameters(self) -> None:
        r"""Resets all learnable parameters, as published: those of a convolution, and ones for the
        importance of edges.
        """
        for module in self.modules():
            reset = getattr(module, "reset_parameters", None)
            if callable(reset) and not isinstance(module, SkeletonClassifier):
                reset()
            elif isinstance(module, ParameterList):
                for importance in module:
                    torch.nn.init.ones_(importance)

    def reset_classifier(self, num_classes: int) -> None:
        r"""Replaces the head by a new one.

        Args:
            num_classes (int): The number of classes, :obj:`0` for none.

        Raises:
            TypeError: If the number is no integer.
            ValueError: If it is negative.
        """
        self.num_classes = check_int("num_classes", num_classes, 0)
        weight = next(self.parameters())
        self.fcn = self.make_head().to(weight.device, weight.dtype).train(self.training)

    def make_head(self) -> Module:
        r"""Returns a new head for the features of the last block."""
        if self.num_classes == 0:
            return Identity()
        return Linear(self.num_features, self.num_classes)

    @property
    def num_features(self) -> int:
        r"""The channels of a node after the last block."""
        return self._num_features

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
        return self._run_dense(x) if isinstance(x, Tensor) else self._logits(*self._pack(x))

    def _run_dense(self, x: Tensor) -> Tensor:
        return self._logits(*self._pack(x))

    def _run_packed(self, x: Tensor, packed: PackedTracks) -> Tensor:
        return self._logits(x, packed.unpack(self.layout.num_joints))

    def _logits(self, x: Tensor, tracks: Tracks) -> Tensor:
        return self.fcn(_pool(*self.node_features(x, tracks)))

    def _classify_nodes(self, x: Tensor, tracks: Tracks) -> tuple[Tensor, Tensor, Tracks]:
        features, tracks = self.node_features(x, tracks)
        return self.fcn(features), features, tracks

    @overload
    def extract_feature(self, x: Tensor) -> tuple[Tensor, Tensor]: ...

    @overload
    def extract_feature(self, x: Data) -> Batch: ...

    def extract_feature(self, x: Tensor | Data) -> tuple[Tensor, Tensor] | Batch:
        r"""Returns the features and the class scores of each joint in each frame that is left.

        Args:
            x (torch.Tensor or Batch): The motion.

        Returns:
            tuple or Batch: For a dense tensor, the class scores
            :math:`(N, \textrm{num_classes}, T^{\prime}, V, M)` and the features
            :math:`(N, C^{\prime}, T^{\prime}, V, M)`, as in the published code. For a batch, a
            batch of the same sequences with the features as :obj:`x`, the class scores as
            :obj:`scores`, and their classes :obj:`y`. Of two streams, scores are added and
            features concatenated.
        """
        if isinstance(x, Tensor):
            return self._extract_dense(x)
        scores, features, tracks = self._classify_nodes(*self._pack(x))
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

    def _extract_dense(self, x: Tensor) -> tuple[Tensor, Tensor]:
        scores, features, _ = self._classify_nodes(*self._pack(x))
        shape = (x.size(0), x.size(4), -1, x.size(3))
        scores, features = (
            value.view(*shape, value.size(-1)).permute(0, 4, 2, 3, 1)
            for value in (scores, features)
        )
        return scores, features

    def _pack(self, x: Tensor | Data) -> tuple[Tensor, Tracks]:
        r"""Returns node features :math:`(|\mathcal{V}|, C)`, and their tracks."""
        if isinstance(x, Tensor):
            self._check_dense(x)
            return _unfold(x)
        if not isinstance(x, Data):
            raise TypeError(f"the input must be a tensor or a Batch (got '{type(x).__name__}')")
        self._check_data(x)
        if self.window is None:
            return x.x.contiguous(), Tracks.of(x)
        return _unfold(skeletons_to_dense(x, *self.window))

    def _pack_tensors(self, x: Data) -> tuple[Tensor, PackedTracks, int]:
        r"""Returns node features, what all layers ask about the nodes as tensors, and the number
        of sequences.
        """
        nodes, tracks = self._pack(x)
        nodes = nodes.view_as(nodes)  # what is marked is not the caller's
        torch._dynamo.maybe_mark_dynamic(nodes, 0)
        return nodes, PackedTracks(tracks, self._levels(), nodes.device), tracks.num_sequences

    def _levels(self) -> list[Level]:
        r"""Returns what the blocks ask about tracks, from one stride to the next."""
        levels: list[Level] = []
        steps: set[tuple[int, int]] = set()
        blocks: Iterable[Module] = self.blocks  # type: ignore[assignment]
        for block in blocks:
            layers = [m for m in block.modules() if isinstance(m, TemporalConv | TemporalMaxPool)]
            asked = {(layer.reach, layer.stride) for layer in layers}
            steps |= asked - {(0, 1)}  # which looks at no other frame
            stride: int = block.stride  # type: ignore[assignment]
            if stride > 1:
                levels.append(Level(tuple(sorted(steps)), stride))
                steps = set()
        return [*levels, Level(tuple(sorted(steps)), 1)]

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


def _unfold(x: Tensor) -> tuple[Tensor, Tracks]:
    r"""Returns a dense tensor as nodes."""
    num, channels, frames, joints, persons = x.shape
    tracks = UniformTracks(num, persons, frames, joints)
    return x.permute(0, 4, 2, 3, 1).reshape(-1, channels).contiguous(), tracks


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
