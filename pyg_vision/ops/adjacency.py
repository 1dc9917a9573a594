r"""Every form in which PyG passes a graph, brought to one."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch_geometric.edge_index import EdgeIndex, SortOrder
from torch_geometric.typing import Adj, SparseTensor
from torch_geometric.utils import is_sparse, is_torch_sparse_tensor

from pyg_vision._checks import check_index, check_range
from pyg_vision._validation import validation_enabled
from pyg_vision.ops.neighbor_table import NeighborTable


class CSR(NamedTuple):
    r"""Sources :math:`(E)` grouped by destination, or a table :math:`(N, k)` without pointers."""

    col: Tensor
    rowptr: Tensor | None


def to_edge_index(adj: NeighborTable | Adj) -> Tensor:
    r"""Returns sources and destinations :math:`(2, |\mathcal{E}|)`.

    Args:
        adj (NeighborTable or Adj): A table, an :obj:`edge_index`, or a *transposed* sparse
            adjacency matrix, rows being destinations, as everywhere in PyG.
    """
    if isinstance(adj, NeighborTable):
        return adj.edge_index
    if isinstance(adj, SparseTensor):
        row, col, _ = adj.coo()
        return torch.stack([col, row])
    if isinstance(adj, Tensor) and is_torch_sparse_tensor(adj):
        coo: Tensor = adj.to_sparse_coo()  # type: ignore[no-untyped-call]
        coo = coo if coo.is_coalesced() else coo.coalesce()
        return coo.indices().flip(0)
    if not isinstance(adj, Tensor):
        raise TypeError(
            f"a graph must be a NeighborTable, an edge_index or a sparse tensor "
            f"(got '{type(adj).__name__}')"
        )
    if adj.dim() != 2 or adj.size(0) != 2:
        raise ValueError(f"'edge_index' must have shape [2, num_edges] (got {list(adj.shape)})")
    return adj


def to_csr(adj: NeighborTable | Adj, size: tuple[int, int], device: torch.device) -> CSR:
    r"""Groups the edges by destination, the edges of one destination in the order given.

    Args:
        adj (NeighborTable or Adj): The graph.
        size (tuple): The number of sources and of destinations.
        device (torch.device): Where the features are.
    """
    sparse = not isinstance(adj, NeighborTable) and is_sparse(adj)
    if sparse and tuple(adj.size()) != (size[1], size[0]):  # type: ignore[union-attr]
        raise ValueError(
            f"a sparse adjacency matrix must be transposed, [destinations, sources] = "
            f"{[size[1], size[0]]} (got {list(adj.size())})"  # type: ignore[union-attr]
        )
    if isinstance(adj, EdgeIndex):
        for known, wanted in zip(adj.sparse_size(), size, strict=True):
            if known is not None and known != wanted:
                raise ValueError(
                    f"an EdgeIndex of size {adj.sparse_size()} does not fit {size[0]} sources and "
                    f"{size[1]} destinations"
                )
    edge_index = to_edge_index(adj)
    is_sorted = sparse or (isinstance(adj, EdgeIndex) and adj.sort_order == SortOrder.COL)
    if isinstance(edge_index, EdgeIndex):
        edge_index = edge_index.as_tensor()
    check_index("edge_index", edge_index, device)
    source, target = edge_index[0], edge_index[1]
    if validation_enabled(edge_index):
        check_range("edge_index[1]", target, size[1])
    if not is_sorted:
        target, order = target.sort(stable=True)
        source = source[order]
    node = torch.arange(size[1] + 1, device=device, dtype=target.dtype)
    rowptr = torch.searchsorted(target.contiguous(), node)
    return CSR(source.contiguous().long(), rowptr)


def fit_table(table: NeighborTable, x_src: Tensor, x_dst: Tensor) -> NeighborTable:
    r"""Returns a table that is safe to gather with: it fits the features and stays in range.

    Args:
        table (NeighborTable): The graph.
        x_src (torch.Tensor): Features of sources :math:`(M, C)` or :math:`(B, M, C)`.
        x_dst (torch.Tensor): Features of destinations.

    Returns:
        NeighborTable: The table, flattened if features are :math:`(M, C)`.
    """
    index = table.index
    check_index("neighbors.index", index, x_src.device)
    if index.dim() not in (2, 3) or index.size(-1) == 0:
        raise ValueError(
            f"'neighbors.index' must have shape [N, k] or [B, N, k] with k >= 1 "
            f"(got {list(index.shape)})"
        )
    if index.dim() == 3 and x_src.dim() == 2:
        index = table.flatten().index
    num_sources = x_src.size(-2)
    wanted = x_dst.shape[:2] if index.dim() == 3 else x_dst.shape[-2:-1]
    expected = table.num_sources * (table.index.size(0) if index.dim() < table.index.dim() else 1)
    if num_sources != expected or index.shape[:-1] != wanted:
        raise ValueError(
            f"a table of shape {list(table.index.shape)} over {table.num_sources} sources does "
            f"not fit features of shapes {list(x_src.shape)} (sources) and {list(x_dst.shape)}"
        )
    return NeighborTable(in_range("neighbors.index", index.long(), num_sources), num_sources)


def in_range(name: str, index: Tensor, size: int) -> Tensor:
    r"""Checks the range of indices or, unchecked, confines them: none is read out of range."""
    if size == 0 and index.numel() > 0:
        raise ValueError(f"'{name}' has {index.numel()} entries, but there is no node to point to")
    if validation_enabled(index):
        check_range(name, index, size)
        return index
    return index.clamp(0, size - 1) if size > 0 else index
