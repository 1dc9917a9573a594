r"""MS-G3D: distances as relations, and windows of frames as graphs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor
from torch.nn import BatchNorm1d, Module, ModuleList

from pyg_vision._checks import check_int, check_rate
from pyg_vision.data.hops import hop_adjacency
from pyg_vision.data.layout import SkeletonLayout
from pyg_vision.data.packed_tracks import Level
from pyg_vision.data.tracks import Tracks
from pyg_vision.nn.blocks.msg3d_block import MSG3DBlock
from pyg_vision.nn.layers.person_norm import PersonNorm
from pyg_vision.nn.layers.temporal_conv import TemporalConv
from pyg_vision.nn.layers.temporal_max_pool import TemporalMaxPool
from pyg_vision.nn.layers.temporal_windows import TemporalWindows
from pyg_vision.nn.models._pyskl_keys import START, from_zero
from pyg_vision.nn.models._skeleton_classifier import SkeletonClassifier
from pyg_vision.nn.models._skeleton_describe import describe_msg3d
from pyg_vision.nn.models._skeleton_weights import pyskl
from pyg_vision.nn.models.registry import build, register_model
from pyg_vision.typing import HopNorm
from pyg_vision.weights import WeightsEnum, register_family
from pyg_vision.weights.key_rules import KeyRules, flatten_1x1, rename_by

WINDOWS = (3, 5)
STRIDES = (1, 2, 2)


def _rules(prefix: str, residual: str) -> tuple[tuple[str, str], ...]:
    r"""Returns what renames the stages, which are counted from one."""
    window = prefix + r"gcn3d(\d)\.gcn3d\.(\d)\."
    frame = prefix + r"sgcn(\d)\.0\."
    branch = r"branches\.(\d)\."
    parts = [
        (window + rf"gcn3d\.1\.{residual}$", r"blocks.\1.gcn3d.\2.conv.adjacency"),
        (window + r"gcn3d\.1\.mlp\.layers\.0\.weight$", r"blocks.\1.gcn3d.\2.conv.conv.weight"),
        (window + r"gcn3d\.1\.mlp\.layers\.0\.bias$", r"blocks.\1.gcn3d.\2.conv.bias"),
        (window + r"gcn3d\.1\.mlp\.layers\.1\.", r"blocks.\1.gcn3d.\2.bn."),
        (window + r"out_conv\.(weight|bias)$", r"blocks.\1.gcn3d.\2.\3"),
        (window + r"out_bn\.", r"blocks.\1.gcn3d.\2.out_bn."),
        (frame + rf"{residual}$", r"blocks.\1.gcn.adjacency"),
        (frame + r"mlp\.layers\.0\.weight$", r"blocks.\1.gcn.conv.weight"),
        (frame + r"mlp\.layers\.0\.bias$", r"blocks.\1.gcn.bias"),
        (frame + r"mlp\.layers\.1\.", r"blocks.\1.bn."),
    ]
    for place, own in ((r"sgcn(\d)\.1\.", "tcns.0"), (r"sgcn(\d)\.2\.", "tcns.1"),
                       (r"tcn(\d)\.", "tcn")):  # fmt: skip
        parts += [
            (prefix + place + branch + r"3\.conv\.", rf"blocks.\1.{own}.branches.\2.3."),
            (prefix + place + branch + r"3\.bn\.", rf"blocks.\1.{own}.branches.\2.4."),
            (prefix + place + branch + r"(\d)\.", rf"blocks.\1.{own}.branches.\2.\3."),
            (prefix + place + r"residual\.conv\.", rf"blocks.\1.{own}.residual.0."),
            (prefix + place + r"residual\.bn\.", rf"blocks.\1.{own}.residual.1."),
        ]
    return tuple(parts)


_rename_parts = rename_by(
    (
        (START, "start"),
        (r"^backbone\.data_bn\.", "data_bn.norm."),
        (r"^cls_head\.(?:fc_cls|fc)\.", "fcn."),
        *_rules(r"^backbone\.", "PA"),
        (r"^data_bn\.(weight|bias|running_mean|running_var|num_batches_tracked)$",
         r"data_bn.norm.\1"),
        (r"^fc\.", "fcn."),
        *_rules("^", "A_res"),
    )
)  # fmt: skip


def _rename(name: str) -> str | None:
    return from_zero(_rename_parts(name))


def _fit(name: str, value: Tensor, own: Tensor) -> Tensor | None:
    if name.endswith(".adjacency") and value.dim() == 2 and value.numel() == own.numel():
        # The authors' [K * V, V] runs from column to row.
        return value.view(own.shape).mT
    if name.endswith(".conv.weight") and own.dim() == 3 and value.numel() == own.numel():
        # A 1x1 convolution of all scales behind one another: [out, K * in, 1, 1] to [K, in, out].
        return value.flatten(1).t().reshape(own.shape)
    return flatten_1x1(name, value, own)


def _constants(model: Module) -> dict[str, Tensor]:
    r"""The matrices that pyskl's checkpoints hold, which must be those of the layout."""
    found = {}
    for i, block in enumerate(model.blocks):  # type: ignore[arg-type]
        start = rf"^backbone\.(?:gcn3d{i + 1}\.gcn3d\."
        for j, layer in enumerate(block.gcn3d):
            found[start + rf"{j}\.gcn3d\.1)\.A$"] = layer.conv.initial.float().cpu()
        found[rf"^backbone\.sgcn{i + 1}\.0\.A$"] = block.gcn.initial.float().cpu()
    return found


