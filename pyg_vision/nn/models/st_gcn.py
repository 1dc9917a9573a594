r"""Spatial temporal graph convolutional networks (ST-GCN)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import BatchNorm1d, Module, ModuleList, Parameter, ParameterList

from pyg_vision._checks import check_rate
from pyg_vision.data.layout import SkeletonLayout
from pyg_vision.data.partition import (
    SkeletonGraph,
    adjacency_stack,
    num_relations,
    skeleton_graph,
)
from pyg_vision.data.tracks import Tracks
from pyg_vision.nn.blocks.stgcn_block import STGCNBlock
from pyg_vision.nn.conv.relation_plan import RelationPlan
from pyg_vision.nn.models._skeleton_classifier import SkeletonClassifier
from pyg_vision.nn.models._skeleton_describe import describe_stgcn
from pyg_vision.nn.models._skeleton_weights import pyskl
from pyg_vision.nn.models.registry import build, register_model
from pyg_vision.nn.models.stage import STAGES, Stage, block_sizes
from pyg_vision.typing import Partition
from pyg_vision.weights import WeightsEnum, register_family
from pyg_vision.weights.key_rules import KeyRules, flatten_1x1, rename_by

_PYSKL = r"^backbone\.gcn\.(\d+)\."
# The names of yysijie/st-gcn, then those of pyskl and mmaction2.
_RENAME = rename_by(
    (
        (r"^data_bn\.", "data_bn."),
        (r"^st_gcn_networks\.(\d+)\.gcn\.conv\.", r"blocks.\1.gcn."),
        (r"^st_gcn_networks\.(\d+)\.(tcn|residual)\.", r"blocks.\1.\2."),
        (r"^edge_importance\.(\d+)$", r"edge_importance.\1"),
        (r"^fcn\.", "fcn."),
        (r"^backbone\.data_bn\.", "data_bn."),
        (_PYSKL + r"gcn\.conv\.", r"blocks.\1.gcn."),
        (_PYSKL + r"gcn\.bn\.", r"blocks.\1.tcn.0."),
        (_PYSKL + r"gcn\.PA$", r"edge_importance.\1"),
        (_PYSKL + r"tcn\.conv\.", r"blocks.\1.tcn.2."),
        (_PYSKL + r"tcn\.bn\.", r"blocks.\1.tcn.3."),
        (_PYSKL + r"residual\.conv\.", r"blocks.\1.residual.0."),
        (_PYSKL + r"residual\.bn\.", r"blocks.\1.residual.1."),
        (r"^cls_head\.(?:fc_cls|fc)\.", "fcn."),
    )
)


def _fit(name: str, value: Tensor, own: Tensor) -> Tensor | None:
    if ".gcn." in name and value.numel() == own.numel():
        # A 1x1 convolution to all relations: [R * out, in, 1, 1] to [R, in, out].
        if own.dim() == 3 and value.shape[1:] == (own.size(1), 1, 1):
            return value.flatten(1).view(own.size(0), own.size(2), own.size(1)).mT
        if own.dim() == 2 and value.dim() == 1:
            return value.view(own.shape)
    return flatten_1x1(name, value, own)


def _constants(model: Module) -> dict[str, Tensor]:
    r"""The graph is no parameter of ours, but a checkpoint of another one would not fit."""
    adj = model.adjacency().float().cpu()  # type: ignore[operator]
    return {r"^A$": adj, _PYSKL + r"gcn\.A$": adj}


class STGCN(SkeletonClassifier):
    r"""The model from the `"Spatial Temporal Graph Convolutional Networks for Skeleton-Based
    Action Recognition" <https://arxiv.org/abs/1801.07455>`_ paper: ten blocks, 3.1 M parameters,
    see :func:`stgcn`.

    .. math::
        \mathbf{X}^{(\ell + 1)} = \textrm{STGCNBlock}(\mathbf{X}^{(\ell)},\; \mathbf{w} \odot
        \mathbf{m}^{(\ell)})

    where :math:`\mathbf{w}` are the weights of the :term:`typed edges <typed edge>` and
    :math:`\mathbf{m}^{(\ell)}` a learned importance of each of them. The mean over joints and
    frames, then over persons, is classified. The model knows the edges of its layout; a graph needs
    none of its own. Two of them make a :class:`TwoStream`.

    Absent persons and padded frames:

    * A dense tensor is taken as it is, zeros and all, as in the published code: they take part in
      batch norm, in pooling and in the mean over persons.
    * A :class:`~torch_geometric.data.Batch` is :term:`packed`: each sequence has the frames and
      persons that it has, and no zero takes part in anything.
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
        padding (str, optional): :obj:`"published"` to fill up batches. (default: :obj:`None`)
        window ((int, int), optional): To how many frames and persons. (default: :obj:`None`)
        max_hop (int, optional): The farthest distance joined. (default: :obj:`1`)
        dilation (int, optional): The step between distances. (default: :obj:`1`)
        kernel_size (int, optional): The frames of a temporal convolution. (default: :obj:`9`)
        stages (list of tuples, optional): The channels, the number of blocks and the stride of
            each :class:`Stage`. (default: the published ones, ten blocks)
        block (Callable, optional): Makes a block, called as :class:`STGCNBlock`.
            (default: :class:`STGCNBlock`)
        norm_layer (Callable, optional): Makes each norm, of so many channels.
            (default: :class:`torch.nn.BatchNorm1d`)

    Shapes:
        - **input:** a dense tensor :math:`(N, C, T, V, M)`, or a PyG batch of skeleton sequences
        - **output:** logits :math:`(N, \textrm{num_classes})`

    Raises:
        TypeError: If an argument is of another type; when called, if the input is neither.
        ValueError: If a number is out of range, or one of :obj:`padding` and :obj:`window` is
            given without the other; when called, if the data have another layout or shape, do not
            fit the window, or hold NaN or infinite values.

    Example:
        >>> import torch
        >>> from torch_geometric.data import Batch
        >>> from pyg_vision.datasets import SyntheticMotion
        >>> from pyg_vision.nn import STGCN
        >>> model = STGCN(in_channels=3, num_classes=7, layout="openpose").eval()
        >>> dataset = SyntheticMotion(num_sequences=2)  # of different lengths
        >>> model(Batch.from_data_list([dataset[0], dataset[1]])).shape
        torch.Size([2, 7])
        >>> model(torch.randn(2, 3, 64, 18, 1)).shape  # or a dense tensor
        torch.Size([2, 7])
    """

    published = KeyRules(_RENAME, _fit, constants=_constants)
    edge_weight: Tensor

    def __init__(
        self,
        in_channels: int,
        num_classes: int,
        layout: str | SkeletonLayout = "openpose",
        partition: Partition = "stgcn",
        edge_importance: bool = True,
        dropout: float = 0.0,
        padding: str | None = None,
        window: tuple[int, int] | None = None,
        max_hop: int = 1,
        dilation: int = 1,
        kernel_size: int = 9,
        stages: Sequence[Stage | tuple[int, ...]] = STAGES,
        block: Callable[..., Module] = STGCNBlock,
        norm_layer: Callable[[int], Module] | None = None,
    ) -> None:
        super().__init__(in_channels, num_classes, layout, padding, window)
        check_rate("dropout", dropout)
        self.partition = partition
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
        self.data_bn = (norm_layer or BatchNorm1d)(joints * in_channels)
        options = {} if norm_layer is None else {"norm_layer": norm_layer}
        sizes = block_sizes(stages)
        self.blocks = ModuleList()
        for i, (channels, stride) in enumerate(sizes):
            self.blocks.append(
                block(
                    sizes[i - 1][0] if i > 0 else in_channels,
                    channels,
                    num_relations=self.num_relations,
                    kernel_size=kernel_size,
                    stride=stride,
                    dropout=dropout if i > 0 else 0.0,
                    residual=i > 0,
                    **options,
                )
            )
        self._num_features = sizes[-1][0]
        self.edge_importance: ParameterList | None = None
        if edge_importance:
            shape = (self.num_relations, joints, joints)
            self.edge_importance = ParameterList(Parameter(torch.ones(shape)) for _ in sizes)
        self.fcn = self.make_head()

    @property
    def edge_index(self) -> Tensor:
        r"""The edges of one skeleton."""
        return self.plan.edge_index

    @property
    def edge_type(self) -> Tensor:
        r"""Their types."""
        return self.plan.edge_type

    def adjacency(self, edge_weight: Tensor | None = None) -> Tensor:
        r"""Returns the edges as the published matrices :math:`(K, V, V)`.

        Args:
            edge_weight (torch.Tensor, optional): Weights in place of the published ones.
        """
        weight = self.edge_weight if edge_weight is None else edge_weight
        graph = SkeletonGraph(self.edge_index, self.edge_type, weight)
        return adjacency_stack(graph, self.num_relations, self.layout.num_joints)

    def node_features(self, x: Tensor, tracks: Tracks) -> tuple[Tensor, Tracks]:
        r"""Returns the features of the nodes after the last block, and their tracks: each
        stride leaves every second frame.

        Args:
            x (torch.Tensor): The node features :math:`(|\mathcal{V}|, C)`.
            tracks (Tracks): The persons, frames and joints that the nodes are.
        """
        x = self.data_bn(x.reshape(tracks.num_frames, -1)).reshape(x.shape)
        for block, weight in zip(self.blocks, self._edge_weights(), strict=True):
            x = block(x, tracks, self.edge_index, self.edge_type, weight, self.plan)
            tracks = tracks.strided(block.stride)  # type: ignore[arg-type]
        return x, tracks

    def fuse_layers(self) -> None:
        r"""Folds the importance of edges into their weights, see :meth:`fuse`."""
        self.edge_weight = torch.stack(self._edge_weights()).detach()
        self.edge_importance = None

    def _edge_weights(self) -> list[Tensor]:
        if self.edge_importance is None:  # the same for all blocks, or fused to one for each
            return list(self.edge_weight.expand(len(self.blocks), -1))
        edges = (self.edge_type, *self.edge_index)
        return [self.edge_weight * importance[edges] for importance in self.edge_importance]


class STGCN_Weights(WeightsEnum):  # noqa: N801 - named as torchvision names them
    r"""Weights of :func:`stgcn`, trained by pyskl on NTU RGB+D 60 and 120 by the usual splits,
    on joints, bones and the motion of both, of Kinect v2 in 3D or of HRNet in 2D.

    Those named :obj:`VANILLA` are trained by the recipe of ST-GCN, the others by that of pyskl.

    Example:
        >>> from pyg_vision.nn import STGCN_Weights
        >>> weights = STGCN_Weights.DEFAULT
        >>> weights.meta["stream"], weights.meta["metrics"]
        ('joint', {'NTU RGB+D, cross-subject': {'acc@1': 87.8}})
        >>> weights.meta["categories"][0], weights.meta["layout"]
        ('drink water', 'ntu_pyskl')
    """

    NTU60_XSUB_3D_JOINT = pyskl("stgcn", "ntu60_xsub_3dkp", "j", 87.8)
    NTU60_XSUB_3D_BONE = pyskl("stgcn", "ntu60_xsub_3dkp", "b", 88.6)
    NTU60_XSUB_3D_JOINT_MOTION = pyskl("stgcn", "ntu60_xsub_3dkp", "jm", 85.8)
    NTU60_XSUB_3D_BONE_MOTION = pyskl("stgcn", "ntu60_xsub_3dkp", "bm", 86.2)
    NTU60_XSUB_HRNET_JOINT = pyskl("stgcn", "ntu60_xsub_hrnet", "j", 89.0)
    NTU60_XSUB_HRNET_BONE = pyskl("stgcn", "ntu60_xsub_hrnet", "b", 91.2)
    NTU60_XSUB_HRNET_JOINT_MOTION = pyskl("stgcn", "ntu60_xsub_hrnet", "jm", 86.7)
    NTU60_XSUB_HRNET_BONE_MOTION = pyskl("stgcn", "ntu60_xsub_hrnet", "bm", 87.8)
    NTU60_XVIEW_3D_JOINT = pyskl("stgcn", "ntu60_xview_3dkp", "j", 95.5)
    NTU60_XVIEW_3D_BONE = pyskl("stgcn", "ntu60_xview_3dkp", "b", 95.0)
    NTU60_XVIEW_3D_JOINT_MOTION = pyskl("stgcn", "ntu60_xview_3dkp", "jm", 93.7)
    NTU60_XVIEW_3D_BONE_MOTION = pyskl("stgcn", "ntu60_xview_3dkp", "bm", 92.8)
    NTU60_XVIEW_HRNET_JOINT = pyskl("stgcn", "ntu60_xview_hrnet", "j", 98.0)
    NTU60_XVIEW_HRNET_BONE = pyskl("stgcn", "ntu60_xview_hrnet", "b", 96.5)
    NTU60_XVIEW_HRNET_JOINT_MOTION = pyskl("stgcn", "ntu60_xview_hrnet", "jm", 95.6)
    NTU60_XVIEW_HRNET_BONE_MOTION = pyskl("stgcn", "ntu60_xview_hrnet", "bm", 95.4)
    NTU120_XSUB_3D_JOINT = pyskl("stgcn", "ntu120_xsub_3dkp", "j", 82.1)
    NTU120_XSUB_3D_BONE = pyskl("stgcn", "ntu120_xsub_3dkp", "b", 83.7)
    NTU120_XSUB_3D_JOINT_MOTION = pyskl("stgcn", "ntu120_xsub_3dkp", "jm", 80.3)
    NTU120_XSUB_3D_BONE_MOTION = pyskl("stgcn", "ntu120_xsub_3dkp", "bm", 80.6)
    NTU120_XSUB_HRNET_JOINT = pyskl("stgcn", "ntu120_xsub_hrnet", "j", 80.1)
    NTU120_XSUB_HRNET_BONE = pyskl("stgcn", "ntu120_xsub_hrnet", "b", 83.4)
    NTU120_XSUB_HRNET_JOINT_MOTION = pyskl("stgcn", "ntu120_xsub_hrnet", "jm", 78.6)
    NTU120_XSUB_HRNET_BONE_MOTION = pyskl("stgcn", "ntu120_xsub_hrnet", "bm", 79.8)
    NTU120_XSET_3D_JOINT = pyskl("stgcn", "ntu120_xset_3dkp", "j", 84.5)
    NTU120_XSET_3D_BONE = pyskl("stgcn", "ntu120_xset_3dkp", "b", 85.8)
    NTU120_XSET_3D_JOINT_MOTION = pyskl("stgcn", "ntu120_xset_3dkp", "jm", 82.7)
    NTU120_XSET_3D_BONE_MOTION = pyskl("stgcn", "ntu120_xset_3dkp", "bm", 83.0)
    NTU120_XSET_HRNET_JOINT = pyskl("stgcn", "ntu120_xset_hrnet", "j", 84.2)
    NTU120_XSET_HRNET_BONE = pyskl("stgcn", "ntu120_xset_hrnet", "b", 87.7)
    NTU120_XSET_HRNET_JOINT_MOTION = pyskl("stgcn", "ntu120_xset_hrnet", "jm", 82.5)
    NTU120_XSET_HRNET_BONE_MOTION = pyskl("stgcn", "ntu120_xset_hrnet", "bm", 83.5)
    NTU60_XSUB_3D_VANILLA_JOINT = pyskl("stgcn_vanilla", "ntu60_xsub_3dkp", "j", 81.5)
    NTU60_XSUB_3D_VANILLA_BONE = pyskl("stgcn_vanilla", "ntu60_xsub_3dkp", "b", 81.0)
    NTU60_XSUB_3D_VANILLA_JOINT_MOTION = pyskl("stgcn_vanilla", "ntu60_xsub_3dkp", "jm", 79.9)
    NTU60_XSUB_3D_VANILLA_BONE_MOTION = pyskl("stgcn_vanilla", "ntu60_xsub_3dkp", "bm", 81.2)
    NTU60_XSUB_HRNET_VANILLA_JOINT = pyskl("stgcn_vanilla", "ntu60_xsub_hrnet", "j", 85.7)
    NTU60_XSUB_HRNET_VANILLA_BONE = pyskl("stgcn_vanilla", "ntu60_xsub_hrnet", "b", 85.8)
    NTU60_XSUB_HRNET_VANILLA_JOINT_MOTION = pyskl("stgcn_vanilla", "ntu60_xsub_hrnet", "jm", 81.6)
    NTU60_XSUB_HRNET_VANILLA_BONE_MOTION = pyskl("stgcn_vanilla", "ntu60_xsub_hrnet", "bm", 83.9)
    NTU60_XVIEW_3D_VANILLA_JOINT = pyskl("stgcn_vanilla", "ntu60_xview_3dkp", "j", 90.1)
    NTU60_XVIEW_3D_VANILLA_BONE = pyskl("stgcn_vanilla", "ntu60_xview_3dkp", "b", 87.7)
    NTU60_XVIEW_3D_VANILLA_JOINT_MOTION = pyskl("stgcn_vanilla", "ntu60_xview_3dkp", "jm", 88.8)
    NTU60_XVIEW_3D_VANILLA_BONE_MOTION = pyskl("stgcn_vanilla", "ntu60_xview_3dkp", "bm", 88.3)
    NTU60_XVIEW_HRNET_VANILLA_JOINT = pyskl("stgcn_vanilla", "ntu60_xview_hrnet", "j", 92.4)
    NTU60_XVIEW_HRNET_VANILLA_BONE = pyskl("stgcn_vanilla", "ntu60_xview_hrnet", "b", 90.0)
    NTU60_XVIEW_HRNET_VANILLA_JOINT_MOTION = pyskl("stgcn_vanilla", "ntu60_xview_hrnet", "jm", 92.0)
    NTU60_XVIEW_HRNET_VANILLA_BONE_MOTION = pyskl("stgcn_vanilla", "ntu60_xview_hrnet", "bm", 86.5)
    DEFAULT = NTU60_XSUB_3D_JOINT


@register_model()
def stgcn(
    *, weights: STGCN_Weights | str | None = None, progress: bool = True, **kwargs: Any
) -> STGCN:
    r"""ST-GCN of the `"Spatial Temporal Graph Convolutional Networks for Skeleton-Based Action
    Recognition" <https://arxiv.org/abs/1801.07455>`_ paper for Kinetics-Skeleton: 400 classes of
    motions of OpenPose's 18 joints, 3.177 M parameters.

    Args:
        weights (STGCN_Weights or str, optional): Trained weights, or their name.
            (default: :obj:`None`)
        progress (bool, optional): Whether to show a progress bar of a download.
            (default: :obj:`True`)
        **kwargs (optional): Arguments of :class:`STGCN`.

    Example:
        >>> from pyg_vision.nn import stgcn
        >>> stgcn(num_classes=60, layout="ntu").layout.num_joints
        25
    """
    defaults = {"in_channels": 3, "num_classes": 400, "layout": "openpose"}
    return build(STGCN, STGCN_Weights.verify(weights), progress, kwargs, defaults)


register_family("pyg_vision.nn.STGCN", lambda state: describe_stgcn(state, STGCN.published))
