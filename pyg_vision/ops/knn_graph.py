r"""A drop-in replacement for the function of that name in torch_cluster."""

from __future__ import annotations

import torch
from torch import Tensor

from pyg_vision.ops._checks import check_features, check_positive_int
from pyg_vision.ops.knn import Backend, knn


def knn_graph(
    x: Tensor,
    k: int,
    batch: Tensor | None = None,
    loop: bool = False,
    flow: str = "source_to_target",
    cosine: bool = False,
    batch_size: int | None = None,
    backend: Backend = "auto",
    num_workers: int = 1,
) -> Tensor:
    r"""Connects every node to its :obj:`k` nearest neighbours, as :obj:`torch_cluster` does.

    The signature and the semantics are those of :obj:`torch_cluster.knn_graph`: a node of a graph
    with fewer than :obj:`k` neighbours gets as many edges as there are. The distances are those of
    :func:`pyg_vision.ops.knn`.

    Args:
        x (torch.Tensor): Node features :math:`(N, C)`, or :math:`(N)` for a single channel.
        k (int): The number of neighbours.
        batch (torch.Tensor, optional): The graph of each node, sorted. (default: :obj:`None`)
        loop (bool, optional): Whether a node may be its own neighbour. (default: :obj:`False`)
        flow (str, optional): :obj:`"source_to_target"`, neighbours in the first row, or
            :obj:`"target_to_source"`. (default: :obj:`"source_to_target"`)
        cosine (bool, optional): Ranks by cosine similarity. (default: :obj:`False`)
        batch_size (int, optional): The number of graphs. (default: :obj:`None`)
        backend (str, optional): :obj:`"torch"` (also :obj:`"auto"`) or :obj:`"torch_cluster"`.
            (default: :obj:`"auto"`)
        num_workers (int, optional): Ignored, as it is by :obj:`torch_cluster`.
            (default: :obj:`1`)

    Returns:
        torch.Tensor: The :obj:`edge_index` :math:`(2, |\mathcal{E}|)`, sorted by node, each node's
        neighbours nearest first.

    Raises:
        TypeError: If :obj:`x` is not floating-point.
        ValueError: If an argument does not fit; see :func:`pyg_vision.ops.knn`.
    """
    if flow not in ("source_to_target", "target_to_source"):
        raise ValueError(f"'flow' must be 'source_to_target' or 'target_to_source' (got {flow!r})")
    x = check_features("x", x, (1, 2))
    x = x.view(-1, 1) if x.dim() == 1 else x
    k = check_positive_int("k", k)
    if x.size(0) == 0:
        return torch.empty(2, 0, dtype=torch.long, device=x.device)
    metric = "cosine" if cosine else "euclidean"
    table = knn(
        x,
        k,
        metric=metric,  # type: ignore[arg-type]
        loop=loop,
        batch=batch,
        batch_size=batch_size,
        small_graphs="self",
        backend=backend,
    )
    edge_index = table.edge_index
    # Columns that a small graph could not fill hold the node itself, and come after its
    # neighbours. They can only be there if a graph has no more nodes than that.
    if batch is not None or x.size(0) < k + (0 if loop else 1):
        edge_index = edge_index[:, ~_filled(table.index, loop).view(-1)]
    return edge_index if flow == "source_to_target" else edge_index.flip(0)


def _filled(index: Tensor, loop: bool) -> Tensor:
    r"""Marks the entries that only repeat the node itself."""
    node = torch.arange(index.size(0), device=index.device).view(-1, 1)
    is_self = index == node
    # With loops the node itself appears once by right, wherever it ranks.
    return is_self & (is_self.cumsum(dim=1) > 1) if loop else is_self