class MSG3D(SkeletonClassifier):
    r"""MS-G3D of the `"Disentangling and Unifying Graph Convolutions for Skeleton-Based Action
    Recognition" <https://arxiv.org/abs/2003.14111>`_ paper: three stages, 3.2 M parameters, see
    :func:`msg3d`.

    In each stage, an :class:`MSG3DBlock`, a graph convolution over the joints of a frame with a
    relation for each distance is followed by two temporal convolutions; beside them are graph
    convolutions over windows of three and five frames, in which each joint is joined to its
    neighbours in all frames. Their sum is convolved along tracks once more.

    Inputs are normalised for the first and the second person apart, see :class:`PersonNorm`.
    Absent persons and padded frames are as in :class:`STGCN`. The same state dict loads into
    :class:`DenseMSG3D`.

    Args:
        in_channels (int): Channels of a joint, such as 3 for :math:`(x, y, z)`.
        num_classes (int): The number of classes, :obj:`0` for none, which makes the head the
            identity.
        layout (str or SkeletonLayout, optional): The skeleton, see
            :func:`~pyg_vision.data.skeleton_layout`. (default: :obj:`"ntu"`)
        channels (int, optional): The channels of the first stage; each further one has twice as
            many. (default: :obj:`96`)
        num_scales (int, optional): The distances of joints in a frame. (default: :obj:`13`)
        num_window_scales (int, optional): Those in a window. (default: :obj:`6`)
        dropout (float, optional): Dropout behind each stage. (default: :obj:`0.0`)
        padding (str, optional): :obj:`"published"` to fill up batches. (default: :obj:`None`)
        window ((int, int), optional): To how many frames and persons. (default: :obj:`None`)
        norm_layer (Callable, optional): Makes each norm, of so many channels.
            (default: :class:`torch.nn.BatchNorm1d`)
        num_persons (int, optional): The persons that are told apart; a dense input must have as
            many. (default: :obj:`2`)
        hop_norm (str, optional): How matrices are normalised, :obj:`"target"` as in pyskl or
            :obj:`"symmetric"` as in the authors' code, for whose checkpoints it is needed, see
            :func:`~pyg_vision.data.hop_adjacency`. (default: :obj:`"target"`)

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
        >>> from pyg_vision.nn import MSG3D
        >>> model = MSG3D(in_channels=3, num_classes=60, channels=24).eval()
        >>> model(torch.randn(1, 3, 20, 25, 2)).shape
        torch.Size([1, 60])
    """

    published = KeyRules(_rename, _fit, constants=_constants, unused=(START,), head="fcn.")

    def __init__(
        self,
        in_channels: int,
        num_classes: int,
        layout: str | SkeletonLayout = "ntu",
        channels: int = 96,
        num_scales: int = 13,
        num_window_scales: int = 6,
        dropout: float = 0.0,
        padding: str | None = None,
        window: tuple[int, int] | None = None,
        norm_layer: Callable[[int], Module] | None = None,
        num_persons: int = 2,
        hop_norm: HopNorm = "target",
    ) -> None:
        super().__init__(in_channels, num_classes, layout, padding, window)
        check_rate("dropout", dropout)
        check_int("channels", channels)
        norm = BatchNorm1d if norm_layer is None else norm_layer
        self.data_bn = PersonNorm(num_persons, self.layout.num_joints * in_channels, norm)
        frame = hop_adjacency(self.layout, num_scales, norm=hop_norm).float()
        windows = {
            size: hop_adjacency(self.layout, num_window_scales, size, hop_norm).float()
            for size in WINDOWS
        }
        options: dict[str, Any] = {} if norm_layer is None else {"norm_layer": norm_layer}
        widths = [channels * 2**i for i in range(len(STRIDES))]
        self.blocks = ModuleList(
            self.make_block(
                in_channels if i == 0 else widths[i - 1],
                # As published, the first stage widens joints at once.
                widths[max(i - 1, 0)],
                widths[i],
                frame,
                windows,
                stride,
                i == 0,
                dropout,
                **options,
            )
            for i, stride in enumerate(STRIDES)
        )
        self._num_features = widths[-1]
        self.fcn = self.make_head()

    def make_block(self, *args: Any, **kwargs: Any) -> Module:
        r"""Returns a block, see :class:`MSG3DBlock`.

        Args:
            *args: Its arguments.
            **kwargs: Further ones.
        """
        return MSG3DBlock(*args, **kwargs)

    def node_features(self, x: Tensor, tracks: Tracks) -> tuple[Tensor, Tracks]:
        r"""Returns the features of the nodes after the last block, and their tracks: each
        stride leaves every second frame.

        Args:
            x (torch.Tensor): The node features :math:`(|\mathcal{V}|, C)`.
            tracks (Tracks): The persons, frames and joints that the nodes are.
        """
        x = self.data_bn(x.reshape(tracks.num_frames, -1), tracks).reshape(x.shape)
        for block in self.blocks:
            x = block(x, tracks)
            tracks = tracks.strided(block.stride)  # type: ignore[arg-type]
        return x, tracks

    def _levels(self) -> list[Level]:
        # Within a block, some layers are before its stride and some behind it.
        kinds = TemporalConv | TemporalMaxPool | TemporalWindows
        layers = [layer for layer in self.modules() if isinstance(layer, kinds)]
        steps = tuple(sorted({(layer.reach, layer.stride) for layer in layers} - {(0, 1)}))
        plain = tuple(step for step in steps if step[1] == 1)
        levels = [Level(steps if stride > 1 else plain, stride) for stride in STRIDES if stride > 1]
        return [*levels, Level(plain, 1)]


