r"""The graph convolutions as published: gather both ends of each edge, max over the last axis."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor
from torch.nn import Module, Parameter, Sequential

from pyg_vision.nn.dense.dense_layers import dense_mlp

MLP = Callable[[int, int], Sequential]


def batched_index_select(x: Tensor, index: Tensor) -> Tensor:
    r"""Gathers nodes as published.

    Args:
        x (torch.Tensor): Features :math:`(B, C, M, 1)`.
        index (torch.Tensor): Indices :math:`(B, N, k)`.

    Returns:
        torch.Tensor: Features :math:`(B, C, N, k)`.
    """
    batch_size, channels, num_sources = x.shape[:3]
    _, num_nodes, k = index.shape
    base = torch.arange(0, batch_size, device=index.device).view(-1, 1, 1) * num_sources
    flat = (index + base).contiguous().view(-1)
    x = x.transpose(2, 1)
    feature = x.contiguous().view(batch_size * num_sources, -1)[flat, :]
    return feature.view(batch_size, num_nodes, k, channels).permute(0, 3, 1, 2).contiguous()


class DenseConv(Module):
    r"""What the dense convolutions share: published parameters :math:`(C_{in}, C_{out})`.

    Args:
        in_channels (int): Channels of the input.
        out_channels (int): Channels of the output.
        bias (bool, optional): Whether 1x1 convolutions have a bias. (default: :obj:`True`)
        groups (int, optional): Their groups. (default: :obj:`4`)
        norm (str, optional): The norm. (default: :obj:`"batch"`)
        act (str, optional): The activation. (default: :obj:`"gelu"`)

    Shapes:
        - **input:** features :math:`(B, C_{in}, N, 1)`, edges :math:`(2, B, N, k)` (neighbours,
          centres), sources :math:`(B, C_{in}, M, 1)` *(optional)*
        - **output:** features :math:`(B, C_{out}, N, 1)`
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        bias: bool = True,
        groups: int = 4,
        norm: str | None = "batch",
        act: str | None = "gelu",
    ) -> None:
        super().__init__()
        mlp = partial(dense_mlp, groups=groups, bias=bias, norm=norm, act=act)
        self._build(in_channels, out_channels, mlp)

    def _build(self, in_channels: int, out_channels: int, mlp: MLP) -> None:
        self.nn = mlp(2 * in_channels, out_channels)


class DenseMRConv(DenseConv):
    r"""The :term:`dense twin` of :class:`~pyg_vision.nn.MRConv`, interleaved as published.

    Args:
        in_channels (int): Channels of the input.
        out_channels (int): Channels of the output.
        **kwargs (optional): As for every dense convolution: :obj:`bias`, :obj:`groups`,
            :obj:`norm`, :obj:`act`.

    Example:
        >>> import torch
        >>> from pyg_vision.nn import DenseMRConv, DenseDilatedKNNGraph
        >>> x = torch.randn(2, 16, 49, 1)
        >>> DenseMRConv(16, 32)(x, DenseDilatedKNNGraph(k=9)(x)).shape
        torch.Size([2, 32, 49, 1])
    """

    def forward(self, x: Tensor, edge_index: Tensor, y: Tensor | None = None) -> Tensor:
        r"""Runs the layer."""
        x_i = batched_index_select(x, edge_index[1])
        x_j = batched_index_select(x if y is None else y, edge_index[0])
        m, _ = torch.max(x_j - x_i, -1, keepdim=True)
        b, c, n, _ = x.shape
        z = torch.cat([x.unsqueeze(2), m.unsqueeze(2)], dim=2).reshape(b, 2 * c, n, 1)
        return self.nn(z)


class DenseViGEdgeConv(DenseConv):
    r"""The :term:`dense twin` of :class:`~pyg_vision.nn.ViGEdgeConv`.

    Args:
        in_channels (int): Channels of the input.
        out_channels (int): Channels of the output.
        **kwargs (optional): As for every dense convolution: :obj:`bias`, :obj:`groups`,
            :obj:`norm`, :obj:`act`.

    Example:
        >>> import torch
        >>> from pyg_vision.nn import DenseViGEdgeConv, DenseDilatedKNNGraph
        >>> x = torch.randn(2, 16, 49, 1)
        >>> DenseViGEdgeConv(16, 32)(x, DenseDilatedKNNGraph(k=9)(x)).shape
        torch.Size([2, 32, 49, 1])
    """

    def forward(self, x: Tensor, edge_index: Tensor, y: Tensor | None = None) -> Tensor:
        r"""Runs the layer."""
        x_i = batched_index_select(x, edge_index[1])
        x_j = batched_index_select(x if y is None else y, edge_index[0])
        value, _ = torch.max(self.nn(torch.cat([x_i, x_j - x_i], dim=1)), -1, keepdim=True)
        return value


class DenseViGSAGEConv(DenseConv):
    r"""The :term:`dense twin` of :class:`~pyg_vision.nn.ViGSAGEConv`.

    Args:
        in_channels (int): Channels of the input.
        out_channels (int): Channels of the output.
        **kwargs (optional): As for every dense convolution: :obj:`bias`, :obj:`groups`,
            :obj:`norm`, :obj:`act`.

    Example:
        >>> import torch
        >>> from pyg_vision.nn import DenseViGSAGEConv, DenseDilatedKNNGraph
        >>> x = torch.randn(2, 16, 49, 1)
        >>> DenseViGSAGEConv(16, 32)(x, DenseDilatedKNNGraph(k=9)(x)).shape
        torch.Size([2, 32, 49, 1])
    """

    def _build(self, in_channels: int, out_channels: int, mlp: MLP) -> None:
        self.nn1 = mlp(in_channels, in_channels)
        self.nn2 = mlp(2 * in_channels, out_channels)

    def forward(self, x: Tensor, edge_index: Tensor, y: Tensor | None = None) -> Tensor:
        r"""Runs the layer."""
        x_j = batched_index_select(x if y is None else y, edge_index[0])
        value, _ = torch.max(self.nn1(x_j), -1, keepdim=True)
        return self.nn2(torch.cat([x, value], dim=1))


class DenseViGGINConv(DenseConv):
    r"""The :term:`dense twin` of :class:`~pyg_vision.nn.ViGGINConv`.

    Args:
        in_channels (int): Channels of the input.
        out_channels (int): Channels of the output.
        **kwargs (optional): As for every dense convolution: :obj:`bias`, :obj:`groups`,
            :obj:`norm`, :obj:`act`.

    Example:
        >>> import torch
        >>> from pyg_vision.nn import DenseViGGINConv, DenseDilatedKNNGraph
        >>> x = torch.randn(2, 16, 49, 1)
        >>> DenseViGGINConv(16, 32)(x, DenseDilatedKNNGraph(k=9)(x)).shape
        torch.Size([2, 32, 49, 1])
    """

    def _build(self, in_channels: int, out_channels: int, mlp: MLP) -> None:
        self.nn = mlp(in_channels, out_channels)
        self.eps = Parameter(torch.zeros(1))

    def forward(self, x: Tensor, edge_index: Tensor, y: Tensor | None = None) -> Tensor:
        r"""Runs the layer."""
        x_j = batched_index_select(x if y is None else y, edge_index[0])
        value = torch.sum(x_j, -1, keepdim=True)
        return self.nn((1 + self.eps) * x + value)
