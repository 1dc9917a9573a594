r"""DG-STGCN: graphs learned from nothing, by groups of channels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from torch.nn import Module

from pyg_vision._checks import check_int
from pyg_vision.data.layout import SkeletonLayout
from pyg_vision.nn.blocks.graph_unit import GraphUnit, SpaceTimeBlock
from pyg_vision.nn.conv.dynamic_graph_conv import DynamicGraphConv
from pyg_vision.nn.layers.multi_scale_temporal_conv import MultiScaleTemporalConv
from pyg_vision.nn.models._pyskl_keys import BLOCK, COMMON, MULTI_SCALE, UNIT
from pyg_vision.nn.models._skeleton_describe import describe_dgstgcn
from pyg_vision.nn.models._skeleton_weights import pyskl
from pyg_vision.nn.models._space_time_model import SpaceTimeModel
from pyg_vision.nn.models.registry import build, register_model
from pyg_vision.nn.models.stage import STAGES, Stage
from pyg_vision.weights import WeightsEnum, register_family
from pyg_vision.weights.key_rules import KeyRules, rename_by

_RENAME = rename_by(
    (
        *COMMON,
        (BLOCK + r"gcn\.A$", r"blocks.\1.gcn.conv.adjacency"),
        (BLOCK + r"gcn\.(alpha|beta)$", r"blocks.\1.gcn.conv.\2"),
        (BLOCK + r"gcn\.pre\.(\d)\.", r"blocks.\1.gcn.conv.pre.\2."),
        (BLOCK + r"gcn\.conv1\.", r"blocks.\1.gcn.conv.source."),
        (BLOCK + r"gcn\.conv2\.", r"blocks.\1.gcn.conv.target."),
        (BLOCK + r"gcn\.post\.", r"blocks.\1.gcn.conv.post."),
        *UNIT,
        *MULTI_SCALE,
    )
)


class DGSTGCN(SpaceTimeModel):
    r"""DG-STGCN of the `"DG-STGCN: Dynamic Spatial-Temporal Modeling for Skeleton-based Action
    Recognition" <https://arxiv.org/abs/2210.05895>`_ paper: ten blocks, 1.7 M parameters, see
    :func:`dgstgcn`.

    .. math::
        \mathbf{X}^{(\ell + 1)} = \textrm{ReLU}(\textrm{MultiScaleTemporalConv}(\textrm{ReLU}(
        \textrm{BN}(\textrm{DynamicGraphConv}(\mathbf{X}^{(\ell)})) + \mathbf{X}^{(\ell)})) +
        \mathbf{X}^{(\ell)})

    The temporal convolutions have the mean over joints as one more joint. Of the skeleton nothing
    is known but the number of its joints. With :obj:`stages=[(96, 4), (192, 3, 2), (384, 3, 2)]`
    it is the backbone of ProtoGCN, whose further parts act in training alone. Absent persons and
    padded frames are as in :class:`STGCN`. The same state dict loads into :class:`DenseDGSTGCN`.

    Args:
        in_channels (int): Channels of a joint, such as 3 for :math:`(x, y, z)`.
        num_classes (int): The number of classes, :obj:`0` for none, which makes the head the
            identity.
        layout (str or SkeletonLayout, optional): The skeleton, see
            :func:`~pyg_vision.data.skeleton_layout`. (default: :obj:`"ntu"`)
        dropout (float, optional): Dropout in all blocks but the first. (default: :obj:`0.0`)
        padding (str, optional): :obj:`"published"` to fill up batches. (default: :obj:`None`)
        window ((int, int), optional): To how many frames and persons. (default: :obj:`None`)
        stages (list of tuples, optional): The channels, the number of blocks and the stride of
            each :class:`Stage`. (default: the published ones, ten blocks)
        norm_layer (Callable, optional): Makes each norm, of so many channels.
            (default: :class:`torch.nn.BatchNorm1d`)
        num_graphs (int, optional): The graphs of a block. (default: :obj:`8`)
        ratio (float, optional): The channels of a graph, as a share of those of the block.
            (default: :obj:`0.125`)

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
        >>> from pyg_vision.nn import DGSTGCN
        >>> model = DGSTGCN(in_channels=3, num_classes=60).eval()
        >>> model(torch.randn(2, 3, 20, 25, 2)).shape
        torch.Size([2, 60])
    """

    published = KeyRules(_RENAME, head="fcn.")
    conv_layer: type[DynamicGraphConv] = DynamicGraphConv

    def __init__(
        self,
        in_channels: int,
        num_classes: int,
        layout: str | SkeletonLayout = "ntu",
        dropout: float = 0.0,
        padding: str | None = None,
        window: tuple[int, int] | None = None,
        stages: Sequence[Stage | tuple[int, ...]] = STAGES,
        norm_layer: Callable[[int], Module] | None = None,
        num_graphs: int = 8,
        ratio: float = 0.125,
    ) -> None:
        self.num_graphs = check_int("num_graphs", num_graphs)
        if not 0.0 < ratio <= 1.0:
            raise ValueError(f"'ratio' must be a share above 0 (got {ratio})")
        self.ratio = ratio
        super().__init__(
            in_channels,
            num_classes,
            layout,
            "inward_outward",
            stages,
            dropout,
            padding,
            window,
            norm_layer,
        )

    def make_conv(
        self, in_channels: int, out_channels: int, norm: Callable[[int], Module]
    ) -> DynamicGraphConv:
        r"""Returns a graph convolution.

        Args:
            in_channels (int): Size of each input.
            out_channels (int): Size of each output.
            norm (Callable): Makes a norm of so many channels.
        """
        start = DynamicGraphConv.random_adjacency(self.num_graphs, self.layout.num_joints)
        mid = max(int(self.ratio * out_channels), 1)
        return self.conv_layer(in_channels, out_channels, start, mid, norm)

    def make_block(
        self,
        in_channels: int,
        out_channels: int,
        stride: int,
        residual: bool,
        dropout: float,
        norm: Callable[[int], Module],
    ) -> Module:
        r"""Returns a block, see :class:`DGSTGCN`."""
        sizes = in_channels, out_channels
        unit = GraphUnit(self.make_conv(*sizes, norm), *sizes, norm)
        tcn = MultiScaleTemporalConv(
            out_channels,
            out_channels,
            stride,
            num_joints=self.layout.num_joints,
            dropout=dropout,
            norm_layer=norm,
        )
        return SpaceTimeBlock(unit, tcn, *sizes, stride, residual, norm)


class DGSTGCN_Weights(WeightsEnum):  # noqa: N801 - named as torchvision names them
    r"""Weights of :func:`dgstgcn`, trained by pyskl on NTU RGB+D 60 and 120 by the usual splits,
    on joints, bones and the motion of both, of Kinect v2 in 3D.

    Example:
        >>> from pyg_vision.nn import DGSTGCN_Weights
        >>> weights = DGSTGCN_Weights.DEFAULT
        >>> weights.meta["stream"], weights.meta["metrics"]
        ('joint', {'NTU RGB+D, cross-subject': {'acc@1': 91.2}})
        >>> weights.meta["categories"][0], weights.meta["layout"]
        ('drink water', 'ntu_pyskl')
    """

    NTU60_XSUB_3D_JOINT = pyskl("dgstgcn", "ntu60_xsub_3dkp", "j", 91.2)
    NTU60_XSUB_3D_BONE = pyskl("dgstgcn", "ntu60_xsub_3dkp", "b", 91.6)
    NTU60_XSUB_3D_JOINT_MOTION = pyskl("dgstgcn", "ntu60_xsub_3dkp", "jm", 88.5)
    NTU60_XSUB_3D_BONE_MOTION = pyskl("dgstgcn", "ntu60_xsub_3dkp", "bm", 88.1)
    NTU60_XVIEW_3D_JOINT = pyskl("dgstgcn", "ntu60_xview_3dkp", "j", 96.7)
    NTU60_XVIEW_3D_BONE = pyskl("dgstgcn", "ntu60_xview_3dkp", "b", 96.1)
    NTU60_XVIEW_3D_JOINT_MOTION = pyskl("dgstgcn", "ntu60_xview_3dkp", "jm", 95.6)
    NTU60_XVIEW_3D_BONE_MOTION = pyskl("dgstgcn", "ntu60_xview_3dkp", "bm", 94.3)
    NTU120_XSUB_3D_JOINT = pyskl("dgstgcn", "ntu120_xsub_3dkp", "j", 85.7)
    NTU120_XSUB_3D_BONE = pyskl("dgstgcn", "ntu120_xsub_3dkp", "b", 88.0)
    NTU120_XSUB_3D_JOINT_MOTION = pyskl("dgstgcn", "ntu120_xsub_3dkp", "jm", 82.9)
    NTU120_XSUB_3D_BONE_MOTION = pyskl("dgstgcn", "ntu120_xsub_3dkp", "bm", 83.2)
    NTU120_XSET_3D_JOINT = pyskl("dgstgcn", "ntu120_xset_3dkp", "j", 87.9)
    NTU120_XSET_3D_BONE = pyskl("dgstgcn", "ntu120_xset_3dkp", "b", 89.8)
    NTU120_XSET_3D_JOINT_MOTION = pyskl("dgstgcn", "ntu120_xset_3dkp", "jm", 85.8)
    NTU120_XSET_3D_BONE_MOTION = pyskl("dgstgcn", "ntu120_xset_3dkp", "bm", 85.7)
    DEFAULT = NTU60_XSUB_3D_JOINT


@register_model()
def dgstgcn(
    *, weights: DGSTGCN_Weights | str | None = None, progress: bool = True, **kwargs: Any
) -> DGSTGCN:
    r"""DG-STGCN of the `"DG-STGCN: Dynamic Spatial-Temporal Modeling for Skeleton-based Action
    Recognition" <https://arxiv.org/abs/2210.05895>`_ paper for NTU RGB+D: 60 classes of motions of
    25 joints, 1.701 M parameters.

    Args:
        weights (DGSTGCN_Weights or str, optional): Trained weights, or their name.
            (default: :obj:`None`)
        progress (bool, optional): Whether to show a progress bar of a download.
            (default: :obj:`True`)
        **kwargs (optional): Arguments of :class:`DGSTGCN`.

    Example:
        >>> from pyg_vision.nn import dgstgcn
        >>> sum(value.numel() for value in dgstgcn().parameters())
        1701172
    """
    defaults = {"in_channels": 3, "num_classes": 60, "layout": "ntu"}
    return build(DGSTGCN, DGSTGCN_Weights.verify(weights), progress, kwargs, defaults)


register_family("pyg_vision.nn.DGSTGCN", lambda state: describe_dgstgcn(state, DGSTGCN.published))
