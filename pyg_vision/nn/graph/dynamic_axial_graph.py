r"""The graph of GreedyViG: patches of the same row or column that are alike."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import Module

from pyg_vision._checks import check_int
from pyg_vision.nn.graph.axial_graph import axial_index, axial_shifts, check_grid
from pyg_vision.ops import NeighborTable
from pyg_vision.typing import Grid


class DynamicAxialGraph(Module):
    r"""Connects each patch to those of its row and its column that are near in feature space, from
    the `"GreedyViG: Dynamic Axial Graph Construction for Efficient Vision GNNs"
    <https://arxiv.org/abs/2405.06849>`_ paper.

    .. math::
        \mathcal{N}(i) = \{ i \} \cup \{ j : {\| \mathbf{x}_i - \mathbf{x}_j \|}_1 < \mu - \sigma \}

    over the patches :math:`j` at :math:`K, 2K, \ldots` rows or columns from patch :math:`i`. The
    mean :math:`\mu` and the (unbiased) deviation :math:`\sigma` are those of the distances
    :math:`{\| \mathbf{x}_i - \mathbf{q}_i \|}_1` in one image, whose quadrants are exchanged in
    :math:`\mathbf{q}`. A slot of the table without an edge holds the patch itself, so that the
    table has a fixed shape; the maximum of relative features is the same.

    The graph takes no gradient. Distances are in at least :obj:`float32`, whatever the autocast
    state. An image of one patch has no edges.

    Args:
        step (int, optional): The step :math:`K`. (default: :obj:`2`)

    Shapes:
        - **input:** node features :math:`(B, N, C)`, and the rows and columns of patches
        - **output:** :class:`~pyg_vision.ops.NeighborTable` of :math:`(B, N, k)`

    Raises:
        ValueError: If the grid does not have as many patches as there are nodes.

    Example:
        >>> import torch
        >>> from pyg_vision.nn import DynamicAxialGraph
        >>> table = DynamicAxialGraph(step=2)(torch.randn(8, 49, 64), (7, 7))
        >>> table.index.shape
        torch.Size([8, 49, 7])
    """

    explain = False  # a graph builder passes no messages

    def __init__(self, step: int = 2) -> None:
        super().__init__()
        self.step = check_int("step", step)

    @torch.no_grad()
    def forward(self, x: Tensor, grid_size: Grid) -> NeighborTable:
        r"""Builds the graph.

        Args:
            x (torch.Tensor): The node features.
            grid_size (tuple): Rows and columns of patches.
        """
        rows, columns = check_grid(x, grid_size)
        x = x.detach().to(torch.promote_types(x.dtype, torch.float32))
        maps = x.reshape(x.size(0), rows, columns, -1)
        down, right = (axial_shifts("svga", self.step, side) for side in (rows, columns))
        index = axial_index((rows, columns), down, right, True, x.device)
        threshold = self.threshold(maps)
        near = [
            d < threshold
            for dim, steps in ((1, down), (2, right))
            for d in shift_distances(maps, steps, dim)
        ]
        if not near:
            return NeighborTable(index.expand(x.size(0), -1, -1), x.size(1))
        own, others = index[..., :1], index[..., 1:]
        kept = torch.where(torch.stack(near, dim=-1).flatten(1, 2), others, own)
        return NeighborTable(torch.cat([own.expand(x.size(0), -1, -1), kept], -1), x.size(1))

    @staticmethod
    def threshold(maps: Tensor) -> Tensor:
        r"""Returns what a distance must be less than, for each image.

        Args:
            maps (torch.Tensor): Maps :math:`(B, H, W, C)`.
        """
        rows, columns = maps.shape[1:3]
        if rows * columns == 1:  # one distance has no deviation: no edge, as published
            return maps.new_full((maps.size(0), 1, 1), -1.0)
        quadrants = torch.roll(maps, (-(-rows // 2), -(-columns // 2)), (1, 2))
        std, mean = torch.std_mean(_distance(maps, quadrants), dim=(1, 2), keepdim=True)
        return mean - std

    def extra_repr(self) -> str:
        r"""The settings."""
        return f"step={self.step}"


def shift_distances(maps: Tensor, shifts: list[int], dim: int) -> list[Tensor]:
    r"""Returns the distances of each patch to that which a shift of its axis brings in its place.

    A patch is as far from another as that from it: a shift by :math:`s` of :math:`n` tells the
    distances of one by :math:`n - s`.

    Args:
        maps (torch.Tensor): Maps :math:`(B, H, W, C)`.
        shifts (list of int): The shifts, positive and less than the length of the axis.
        dim (int): The axis, 1 or 2.

    Returns:
        list: Distances :math:`(B, H, W)` for each shift.
    """
    length = maps.size(dim)
    found: dict[int, Tensor] = {}
    for s in shifts:
        if length - s in found:
            found[s] = torch.roll(found[length - s], s, dim)
            continue
        # Of slices, since a shifted copy of the maps takes longer than what is done with it.
        whole, head = maps.narrow(dim, s, length - s), maps.narrow(dim, 0, length - s)
        front, tail = maps.narrow(dim, 0, s), maps.narrow(dim, length - s, s)
        found[s] = torch.cat([_distance(front, tail), _distance(whole, head)], dim)
    return [found[s] for s in shifts]


def _distance(x: Tensor, y: Tensor) -> Tensor:
    # Ten times as fast over a few channels as torch.linalg.vector_norm.
    return (x - y).abs().sum(dim=-1)
