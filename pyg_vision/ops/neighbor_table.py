r"""The type that keeps a regular neighbourhood regular."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class NeighborTable(NamedTuple):
    r"""A graph in which every node has exactly :math:`k` incoming edges.

    A graph builder such as :func:`pyg_vision.ops.knn` returns a table, and every convolution of
    :mod:`pyg_vision.nn` accepts one wherever it accepts an :obj:`edge_index`. A table says by its
    type what an :obj:`edge_index` cannot: that the neighbourhoods all have the same size, and
    that they are ranked. It is a named tuple: under :func:`torch.vmap` over graphs of the same
    number of sources, :obj:`NeighborTable(0, None)` is its entry of :obj:`in_dims`.

    A table has one of two forms:

    * :math:`(B, N, k)`, :math:`B` graphs of :math:`N` nodes each. Entries are *local*: they count
      the sources of their own graph, :math:`0 \ldots` :obj:`num_sources` :math:`- 1`.
    * :math:`(N, k)`, all nodes of a PyG batch, whatever the sizes of its graphs. Entries are
      *global* rows of the source features, and :obj:`num_sources` counts all of them.

    Args:
        index (torch.Tensor): The neighbours of each node, nearest first, as :obj:`torch.long`.
        num_sources (int): The number of nodes that :obj:`index` may point to.

    Example:
        >>> import torch
        >>> from pyg_vision.ops import NeighborTable
        >>> table = NeighborTable(torch.tensor([[0, 1], [1, 2], [2, 1]]), num_sources=3)
        >>> table.edge_index
        tensor([[0, 1, 1, 2, 2, 1],
                [0, 0, 1, 1, 2, 2]])
    """

    index: Tensor  # type: ignore[assignment]  # the field's name, over that of tuple.index
    num_sources: int

    @property
    def k(self) -> int:
        r"""The number of neighbours of every node."""
        return self.index.size(-1)

    @property
    def num_nodes(self) -> int:
        r"""The number of destination nodes, over all graphs."""
        return self.index.shape[:-1].numel()

    def graph(self, i: int) -> NeighborTable:
        r"""Returns the table :math:`(N, k)` of the :obj:`i`-th of several graphs.

        Args:
            i (int): The graph.

        Raises:
            ValueError: If the table is of all nodes together, and does not tell graphs apart.
            IndexError: If there are fewer graphs.
        """
        if self.index.dim() != 3:
            raise ValueError(
                f"a table [num_nodes, k] does not tell graphs apart; only one of the form "
                f"[graphs, nodes, k] does (got shape {list(self.index.shape)})"
            )
        if not -self.index.size(0) <= i < self.index.size(0):
            raise IndexError(f"the table holds {self.index.size(0)} graph(s) (got {i})")
        return NeighborTable(self.index[i], self.num_sources)

    def flatten(self) -> NeighborTable:
        r"""Returns the table in its global form, :math:`(\textrm{num_nodes}, k)`."""
        if self.index.dim() == 2:
            return self
        num_graphs = self.index.size(0)
        offset = torch.arange(num_graphs, device=self.index.device) * self.num_sources
        index = self.index + offset.view(-1, 1, 1)
        return NeighborTable(index.flatten(0, 1), num_graphs * self.num_sources)

    @property
    def edge_index(self) -> Tensor:
        r"""The graph as PyG's :obj:`edge_index` :math:`(2, |\mathcal{E}|)`, sorted by destination.

        The first row holds the neighbours (sources), the second the nodes (destinations); the
        edges of one node keep their rank order.
        """
        index = self.flatten().index
        dst = torch.arange(index.size(0), device=index.device)
        return torch.stack([index.reshape(-1), dst.repeat_interleave(self.k)])

    def to(self, device: torch.device | str) -> NeighborTable:
        r"""Returns the table on another device."""
        return NeighborTable(self.index.to(device), self.num_sources)
