r"""2s-AGCN and AAGCN: adaptive graphs, and attention."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor
from torch.nn import Module

from pyg_vision.data.layout import SkeletonLayout
from pyg_vision.nn.blocks.graph_unit import GraphUnit, SpaceTimeBlock
from pyg_vision.nn.conv.adaptive_graph_conv import AdaptiveGraphConv
from pyg_vision.nn.layers.skeleton_attention import SkeletonAttention
from pyg_vision.nn.layers.temporal_unit import TemporalUnit
from pyg_vision.nn.models._pyskl_keys import BLOCK, COMMON, START, UNIT, from_zero
from pyg_vision.nn.models._skeleton_describe import describe_agcn
from pyg_vision.nn.models._skeleton_weights import pyskl
from pyg_vision.nn.models._space_time_model import SpaceTimeModel
from pyg_vision.nn.models.registry import build, register_model
from pyg_vision.nn.models.stage import STAGES, Stage
from pyg_vision.typing import EdgeScore, Partition
from pyg_vision.weights import WeightsEnum, register_family
from pyg_vision.weights.key_rules import KeyRules, flatten_1x1, rename_by

_OFFICIAL = r"^l(\d+)\."


def _rules(block: str, gcn: str, tcn: str, adjacency: str) -> tuple[tuple[str, str], ...]:
    r"""Returns what renames the blocks of one of the two codes."""
    return (
        (block + gcn + rf"{adjacency}$", r"blocks.\1.gcn.conv.adjacency"),
        (block + gcn + r"alpha$", r"blocks.\1.gcn.conv.alpha"),
        (block + gcn + r"conv_a\.(\d)\.", r"blocks.\1.gcn.conv.theta.\2."),
        (block + gcn + r"conv_b\.(\d)\.", r"blocks.\1.gcn.conv.phi.\2."),
        (block + gcn + r"conv_d\.(\d)\.", r"blocks.\1.gcn.conv.lin.\2."),
        (block + gcn + r"conv_sa\.", r"blocks.\1.gcn.attention.joints."),
        (block + gcn + r"conv_ta\.", r"blocks.\1.gcn.attention.frames."),
        (block + gcn + r"fc(\d)c\.", r"blocks.\1.gcn.attention.fc\2."),
        (block + tcn + r"conv\.", r"blocks.\1.tcn.layers.0."),
        (block + tcn + r"bn\.", r"blocks.\1.tcn.layers.1."),
    )


_PYSKL = rename_by(
    (
        (r"^backbone\.data_bn\.", "data_bn.norm."),
        *COMMON,
        *_rules(BLOCK, r"gcn\.", r"tcn\.", "A"),
        *UNIT,
    )
)
_PUBLISHED = rename_by(
    (
        (r"^data_bn\.(weight|bias|running_mean|running_var|num_batches_tracked)$",
         r"data_bn.norm.\1"),
        (r"^fc\.", "fcn."),
        *_rules(_OFFICIAL, r"gcn1\.", r"tcn1\.", "PA"),
        (_OFFICIAL + r"gcn1\.bn\.", r"blocks.\1.gcn.bn."),
        (_OFFICIAL + r"gcn1\.down\.(\d)\.", r"blocks.\1.gcn.down.\2."),
        (_OFFICIAL + r"residual\.conv\.", r"blocks.\1.residual.0."),
        (_OFFICIAL + r"residual\.bn\.", r"blocks.\1.residual.1."),
    )
)  # fmt: skip


def _rename(name: str) -> str | None:
    found = _PYSKL(name)
    return from_zero(_PUBLISHED(name)) if found is None else found


def _fit(name: str, value: Tensor, own: Tensor) -> Tensor | None:
    if ".attention.frames.weight" in name and value.dim() == 3:
        value = value.unsqueeze(-1)
    return flatten_1x1(name, value, own)


class AAGCN(SpaceTimeModel):
    r"""AAGCN of the `"Skeleton-Based Action Recognition with Multi-Stream Adaptive Graph
    Convolutional Networks" <https://arxiv.org/abs/1912.06971>`_ paper: ten blocks, 3.8 M
    parameters, see :func:`aagcn`.

    .. math::
        \mathbf{X}^{(\ell + 1)} = \textrm{ReLU}(\textrm{BN}(\textrm{TemporalConv}(
        \textrm{attention}(\textrm{ReLU}(\textrm{BN}(\textrm{AdaptiveGraphConv}(
        \mathbf{X}^{(\ell)})) + \mathbf{X}^{(\ell)})))) + \mathbf{X}^{(\ell)})

    Inputs are normalised for the first and the second person apart, see :class:`PersonNorm`; a
    sequence has at most :obj:`num_persons`. Absent persons and padded frames are as in
    :class:`STGCN`. The same state dict loads into :class:`DenseAAGCN`.

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
        attention (bool, optional): Whether there is attention. (default: :obj:`True`)

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
        >>> from pyg_vision.nn import AAGCN
        >>> model = AAGCN(in_channels=3, num_classes=60).eval()
        >>> model(torch.randn(2, 3, 20, 25, 2)).shape
        torch.Size([2, 60])
    """

    published = KeyRules(_rename, _fit, unused=(START,), head="fcn.")
    score: EdgeScore = "tanh"
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
        attention: bool = True,
    ) -> None:
        self.attends = attention
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

    def make_block(
        self,
        in_channels: int,
        out_channels: int,
        stride: int,
        residual: bool,
        dropout: float,
        norm: Callable[[int], Module],
    ) -> Module:
        r"""Returns a block, see :class:`AAGCN`."""
        sizes = in_channels, out_channels
        conv = AdaptiveGraphConv(*sizes, self.adjacency(), self.score)
        attention = None
        if self.attends:
            attention = SkeletonAttention(out_channels, self.layout.num_joints)
        unit = GraphUnit(conv, *sizes, norm, attention)
        tcn = TemporalUnit(out_channels, 9, stride, dropout, norm)
        return SpaceTimeBlock(unit, tcn, *sizes, stride, residual, norm)


class AGCN(AAGCN):
    r"""2s-AGCN of the `"Two-Stream Adaptive Graph Convolutional Networks for Skeleton-Based Action
    Recognition" <https://arxiv.org/abs/1805.07694>`_ paper: ten blocks, 3.5 M parameters, see
    :func:`agcn`.

    It is :class:`AAGCN` without attention, whose edges weigh what the skeleton says, what is
    learned, and the softmax of their scores. The edges of the skeleton are in no checkpoint.

    Args:
        in_channels (int): Channels of a joint, such as 3 for :math:`(x, y, z)`.
        num_classes (int): The number of classes, :obj:`0` for none.
        **kwargs (optional): Further arguments of :class:`AAGCN`.

    Example:
        >>> import torch
        >>> from pyg_vision.nn import AGCN
        >>> model = AGCN(in_channels=3, num_classes=60).eval()
        >>> model(torch.randn(2, 3, 20, 25, 2)).shape
        torch.Size([2, 60])
    """

    score: EdgeScore = "softmax"

    def __init__(self, in_channels: int, num_classes: int, **kwargs: Any) -> None:
        super().__init__(in_channels, num_classes, **{"attention": False, **kwargs})


class AAGCN_Weights(WeightsEnum):  # noqa: N801 - named as torchvision names them
    r"""Weights of :func:`aagcn`, trained by pyskl on NTU RGB+D 60 and 120 by the usual splits,
    on joints, bones and the motion of both, of Kinect v2 in 3D or of HRNet in 2D.

    Example:
        >>> from pyg_vision.nn import AAGCN_Weights
        >>> weights = AAGCN_Weights.DEFAULT
        >>> weights.meta["stream"], weights.meta["metrics"]
        ('joint', {'NTU RGB+D, cross-subject': {'acc@1': 89.0}})
        >>> weights.meta["categories"][0], weights.meta["layout"]
        ('drink water', 'ntu_pyskl')
    """

    NTU60_XSUB_3D_JOINT = pyskl("aagcn", "ntu60_xsub_3dkp", "j", 89.0)
    NTU60_XSUB_3D_BONE = pyskl("aagcn", "ntu60_xsub_3dkp", "b", 89.1)
    NTU60_XSUB_3D_JOINT_MOTION = pyskl("aagcn", "ntu60_xsub_3dkp", "jm", 86.9)
    NTU60_XSUB_3D_BONE_MOTION = pyskl("aagcn", "ntu60_xsub_3dkp", "bm", 86.6)
    NTU60_XSUB_HRNET_JOINT = pyskl("aagcn", "ntu60_xsub_hrnet", "j", 89.7)
    NTU60_XSUB_HRNET_BONE = pyskl("aagcn", "ntu60_xsub_hrnet", "b", 92.2)
    NTU60_XSUB_HRNET_JOINT_MOTION = pyskl("aagcn", "ntu60_xsub_hrnet", "jm", 88.7)
    NTU60_XSUB_HRNET_BONE_MOTION = pyskl("aagcn", "ntu60_xsub_hrnet", "bm", 88.8)
    NTU60_XVIEW_3D_JOINT = pyskl("aagcn", "ntu60_xview_3dkp", "j", 95.7)
    NTU60_XVIEW_3D_BONE = pyskl("aagcn", "ntu60_xview_3dkp", "b", 95.2)
    NTU60_XVIEW_3D_JOINT_MOTION = pyskl("aagcn", "ntu60_xview_3dkp", "jm", 93.9)
    NTU60_XVIEW_3D_BONE_MOTION = pyskl("aagcn", "ntu60_xview_3dkp", "bm", 92.4)
    NTU60_XVIEW_HRNET_JOINT = pyskl("aagcn", "ntu60_xview_hrnet", "j", 97.1)
    NTU60_XVIEW_HRNET_BONE = pyskl("aagcn", "ntu60_xview_hrnet", "b", 96.8)
    NTU60_XVIEW_HRNET_JOINT_MOTION = pyskl("aagcn", "ntu60_xview_hrnet", "jm", 95.5)
    NTU60_XVIEW_HRNET_BONE_MOTION = pyskl("aagcn", "ntu60_xview_hrnet", "bm", 95.9)
    NTU120_XSUB_3D_JOINT = pyskl("aagcn", "ntu120_xsub_3dkp", "j", 82.8)
    NTU120_XSUB_3D_BONE = pyskl("aagcn", "ntu120_xsub_3dkp", "b", 84.7)
    NTU120_XSUB_3D_JOINT_MOTION = pyskl("aagcn", "ntu120_xsub_3dkp", "jm", 80.0)
    NTU120_XSUB_3D_BONE_MOTION = pyskl("aagcn", "ntu120_xsub_3dkp", "bm", 80.2)
    NTU120_XSUB_HRNET_JOINT = pyskl("aagcn", "ntu120_xsub_hrnet", "j", 80.2)
    NTU120_XSUB_HRNET_BONE = pyskl("aagcn", "ntu120_xsub_hrnet", "b", 84.2)
    NTU120_XSUB_HRNET_JOINT_MOTION = pyskl("aagcn", "ntu120_xsub_hrnet", "jm", 80.9)
    NTU120_XSUB_HRNET_BONE_MOTION = pyskl("aagcn", "ntu120_xsub_hrnet", "bm", 81.1)
    NTU120_XSET_3D_JOINT = pyskl("aagcn", "ntu120_xset_3dkp", "j", 84.8)
    NTU120_XSET_3D_BONE = pyskl("aagcn", "ntu120_xset_3dkp", "b", 86.2)
    NTU120_XSET_3D_JOINT_MOTION = pyskl("aagcn", "ntu120_xset_3dkp", "jm", 82.0)
    NTU120_XSET_3D_BONE_MOTION = pyskl("aagcn", "ntu120_xset_3dkp", "bm", 82.8)
    NTU120_XSET_HRNET_JOINT = pyskl("aagcn", "ntu120_xset_hrnet", "j", 86.3)
    NTU120_XSET_HRNET_BONE = pyskl("aagcn", "ntu120_xset_hrnet", "b", 88.2)
    NTU120_XSET_HRNET_JOINT_MOTION = pyskl("aagcn", "ntu120_xset_hrnet", "jm", 85.1)
    NTU120_XSET_HRNET_BONE_MOTION = pyskl("aagcn", "ntu120_xset_hrnet", "bm", 85.1)
    DEFAULT = NTU60_XSUB_3D_JOINT


class AGCN_Weights(WeightsEnum):  # noqa: N801 - named as torchvision names them
    r"""Weights of :func:`agcn`; none are published with this package yet.

    Example:
        >>> from pyg_vision.nn import AGCN_Weights
        >>> [weights.name for weights in AGCN_Weights]
        []
    """


@register_model()
def aagcn(
    *, weights: AAGCN_Weights | str | None = None, progress: bool = True, **kwargs: Any
) -> AAGCN:
    r"""AAGCN of the `"Skeleton-Based Action Recognition with Multi-Stream Adaptive Graph
    Convolutional Networks" <https://arxiv.org/abs/1912.06971>`_ paper for NTU RGB+D: 60 classes of
    motions of 25 joints, 3.782 M parameters.

    Args:
        weights (AAGCN_Weights or str, optional): Trained weights, or their name.
            (default: :obj:`None`)
        progress (bool, optional): Whether to show a progress bar of a download.
            (default: :obj:`True`)
        **kwargs (optional): Arguments of :class:`AAGCN`.

    Example:
        >>> from pyg_vision.nn import aagcn
        >>> sum(value.numel() for value in aagcn().parameters())
        3781668
    """
    defaults = {"in_channels": 3, "num_classes": 60, "layout": "ntu"}
    return build(AAGCN, AAGCN_Weights.verify(weights), progress, kwargs, defaults)


@register_model()
def agcn(
    *, weights: AGCN_Weights | str | None = None, progress: bool = True, **kwargs: Any
) -> AGCN:
    r"""2s-AGCN of the `"Two-Stream Adaptive Graph Convolutional Networks for Skeleton-Based Action
    Recognition" <https://arxiv.org/abs/1805.07694>`_ paper for NTU RGB+D: 60 classes of motions of
    25 joints, 3.470 M parameters.

    Args:
        weights (AGCN_Weights or str, optional): Trained weights, or their name.
            (default: :obj:`None`)
        progress (bool, optional): Whether to show a progress bar of a download.
            (default: :obj:`True`)
        **kwargs (optional): Arguments of :class:`AGCN`.

    Example:
        >>> from pyg_vision.nn import agcn
        >>> sum(value.numel() for value in agcn().parameters())
        3469510
    """
    defaults = {"in_channels": 3, "num_classes": 60, "layout": "ntu"}
    return build(AGCN, AGCN_Weights.verify(weights), progress, kwargs, defaults)


register_family(
    "pyg_vision.nn.AAGCN", lambda state: describe_agcn(state, AAGCN.published, adaptive=True)
)
register_family(
    "pyg_vision.nn.AGCN", lambda state: describe_agcn(state, AGCN.published, adaptive=False)
)
