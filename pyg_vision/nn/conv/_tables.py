r"""Gathering over tables."""

from torch import Tensor

from pyg_vision.ops import NeighborTable
from pyg_vision.ops._adjacency import fit_table


def gather_neighbors(x_src: Tensor, x_dst: Tensor, table: NeighborTable) -> Tensor:
    r"""Returns the features of all neighbours, :math:`(*, N, k, C)`.

    Args:
        x_src (torch.Tensor): Features of sources :math:`(M, C)` or :math:`(B, M, C)`.
        x_dst (torch.Tensor): Features of destinations, which must fit the table.
        table (NeighborTable): The graph.
    """
    table = fit_table(table, x_src, x_dst)
    flat = table.flatten().index.reshape(-1)
    if table.index.dim() == 2:  # of one graph, or static: the same edges for every signal
        rows = x_src.index_select(-2, flat)
        return rows.view(*x_src.shape[:-2], *table.index.shape, -1)
    return x_src.flatten(0, 1).index_select(0, flat).view(*table.index.shape, -1)
