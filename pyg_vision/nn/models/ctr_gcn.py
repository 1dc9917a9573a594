r"""CTR-GCN: a graph for each channel."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch import Tensor
from torch.nn import Module

from pyg_vision.data.layout import SkeletonLayout
from pyg_vision.nn.blocks.graph_unit import GraphUnit, SpaceTimeBlock
from pyg_vision.nn.conv.channel_topology_conv import ChannelTopologyConv
from pyg_vision.nn.layers.multi_scale_temporal_conv import FOUR, MultiScaleTemporalConv
from pyg_vision.nn.models._pyskl_keys import START, from_zero
from pyg_vision.nn.models._skeleton_describe import describe_ctrgcn
from pyg_vision.nn.models._skeleton_weights import pyskl
from pyg_vision.nn.models._space_time_model import SpaceTimeModel
from pyg_vision.nn.models.registry import build, register_model
from pyg_vision.nn.models.stage import STAGES, Stage
from pyg_vision.typing import Partition
from pyg_vision.weights import Described, WeightsEnum, register_family
from pyg_vision.weights.key_rules import KeyRules, flatten_1x1, rename_by

_PYSKL = r"^backbone\.net\.(\d+)\."
_OFFICIAL = r"^l(\d+)\."


def _rules(block: str, adjacency: str, swap: bool) -> tuple[tuple[str, str], ...]:
    r"""Returns what renames the blocks of one of the two codes; the official one has sources and
    targets the other way round.
    """
    ends = ("target", "source") if swap else ("source", "target")
    maps = {"conv1": ends[0], "conv2": ends[1], "conv3": "value", "conv4": "spread"}
    return (
        (block + rf"gcn1\.{adjacency}$", r"blocks.\1.gcn.conv.adjacency"),
        (block + r"gcn1\.alpha$", r"blocks.\1.gcn.conv.alpha"),
        *(
            (block + rf"gcn1\.convs\.(\d)\.{name}\.", rf"blocks.\1.gcn.conv.topologies.\2.{own}.")
            for name, own in maps.items()
        ),
        (block + r"gcn1\.bn\.", r"blocks.\1.gcn.bn."),
        (block + r"gcn1\.down\.(\d)\.", r"blocks.\1.gcn.down.\2."),
        (block + r"tcn1\.branches\.(\d)\.3\.conv\.", r"blocks.\1.tcn.branches.\2.3."),
        (block + r"tcn1\.branches\.(\d)\.3\.bn\.", r"blocks.\1.tcn.branches.\2.4."),
        (block + r"tcn1\.branches\.(\d)\.(\d)\.", r"blocks.\1.tcn.branches.\2.\3."),
        (block + r"residual\.conv\.", r"blocks.\1.residual.0."),
        (block + r"residual\.bn\.", r"blocks.\1.residual.1."),
    )


_rename_pyskl = rename_by(
    (
        (START, "start"),
        (r"^backbone\.data_bn\.", "data_bn.norm."),
        (r"^cls_head\.(?:fc_cls|fc)\.", "fcn."),
        *_rules(_PYSKL, "A", swap=False),
    )
)
_rename_parts = rename_by(
    (
        (r"^data_bn\.(weight|bias|running_mean|running_var|num_batches_tracked)$",
         r"data_bn.norm.\1"),
        (r"^fc\.", "fcn."),
        *_rules(_OFFICIAL, "PA", swap=True),
    )
)  # fmt: skip


def _rename_official(name: str) -> str | None:
    return from_zero(_rename_parts(name))


def _fit_official(name: str, value: Tensor, own: Tensor) -> Tensor | None:
    if name.endswith(".adjacency"):  # from column to row
        value = value.mT
    if ".source." in name or ".target." in name:  # tanh(p - q) = tanh((-q) - (-p))
        value = -value
    return flatten_1x1(name, value, own)


_RULES = {  # by whether a ReLU follows the temporal convolutions
    True: KeyRules(_rename_pyskl, unused=(START,), head="fcn."),
    False: KeyRules(_rename_official, _fit_official, head="fcn."),
}


class CTRGCN(SpaceTimeModel):
    r"""CTR-GCN of the `"Channel-wise Topology Refinement Graph Convolution for Skeleton-Based
    Action Recognition" <https://arxiv.org/abs/2107.12213>`_ paper: ten blocks, 1.4 M parameters,
    see :func:`ctrgcn`.

    .. math::
        \mathbf{X}^{(\ell + 1)} = \textrm{ReLU}(\textrm{MultiScaleTemporalConv}(\textrm{ReLU}(
        \textrm{BN}(\textrm{ChannelTopologyConv}(\mathbf{X}^{(\ell)})) + \mathbf{X}^{(\ell)})) +
        \mathbf{X}^{(\ell)})

    Inputs are normalised for the first and the second person apart, see :class:`PersonNorm`; a
    sequence has at most :obj:`num_persons`. Absent persons and padded frames are as in
    :class:`STGCN`. The same state dict loads into :class:`DenseCTRGCN`.

    Checkpoints of the authors need :obj:`temporal_relu=False`. Their graphs run from column to row;
    they are turned, with the signs of what is compared, so that outputs are the same.

    Args:
        in_channels (int): Channels of a joint, such as 3 for :math:`(x, y, z)`.
        num_classes (int): The number of classes, :obj:`0` for none, which makes the head the
            identity.
        layout (str or SkeletonLayout, optional): The skeleton, see
            :func:`~pyg_vision.data.skeleton_layout`. (default: :obj:`"ntu"`)
        partition (str, optional): The partition strategy of the edges that learning begins with,
            see :func:`~pyg_vision.data.skeleton_graph`. (default: :obj:`"inward_outward"`)
        dropout (float, optional): Dropout in all blocks but the first. (default: :obj:`0.0`)
        padding (str, optional): :obj:`"published"` to fill up batches. (default: :obj:`None`)
        window ((int, int), optional): To how many frames and persons. (default: :obj:`None`)
        stages (list of tuples, optional): The channels, the number of blocks and the stride of
            each :class:`Stage`. (default: the published ones, ten blocks)
        norm_layer (Callable, optional): Makes each norm, of so many channels.
            (default: :class:`torch.nn.BatchNorm1d`)
        num_persons (int, optional): The persons that are told apart; a dense input must have as
            many. If :obj:`None`, all are alike. (default: :obj:`2`)
        temporal_relu (bool, optional): Whether a ReLU follows the temporal convolutions, as in
            pyskl; the authors' code has none. (default: :obj:`False`)

    Shapes:
        - **input:** a dense tensor :math:`(N, C, T, V, M)`, or a PyG batch of skeleton sequences
        - **output:** logits :math:`(N, \textrm{num_classes})`

    Raises:
        TypeError: If an argument is of another type; when called, if the input is neither.
        ValueError: If a number is out of range, or one of :obj:`padding` and :obj:`window` is
            given without the other; when called, if the data have another layout or shape, do not
            fit the window, hold NaN or infinite values, or too many persons.

    Example:
        >>> import torch
        >>> from pyg_vision.nn import CTRGCN
        >>> model = CTRGCN(in_channels=3, num_classes=60).eval()
        >>> model(torch.randn(2, 3, 20, 25, 2)).shape
        torch.Size([2, 60])
    """

    norm_start = 1e-6

    def __init__(
        self,
        in_channels: int,
        num_classes: int,
        layout: str | SkeletonLayout = "ntu",
        partition: Partition = "inward_outward",
        dropout: float = 0.0,
        padding: str | None = None,
        window: tuple[int, int] | None = None,
        stages: Sequence[Stage | tuple[int, ...]] = STAGES,
        norm_layer: Callable[[int], Module] | None = None,
        num_persons: int | None = 2,
        temporal_relu: bool = False,
    ) -> None:
        self.temporal_relu = temporal_relu
        super().__init__(
            in_channels,
            num_classes,
            layout,
            partition,
            stages,
            dropout,
            padding,
            window,
            norm_layer,
            num_persons,
        )

    @property
    def published(self) -> KeyRules:  # type: ignore[override]
        r"""The names of pyskl's checkpoints, or of the authors' if no ReLU follows the temporal
        convolutions.
        """
        return _RULES[self.temporal_relu]

    def make_block(
        self,
        in_channels: int,
        out_channels: int,
        stride: int,
        residual: bool,
        dropout: float,
        norm: Callable[[int], Module],
    ) -> Module:
        r"""Returns a block, see :class:`CTRGCN`."""
        sizes = in_channels, out_channels
        unit = GraphUnit(ChannelTopologyConv(*sizes, self.adjacency()), *sizes, norm)
        tcn = MultiScaleTemporalConv(
            out_channels,
            out_channels,
            stride,
            kernels=FOUR,
            merge=False,
            dropout=dropout,
            norm_layer=norm,
            relu=self.temporal_relu,
        )
        return SpaceTimeBlock(unit, tcn, *sizes, stride, residual, norm)


class CTRGCN_Weights(WeightsEnum):  # noqa: N801 - named as torchvision names them
    r"""Weights of :func:`ctrgcn`, trained by pyskl on NTU RGB+D 60 and 120 by the usual splits,
    on joints, bones and the motion of both, of Kinect v2 in 3D or of HRNet in 2D.

    Example:
        >>> from pyg_vision.nn import CTRGCN_Weights
        >>> weights = CTRGCN_Weights.DEFAULT
        >>> weights.meta["stream"], weights.meta["metrics"]
        ('joint', {'NTU RGB+D, cross-subject': {'acc@1': 89.6}})
        >>> weights.meta["categories"][0], weights.meta["layout"]
        ('drink water', 'ntu_pyskl')
    """

    NTU60_XSUB_3D_JOINT = pyskl("ctrgcn", "ntu60_xsub_3dkp", "j", 89.6)
    NTU60_XSUB_3D_BONE = pyskl("ctrgcn", "ntu60_xsub_3dkp", "b", 90.0)
    NTU60_XSUB_3D_JOINT_MOTION = pyskl("ctrgcn", "ntu60_xsub_3dkp", "jm", 88.0)
    NTU60_XSUB_3D_BONE_MOTION = pyskl("ctrgcn", "ntu60_xsub_3dkp", "bm", 87.5)
    NTU60_XSUB_HRNET_JOINT = pyskl("ctrgcn", "ntu60_xsub_hrnet", "j", 90.6)
    NTU60_XSUB_HRNET_BONE = pyskl("ctrgcn", "ntu60_xsub_hrnet", "b", 92.7)
    NTU60_XSUB_HRNET_JOINT_MOTION = pyskl("ctrgcn", "ntu60_xsub_hrnet", "jm", 89.4)
    NTU60_XSUB_HRNET_BONE_MOTION = pyskl("ctrgcn", "ntu60_xsub_hrnet", "bm", 90.3)
    NTU60_XVIEW_3D_JOINT = pyskl("ctrgcn", "ntu60_xview_3dkp", "j", 95.6)
    NTU60_XVIEW_3D_BONE = pyskl("ctrgcn", "ntu60_xview_3dkp", "b", 95.4)
    NTU60_XVIEW_3D_JOINT_MOTION = pyskl("ctrgcn", "ntu60_xview_3dkp", "jm", 94.4)
    NTU60_XVIEW_3D_BONE_MOTION = pyskl("ctrgcn", "ntu60_xview_3dkp", "bm", 93.6)
    NTU60_XVIEW_HRNET_JOINT = pyskl("ctrgcn", "ntu60_xview_hrnet", "j", 96.9)
    NTU60_XVIEW_HRNET_BONE = pyskl("ctrgcn", "ntu60_xview_hrnet", "b", 97.6)
    NTU60_XVIEW_HRNET_JOINT_MOTION = pyskl("ctrgcn", "ntu60_xview_hrnet", "jm", 94.8)
    NTU60_XVIEW_HRNET_BONE_MOTION = pyskl("ctrgcn", "ntu60_xview_hrnet", "bm", 95.6)
    NTU120_XSUB_3D_JOINT = pyskl("ctrgcn", "ntu120_xsub_3dkp", "j", 84.0)
    NTU120_XSUB_3D_BONE = pyskl("ctrgcn", "ntu120_xsub_3dkp", "b", 85.9)
    NTU120_XSUB_3D_JOINT_MOTION = pyskl("ctrgcn", "ntu120_xsub_3dkp", "jm", 81.1)
    NTU120_XSUB_3D_BONE_MOTION = pyskl("ctrgcn", "ntu120_xsub_3dkp", "bm", 82.2)
    NTU120_XSUB_HRNET_JOINT = pyskl("ctrgcn", "ntu120_xsub_hrnet", "j", 82.2)
    NTU120_XSUB_HRNET_BONE = pyskl("ctrgcn", "ntu120_xsub_hrnet", "b", 84.6)
    NTU120_XSUB_HRNET_JOINT_MOTION = pyskl("ctrgcn", "ntu120_xsub_hrnet", "jm", 82.3)
    NTU120_XSUB_HRNET_BONE_MOTION = pyskl("ctrgcn", "ntu120_xsub_hrnet", "bm", 82.1)
    NTU120_XSET_3D_JOINT = pyskl("ctrgcn", "ntu120_xset_3dkp", "j", 85.9)
    NTU120_XSET_3D_BONE = pyskl("ctrgcn", "ntu120_xset_3dkp", "b", 87.4)
    NTU120_XSET_3D_JOINT_MOTION = pyskl("ctrgcn", "ntu120_xset_3dkp", "jm", 84.1)
    NTU120_XSET_3D_BONE_MOTION = pyskl("ctrgcn", "ntu120_xset_3dkp", "bm", 83.9)
    NTU120_XSET_HRNET_JOINT = pyskl("ctrgcn", "ntu120_xset_hrnet", "j", 84.5)
    NTU120_XSET_HRNET_BONE = pyskl("ctrgcn", "ntu120_xset_hrnet", "b", 88.6)
    NTU120_XSET_HRNET_JOINT_MOTION = pyskl("ctrgcn", "ntu120_xset_hrnet", "jm", 85.6)
    NTU120_XSET_HRNET_BONE_MOTION = pyskl("ctrgcn", "ntu120_xset_hrnet", "bm", 85.6)
    DEFAULT = NTU60_XSUB_3D_JOINT


@register_model()
def ctrgcn(
    *, weights: CTRGCN_Weights | str | None = None, progress: bool = True, **kwargs: Any
) -> CTRGCN:
    r"""CTR-GCN of the `"Channel-wise Topology Refinement Graph Convolution for Skeleton-Based
    Action Recognition" <https://arxiv.org/abs/2107.12213>`_ paper for NTU RGB+D: 60 classes of
    motions of 25 joints, 1.447 M parameters.

    Args:
        weights (CTRGCN_Weights or str, optional): Trained weights, or their name.
            (default: :obj:`None`)
        progress (bool, optional): Whether to show a progress bar of a download.
            (default: :obj:`True`)
        **kwargs (optional): Arguments of :class:`CTRGCN`.

    Example:
        >>> from pyg_vision.nn import ctrgcn
        >>> sum(value.numel() for value in ctrgcn().parameters())
        1446672
    """
    defaults = {"in_channels": 3, "num_classes": 60, "layout": "ntu"}
    return build(CTRGCN, CTRGCN_Weights.verify(weights), progress, kwargs, defaults)


def _describe(state: Mapping[str, Tensor]) -> Described | None:
    found = (describe_ctrgcn(state, rules, relu) for relu, rules in _RULES.items())
    return next((one for one in found if one is not None), None)


register_family("pyg_vision.nn.CTRGCN", _describe)
