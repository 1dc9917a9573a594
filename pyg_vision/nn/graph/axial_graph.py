r"""Graphs of patches that lie in the same row or column, by a rule instead of a search."""

from __future__ import annotations

from typing import get_args

import torch
from torch import Tensor
from torch.nn import Module

from pyg_vision._checks import check_int
from pyg_vision.ops import NeighborTable
from pyg_vision.typing import AxialRule, Grid


class AxialGraph(Module):
    r"""Connects each patch to others in its row and its column, at distances that a rule gives.

    .. math::
        \mathcal{N}(r, c) = \{ (r, c) \} \cup
        \{ ((r - s) \bmod H, c) : s \in \mathcal{S}(H) \} \cup
        \{ (r, (c - s) \bmod W) : s \in \mathcal{S}(W) \}

    with the shifts :math:`\mathcal{S}(n)` of an axis of :math:`n` patches for a step :math:`K`:

    * :obj:`"svga"`: :math:`K, 2K, 3K, \ldots < n`, from the `"MobileViG: Graph-Based Sparse
      Attention for Mobile Vision Applications" <https://arxiv.org/abs/2307.00395>`_ paper
    * :obj:`"mgc"`: :math:`K` and :math:`-K`, from the `"Scaling Graph Convolutions for Mobile
      Vision" <https://arxiv.org/abs/2406.05850>`_ paper
    * :obj:`"lsgc"`: :math:`\pm (K^i - 1)` for :math:`i = 1, \ldots, \lfloor \log_2 n \rfloor`, from
      the `"LogViG" <https://arxiv.org/abs/2510.13740>`_ paper
    * :obj:`"powers"`: :math:`K`, then :math:`2^i` for the same :math:`i`, from the `"AdaptViG"
      <https://arxiv.org/abs/2511.09942>`_ paper

    The published models shift maps by joining two slices, so that a shift as long as the axis, or
    longer, is none: the patch itself. That and :obj:`loop` make the maximum of relative features at
    least zero, as published.

    Args:
        rule (str, optional): :obj:`"svga"`, :obj:`"mgc"`, :obj:`"lsgc"` or :obj:`"powers"`.
            (default: :obj:`"svga"`)
        step (int, optional): The step :math:`K`, at least 2 for :obj:`"lsgc"`. (default: :obj:`2`)
        loop (bool, optional): Whether the first neighbour of a patch is itself.
            (default: :obj:`True`)

    Shapes:
        - **input:** node features :math:`(B, N, C)`, of which only the shape is used, and the rows
          and columns of patches
        - **output:** :class:`~pyg_vision.ops.NeighborTable` of :math:`(B, N, k)`

    Raises:
        ValueError: If there is no such rule, the step is too small, the grid does not have as many
            patches as there are nodes, or a patch has no neighbour.

    Example:
        >>> import torch
        >>> from pyg_vision.nn import AxialGraph
        >>> graph = AxialGraph("svga", step=2)
        >>> graph(torch.randn(8, 49, 64), (7, 7)).index.shape  # itself, 3 rows and 3 columns
        torch.Size([8, 49, 7])
    """

    explain = False  # a graph builder passes no messages

    def __init__(self, rule: AxialRule = "svga", step: int = 2, loop: bool = True) -> None:
        super().__init__()
        if rule not in get_args(AxialRule):
            raise ValueError(
                f"'rule' must be one of {', '.join(get_args(AxialRule))} (got {rule!r})"
            )
        self.rule = rule
        self.step = check_int("step", step, 2 if rule == "lsgc" else 1)
        self.loop = loop

    def forward(self, x: Tensor, grid_size: Grid) -> NeighborTable:
        r"""Builds the graph.

        Args:
            x (torch.Tensor): The node features.
            grid_size (tuple): Rows and columns of patches.
        """
        grid = check_grid(x, grid_size)
        index = axial_index(grid, *self.shifts(grid), self.loop, x.device)
        return NeighborTable(index.expand(x.size(0), -1, -1), x.size(1))

    def shifts(self, grid_size: Grid) -> tuple[list[int], list[int]]:
        r"""Returns the shifts along rows and along columns.

        Args:
            grid_size (tuple): Rows and columns of patches.
        """
        rows, columns = grid_size
        return axial_shifts(self.rule, self.step, rows), axial_shifts(self.rule, self.step, columns)

    def first_of_axes(self, grid_size: Grid, device: torch.device) -> Tensor:
        r"""Returns which neighbours of a table are the patch itself or the first of an axis,
        :math:`(k)`.

        Args:
            grid_size (tuple): Rows and columns of patches.
            device (torch.device): Where it goes.
        """
        first = [True] * self.loop
        for shifts in self.shifts(grid_size):
            first += [i == 0 for i in range(len(shifts))]
        return torch.tensor(first, device=device)

    def extra_repr(self) -> str:
        r"""The settings."""
        return f"rule={self.rule!r}, step={self.step}" + ("" if self.loop else ", loop=False")


def axial_shifts(rule: AxialRule, step: int, length: int) -> list[int]:
    r"""Returns the shifts of an axis.

    Args:
        rule (str): The rule, see :class:`AxialGraph`.
        step (int): The step.
        length (int): The patches of the axis.
    """
    exponents = range(1, length.bit_length())
    if rule == "svga":
        return list(range(step, length, step))
    if rule == "mgc":
        return [step, -step]
    if rule == "lsgc":
        return [sign * (step**i - 1) for i in exponents for sign in (1, -1)]
    return [step, *(2**i for i in exponents)]


def axial_index(
    grid_size: Grid, rows: list[int], columns: list[int], loop: bool, device: torch.device
) -> Tensor:
    r"""Returns the neighbours :math:`(1, N, k)` of each patch of a grid.

    Args:
        grid_size (tuple): Rows and columns of patches.
        rows (list of int): By how many rows maps are shifted.
        columns (list of int): By how many columns.
        loop (bool): Whether the first neighbour of a patch is itself.
        device (torch.device): Where it goes.
    """
    height, width = grid_size
    own = torch.arange(height * width, device=device).view(height, width)
    shifted = [shift(own, s, 0) for s in rows] + [shift(own, s, 1) for s in columns]
    shifted = [own, *shifted] if loop else shifted
    if not shifted:
        raise ValueError(
            f"patches of a grid of {height} x {width} have no neighbour by this rule; set loop=True"
        )
    return torch.stack(shifted, dim=-1).view(1, height * width, -1)


def shift(x: Tensor, by: int, dim: int) -> Tensor:
    r"""Shifts a map as published: by joining two slices, which is nothing for a shift of its whole
    length or more.

    Args:
        x (torch.Tensor): The map.
        by (int): The shift, to higher positions if positive.
        dim (int): The dimension.
    """
    return x if abs(by) >= x.size(dim) else torch.roll(x, by, dim)


def check_grid(x: Tensor, grid_size: Grid) -> Grid:
    r"""Returns the rows and columns of the patches of nodes :math:`(B, N, C)`, if they are such.

    Args:
        x (torch.Tensor): The nodes.
        grid_size (tuple): Rows and columns.
    """
    rows, columns = (int(side) for side in grid_size)
    if x.dim() != 3 or rows * columns != x.size(1) or rows < 1:
        raise ValueError(
            f"'x' must be nodes [B, {rows} * {columns}, C] of a grid of {rows} x {columns} patches "
            f"(got shape {list(x.shape)})"
        )
    return rows, columns
