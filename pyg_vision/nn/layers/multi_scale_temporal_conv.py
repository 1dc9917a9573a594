r"""Temporal convolutions of several reaches side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

import torch
from torch import Tensor
from torch.nn import BatchNorm1d, Dropout, Module, ModuleList, Parameter, ReLU, Sequential
from torch_geometric.data import Data

from pyg_vision._checks import check_int, check_rate
from pyg_vision.data.tracks import Tracks
from pyg_vision.nn.layers.temporal_conv import TemporalConv
from pyg_vision.nn.layers.temporal_max_pool import TemporalMaxPool

SIX = ((3, 1), (3, 2), (3, 3), (3, 4))  # kernel sizes and dilations of ST-GCN++
FOUR = ((5, 1), (5, 2))  # and of CTR-GCN
Norm = Callable[[int], Module]


class MultiScaleTemporalConv(Module):
    r"""The multi-scale temporal convolutions of ST-GCN++ (`"PYSKL: Towards Good Practices for
    Skeleton Action Recognition" <https://arxiv.org/abs/2205.09443>`_), of the `"DG-STGCN: Dynamic
    Spatial-Temporal Modeling for Skeleton-based Action Recognition"
    <https://arxiv.org/abs/2210.05895>`_ paper, and of the `"Channel-wise Topology Refinement Graph
    Convolution for Skeleton-Based Action Recognition" <https://arxiv.org/abs/2107.12213>`_ paper.

    .. math::
        \mathbf{X}^{\prime} = \textrm{merge}\left( \big\Vert_{b} \, \textrm{conv}_b(\textrm{ReLU}(
        \textrm{BN}(\mathbf{X} \mathbf{W}_b))) \, \Vert \, \textrm{maxpool}(\textrm{ReLU}(
        \textrm{BN}(\mathbf{X} \mathbf{W}_m))) \, \Vert \, \mathbf{X} \mathbf{W}_1 \right)

    Each branch has its share of the channels: a convolution for each of :obj:`kernels`, the maximum
    of three frames, and every :obj:`stride`-th frame by itself.

    * As in ST-GCN++, :obj:`merge` is batch norm, ReLU, a linear map, and batch norm again; what the
      number of branches does not divide goes to the first branch.
    * As in DG-STGCN, with :obj:`num_joints`, the mean over the joints of a frame takes part as one
      more joint, and is added to each joint with a learned factor before the map.
    * As in CTR-GCN, with :obj:`merge=False`, each branch has a batch norm behind it, and that is
      all; what the number of branches does not divide goes to the last branch.

    Args:
        in_channels (int): Size of each input.
        out_channels (int): Size of each output.
        stride (int, optional): The stride over frames. (default: :obj:`1`)
        kernels (list of tuples, optional): The kernel size and the dilation of each convolution.
            (default: four of three frames, with dilations from 1 to 4)
        merge (bool, optional): Whether branches are merged by a linear map. (default: :obj:`True`)
        num_joints (int, optional): The joints of a frame, if their mean takes part.
            (default: :obj:`None`)
        dropout (float, optional): Dropout behind the last norm. (default: :obj:`0.0`)
        norm_layer (Callable, optional): Makes a norm of so many channels.
            (default: :class:`torch.nn.BatchNorm1d`)
        relu (bool, optional): Whether a ReLU follows branches that are not merged.
            (default: :obj:`False`)
        residual (bool, optional): Whether the input is added to branches that are not merged, as in
            MS-G3D, mapped where the shape changes. (default: :obj:`False`)

    Shapes:
        - **input:** node features :math:`(|\mathcal{V}|, C_{in})` in the order person, frame,
          joint
        - **output:** node features :math:`(|\mathcal{V}^{\prime}|, C_{out})` in the same order

    Raises:
        TypeError: If a size is no integer.
        ValueError: If a size is not positive, a kernel size even, there are more branches than
            output channels, or :obj:`num_joints` is given without :obj:`merge`; when called, if the
            features do not fit the tracks.

    Example:
        >>> import torch
        >>> from pyg_vision.nn import MultiScaleTemporalConv
        >>> conv = MultiScaleTemporalConv(16, 32, stride=2)
        >>> shapes = [(1, 30, 17), (2, 12, 17)]  # persons, frames and joints of two sequences
        >>> conv(torch.randn(54 * 17, 16), shapes).shape  # 15 frames, and twice 6
        torch.Size([459, 32])
        >>> ctr = MultiScaleTemporalConv(16, 32, kernels=[(5, 1), (5, 2)], merge=False)
        >>> len(ctr.branches)
        4
    """

    add_coeff: Parameter | None

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        stride: int = 1,
        kernels: Sequence[tuple[int, int]] = SIX,
        merge: bool = True,
        num_joints: int | None = None,
        dropout: float = 0.0,
        norm_layer: Norm = BatchNorm1d,
        relu: bool = False,
        residual: bool = False,
    ) -> None:
        super().__init__()
        self.in_channels = check_int("in_channels", in_channels)
        self.out_channels = check_int("out_channels", out_channels)
        self.stride = check_int("stride", stride)
        self.num_joints = None if num_joints is None else check_int("num_joints", num_joints)
        check_rate("dropout", dropout)
        if num_joints is not None and not merge:
            raise ValueError("'num_joints' belongs to merge=True")
        if (relu or residual) and merge:
            raise ValueError("'relu' and 'residual' belong to merge=False")
        count = len(kernels) + 2
        if out_channels < count:
            raise ValueError(
                f"'out_channels' must be at least {count}, one for each branch (got {out_channels})"
            )
        widths = [out_channels // count] * count
        widths[0 if merge else -1] += out_channels % count

        def behind(width: int) -> list[Module]:
            return [] if merge else [norm_layer(width)]

        def before(width: int) -> list[Module]:
            return [TemporalConv(in_channels, width, 1), norm_layer(width), ReLU(inplace=True)]

        self.branches = ModuleList()
        for width, (size, dilation) in zip(widths, kernels, strict=False):
            conv = TemporalConv(width, width, size, stride, dilation=dilation)
            self.branches.append(Sequential(*before(width), conv, *behind(width)))
        pool = TemporalMaxPool(3, stride)
        self.branches.append(Sequential(*before(widths[-2]), pool, *behind(widths[-2])))
        single = TemporalConv(in_channels, widths[-1], 1, stride)
        self.branches.append(Sequential(single, *behind(widths[-1])))
        self.has_residual = residual
        self.residual: Sequential | None = None
        if residual and (in_channels != out_channels or stride != 1):
            self.residual = Sequential(
                TemporalConv(in_channels, out_channels, 1, stride), norm_layer(out_channels)
            )
        self.merge: Sequential | None = None
        if merge:
            self.merge = Sequential(
                norm_layer(out_channels),
                ReLU(inplace=True),
                TemporalConv(out_channels, out_channels, 1),
                norm_layer(out_channels),
                Dropout(dropout, inplace=True),
            )
        elif relu or dropout > 0:
            layers: list[Module] = [ReLU()] if relu else []
            self.merge = Sequential(*layers, Dropout(dropout))  # the ReLU keeps its output
        self.register_parameter(
            "add_coeff", None if num_joints is None else Parameter(torch.zeros(num_joints))
        )

    def reset_parameters(self) -> None:
        r"""Resets the factors of the mean over joints; branches reset themselves."""
        if self.add_coeff is not None:
            torch.nn.init.zeros_(self.add_coeff)

    def forward(self, x: Tensor, tracks: Tracks | Data | Sequence[Sequence[int]]) -> Tensor:
        r"""Runs the layer.

        Args:
            x (torch.Tensor): The node features.
            tracks (Tracks, Data or list of tuples): The tracks of the nodes, see
                :class:`TemporalConv`.
        """
        tracks = tracks if isinstance(tracks, Tracks) else Tracks.of(tracks)
        if x.dim() != 2 or x.shape != (tracks.num_nodes, self.in_channels):
            raise ValueError(
                f"'x' must be [{tracks.num_nodes} nodes, in_channels={self.in_channels}] for "
                f"{tracks.num_frames} frames of {tracks.num_joints} joints (got shape "
                f"{list(x.shape)})"
            )
        if self.add_coeff is None:
            out = self._branch_all(x, tracks)
        else:
            out = self._with_mean(x, tracks)
        if self.has_residual:
            out = out + (x if self.residual is None else run_layers(self.residual, x, tracks))
        return (
            out if self.merge is None else run_layers(self.merge, out, tracks.strided(self.stride))
        )

    def _branch_all(self, x: Tensor, tracks: Tracks) -> Tensor:
        outs = [run_layers(cast(Sequential, branch), x, tracks) for branch in self.branches]
        return torch.cat(outs, dim=1)

    def _with_mean(self, x: Tensor, tracks: Tracks) -> Tensor:
        r"""Adds the branches of the mean over joints to those of each joint."""
        joints = tracks.num_joints
        if joints != self.num_joints:
            raise ValueError(f"'x' must be of {self.num_joints} joints a frame (got {joints})")
        frames = x.view(-1, joints, x.size(1))
        frames = torch.cat((frames, frames.mean(dim=1, keepdim=True)), dim=1)
        more = tracks.with_joints(joints + 1)
        out = self._branch_all(frames.flatten(0, 1), more).view(-1, joints + 1, self.out_channels)
        factor = cast(Tensor, self.add_coeff).view(-1, 1)
        return torch.addcmul(out[:, :-1], out[:, -1:], factor).flatten(0, 1)

    def __repr__(self) -> str:
        return (
            f"{self.__class__.__name__}({self.in_channels}, {self.out_channels}, "
            f"stride={self.stride})"
        )


def run_layers(layers: Sequential, x: Tensor, tracks: Tracks) -> Tensor:
    r"""Runs layers, of which some look at the tracks of the nodes.

    Args:
        layers (torch.nn.Sequential): The layers, only the last of which that looks may have a
            stride.
        x (torch.Tensor): The node features.
        tracks (Tracks): Their tracks.
    """
    for layer in layers:
        x = layer(x, tracks) if isinstance(layer, TemporalConv | TemporalMaxPool) else layer(x)
    return x
