r"""The graph of WiGNet: nearest neighbours inside windows."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import Module

from pyg_vision._checks import check_int
from pyg_vision.nn.graph.axial_graph import check_grid
from pyg_vision.nn.graph.dilated_knn_graph import DilatedKNNGraph
from pyg_vision.nn.graph.relative_position import RelativePosition
from pyg_vision.ops import NeighborTable
from pyg_vision.typing import Backend, Grid

LEAST = 3  # published: however few sources a node has, adapted neighbourhoods have so many


class WindowedKNNGraph(Module):
    r"""Connects each patch to its nearest neighbours in feature space within a window, from the
    `"WiGNet: Windowed Vision Graph Neural Network" <https://arxiv.org/abs/2410.00807>`_ paper.

    .. math::
        \mathcal{N}(i) = \textrm{the } k \textrm{ smallest }
        {\Big\| \frac{\mathbf{x}_i}{\| \mathbf{x}_i \|} - \frac{\mathbf{x}_j}{\| \mathbf{x}_j \|}
        \Big\|}^2_2 + b_{ij} \textrm{ over the } j \textrm{ in the window of } i

    The map is divided into squares of :obj:`window` patches a side, after it is shifted cyclically
    by :obj:`shift` patches to the top and to the left: windows at the seam hold patches of both of
    its sides, which are no neighbours of each other. The cost is linear in the area of the image. A
    map that fits into one window is that window and is not shifted; of other sizes than multiples
    of the window, which the published code does not take, windows at the end are smaller. Where
    there are fewer than :math:`k` sources, the slots that are left hold the patch itself; the
    published code has patches of the other side of the seam there, which no published model needs.

    Args:
        k (int, optional): The number of neighbours. (default: :obj:`9`)
        window (int, optional): The patches of a side of a window. (default: :obj:`7`)
        shift (int, optional): The shift, less than the window. (default: :obj:`0`)
        adapt_knn (bool, optional): Whether a patch with :math:`a` sources has only the nearest
            :math:`\max(3, \lfloor k a / \textrm{window}^2 \rfloor)` neighbours, and itself in the
            other slots. (default: :obj:`False`)
        relative_pos (RelativePosition, optional): The bias of distances in a window.
            (default: :obj:`None`)
        knn_backend (str, optional): The search, see :func:`pyg_vision.ops.knn`.
            (default: :obj:`"auto"`)

    Shapes:
        - **input:** node features :math:`(B, N, C)`, and the rows and columns of patches
        - **output:** :class:`~pyg_vision.ops.NeighborTable` of :math:`(B, N, k)`

    Raises:
        ValueError: If the shift is not less than the window, or the grid does not have as many
            patches as there are nodes.

    Example:
        >>> import torch
        >>> from pyg_vision.nn import WindowedKNNGraph
        >>> graph = WindowedKNNGraph(k=9, window=7, shift=3)
        >>> graph(torch.randn(2, 196, 64), (14, 14)).index.shape
        torch.Size([2, 196, 9])
    """

    explain = False  # a graph builder passes no messages

    def __init__(
        self,
        k: int = 9,
        window: int = 7,
        shift: int = 0,
        adapt_knn: bool = False,
        relative_pos: RelativePosition | None = None,
        knn_backend: Backend = "auto",
    ) -> None:
        super().__init__()
        self.window = check_int("window", window)
        self.shift = check_int("shift", shift, 0)
        if shift >= window:
            raise ValueError(f"'shift' must be less than window={window} (got {shift})")
        self.adapt_knn = adapt_knn
        self.knn = DilatedKNNGraph(k, backend=knn_backend)
        self.relative_pos = relative_pos

    def forward(self, x: Tensor, grid_size: Grid) -> NeighborTable:
        r"""Builds the graph.

        Args:
            x (torch.Tensor): The node features.
            grid_size (tuple): Rows and columns of patches.
        """
        grid = check_grid(x, grid_size)
        plan = divide(grid, self.window, self.shift, x.device)
        count, area = plan.nodes.shape
        windows = x.detach()[:, plan.nodes.clamp(min=0)].flatten(0, 1)
        bias = None if self.relative_pos is None else self.relative_pos(plan.size)
        allowed = plan.allowed
        if allowed is not None:
            allowed = allowed.expand(x.size(0), -1, -1, -1).flatten(0, 1)
        bias = bias.expand(windows.size(0), -1, -1) if isinstance(bias, Tensor) else bias
        table = self.knn(windows, bias=bias, mask=allowed, small_graphs="self")
        local = table.index.view(x.size(0), count, area, -1)
        if self.adapt_knn:
            local = _adapt(local, plan.allowed)
        slots = local + area * torch.arange(count, device=x.device).view(-1, 1, 1)
        # From slots to nodes, and in the order of the nodes.
        index = plan.nodes.flatten()[slots.flatten(1, 2)][:, plan.slots]
        return NeighborTable(index, x.size(1))

    def extra_repr(self) -> str:
        r"""The settings."""
        adapted = ", adapt_knn=True" if self.adapt_knn else ""
        return f"window={self.window}, shift={self.shift}{adapted}"


class Windows(NamedTuple):
    r"""How a grid is divided into windows.

    Args:
        size (tuple): The rows and columns of a window.
        nodes (torch.Tensor): The node in each slot :math:`(\textrm{windows}, \textrm{slots})`,
            :obj:`-1` for none.
        slots (torch.Tensor): The slot of each node, counted over all windows.
        allowed (torch.Tensor, optional): Which slots of a window may be neighbours,
            :math:`(\textrm{windows}, \textrm{slots}, \textrm{slots})`; :obj:`None` for all.
    """

    size: Grid
    nodes: Tensor
    slots: Tensor
    allowed: Tensor | None


def divide(grid_size: Grid, window: int, shift: int, device: torch.device) -> Windows:
    r"""Divides a grid into windows.

    Args:
        grid_size (tuple): Rows and columns of patches.
        window (int): The patches of a side of a window.
        shift (int): The shift to the top and to the left.
        device (torch.device): Where tensors go.
    """
    rows, columns = grid_size
    number = torch.arange(rows * columns, device=device)
    if max(rows, columns) <= window:
        return Windows(grid_size, number.view(1, -1), number, None)
    down, right = -rows % window, -columns % window
    nodes = number.new_full((rows + down, columns + right), -1)
    nodes[:rows, :columns] = number.view(rows, columns)
    # As in Swin: what lies on either side of the seam is of different regions.
    row, column = (_regions(side, window, shift, device) for side in nodes.shape)
    region = row.view(-1, 1) * 3 + column
    nodes = _partition(torch.roll(nodes, (-shift, -shift), (0, 1)), window)
    region = _partition(region, window)
    allowed = None
    if shift or down or right:
        allowed = (region.unsqueeze(2) == region.unsqueeze(1)) & (nodes >= 0).unsqueeze(1)
    slots = nodes.flatten().argsort()[nodes.numel() - number.numel() :]
    return Windows((window, window), nodes, slots, allowed)


def _regions(length: int, window: int, shift: int, device: torch.device) -> Tensor:
    place = torch.arange(length, device=device)
    return (place >= length - window).long() + (place >= length - shift).long()


def _partition(grid: Tensor, window: int) -> Tensor:
    rows, columns = (side // window for side in grid.shape)
    parts = grid.view(rows, window, columns, window).transpose(1, 2)
    return parts.reshape(rows * columns, window * window)


def _adapt(local: Tensor, allowed: Tensor | None) -> Tensor:
    r"""Replaces the farthest neighbours of patches with few sources by themselves."""
    if allowed is None:
        return local
    area, k = local.shape[-2:]
    kept = (allowed.sum(dim=-1) * k // area).clamp(min=LEAST)
    own = torch.arange(area, device=local.device).view(-1, 1)
    return torch.where(torch.arange(k, device=local.device) < kept.unsqueeze(-1), local, own)
