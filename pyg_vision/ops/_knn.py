r"""k nearest neighbours in feature space, for equal-size sets and for PyG batches."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from pyg_vision._checks import check_features, check_finite, check_int, check_same_place
from pyg_vision._validation import is_readable, validation_enabled
from pyg_vision.ops._knn_query import AS_ANY, EXCLUDED, FIRST
from pyg_vision.ops._knn_ragged import Ragged, ragged_search, too_large
from pyg_vision.ops._knn_search import (
    knn_search,
    search_as_graph,
    search_blocks,
    torch_cluster_search,
)
from pyg_vision.ops.neighbor_table import NeighborTable
from pyg_vision.ops.row_bias import RowBias
from pyg_vision.typing import Backend, Bias, Metric, SmallGraphs

MEMORY_BUDGET = 256 * 2**20


def knn(
    x: Tensor,
    k: int,
    sources: Tensor | None = None,
    *,
    bias: Bias | None = None,
    mask: Tensor | None = None,
    dilation: int = 1,
    loop: bool = True,
    metric: Metric = "euclidean",
    epsilon: float = 0.0,
    training: bool = False,
    batch: Tensor | None = None,
    batch_sources: Tensor | None = None,
    ptr: Tensor | None = None,
    ptr_sources: Tensor | None = None,
    batch_size: int | None = None,
    max_num_nodes: int | None = None,
    small_graphs: SmallGraphs = "error",
    memory_budget: int = MEMORY_BUDGET,
    backend: Backend = "auto",
) -> NeighborTable:
    r"""Finds exactly :math:`k` nearest neighbours of each row of :obj:`x` among :obj:`sources`.

    .. math::
        \mathcal{N}(i) = \textrm{every } d\textrm{-th of the } k \cdot d \textrm{ smallest }
        D_{ij} = {\| \mathbf{x}_i - \mathbf{y}_j \|}^2_2 + b_{ij}

    as the `"Vision GNN: An Image is Worth Graph of Nodes" <https://arxiv.org/abs/2206.00272>`_
    paper builds its graphs, with dilation :math:`d` by rank after the `"DeepGCNs: Can GCNs Go as
    Deep as CNNs?" <https://arxiv.org/abs/1904.03751>`_ paper. Neighbours are ranked nearest first.

    Distances are taken in at least :obj:`float32`, whatever the autocast state, from features
    centred per graph, and neighbours whose order rounding could change are compared by their
    differences in :obj:`float64`: for features of any scale the result is that of a search in
    :obj:`float64`, where distances are more than a millionth part apart. Of neighbours at equal
    distance the one of the lowest index comes first, but a node itself before all of them, unless
    there are :obj:`sources` or a :obj:`bias`. No gradient flows. The distance matrix is computed
    in blocks that never take more than :obj:`memory_budget` bytes, on a CPU in blocks small
    enough to stay in cache. On a GPU a Triton kernel takes the differences themselves, keeps the
    neighbours in registers and has no such matrix, up to :math:`k \cdot d = 128`; features in
    :obj:`float64`, cosines and more neighbours take blocks there, too.

    Args:
        x (torch.Tensor): Node features, for equal-size graphs :math:`(B, N, C)`, for one graph or
            a PyG batch of any sizes :math:`(N, C)`.
        k (int): The number of neighbours.
        sources (torch.Tensor, optional): The candidates, :math:`(B, M, C)` or :math:`(M, C)`. If
            :obj:`None`, they are the nodes themselves. (default: :obj:`None`)
        bias (torch.Tensor, RowBias or Callable, optional): Added to the distances: a matrix
            :math:`(N, M)` or :math:`(B, N, M)`, a :class:`~pyg_vision.ops.RowBias`, or a function
            that returns the rows :obj:`start` to :obj:`end`; the last two never exist as a
            whole. In a PyG batch the
            entry :math:`(i, j)` is for the :math:`i`-th node and the :math:`j`-th source of a
            graph. :math:`+\infty` forbids an edge; NaN and :math:`-\infty` are errors.
            (default: :obj:`None`)
        mask (torch.Tensor, optional): A boolean matrix shaped as the bias, :obj:`True` where an
            edge is allowed. (default: :obj:`None`)
        dilation (int, optional): Takes every :obj:`dilation`-th of the :math:`k \cdot d` nearest.
            (default: :obj:`1`)
        loop (bool, optional): If :obj:`False`, a node is no neighbour of itself; it is excluded
            by its index, not by its distance. (default: :obj:`True`)
        metric (str, optional): :obj:`"euclidean"` for the squared Euclidean distance,
            :obj:`"cosine"` for one minus the cosine similarity. (default: :obj:`"euclidean"`)
        epsilon (float, optional): The probability with which, in training, the neighbours are
            :math:`k` random ones of the :math:`k \cdot d` nearest (stochastic dilation).
            (default: :obj:`0.0`)
        training (bool, optional): Whether stochastic dilation applies. (default: :obj:`False`)
        batch (torch.Tensor, optional): The graph of each node, sorted. (default: :obj:`None`)
        batch_sources (torch.Tensor, optional): The graph of each source. (default: :obj:`None`)
        ptr (torch.Tensor, optional): The first node of each graph and the number of nodes, in
            place of :obj:`batch`. (default: :obj:`None`)
        ptr_sources (torch.Tensor, optional): The same for sources. (default: :obj:`None`)
        batch_size (int, optional): The number of graphs; without it, :obj:`batch` is read, for
            which a GPU must be waited for. (default: :obj:`None`)
        max_num_nodes (int, optional): The size of the largest graph (in nodes and sources);
            without it, sizes are read. (default: :obj:`None`)
        small_graphs (str, optional): What to do where fewer than :math:`k \cdot d` sources are
            allowed: :obj:`"error"`, or :obj:`"self"` to fill the missing columns with the node
            itself, with the nearest source if there are other sources.
            (default: :obj:`"error"`)
        memory_budget (int, optional): The bytes one block of the distance matrix may take.
            (default: 256 MiB)
        backend (str, optional): :obj:`"torch"`, :obj:`"torch_cluster"` (which knows no bias and
            no mask) or :obj:`"auto"`, which is :obj:`"torch"`. (default: :obj:`"auto"`)

    Returns:
        NeighborTable: Local indices :math:`(B, N, k)` if :obj:`x` is :math:`(B, N, C)`, global
        indices :math:`(N, k)` if it is :math:`(N, C)`.

    Raises:
        TypeError: If a tensor is not floating-point, or dtypes differ.
        ValueError: If shapes or devices do not match, :math:`k \cdot d` is larger than a graph,
            features or a bias hold what has no rank, :obj:`batch` is not sorted, or a graph is
            empty.

    Example:
        >>> import torch
        >>> from pyg_vision.ops import knn
        >>> x = torch.tensor([[0.0], [1.0], [3.0], [7.0]])
        >>> knn(x, k=2).index  # a node is its own nearest neighbour
        tensor([[0, 1],
                [1, 0],
                [2, 1],
                [3, 2]])
        >>> knn(torch.randn(8, 196, 64), k=9, metric="cosine").index.shape
        torch.Size([8, 196, 9])
    """
    k = check_int("k", k)
    dilation = check_int("dilation", dilation)
    check_int("memory_budget", memory_budget)
    x = check_features("x", x, (2, 3))
    _check_options(sources, loop, metric, epsilon, small_graphs, backend, bias, mask)
    y = x if sources is None else check_features("sources", sources, (x.dim(),))
    _check_pair(x, y)

    stochastic = training and epsilon > 0.0
    reach = k * dilation
    num = reach if stochastic else reach - dilation + 1  # the last rank that is looked at

    ragged = Ragged.make(
        x, sources, batch, batch_sources, ptr, ptr_sources, batch_size, max_num_nodes,
        pads=backend != "torch_cluster",
    )  # fmt: skip

    search = partial(
        _search,
        num=num,
        own=_own_rank(loop, sources, bias),
        cosine=metric == "cosine",
        memory_budget=memory_budget,
        backend=backend,
    )
    if ragged is not None:
        ragged.check_sizes(k, dilation, loop, small_graphs)
        index = ragged_search(search, ragged, x, sources, bias, mask, num)
    elif small_graphs == "error" and reach > y.size(-2) - (0 if loop else 1):
        raise ValueError(too_large(k, dilation, y.size(-2), loop))
    elif x.dim() == 3:
        index = search(x, sources, bias=bias, mask=mask)
    else:
        lifted = None if sources is None else sources.unsqueeze(0)
        index = search(x.unsqueeze(0), lifted, bias=bias, mask=mask).squeeze(0)

    incomplete = bias is not None or mask is not None or index.size(-1) < num
    if index.size(-1) < num:
        index = torch.nn.functional.pad(index, (0, num - index.size(-1)), value=-1)
    nearest = None if sources is None else index[..., :1]
    index = _select(index, k, dilation, epsilon if stochastic else 0.0)
    if incomplete or ragged is not None:
        index = _fill(index, nearest, small_graphs, validation_enabled(x))
    return NeighborTable(index, y.size(-2))


def _search(
    x: Tensor,
    y: Tensor | None,
    *,
    num: int,
    own: int,
    cosine: bool,
    memory_budget: int,
    backend: Backend,
    bias: Bias | None = None,
    mask: Tensor | None = None,
    count: Tensor | None = None,
) -> Tensor:
    r"""Searches equal-size sets; returns at most :obj:`num` columns, -1 where none is left."""
    num_sources = x.size(1) if y is None else y.size(1)
    num = min(num, num_sources - (1 if own == EXCLUDED else 0))
    if num == 0:
        return torch.empty(*x.shape[:2], 0, dtype=torch.long, device=x.device)
    if backend == "torch_cluster" and validation_enabled(x):
        check_finite("x", x)
        if y is not None:
            check_finite("sources", y)
    if backend == "torch_cluster":
        return torch_cluster_search(x, y, num, own, cosine, memory_budget)
    x, y = x.detach(), None if y is None else y.detach()
    search = _choose_search(x, y, bias, mask)
    size = (x.size(0), x.size(1), num_sources)
    mask = None if mask is None else _as_blocks("mask", mask, size, x.device)
    if bias is None or isinstance(bias, Tensor):
        bias = None if bias is None else _as_blocks("bias", bias, size, x.device)
        return search(x, y, num, bias, mask, count, 0, own, cosine, memory_budget)
    if isinstance(bias, RowBias):
        bias.check(x.size(1), num_sources, x.device, validation_enabled(bias.table))
        table, *taps = (v.detach() for v in bias)
        table = table.unsqueeze(0)
        return search(x, y, num, table, mask, count, 0, own, cosine, memory_budget, *taps)

    # Distances and bias of a block are alive together.
    row_bytes = x.size(0) * num_sources * max(4, x.element_size())
    step = max(1, memory_budget // (2 * row_bytes))
    y = x if y is None else y
    parts = []
    for start in range(0, x.size(1), step):
        end = min(x.size(1), start + step)
        size = (x.size(0), end - start, num_sources)
        value = bias(start, end)
        block = _as_blocks("bias(start, end)", value, size, x.device)
        _check_bias("bias(start, end)", value.detach(), start)
        allowed = None if mask is None else mask[:, start:end]
        rows = x[:, start:end]
        parts.append(search(rows, y, num, block, allowed, count, start, own, cosine, memory_budget))
    return torch.cat(parts, dim=1)


def _choose_search(*tensors: object) -> Callable[..., Tensor]:
    r"""Chooses how equal-size sets are searched."""
    if torch.onnx.is_in_onnx_export():
        return search_as_graph
    # The operator exists for compilers, tracers and transforms; calling it costs as much as a
    # small search.
    eager = all(is_readable(value) for value in tensors if isinstance(value, Tensor))
    return search_blocks if eager else knn_search


def _own_rank(loop: bool, sources: Tensor | None, bias: Bias | None) -> int:
    r"""Says where a node ranks among its own neighbours."""
    if not loop:
        return EXCLUDED
    return FIRST if sources is None and bias is None else AS_ANY


def _as_blocks(
    name: str, value: Tensor, size: tuple[int, int, int], device: torch.device
) -> Tensor:
    r"""Returns a bias or mask as :math:`(1 | B, N, M)` after checking that it fits."""
    value = value.detach()
    shape = value.unsqueeze(0) if value.dim() == 2 else value
    if shape.dim() != 3 or shape.shape[1:] != size[1:] or shape.size(0) not in (1, size[0]):
        raise ValueError(
            f"'{name}' must have shape {list(size[1:])} or {list(size)} (got {list(value.shape)})"
        )
    if name == "mask" and value.dtype != torch.bool:
        raise TypeError(
            f"'mask' must be boolean, True where an edge is allowed (got {value.dtype})"
        )
    if name != "mask" and not value.is_floating_point():
        raise TypeError(f"'{name}' must be floating-point (got {value.dtype})")
    if value.device != device:
        raise ValueError(f"'{name}' must be on {device} like 'x' (got {value.device})")
    return shape


def _check_bias(name: str, bias: Tensor, start: int = 0) -> None:
    r"""Raises if a bias whose first row is :obj:`start` holds what cannot be ranked."""
    if not validation_enabled(bias) or bias.numel() == 0:
        return
    if bias.amin().item() > -math.inf:  # a NaN propagates, and compares as false
        return
    bad = (bias.isnan() | (bias == -math.inf)).nonzero()
    where = bad[0].tolist()
    value = bias[tuple(where)].item()
    where[-2] += start
    raise ValueError(
        f"'{name}' may hold +inf, which forbids an edge, but no NaN or -inf (got "
        f"{value} at {where}, {bad.size(0)} such value(s) in all)"
    )


def _select(index: Tensor, k: int, dilation: int, epsilon: float) -> Tensor:
    r"""Keeps every :obj:`dilation`-th rank or, with probability epsilon, random ranks."""
    if epsilon == 0.0:
        return index if dilation == 1 else index[..., ::dilation].contiguous()
    # Chosen on the device, by value and not by branch: no wait for a GPU, no graph break.
    device = index.device
    strided = torch.arange(0, k * dilation, dilation, device=device)
    random = torch.randperm(k * dilation, device=device)[:k].sort().values
    columns = torch.where(torch.rand((), device=device) < epsilon, random, strided)
    return index.index_select(-1, columns)


def _fill(
    index: Tensor, nearest: Tensor | None, small_graphs: SmallGraphs, validate: bool
) -> Tensor:
    r"""Replaces the columns that could not be filled, so that no index is ever out of range."""
    empty = index < 0
    if validate and small_graphs == "error" and bool(empty.any()):
        node = empty.any(dim=-1).nonzero()[0].tolist()
        found = int((~empty[tuple(node)]).sum())
        raise ValueError(
            f"node {node if len(node) > 1 else node[0]} has only {found} allowed neighbours of the "
            f"{index.size(-1)} asked for; pass small_graphs='self' to fill up with the node itself"
        )
    if nearest is not None:
        if validate and bool((nearest < 0).any()):
            node = (nearest < 0).nonzero()[0, :-1].tolist()
            raise ValueError(f"node {node if len(node) > 1 else node[0]} has no source at all")
        filler = nearest.clamp(min=0)
    else:
        filler = torch.arange(index.size(-2), device=index.device).unsqueeze(-1)
    return torch.where(empty, filler, index)


def _check_options(
    sources: Tensor | None,
    loop: bool,
    metric: str,
    epsilon: float,
    small_graphs: str,
    backend: str,
    bias: Bias | None,
    mask: Tensor | None,
) -> None:
    if metric not in ("euclidean", "cosine"):
        raise ValueError(f"'metric' must be 'euclidean' or 'cosine' (got {metric!r})")
    if small_graphs not in ("error", "self"):
        raise ValueError(f"'small_graphs' must be 'error' or 'self' (got {small_graphs!r})")
    if backend not in ("auto", "torch", "torch_cluster"):
        raise ValueError(f"'backend' must be 'auto', 'torch' or 'torch_cluster' (got {backend!r})")
    if not 0.0 <= epsilon <= 1.0:
        raise ValueError(f"'epsilon' must be a probability (got {epsilon})")
    if sources is not None and not loop:
        raise ValueError("loop=False excludes a node from its own sources; it needs sources=None")
    if backend == "torch_cluster" and (bias is not None or mask is not None):
        raise ValueError("backend='torch_cluster' knows neither 'bias' nor 'mask'; use 'torch'")
    if bias is not None and not isinstance(bias, Tensor) and not callable(bias):
        raise TypeError(f"'bias' must be a tensor or a function (got '{type(bias).__name__}')")
    if isinstance(bias, Tensor) and bias.is_floating_point() and bias.dim() in (2, 3):
        _check_bias("bias", bias.detach())
    if mask is not None and not isinstance(mask, Tensor):
        raise TypeError(f"'mask' must be a tensor (got '{type(mask).__name__}')")


def _check_pair(x: Tensor, y: Tensor) -> None:
    if y is not x:
        check_same_place("x", x, "sources", y)
        if x.size(-1) != y.size(-1) or x.shape[:-2] != y.shape[:-2]:
            raise ValueError(
                f"'x' and 'sources' must agree in channels and number of graphs "
                f"(got shapes {list(x.shape)} and {list(y.shape)})"
            )
    for name, value in (("x", x), ("sources", y)):
        if value.numel() == 0:
            raise ValueError(f"'{name}' is empty (got shape {list(value.shape)})")
