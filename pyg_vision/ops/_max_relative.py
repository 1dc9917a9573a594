r"""The aggregation of max-relative graph convolution."""

from __future__ import annotations

from torch import Tensor
from torch_geometric.typing import Adj

from pyg_vision._checks import check_features, check_same_place
from pyg_vision.ops._maximum import neighbor_maximum
from pyg_vision.ops.adjacency import CSR, fit_table, in_range, to_csr
from pyg_vision.ops.neighbor_table import NeighborTable


def max_relative(
    x: Tensor | tuple[Tensor, Tensor],
    neighbors: NeighborTable | Adj,
) -> Tensor:
    r"""Computes the largest difference to a neighbour in each channel.

    .. math::
        \mathbf{m}_i = \max_{j \in \mathcal{N}(i)} (\mathbf{x}_j - \mathbf{x}_i)
                     = \Big( \max_{j \in \mathcal{N}(i)} \mathbf{x}_j \Big) - \mathbf{x}_i

    from the `"DeepGCNs: Can GCNs Go as Deep as CNNs?" <https://arxiv.org/abs/1904.03751>`_ paper.
    Both forms are equal in floating point, since rounding is monotone; the second needs no tensor
    of edges, neither forward nor backward. A node without neighbours gets :math:`0`. Where
    neighbours tie, the first in the table (or in :obj:`edge_index`) takes the gradient. The
    result is deterministic on a CPU, and on a GPU under
    :func:`torch.use_deterministic_algorithms`.

    Args:
        x (torch.Tensor or (torch.Tensor, torch.Tensor)): Features :math:`(N, C)`, or
            :math:`(B, N, C)` for a table of :math:`B` graphs or for :math:`B` signals on one
            (static) graph; or a pair of those of sources and destinations.
        neighbors (NeighborTable or Adj): The graph: a table, an :obj:`edge_index`
            :math:`(2, |\mathcal{E}|)`, or a transposed sparse adjacency matrix
            (:class:`torch.sparse` in any layout), as in PyG.

    Returns:
        torch.Tensor: The aggregation, shaped as the features of the destinations.

    Raises:
        TypeError: If features are not floating-point, or the graph is of no known type.
        ValueError: If shapes, devices or the range of the indices do not fit.

    Example:
        >>> import torch
        >>> from pyg_vision.ops import knn, max_relative
        >>> x = torch.tensor([[0.0], [1.0], [3.0]])
        >>> max_relative(x, knn(x, k=2))
        tensor([[1.],
                [0.],
                [0.]])
    """
    x_src, x_dst = x if isinstance(x, (tuple, list)) else (x, x)
    check_features("x" if x_src is x_dst else "x[0]", x_src, (2, 3))
    if x_dst is not x_src:
        check_features("x[1]", x_dst, (x_src.dim(),))
        check_same_place("x[0]", x_src, "x[1]", x_dst)
        if x_src.size(-1) != x_dst.size(-1) or x_src.shape[:-2] != x_dst.shape[:-2]:
            raise ValueError(
                f"'x[0]' and 'x[1]' must agree in channels and number of graphs "
                f"(got shapes {list(x_src.shape)} and {list(x_dst.shape)})"
            )

    if isinstance(neighbors, NeighborTable):
        return _from_table(x_src, x_dst, neighbors)
    graph = to_csr(neighbors, (x_src.size(-2), x_dst.size(-2)), x_src.device)
    graph = CSR(in_range("edge_index[0]", graph.col, x_src.size(-2)), graph.rowptr)
    return _on_static(x_src, x_dst, graph)


def _from_table(x_src: Tensor, x_dst: Tensor, table: NeighborTable) -> Tensor:
    table = fit_table(table, x_src, x_dst)
    if table.index.dim() == 2:
        return _on_static(x_src, x_dst, CSR(table.index, None))
    best = neighbor_maximum(x_src.flatten(0, 1), table.flatten().index, None)
    return best.view_as(x_dst) - x_dst


def _on_static(x_src: Tensor, x_dst: Tensor, graph: CSR) -> Tensor:
    r"""Aggregates over one graph; several signals on it are more channels."""
    if x_src.dim() == 2:
        best = neighbor_maximum(x_src, graph.col, graph.rowptr)
    else:
        num_signals, _, channels = x_src.shape
        wide = x_src.transpose(0, 1).flatten(1)
        best = neighbor_maximum(wide, graph.col, graph.rowptr)
        best = best.view(-1, num_signals, channels).transpose(0, 1)
    out = best - x_dst
    if graph.rowptr is not None:  # a node without neighbours
        out = out.masked_fill(graph.rowptr.diff().view(-1, 1) == 0, 0.0)
    return out
