r"""A graph convolution with norm and residual, and the block of space and time."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor
from torch.nn import BatchNorm1d, Module, ReLU, Sequential
from torch_geometric.data import Data

from pyg_vision.data.tracks import Tracks
from pyg_vision.nn.layers.multi_scale_temporal_conv import run_layers
from pyg_vision.nn.layers.temporal_conv import TemporalConv

Norm = Callable[[int], Module]


class GraphUnit(Module):
    r"""A graph convolution over the joints of each frame, with norm and residual, as ST-GCN++,
    AAGCN, CTR-GCN and DG-STGCN have it.

    .. math::
        \mathbf{X}^{\prime} = \textrm{ReLU}(\textrm{BN}(\textrm{conv}(\mathbf{X})) +
        \textrm{down}(\mathbf{X}))

    where :math:`\textrm{down}` is the input, or a linear map and batch norm where the number of
    channels changes.

    Args:
        conv (torch.nn.Module): The graph convolution of frames :math:`(F, |\mathcal{V}|, C_{in})`
            and their tracks.
        in_channels (int): Size of each input.
        out_channels (int): Size of each output.
        norm_layer (Callable, optional): Makes a norm of so many channels.
            (default: :class:`torch.nn.BatchNorm1d`)
        attention (torch.nn.Module, optional): What is called with the result and its tracks.
            (default: :obj:`None`)

    Shapes:
        - **input:** node features :math:`(|\mathcal{V}|, C_{in})` in the order person, frame,
          joint
        - **output:** the same with :math:`C_{out}` channels

    Example:
        >>> import torch
        >>> from pyg_vision.data import Tracks
        >>> from pyg_vision.nn import ChannelTopologyConv, GraphUnit
        >>> unit = GraphUnit(ChannelTopologyConv(16, 32, torch.rand(3, 17, 17)), 16, 32)
        >>> unit(torch.randn(30 * 17, 16), Tracks.of([(2, 15, 17)])).shape
        torch.Size([510, 32])
    """

    def __init__(
        self,
        conv: Module,
        in_channels: int,
        out_channels: int,
        norm_layer: Norm = BatchNorm1d,
        attention: Module | None = None,
    ) -> None:
        super().__init__()
        self.conv = conv
        self.attention = attention
        self.bn = norm_layer(out_channels)
        self.down: Sequential | None = None
        if in_channels != out_channels:
            self.down = Sequential(
                TemporalConv(in_channels, out_channels, 1), norm_layer(out_channels)
            )
        self.relu = ReLU(inplace=True)

    def forward(self, x: Tensor, tracks: Tracks) -> Tensor:
        r"""Runs the unit.

        Args:
            x (torch.Tensor): The node features.
            tracks (Tracks): Their tracks.
        """
        frames = x.reshape(tracks.num_frames, tracks.num_joints, x.size(-1))
        h = self.bn(self.conv(frames, tracks).flatten(0, 1))
        # Into the output of a norm, which no backward pass reads.
        h += x if self.down is None else run_layers(self.down, x, tracks)
        h = self.relu(h)
        return h if self.attention is None else self.attention(h, tracks)


class SpaceTimeBlock(Module):
    r"""A block of a skeleton model: space, then time, beside a residual.

    .. math::
        \mathbf{X}^{\prime} = \textrm{ReLU}(\textrm{tcn}(\textrm{gcn}(\mathbf{X})) +
        \textrm{residual}(\mathbf{X}))

    Args:
        gcn (torch.nn.Module): What is called with node features and tracks.
        tcn (torch.nn.Module): The same, with a stride.
        in_channels (int): Size of each input.
        out_channels (int): Size of each output.
        stride (int, optional): The stride of :obj:`tcn`. (default: :obj:`1`)
        residual (bool, optional): Whether there is a residual. (default: :obj:`True`)
        norm_layer (Callable, optional): Makes a norm of so many channels.
            (default: :class:`torch.nn.BatchNorm1d`)

    Shapes:
        - **input:** node features :math:`(|\mathcal{V}|, C_{in})` in the order person, frame,
          joint
        - **output:** node features :math:`(|\mathcal{V}^{\prime}|, C_{out})` in the same order

    Example:
        >>> import torch
        >>> from pyg_vision.nn import (
        ...     ChannelTopologyConv, GraphUnit, MultiScaleTemporalConv, SpaceTimeBlock)
        >>> unit = GraphUnit(ChannelTopologyConv(16, 32, torch.rand(3, 17, 17)), 16, 32)
        >>> block = SpaceTimeBlock(unit, MultiScaleTemporalConv(32, 32, stride=2), 16, 32, stride=2)
        >>> block(torch.randn(30 * 17, 16), [(2, 15, 17)]).shape  # twice 8 frames
        torch.Size([272, 32])
    """

    def __init__(
        self,
        gcn: Module,
        tcn: Module,
        in_channels: int,
        out_channels: int,
        stride: int = 1,
        residual: bool = True,
        norm_layer: Norm = BatchNorm1d,
    ) -> None:
        super().__init__()
        self.gcn, self.tcn, self.stride = gcn, tcn, stride
        self.has_residual = residual
        self.residual: Sequential | None = None
        if residual and (in_channels != out_channels or stride != 1):
            self.residual = Sequential(
                TemporalConv(in_channels, out_channels, 1, stride), norm_layer(out_channels)
            )
        self.relu = ReLU(inplace=residual)  # of a sum, which no backward pass reads

    def forward(self, x: Tensor, tracks: Tracks | Data | Sequence[Sequence[int]]) -> Tensor:
        r"""Runs the block.

        Args:
            x (torch.Tensor): The node features.
            tracks (Tracks, Data or list of tuples): The tracks of the nodes, see
                :class:`TemporalConv`.
        """
        tracks = tracks if isinstance(tracks, Tracks) else Tracks.of(tracks)
        if x.dim() != 2 or x.size(0) != tracks.num_nodes:
            raise ValueError(
                f"'x' must be [{tracks.num_nodes} nodes, channels] for {tracks.num_frames} frames "
                f"of {tracks.num_joints} joints (got shape {list(x.shape)})"
            )
        h: Tensor = self.tcn(self.gcn(x, tracks), tracks)
        if self.has_residual:
            h = h + (x if self.residual is None else run_layers(self.residual, x, tracks))
        out: Tensor = self.relu(h)
        return out
