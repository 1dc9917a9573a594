r"""The graph in which all patches of an image are neighbours."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import Module

from pyg_vision.nn.graph.axial_graph import check_grid
from pyg_vision.ops import NeighborTable
from pyg_vision.typing import Grid


class CompleteGraph(Module):
    r"""Connects each patch to all patches of its image, itself among them. The table takes no
    memory: its rows are one.

    Shapes:
        - **input:** node features :math:`(B, N, C)`, of which only the shape is used, and the rows
          and columns of patches
        - **output:** :class:`~pyg_vision.ops.NeighborTable` of :math:`(B, N, N)`

    Raises:
        ValueError: If the grid does not have as many patches as there are nodes.

    Example:
        >>> import torch
        >>> from pyg_vision.nn import CompleteGraph
        >>> CompleteGraph()(torch.randn(2, 12, 8), (3, 4)).index.shape
        torch.Size([2, 12, 12])
    """

    explain = False  # a graph builder passes no messages

    def forward(self, x: Tensor, grid_size: Grid) -> NeighborTable:
        r"""Builds the graph.

        Args:
            x (torch.Tensor): The node features.
            grid_size (tuple): Rows and columns of patches.
        """
        check_grid(x, grid_size)
        num_nodes = x.size(1)
        row = torch.arange(num_nodes, device=x.device)
        return NeighborTable(row.expand(x.size(0), num_nodes, -1), num_nodes)
