r"""The graph block of WiGNet as published: rolled maps, windows, the distance matrix of each."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import Module

from pyg_vision.nn.blocks.grapher import GROUPS
from pyg_vision.nn.dense.dense_conv import DenseMRConv
from pyg_vision.nn.dense.dense_graph import DenseDilatedKNNGraph
from pyg_vision.nn.dense.dense_layers import dense_mlp
from pyg_vision.nn.graph.windowed_knn_graph import LEAST, WindowedKNNGraph, divide
from pyg_vision.nn.layers.drop_path import DropPath
from pyg_vision.ops import NeighborTable
from pyg_vision.typing import Grid

APART = 1e6  # added to the distance of patches on both sides of the seam


class DenseWindowMixer(Module):
    r"""The :term:`dense twin` of :class:`~pyg_vision.nn.GraphMixer` with a
    :class:`~pyg_vision.nn.WindowedKNNGraph`; the two share one state dict.

    Args:
        channels (int): Channels of input and output.
        graph (WindowedKNNGraph): The settings of the graph, and the bias of its distances.
        act (str, optional): The activation. (default: :obj:`"gelu"`)
        drop_path (float, optional): Probability of stochastic depth. (default: :obj:`0.0`)

    Shapes:
        - **input:** maps :math:`(B, C, H, W)`, whose sides are multiples of the window or fit into
          one
        - **output:** the same

    Raises:
        ValueError: If the sides are no multiples of the window.

    Example:
        >>> import torch
        >>> from pyg_vision.nn import DenseWindowMixer, WindowedKNNGraph
        >>> mixer = DenseWindowMixer(16, WindowedKNNGraph(k=9, window=7, shift=3))
        >>> mixer(torch.randn(2, 16, 14, 21)).shape
        torch.Size([2, 16, 14, 21])
    """

    def __init__(
        self, channels: int, graph: WindowedKNNGraph, act: str = "gelu", drop_path: float = 0.0
    ) -> None:
        super().__init__()
        self.graph = graph
        self.search = DenseDilatedKNNGraph(graph.knn.k)
        self.fc1 = dense_mlp(channels, channels, norm="batch")
        self.conv = DenseMRConv(channels, 2 * channels, groups=GROUPS, norm="batch", act=act)
        self.fc2 = dense_mlp(2 * channels, channels, norm="batch")
        self.drop_path = DropPath(drop_path)

    def forward(self, x: Tensor, neighbors: NeighborTable | None = None) -> Tensor:
        r"""Runs the block.

        Args:
            x (torch.Tensor): The maps.
            neighbors (NeighborTable, optional): The graph to use instead of a new one, of
                neighbours inside windows. (default: :obj:`None`)
        """
        h = self.fc1(x)
        height, width = h.shape[2:]
        window, shift = self.graph.window, self.graph.shift
        rows = columns = window
        if max(height, width) <= window:
            rows, columns, shift = height, width, 0
        elif height % window or width % window:
            raise ValueError(
                f"the published code takes maps of multiples of window={window} (got {height} x "
                f"{width}); WiGNet itself takes any"
            )
        if shift > 0:
            h = torch.roll(h, (-shift, -shift), (2, 3))
        parts = _partition(h, rows, columns)
        if neighbors is None:
            index = self._search(parts, (height, width), (rows, columns), shift)
        else:
            plan = divide((height, width), window, self.graph.shift, x.device)
            slots = plan.slots[neighbors.index[:, plan.nodes.flatten()]]
            windows = torch.arange(plan.nodes.numel(), device=x.device).view(-1, 1) // (
                rows * columns
            )
            if not torch.equal(slots // (rows * columns), windows.expand_as(slots)):
                raise ValueError(
                    "'neighbors' must lie in the window of their patch, as the dense twin looks "
                    "nowhere else"
                )
            local = slots % (rows * columns)
            local = local.view(parts.size(0), rows * columns, -1)
            center = torch.arange(rows * columns, device=x.device).view(1, -1, 1)
            index = torch.stack([local, center.expand_as(local)])
        h = self.conv(parts, index)
        h = _merge(h, x.size(0), height, width, rows, columns)
        if shift > 0:
            h = torch.roll(h, (shift, shift), (2, 3))
        return x + self.drop_path(self.fc2(h))

    def _search(self, parts: Tensor, grid: Grid, window: Grid, shift: int) -> Tensor:
        area = window[0] * window[1]
        batch = parts.size(0) * area // (grid[0] * grid[1])
        position = self.graph.relative_pos
        bias = parts.new_zeros(1, 1, 1)
        if position is not None:
            bias = position.full(window).to(parts)
        apart = None
        if shift > 0:
            apart = _seam(*grid, self.graph.window, shift, parts.device)
            bias = (bias + APART * apart.to(parts)).repeat(batch, 1, 1)
        k = min(self.graph.knn.k, area)
        index = self.search(parts, relative_pos=bias, k=k)
        if self.graph.adapt_knn and apart is not None:
            kept = (k * (~apart).sum(dim=-1, keepdim=True) // (area)).clamp(min=LEAST)
            kept = kept.repeat(batch, 1, 1)
            slots = torch.arange(k, device=parts.device)
            index = torch.stack([torch.where(slots < kept, index[0], index[1]), index[1]])
        return index


def _partition(x: Tensor, rows: int, columns: int) -> Tensor:
    b, c, height, width = x.shape
    x = x.view(b, c, height // rows, rows, width // columns, columns)
    return x.permute(0, 2, 4, 1, 3, 5).reshape(-1, c, rows * columns, 1)


def _merge(x: Tensor, batch: int, height: int, width: int, rows: int, columns: int) -> Tensor:
    x = x.view(batch, height // rows, width // columns, -1, rows, columns)
    return x.permute(0, 3, 1, 4, 2, 5).reshape(batch, -1, height, width)


def _seam(height: int, width: int, window: int, shift: int, device: torch.device) -> Tensor:
    r"""Returns which patches of each window lie on different sides of the seam."""
    regions = torch.zeros(1, 1, height, width, device=device)
    count = 0
    slices = (slice(0, -window), slice(-window, -shift), slice(-shift, None))
    for down in slices:
        for right in slices:
            regions[:, :, down, right] = count
            count += 1
    region = _partition(regions, window, window).flatten(1)
    return region.unsqueeze(1) != region.unsqueeze(2)
