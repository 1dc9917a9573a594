r"""ST-GCN++: ST-GCN with learned edges and a multi-scale temporal convolution."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from torch.nn import Module

from pyg_vision.data.layout import SkeletonLayout
from pyg_vision.nn.blocks.graph_unit import GraphUnit, SpaceTimeBlock
from pyg_vision.nn.conv.learned_graph_conv import LearnedGraphConv
from pyg_vision.nn.layers.multi_scale_temporal_conv import MultiScaleTemporalConv
from pyg_vision.nn.models._pyskl_keys import BLOCK, COMMON, MULTI_SCALE, START, UNIT, fit_relations
from pyg_vision.nn.models._skeleton_describe import describe_stgcnpp
from pyg_vision.nn.models._skeleton_weights import hagrid, pyskl
from pyg_vision.nn.models._space_time_model import SpaceTimeModel
from pyg_vision.nn.models.registry import build, register_model
from pyg_vision.nn.models.stage import STAGES, Stage
from pyg_vision.typing import Partition
from pyg_vision.weights import WeightsEnum, register_family
from pyg_vision.weights.key_rules import KeyRules, rename_by

_RENAME = rename_by(
    (
        *COMMON,
        (BLOCK + r"gcn\.A$", r"blocks.\1.gcn.conv.adjacency"),
        (BLOCK + r"gcn\.conv\.", r"blocks.\1.gcn.conv.conv."),
        *UNIT,
        *MULTI_SCALE,
    )
)


class STGCNPP(SpaceTimeModel):
    r"""ST-GCN++ of the `"PYSKL: Towards Good Practices for Skeleton Action Recognition"
    <https://arxiv.org/abs/2205.09443>`_ paper: ten blocks, 1.4 M parameters, see :func:`stgcnpp`.

    .. math::
        \mathbf{X}^{(\ell + 1)} = \textrm{ReLU}(\textrm{MultiScaleTemporalConv}(\textrm{ReLU}(
        \textrm{BN}(\textrm{LearnedGraphConv}(\mathbf{X}^{(\ell)})) + \mathbf{X}^{(\ell)})) +
        \mathbf{X}^{(\ell)})

    It is :class:`STGCN` with the weights of all edges of a frame learned in each block, beginning
    with those of the skeleton, a residual around the graph convolution, and temporal convolutions
    of six reaches. Absent persons and padded frames are as in :class:`STGCN`. The same state dict
    loads into :class:`DenseSTGCNPP`.

    Args:
        in_channels (int): Channels of a joint, such as 3 for :math:`(x, y, \textrm{score})`.
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
        >>> from pyg_vision.nn import STGCNPP
        >>> model = STGCNPP(in_channels=3, num_classes=60).eval()
        >>> model(torch.randn(2, 3, 20, 25, 2)).shape
        torch.Size([2, 60])
    """

    published = KeyRules(_RENAME, fit_relations, unused=(START,), head="fcn.")

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
    ) -> None:
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
        r"""Returns a block, see :class:`STGCNPP`."""
        sizes = in_channels, out_channels
        conv = LearnedGraphConv(*sizes, self.adjacency())
        tcn = MultiScaleTemporalConv(
            out_channels, out_channels, stride, dropout=dropout, norm_layer=norm
        )
        return SpaceTimeBlock(GraphUnit(conv, *sizes, norm), tcn, *sizes, stride, residual, norm)


class STGCNPP_Weights(WeightsEnum):  # noqa: N801 - named as torchvision names them
    r"""Weights of :func:`stgcnpp`, trained by pyskl on NTU RGB+D 60 and 120 by the usual splits,
    on joints, bones and the motion of both, of Kinect v2 in 3D or of HRNet in 2D.

    :obj:`HAGRID` names the gesture of a hand from its 21 landmarks, in 40 classes.

    Example:
        >>> from pyg_vision.nn import STGCNPP_Weights
        >>> weights = STGCNPP_Weights.DEFAULT
        >>> weights.meta["stream"], weights.meta["metrics"]
        ('joint', {'NTU RGB+D, cross-subject': {'acc@1': 89.3}})
        >>> weights.meta["categories"][0], weights.meta["layout"]
        ('drink water', 'ntu_pyskl')
    """

    NTU60_XSUB_3D_JOINT = pyskl("stgcnpp", "ntu60_xsub_3dkp", "j", 89.3)
    NTU60_XSUB_3D_BONE = pyskl("stgcnpp", "ntu60_xsub_3dkp", "b", 90.1)
    NTU60_XSUB_3D_JOINT_MOTION = pyskl("stgcnpp", "ntu60_xsub_3dkp", "jm", 87.5)
    NTU60_XSUB_3D_BONE_MOTION = pyskl("stgcnpp", "ntu60_xsub_3dkp", "bm", 87.3)
    NTU60_XSUB_HRNET_JOINT = pyskl("stgcnpp", "ntu60_xsub_hrnet", "j", 89.3)
    NTU60_XSUB_HRNET_BONE = pyskl("stgcnpp", "ntu60_xsub_hrnet", "b", 92.3)
    NTU60_XSUB_HRNET_JOINT_MOTION = pyskl("stgcnpp", "ntu60_xsub_hrnet", "jm", 84.0)
    NTU60_XSUB_HRNET_BONE_MOTION = pyskl("stgcnpp", "ntu60_xsub_hrnet", "bm", 88.8)
    NTU60_XVIEW_3D_JOINT = pyskl("stgcnpp", "ntu60_xview_3dkp", "j", 95.6)
    NTU60_XVIEW_3D_BONE = pyskl("stgcnpp", "ntu60_xview_3dkp", "b", 95.5)
    NTU60_XVIEW_3D_JOINT_MOTION = pyskl("stgcnpp", "ntu60_xview_3dkp", "jm", 94.3)
    NTU60_XVIEW_3D_BONE_MOTION = pyskl("stgcnpp", "ntu60_xview_3dkp", "bm", 93.8)
    NTU60_XVIEW_HRNET_JOINT = pyskl("stgcnpp", "ntu60_xview_hrnet", "j", 97.4)
    NTU60_XVIEW_HRNET_BONE = pyskl("stgcnpp", "ntu60_xview_hrnet", "b", 97.2)
    NTU60_XVIEW_HRNET_JOINT_MOTION = pyskl("stgcnpp", "ntu60_xview_hrnet", "jm", 93.4)
    NTU60_XVIEW_HRNET_BONE_MOTION = pyskl("stgcnpp", "ntu60_xview_hrnet", "bm", 95.4)
    NTU120_XSUB_3D_JOINT = pyskl("stgcnpp", "ntu120_xsub_3dkp", "j", 83.2)
    NTU120_XSUB_3D_BONE = pyskl("stgcnpp", "ntu120_xsub_3dkp", "b", 85.6)
    NTU120_XSUB_3D_JOINT_MOTION = pyskl("stgcnpp", "ntu120_xsub_3dkp", "jm", 80.4)
    NTU120_XSUB_3D_BONE_MOTION = pyskl("stgcnpp", "ntu120_xsub_3dkp", "bm", 81.5)
    NTU120_XSUB_HRNET_JOINT = pyskl("stgcnpp", "ntu120_xsub_hrnet", "j", 84.4)
    NTU120_XSUB_HRNET_BONE = pyskl("stgcnpp", "ntu120_xsub_hrnet", "b", 84.8)
    NTU120_XSUB_HRNET_JOINT_MOTION = pyskl("stgcnpp", "ntu120_xsub_hrnet", "jm", 76.4)
    NTU120_XSUB_HRNET_BONE_MOTION = pyskl("stgcnpp", "ntu120_xsub_hrnet", "bm", 81.1)
    NTU120_XSET_3D_JOINT = pyskl("stgcnpp", "ntu120_xset_3dkp", "j", 85.6)
    NTU120_XSET_3D_BONE = pyskl("stgcnpp", "ntu120_xset_3dkp", "b", 87.5)
    NTU120_XSET_3D_JOINT_MOTION = pyskl("stgcnpp", "ntu120_xset_3dkp", "jm", 84.3)
    NTU120_XSET_3D_BONE_MOTION = pyskl("stgcnpp", "ntu120_xset_3dkp", "bm", 83.0)
    NTU120_XSET_HRNET_JOINT = pyskl("stgcnpp", "ntu120_xset_hrnet", "j", 88.1)
    NTU120_XSET_HRNET_BONE = pyskl("stgcnpp", "ntu120_xset_hrnet", "b", 88.5)
    NTU120_XSET_HRNET_JOINT_MOTION = pyskl("stgcnpp", "ntu120_xset_hrnet", "jm", 82.6)
    NTU120_XSET_HRNET_BONE_MOTION = pyskl("stgcnpp", "ntu120_xset_hrnet", "bm", 84.1)
    HAGRID = hagrid("14d3e55e7c29ee73d22a2306050c7156d516bdeee3ab47547174e38256f807e7")
    DEFAULT = NTU60_XSUB_3D_JOINT


@register_model()
def stgcnpp(
    *, weights: STGCNPP_Weights | str | None = None, progress: bool = True, **kwargs: Any
) -> STGCNPP:
    r"""ST-GCN++ of the `"PYSKL: Towards Good Practices for Skeleton Action Recognition"
    <https://arxiv.org/abs/2205.09443>`_ paper for NTU RGB+D: 60 classes of motions of 25 joints,
    1.403 M parameters.

    Args:
        weights (STGCNPP_Weights or str, optional): Trained weights, or their name.
            (default: :obj:`None`)
        progress (bool, optional): Whether to show a progress bar of a download.
            (default: :obj:`True`)
        **kwargs (optional): Arguments of :class:`STGCNPP`.

    Example:
        >>> from pyg_vision.nn import stgcnpp
        >>> sum(value.numel() for value in stgcnpp().parameters())
        1403144
    """
    defaults = {"in_channels": 3, "num_classes": 60, "layout": "ntu"}
    return build(STGCNPP, STGCNPP_Weights.verify(weights), progress, kwargs, defaults)


register_family("pyg_vision.nn.STGCNPP", lambda state: describe_stgcnpp(state, STGCNPP.published))
