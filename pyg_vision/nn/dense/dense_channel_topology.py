r"""Graphs of each channel as published, on maps of frames and joints."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor

from pyg_vision.nn.conv.channel_topology_conv import ChannelTopologyConv
from pyg_vision.nn.dense.dense_adaptive import as_conv


class DenseChannelTopologyConv(ChannelTopologyConv):
    r"""The :term:`dense twin` of :class:`ChannelTopologyConv`, on maps of frames and joints, of
    which each has graphs of its own.

    Args:
        in_channels (int): Size of each input.
        out_channels (int): Size of each output.
        adjacency (torch.Tensor): The weights :math:`(R, V, V)` that learning begins with.
        mid_channels (int, optional): What sources and targets are compared by.
            (default: as of the twin)

    Shapes:
        - **input:** features :math:`(N, C_{in}, T, V)`
        - **output:** features :math:`(N, C_{out}, T, V)`

    Example:
        >>> import torch
        >>> from pyg_vision.nn import DenseChannelTopologyConv
        >>> conv = DenseChannelTopologyConv(3, 64, torch.rand(3, 17, 17))
        >>> conv(torch.randn(2, 3, 30, 17)).shape
        torch.Size([2, 64, 30, 17])
    """

    def forward(self, x: Tensor) -> Tensor:  # type: ignore[override]
        r"""Runs the layer.

        Args:
            x (torch.Tensor): The features.
        """
        out: Tensor | None = None
        for topology, adjacency in zip(self.topologies, self.adjacency, strict=True):
            source, target, value, spread = topology.children()
            first, second = as_conv(source, x).mean(-2), as_conv(target, x).mean(-2)
            graph = torch.tanh(first.unsqueeze(-1) - second.unsqueeze(-2))
            graph = as_conv(spread, graph) * self.alpha + adjacency
            sums = torch.einsum("ncuv,nctu->nctv", graph, as_conv(value, x))
            out = sums if out is None else out + sums
        return cast(Tensor, out)
