r"""The block of MS-G3D: windows of frames beside joints and tracks."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import BatchNorm1d, Module, ModuleList, Parameter, ReLU

from pyg_vision.data.tracks import Tracks
from pyg_vision.nn.conv.hop_graph_conv import HopGraphConv
from pyg_vision.nn.layers.linear_map import node_linear
from pyg_vision.nn.layers.multi_scale_temporal_conv import SIX, MultiScaleTemporalConv
from pyg_vision.nn.layers.temporal_windows import TemporalWindows

Norm = Callable[[int], Module]


class WindowGraphConv(Module):
    r"""The G3D layer from the `"Disentangling and Unifying Graph Convolutions for Skeleton-Based
    Action Recognition" <https://arxiv.org/abs/2003.14111>`_ paper: a graph convolution over the
    joints of a window of frames, which a linear map then makes one frame of.

    Args:
        in_channels (int): Size of each input.
        mid_channels (int): Size of what the graph convolution returns.
        out_channels (int): Size of each output.
        adjacency (torch.Tensor): The weights :math:`(K, w V, w V)` of a window, see
            :func:`~pyg_vision.data.hop_adjacency`.
        window (int): The frames :math:`w` of a window.
        stride (int, optional): The frames from one window to the next. (default: :obj:`1`)
        norm_layer (Callable, optional): Makes a norm of so many channels.
            (default: :class:`torch.nn.BatchNorm1d`)

    Shapes:
        - **input:** the joints of frames :math:`(F, V, C_{in})`
        - **output:** the joints of frames :math:`(F^{\prime}, V, C_{out})`

    Example:
        >>> import torch
        >>> from pyg_vision.data import Tracks, hop_adjacency
        >>> from pyg_vision.nn import WindowGraphConv
        >>> adjacency = hop_adjacency("coco", num_scales=6, window=3).float()
        >>> conv = WindowGraphConv(8, 8, 16, adjacency, window=3, stride=2)
        >>> conv(torch.randn(30, 17, 8), Tracks.of([(2, 15, 17)])).shape
        torch.Size([16, 17, 16])
    """

    def __init__(
        self,
        in_channels: int,
        mid_channels: int,
        out_channels: int,
        adjacency: Tensor,
        window: int,
        stride: int = 1,
        norm_layer: Norm = BatchNorm1d,
    ) -> None:
        super().__init__()
        self.windows = TemporalWindows(window, stride)
        self.conv = HopGraphConv(in_channels, mid_channels, adjacency)
        self.bn = norm_layer(mid_channels)
        self.relu = ReLU(inplace=True)
        # Shaped as that of the published convolution over channels, frames and joints.
        self.weight = Parameter(torch.empty(out_channels, mid_channels, 1, window, 1))
        self.bias = Parameter(torch.empty(out_channels))
        self.out_bn = norm_layer(out_channels)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        r"""Resets the linear map of windows."""
        bound = (self.weight.size(1) * self.weight.size(3)) ** -0.5
        torch.nn.init.uniform_(self.weight, -bound, bound)
        torch.nn.init.uniform_(self.bias, -bound, bound)

    def forward(self, x: Tensor, tracks: Tracks) -> Tensor:
        r"""Runs the layer.

        Args:
            x (torch.Tensor): The joints of frames.
            tracks (Tracks): Their tracks.
        """
        joints, window = x.size(1), self.windows.size
        h = self.conv(self.windows(x, tracks))
        h = self.relu(self.bn(h.flatten(0, 1)))
        # The frames of a window are features of its one frame.
        h = h.view(-1, window, joints, h.size(-1)).transpose(1, 2).flatten(2)
        weight = self.weight.flatten(2).transpose(1, 2).flatten(1)
        out = node_linear(h, weight, self.bias)
        return self.out_bn(out.flatten(0, 1)).view(out.shape)


class MSG3DBlock(Module):
    r"""The block of MS-G3D, see :class:`MSG3D`.

    .. math::
        \mathbf{X}^{\prime} = \textrm{tcn}(\textrm{ReLU}(\textrm{tcn}(\textrm{tcn}(\textrm{ReLU}(
        \textrm{BN}(\textrm{HopGraphConv}(\mathbf{X}))))) + \sum_w \textrm{WindowGraphConv}_w(
        \mathbf{X})))

    Args:
        in_channels (int): Size of each input.
        mid_channels (int): Size of what the graph convolution of a frame returns.
        out_channels (int): Size of each output.
        adjacency (torch.Tensor): The weights :math:`(K, V, V)` of a frame, see
            :func:`~pyg_vision.data.hop_adjacency`.
        windows (dict): The weights of a window by its number of frames.
        stride (int, optional): The stride over frames. (default: :obj:`1`)
        first (bool, optional): Whether windows change the number of channels at once.
            (default: :obj:`False`)
        dropout (float, optional): Dropout behind the last temporal convolution.
            (default: :obj:`0.0`)
        norm_layer (Callable, optional): Makes a norm of so many channels.
            (default: :class:`torch.nn.BatchNorm1d`)

    Shapes:
        - **input:** node features :math:`(|\mathcal{V}|, C_{in})` in the order person, frame,
          joint
        - **output:** node features :math:`(|\mathcal{V}^{\prime}|, C_{out})` in the same order

    Example:
        >>> import torch
        >>> from pyg_vision.data import Tracks, hop_adjacency
        >>> from pyg_vision.nn import MSG3DBlock
        >>> windows = {w: hop_adjacency("coco", 6, w).float() for w in (3, 5)}
        >>> block = MSG3DBlock(8, 12, 12, hop_adjacency("coco", 13).float(), windows, stride=2)
        >>> block(torch.randn(30 * 17, 8), Tracks.of([(2, 15, 17)])).shape
        torch.Size([272, 12])
    """

    def __init__(
        self,
        in_channels: int,
        mid_channels: int,
        out_channels: int,
        adjacency: Tensor,
        windows: dict[int, Tensor],
        stride: int = 1,
        first: bool = False,
        dropout: float = 0.0,
        norm_layer: Norm = BatchNorm1d,
    ) -> None:
        super().__init__()
        self.stride = stride
        inner = out_channels if first else in_channels
        self.gcn3d = ModuleList(
            WindowGraphConv(in_channels, inner, out_channels, weights, size, stride, norm_layer)
            for size, weights in windows.items()
        )
        self.gcn = HopGraphConv(in_channels, mid_channels, adjacency)
        self.bn = norm_layer(mid_channels)
        self.relu = ReLU(inplace=True)

        def conv(
            before: int, after: int, step: int = 1, relu: bool = True, rate: float = 0.0
        ) -> MultiScaleTemporalConv:
            kinds: Sequence[tuple[int, int]] = SIX
            return MultiScaleTemporalConv(
                before, after, step, kinds, False, None, rate, norm_layer, relu, residual=True
            )

        self.tcns = ModuleList(
            (conv(mid_channels, out_channels, stride), conv(out_channels, out_channels, relu=False))
        )
        self.tcn = conv(out_channels, out_channels, rate=dropout)

    def forward(self, x: Tensor, tracks: Tracks) -> Tensor:
        r"""Runs the block.

        Args:
            x (torch.Tensor): The node features.
            tracks (Tracks): Their tracks.
        """
        frames = x.reshape(tracks.num_frames, tracks.num_joints, x.size(-1))
        after = tracks.strided(self.stride)
        h = self.relu(self.bn(self.gcn(frames).flatten(0, 1)))
        h = self.tcns[1](self.tcns[0](h, tracks), after)
        for layer in self.gcn3d:
            h = h + layer(frames, tracks).flatten(0, 1)
        out: Tensor = self.tcn(torch.relu(h), after)
        return out
