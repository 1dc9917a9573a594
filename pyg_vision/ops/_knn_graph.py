r"""A drop-in replacement for the function of that name in torch_cluster."""

from __future__ import annotations

import torch
from torch import Tensor

from pyg_vision._checks import check_features, check_int
from pyg_vision.ops._knn import knn
from pyg_vision.typing import Backend


def knn_graph(
    x: Tensor,
    k: int,
    batch: Tensor | None = None,
    loop: bool = False,
    flow: str = "source_to_target",
    cosine: bool = False,
    num_workers: int = 1,
    batch_size: int | None = None,
    *,
    max_num_nodes: int | None = None,
    backend: Backend = "auto",
) -> Tensor:
    r"""Connects every node to its :obj:`k` nearest neighbours, as :obj:`torch_cluster` does.

    The signature and the semantics are those of :obj:`torch_cluster.knn_graph`, with keywords of
    its own behind them: a node of a graph with fewer than :obj:`k` neighbours gets as many edges
    as there are. The distances are those of :func:`pyg_vision.ops.knn`.

    .. note::
        The number of edges depends on the sizes of the graphs. Under :func:`torch.compile` it
        must be known, so that there every graph needs :obj:`k` neighbours for each node, and it is
        an error at run time if one is smaller; with a :obj:`batch`, pass :obj:`batch_size` and
        :obj:`max_num_nodes`, too, and nothing breaks the graph.

    Args:
        x (torch.Tensor): Node features :math:`(N, C)`, or :math:`(N)` for a single channel.
        k (int): The number of neighbours.
        batch (torch.Tensor, optional): The graph of each node, sorted. (default: :obj:`None`)
        loop (bool, optional): Whether a node may be its own neighbour. (default: :obj:`False`)
        flow (str, optional): :obj:`"source_to_target"`, neighbours in the first row, or
            :obj:`"target_to_source"`. (default: :obj:`"source_to_target"`)
        cosine (bool, optional): Ranks by cosine similarity. (default: :obj:`False`)
        num_workers (int, optional): Ignored, as it is by :obj:`torch_cluster`.
            (default: :obj:`1`)
        batch_size (int, optional): The number of graphs. (default: :obj:`None`)
        max_num_nodes (int, optional): The size of the largest graph. (default: :obj:`None`)
        backend (str, optional): :obj:`"torch"` (also :obj:`"auto"`) or :obj:`"torch_cluster"`.
            (default: :obj:`"auto"`)

    Returns:
        torch.Tensor: The :obj:`edge_index` :math:`(2, |\mathcal{E}|)`, sorted by node, each node's
        neighbours nearest first.

    Raises:
        TypeError: If :obj:`x` is not floating-point.
        ValueError: If an argument does not fit; see :func:`pyg_vision.ops.knn`.

    Example:
        >>> import torch
        >>> from pyg_vision.ops import knn_graph
        >>> x = torch.tensor([[0.0], [1.0], [5.0]])
        >>> knn_graph(x, k=1)
        tensor([[1, 0, 1],
                [0, 1, 2]])
    """
    if flow not in ("source_to_target", "target_to_source"):
        raise ValueError(f"'flow' must be 'source_to_target' or 'target_to_source' (got {flow!r})")
    x = check_features("x", x, (1, 2))
    x = x.view(-1, 1) if x.dim() == 1 else x
    k = check_int("k", k)
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
        max_num_nodes=max_num_nodes,
        small_graphs="self",
        backend=backend,
    )
    edge_index = table.edge_index
    # Columns that a small graph could not fill hold the node itself, and come after its
    # neighbours. They can only be there if a graph has no more nodes than that.
    if batch is not None or x.size(0) < k + (0 if loop else 1):
        filled = _filled(table.index, loop)
        if torch.compiler.is_compiling():
            torch.ops.aten._assert_async.msg(
                ~filled.any(), f"a compiled knn_graph needs {k} neighbours for every node"
            )
        else:
            edge_index = edge_index[:, ~filled.view(-1)]
    return edge_index if flow == "source_to_target" else edge_index.flip(0)


def _filled(index: Tensor, loop: bool) -> Tensor:
    r"""Marks the entries that only repeat the node itself."""
    node = torch.arange(index.size(0), device=index.device).view(-1, 1)
    is_self = index == node
    # With loops the node itself appears once by right, wherever it ranks.
    return is_self & (is_self.cumsum(dim=1) > 1) if loop else is_self