class MSG3D_Weights(WeightsEnum):  # noqa: N801 - named as torchvision names them
    r"""Weights of :func:`msg3d`, trained by pyskl on NTU RGB+D 60 and 120 by the usual splits,
    on joints, bones and the motion of both, of Kinect v2 in 3D or of HRNet in 2D.

    Example:
        >>> from pyg_vision.nn import MSG3D_Weights
        >>> weights = MSG3D_Weights.DEFAULT
        >>> weights.meta["stream"], weights.meta["metrics"]
        ('joint', {'NTU RGB+D, cross-subject': {'acc@1': 89.6}})
        >>> weights.meta["categories"][0], weights.meta["layout"]
        ('drink water', 'ntu_pyskl')
    """

    NTU60_XSUB_3D_JOINT = pyskl("msg3d", "ntu60_xsub_3dkp", "j", 89.6)
    NTU60_XSUB_3D_BONE = pyskl("msg3d", "ntu60_xsub_3dkp", "b", 89.3)
    NTU60_XSUB_3D_JOINT_MOTION = pyskl("msg3d", "ntu60_xsub_3dkp", "jm", 87.7)
    NTU60_XSUB_3D_BONE_MOTION = pyskl("msg3d", "ntu60_xsub_3dkp", "bm", 86.7)
    NTU60_XSUB_HRNET_JOINT = pyskl("msg3d", "ntu60_xsub_hrnet", "j", 92.7)
    NTU60_XSUB_HRNET_BONE = pyskl("msg3d", "ntu60_xsub_hrnet", "b", 92.8)
    NTU60_XSUB_HRNET_JOINT_MOTION = pyskl("msg3d", "ntu60_xsub_hrnet", "jm", 89.8)
    NTU60_XSUB_HRNET_BONE_MOTION = pyskl("msg3d", "ntu60_xsub_hrnet", "bm", 90.2)
    NTU60_XVIEW_3D_JOINT = pyskl("msg3d", "ntu60_xview_3dkp", "j", 95.9)
    NTU60_XVIEW_3D_BONE = pyskl("msg3d", "ntu60_xview_3dkp", "b", 95.0)
    NTU60_XVIEW_3D_JOINT_MOTION = pyskl("msg3d", "ntu60_xview_3dkp", "jm", 94.0)
    NTU60_XVIEW_3D_BONE_MOTION = pyskl("msg3d", "ntu60_xview_3dkp", "bm", 92.4)
    NTU60_XVIEW_HRNET_JOINT = pyskl("msg3d", "ntu60_xview_hrnet", "j", 97.1)
    NTU60_XVIEW_HRNET_BONE = pyskl("msg3d", "ntu60_xview_hrnet", "b", 97.1)
    NTU60_XVIEW_HRNET_JOINT_MOTION = pyskl("msg3d", "ntu60_xview_hrnet", "jm", 95.9)
    NTU60_XVIEW_HRNET_BONE_MOTION = pyskl("msg3d", "ntu60_xview_hrnet", "bm", 95.1)
    NTU120_XSUB_3D_JOINT = pyskl("msg3d", "ntu120_xsub_3dkp", "j", 84.0)
    NTU120_XSUB_3D_BONE = pyskl("msg3d", "ntu120_xsub_3dkp", "b", 85.3)
    NTU120_XSUB_3D_JOINT_MOTION = pyskl("msg3d", "ntu120_xsub_3dkp", "jm", 82.2)
    NTU120_XSUB_3D_BONE_MOTION = pyskl("msg3d", "ntu120_xsub_3dkp", "bm", 81.5)
    NTU120_XSUB_HRNET_JOINT = pyskl("msg3d", "ntu120_xsub_hrnet", "j", 85.5)
    NTU120_XSUB_HRNET_BONE = pyskl("msg3d", "ntu120_xsub_hrnet", "b", 85.0)
    NTU120_XSUB_HRNET_JOINT_MOTION = pyskl("msg3d", "ntu120_xsub_hrnet", "jm", 82.6)
    NTU120_XSUB_HRNET_BONE_MOTION = pyskl("msg3d", "ntu120_xsub_hrnet", "bm", 82.9)
    NTU120_XSET_3D_JOINT = pyskl("msg3d", "ntu120_xset_3dkp", "j", 86.0)
    NTU120_XSET_3D_BONE = pyskl("msg3d", "ntu120_xset_3dkp", "b", 87.3)
    NTU120_XSET_3D_JOINT_MOTION = pyskl("msg3d", "ntu120_xset_3dkp", "jm", 82.9)
    NTU120_XSET_3D_BONE_MOTION = pyskl("msg3d", "ntu120_xset_3dkp", "bm", 83.2)
    NTU120_XSET_HRNET_JOINT = pyskl("msg3d", "ntu120_xset_hrnet", "j", 88.2)
    NTU120_XSET_HRNET_BONE = pyskl("msg3d", "ntu120_xset_hrnet", "b", 88.9)
    NTU120_XSET_HRNET_JOINT_MOTION = pyskl("msg3d", "ntu120_xset_hrnet", "jm", 86.6)
    NTU120_XSET_HRNET_BONE_MOTION = pyskl("msg3d", "ntu120_xset_hrnet", "bm", 86.5)
    DEFAULT = NTU60_XSUB_3D_JOINT


@register_model()
def msg3d(
    *, weights: MSG3D_Weights | str | None = None, progress: bool = True, **kwargs: Any
) -> MSG3D:
    r"""MS-G3D of the `"Disentangling and Unifying Graph Convolutions for Skeleton-Based Action
    Recognition" <https://arxiv.org/abs/2003.14111>`_ paper for NTU RGB+D: 60 classes of motions of
    25 joints, 3.195 M parameters.

    Args:
        weights (MSG3D_Weights or str, optional): Trained weights, or their name.
            (default: :obj:`None`)
        progress (bool, optional): Whether to show a progress bar of a download.
            (default: :obj:`True`)
        **kwargs (optional): Arguments of :class:`MSG3D`.

    Example:
        >>> from pyg_vision.nn import msg3d
        >>> sum(value.numel() for value in msg3d().parameters())
        3194595
    """
    defaults = {"in_channels": 3, "num_classes": 60, "layout": "ntu"}
    return build(MSG3D, MSG3D_Weights.verify(weights), progress, kwargs, defaults)


register_family("pyg_vision.nn.MSG3D", lambda state: describe_msg3d(state, MSG3D.published))
