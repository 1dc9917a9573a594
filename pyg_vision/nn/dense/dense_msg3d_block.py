r"""The block of MS-G3D as published, on maps of frames and joints."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn import Module, ModuleList

from pyg_vision.nn.blocks.msg3d_block import MSG3DBlock, WindowGraphConv
from pyg_vision.nn.conv.hop_graph_conv import HopGraphConv
from pyg_vision.nn.dense.dense_space_time import DenseMultiScaleTemporalConv
from pyg_vision.nn.layers.multi_scale_temporal_conv import SIX


def _mixed(conv: HopGraphConv, norm: Module, x: Tensor) -> Tensor:
    r"""Runs the graph convolution, norm and ReLU on maps."""
    num, channels, frames, joints = x.shape
    matrices = conv.initial + conv.adjacency
    sums = torch.einsum("kvu,nctv->nkctu", matrices, x)
    sums = sums.reshape(num, matrices.size(0) * channels, frames, joints)
    weight = conv.conv.weight.flatten(0, 1).t()[:, :, None, None]
    out: Tensor = norm(F.conv2d(sums, weight, conv.bias).flatten(2))
    return F.relu(out).view(num, -1, frames, joints)


class DenseWindowGraphConv(WindowGraphConv):
    r"""The :term:`dense twin` of :class:`WindowGraphConv`, on maps of frames and joints.

    Args:
        in_channels (int): Size of each input.
        mid_channels (int): Size of what the graph convolution returns.
        out_channels (int): Size of each output.
        adjacency (torch.Tensor): The weights :math:`(K, w V, w V)` of a window.
        window (int): The frames :math:`w` of a window.
        stride (int, optional): The frames from one window to the next. (default: :obj:`1`)

    Shapes:
        - **input:** features :math:`(N, C_{in}, T, V)`
        - **output:** features :math:`(N, C_{out}, \lceil T / s \rceil, V)`

    Example:
        >>> import torch
        >>> from pyg_vision.data import hop_adjacency
        >>> from pyg_vision.nn import DenseWindowGraphConv
        >>> adjacency = hop_adjacency("coco", num_scales=6, window=3).float()
        >>> conv = DenseWindowGraphConv(8, 8, 16, adjacency, window=3, stride=2)
        >>> conv(torch.randn(2, 8, 15, 17)).shape
        torch.Size([2, 16, 8, 17])
    """

    def forward(self, x: Tensor) -> Tensor:  # type: ignore[override]
        r"""Runs the layer.

        Args:
            x (torch.Tensor): The features.
        """
        num, channels, _, joints = x.shape
        size, stride = self.windows.size, self.windows.stride
        h = F.unfold(x, (size, 1), padding=(self.windows.reach, 0), stride=(stride, 1))
        h = h.view(num, channels, size, -1, joints).permute(0, 1, 3, 2, 4).contiguous()
        h = _mixed(self.conv, self.bn, h.view(num, channels, -1, size * joints))
        h = F.conv3d(h.view(num, h.size(1), -1, size, joints), self.weight, self.bias).squeeze(3)
        out: Tensor = self.out_bn(h.flatten(2)).view(h.shape)
        return out


class DenseMSG3DBlock(MSG3DBlock):
    r"""The :term:`dense twin` of :class:`MSG3DBlock`, on maps of frames and joints.

    Args:
        in_channels (int): Size of each input.
        mid_channels (int): Size of what the graph convolution of a frame returns.
        out_channels (int): Size of each output.
        adjacency (torch.Tensor): The weights :math:`(K, V, V)` of a frame.
        windows (dict): The weights of a window by its number of frames.
        stride (int, optional): The stride over frames. (default: :obj:`1`)
        first (bool, optional): Whether windows change the number of channels at once.
            (default: :obj:`False`)
        dropout (float, optional): Dropout behind the last temporal convolution.
            (default: :obj:`0.0`)

    Shapes:
        - **input:** features :math:`(N, C_{in}, T, V)`
        - **output:** features :math:`(N, C_{out}, \lceil T / s \rceil, V)`

    Example:
        >>> import torch
        >>> from pyg_vision.data import hop_adjacency
        >>> from pyg_vision.nn import DenseMSG3DBlock
        >>> windows = {w: hop_adjacency("coco", 6, w).float() for w in (3, 5)}
        >>> block = DenseMSG3DBlock(8, 12, 12, hop_adjacency("coco", 13).float(), windows)
        >>> block(torch.randn(2, 8, 15, 17)).shape
        torch.Size([2, 12, 15, 17])
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
    ) -> None:
        super().__init__(
            in_channels, mid_channels, out_channels, adjacency, windows, stride, first, dropout
        )
        inner = out_channels if first else in_channels
        self.gcn3d = ModuleList(
            DenseWindowGraphConv(in_channels, inner, out_channels, weights, size, stride)
            for size, weights in windows.items()
        )

        def conv(
            before: int, after: int, step: int = 1, relu: bool = True, rate: float = 0.0
        ) -> DenseMultiScaleTemporalConv:
            kinds: Sequence[tuple[int, int]] = SIX
            return DenseMultiScaleTemporalConv(
                before, after, step, kinds, False, None, rate, relu, residual=True
            )

        self.tcns = ModuleList(
            (conv(mid_channels, out_channels, stride), conv(out_channels, out_channels, relu=False))
        )
        self.tcn = conv(out_channels, out_channels, rate=dropout)  # type: ignore[assignment]

    def forward(self, x: Tensor) -> Tensor:  # type: ignore[override]
        r"""Runs the block.

        Args:
            x (torch.Tensor): The features.
        """
        h = _mixed(self.gcn, self.bn, x)
        for layer in self.tcns:
            h = layer(h)
        whole: Tensor | None = None
        for layer in self.gcn3d:
            whole = layer(x) if whole is None else whole + layer(x)
        out: Tensor = self.tcn(F.relu(h + whole))  # type: ignore[operator]
        return out
