r"""Gathering over tables."""

from torch import Tensor

from pyg_vision.ops import NeighborTable
from pyg_vision.ops._adjacency import fit_table


def gather_edges(x_src: Tensor, x_dst: Tensor, table: NeighborTable) -> tuple[Tensor, Tensor]:
    r"""Returns the features of both ends of all edges, :math:`(*, N \cdot k, C)` each.

    They are laid out as in :meth:`propagate`, so that a layer sees the same messages.

    Args:
        x_src (torch.Tensor): Features of sources :math:`(M, C)` or :math:`(B, M, C)`.
        x_dst (torch.Tensor): Features of destinations, which must fit the table.
        table (NeighborTable): The graph.
    """
    table = fit_table(table, x_src, x_dst)
    flat = table.flatten().index.reshape(-1)
    if table.index.dim() == 2:  # of one graph, or static: the same edges for every signal
        x_j = x_src.index_select(-2, flat)
    else:
        x_j = x_src.flatten(0, 1).index_select(0, flat).view(x_src.size(0), -1, x_src.size(-1))
    x_i = x_dst.unsqueeze(-2).expand(*x_dst.shape[:-1], table.k, -1).flatten(-3, -2)
    return x_i, x_j


def per_node(edges: Tensor, table: NeighborTable) -> Tensor:
    r"""Returns edge features by node, :math:`(*, N, k, C)`.

    Args:
        edges (torch.Tensor): The features :math:`(*, N \cdot k, C)`.
        table (NeighborTable): The graph.
    """
    return edges.view(*edges.shape[:-2], -1, table.k, edges.size(-1))
