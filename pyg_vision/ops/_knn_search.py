r"""The search behind :func:`pyg_vision.ops.knn`: blocks of the distance matrix, then top-k."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Optional

import torch
from torch import Tensor

from pyg_vision._checks import check_finite
from pyg_vision._validation import validation_enabled
from pyg_vision.ops._knn_exact import (
    SAFE_LENGTH,
    SPARE,
    Ranking,
    rank_candidates,
    rounding_error,
    scaled,
    search_candidates,
    search_exactly,
    settle,
    unit,
    zero_rows,
)
from pyg_vision.ops._knn_query import AS_ANY, Query
from pyg_vision.ops._rank import bytes_per_row, rank

CPU_BLOCK = 3 * 2**20
CPU_ROWS = 128  # fewer would read the sources too often
TAPS = (10, 11)  # arguments of knn_search that all graphs share


@contextmanager
def full_precision(device: torch.device) -> Iterator[None]:
    r"""Switches autocast, TF32 and bf16 matrix products off, if any is on.

    A distance is a small difference of large numbers: reduced precision would change neighbours.
    """
    is_cuda = device.type == "cuda"
    matmul: Any = torch.backends.cuda.matmul if is_cuda else torch.backends.mkldnn.matmul  # type: ignore[attr-defined]
    previous = matmul.fp32_precision
    reduced = previous not in ("none", "ieee")
    autocast = torch.is_autocast_enabled(device.type)
    if not (reduced or autocast):
        yield
        return
    if reduced:
        matmul.fp32_precision = "ieee"
    try:
        with torch.autocast(device.type, enabled=False):
            yield
    finally:
        if reduced:  # a precision that was inherited goes on being so
            inherited = previous == torch.backends.fp32_precision  # type: ignore[attr-defined]
            matmul.fp32_precision = "none" if inherited else previous


def _blocks(
    num_items: int, rows: int, row_bytes: int, budget: int
) -> Iterator[tuple[slice, slice]]:
    r"""Cuts :obj:`num_items` matrices of :obj:`rows` rows into blocks within a memory budget."""
    item_step = min(num_items, max(1, budget // max(1, rows * row_bytes)))
    row_step = min(rows, max(1, budget // max(1, row_bytes)))
    # No small rest.
    item_step = -(-num_items // -(-num_items // item_step))
    row_step = -(-rows // -(-rows // row_step))
    for item in range(0, num_items, item_step):
        for row in range(0, rows, row_step):
            yield slice(item, item + item_step), slice(row, row + row_step)


def search_blocks(
    x: Tensor,
    y: Optional[Tensor],
    num: int,
    bias: Optional[Tensor],
    mask: Optional[Tensor],
    num_valid: Optional[Tensor],
    row_start: int,
    own: int,
    cosine: bool,
    memory_budget: int,
    bias_index: Optional[Tensor] = None,
    bias_weight: Optional[Tensor] = None,
) -> Tensor:
    r"""Returns the :obj:`num` nearest rows of :obj:`y` for each row of :obj:`x`, nearest first.

    Args:
        x (torch.Tensor): Queries :math:`(B, R, C)`.
        y (torch.Tensor, optional): Sources :math:`(B, M, C)`, with :math:`M \geq` :obj:`num`, if
            they are not the queries themselves.
        num (int): The number of neighbours.
        bias (torch.Tensor, optional): Added to the distances, :math:`(1 | B, R, M)`, or the table
            :math:`(1 | B, P, M)` of a :class:`~pyg_vision.ops.RowBias`.
        mask (torch.Tensor, optional): :obj:`True` where an edge is allowed, shaped as the bias.
        num_valid (torch.Tensor, optional): :math:`(B)`, the leading sources that are no padding.
        row_start (int): Which source the first query is, for :obj:`own`.
        own (int): Where a node ranks among its own neighbours, see
            :class:`~pyg_vision.ops._knn_exact.Query`.
        cosine (bool): One minus cosine similarity instead of the squared Euclidean distance.
        memory_budget (int): The bytes that one block of the distance matrix may take.
        bias_index (torch.Tensor, optional): Which rows of the table a query adds up.
        bias_weight (torch.Tensor, optional): Their factors.

    Returns:
        torch.Tensor: Indices :math:`(B, R, \textrm{num})`, -1 where no allowed source is left.
    """
    if x.numel() == 0:
        raise ValueError(f"there is nothing to search (got 'x' of shape {list(x.shape)})")
    taps = _taps(bias_index, bias_weight)
    query = Query(x, x if y is None else y, bias, mask, num_valid, row_start, own, cosine, taps)
    with full_precision(x.device):
        if x.device.type == "cpu":
            return _search_by_products(query, y is None, num, memory_budget)
        if x.is_cuda:
            from pyg_vision.ops import _knn_triton as gpu

            if gpu.suits(query, num):
                return gpu.search(query, num)
        # Which rows are uncertain cannot be known there without waiting for the device.
        return search_exactly(query, num, memory_budget)


def _taps(index: Optional[Tensor], weight: Optional[Tensor]) -> Optional[tuple[Tensor, Tensor]]:
    return None if index is None or weight is None else (index, weight)


def _search_by_products(query: Query, square: bool, num: int, memory_budget: int) -> Tensor:
    r"""Ranks by :math:`\| \mathbf{y} \|^2 - 2 \mathbf{x} \cdot \mathbf{y}`, then settles what its
    rounding leaves open.
    """
    x, y, norm, error, unsafe = _prepare(query, square)
    columns = y.size(1)
    # The next two tell whether the last one taken is certain.
    seen = min(num + 2, columns)
    row_bytes = columns * y.element_size() + bytes_per_row(y, columns, seen)
    # A block that stays in cache is ranked faster.
    memory_budget = min(memory_budget, max(CPU_BLOCK, CPU_ROWS * row_bytes))
    blocks = list(_blocks(x.size(0), x.size(1), row_bytes, memory_budget))
    partial = query.mask is not None or query.bias is not None or query.num_valid is not None
    alpha = -1.0 if query.cosine else -2.0

    def distances(items: slice, rows: slice | Tensor, memory: Optional[Tensor] = None) -> Tensor:
        near = x[items, rows]
        if memory is not None:
            size = (near.size(0), near.size(1), columns)
            memory = memory[: math.prod(size)].view(size)
        dist = torch.baddbmm(norm[items], near, y[items].mT, alpha=alpha, out=memory)
        return restricted(query.block(items, rows), dist)

    def restricted(part: Query, dist: Tensor) -> Tensor:
        bias = part.bias_rows()
        if bias is not None:
            dist += _in_range(bias, dist.dtype)
        return part.restrict(dist)

    def again(rows: Tensor) -> Tensor:
        graph = rows // x.size(1)
        parts = [
            distances(slice(g, g + 1), rows[graph == g] - g * x.size(1))[0]
            for g in torch.unique(graph).tolist()  # rows are in order
        ]
        return torch.cat(parts)

    if len(blocks) == 1:
        dist = restricted(query, torch.baddbmm(norm, x, y.mT, alpha=alpha))
        value, found = rank(dist, seen, partial)
    else:
        value = x.new_empty(*x.shape[:2], seen)
        found = torch.empty(value.shape, dtype=torch.long, device=x.device)
        # One piece of memory for all blocks: the system takes long to give a new one for each.
        items, rows = blocks[0]
        memory = x.new_empty(x[items, rows].size(0) * x[items, rows].size(1) * columns)
        for items, rows in blocks:
            value[items, rows], found[items, rows] = rank(
                distances(items, rows, memory), seen, partial
            )
    return settle(query, Ranking(value, found, error, unsafe, again), num)


def _in_range(bias: Tensor, dtype: torch.dtype) -> Tensor:
    r"""Returns a bias in another data type, in which only what is infinite is so."""
    if torch.finfo(bias.dtype).max <= torch.finfo(dtype).max:
        return bias.to(dtype)
    large = 0.25 * torch.finfo(dtype).max
    return torch.where(bias.isinf(), bias, bias.clamp(-large, large)).to(dtype)


def _prepare(query: Query, square: bool) -> tuple[Tensor, Tensor, Tensor, Tensor, Optional[Tensor]]:
    r"""Returns centred queries and sources, :math:`\| \mathbf{y} \|^2`, the largest error of each
    graph's distances, and which graphs are out of the range of its data type, if any is.
    """
    dtype = torch.promote_types(query.x.dtype, torch.float32)
    x = query.x.to(dtype)
    source = x if square else query.y.to(dtype)
    if query.cosine:  # 1 - cos(x, y) = |x - y|^2 / 2 for unit vectors
        x = unit(x)
        source = x if square else unit(source)
    # A common offset changes no distance but cancels badly in |x|^2 - 2xy + |y|^2.
    if query.num_valid is None:
        center = source.mean(dim=1, keepdim=True)
    else:
        padding = torch.arange(source.size(1), device=x.device) >= query.num_valid.view(-1, 1)
        source = source.masked_fill(padding.unsqueeze(-1), 0.0)
        center = source.sum(dim=1, keepdim=True) / query.num_valid.clamp(min=1).view(-1, 1, 1)
    # The similarity to a zero vector is 0, not that of a unit vector half a unit away.
    zero = zero_rows(source) if query.cosine else None
    source = source - center
    x = source if square else x - center
    # |x|^2 is the same along a row and cannot change its ranking.
    norm = torch.linalg.vecdot(source, source)
    length = norm.amax(dim=1)
    length = length + (length if square else torch.linalg.vecdot(x, x).amax(dim=1))
    if query.cosine:  # unit vectors are rounded before they are centred
        length = length + 2.0
    low, high = SAFE_LENGTH[dtype]
    unsafe = None
    if not all(low < value < high for value in length.tolist()):
        # What is not finite shows here, too, and needs no look of its own at all features.
        if validation_enabled(query.x):
            check_finite("x", query.x)
            if not square:
                check_finite("sources", query.y)
        unsafe = ~((length > low) & (length < high))
    if zero is not None:
        norm = (norm + zero) * 0.5
    error = rounding_error(length, x.size(-1)).view(-1, 1, 1)
    return x, source, norm.unsqueeze(1), error, unsafe


@torch.library.custom_op("pyg_vision::knn_search", mutates_args=())
def knn_search(
    x: Tensor,
    y: Optional[Tensor],
    num: int,
    bias: Optional[Tensor],
    mask: Optional[Tensor],
    num_valid: Optional[Tensor],
    row_start: int,
    own: int,
    cosine: bool,
    memory_budget: int,
    bias_index: Optional[Tensor] = None,
    bias_weight: Optional[Tensor] = None,
) -> Tensor:
    r""":func:`search_blocks` as one operator, which a compiler does not look into."""
    return search_blocks(
        x, y, num, bias, mask, num_valid, row_start, own, cosine, memory_budget,
        bias_index, bias_weight,
    )  # fmt: skip


@knn_search.register_fake
def _(
    x: Tensor,
    y: Optional[Tensor],
    num: int,
    bias: Optional[Tensor],
    mask: Optional[Tensor],
    num_valid: Optional[Tensor],
    row_start: int,
    own: int,
    cosine: bool,
    memory_budget: int,
    bias_index: Optional[Tensor] = None,
    bias_weight: Optional[Tensor] = None,
) -> Tensor:
    return x.new_empty(x.size(0), x.size(1), num, dtype=torch.long)


@knn_search.register_vmap
def _(info: Any, in_dims: Any, *args: Any) -> tuple[Tensor, int]:
    r"""Graphs beside graphs: what is mapped over becomes part of the batch."""
    tensors = []
    for position, (value, dim) in enumerate(zip(args, in_dims, strict=True)):
        if not isinstance(value, Tensor) or position in TAPS:
            tensors.append(value)
            continue
        graphs = args[0].size(0) if in_dims[0] is None else args[0].movedim(in_dims[0], 0).size(1)
        value = value.unsqueeze(0) if dim is None else value.movedim(dim, 0)
        if value.size(1) == 1 and position in (3, 4):  # a bias or mask that graphs share
            value = value.expand(-1, graphs, *value.shape[2:])
        value = value.expand(info.batch_size, *value.shape[1:])
        tensors.append(value.flatten(0, 1))
    out = knn_search(*tensors)
    return out.unflatten(0, (info.batch_size, -1)), 0


def search_as_graph(
    x: Tensor,
    y: Optional[Tensor],
    num: int,
    bias: Optional[Tensor],
    mask: Optional[Tensor],
    num_valid: Optional[Tensor],
    row_start: int,
    own: int,
    cosine: bool,
    memory_budget: int,
    bias_index: Optional[Tensor] = None,
    bias_weight: Optional[Tensor] = None,
) -> Tensor:
    r""":func:`search_blocks` in operators that every format of exchange has, as one block.

    Products in :obj:`float64` choose a few more candidates than are wanted, which differences put
    in order. So neighbours are right as long as they are farther apart than a ten-millionth of the
    extent of the data.
    """
    taps = _taps(bias_index, bias_weight)
    query = Query(x, x if y is None else y, bias, mask, num_valid, row_start, own, cosine, taps)
    bias = query.bias_rows()
    rows, columns = scaled(query)
    center = columns.mean(dim=1, keepdim=True)
    near, far = rows - center, columns - center
    length = near.square().sum(-1).unsqueeze(2) + far.square().sum(-1).unsqueeze(1)
    dist = length - 2.0 * (near @ far.mT)
    if cosine:
        zero = zero_rows(rows).unsqueeze(2) | zero_rows(columns).unsqueeze(1)
        dist = torch.where(zero, 1.0, 0.5 * dist)
    if bias is not None:
        dist = dist + bias.double()
    column = torch.arange(far.size(1), device=x.device)
    if own != AS_ANY:
        row = row_start + torch.arange(near.size(1), device=x.device).unsqueeze(-1)
        dist = torch.where(row == column, own * math.inf, dist)
    if mask is not None:
        dist = torch.where(mask, dist, math.inf)
    if num_valid is not None:
        dist = torch.where(column < num_valid.view(-1, 1, 1), dist, math.inf)
    value, candidate = dist.topk(min(num + SPARE, far.size(1)), largest=False)
    value, order = rank_candidates(query, candidate, value == math.inf)
    index = torch.where(value == math.inf, -1, candidate.gather(-1, order))
    return index[..., :num]


def torch_cluster_search(
    x: Tensor, y: Optional[Tensor], num: int, own: int, cosine: bool, memory_budget: int
) -> Tensor:
    r"""The same search by :obj:`torch_cluster`, for equal-size sets without bias and mask."""
    try:
        import torch_cluster
    except ImportError as e:
        raise ImportError(
            "backend='torch_cluster' needs the extension of that name "
            "(pip install --no-build-isolation 'pyg-vision[ext]')"
        ) from e
    query = Query(x.detach(), (x if y is None else y).detach(), None, None, None, 0, own, cosine)
    # It knows neither the cosine on a CPU nor sums beyond the data type of the features.
    rows, columns = scaled(query)
    num_items, num_rows, num_columns = rows.size(0), rows.size(1), columns.size(1)
    items = torch.arange(num_items, device=x.device)
    wanted = min(num_columns, num + SPARE)
    _, col = torch_cluster.knn(
        columns.reshape(-1, columns.size(-1)),
        rows.reshape(-1, rows.size(-1)),
        wanted,
        items.repeat_interleave(num_columns),
        items.repeat_interleave(num_rows),
        batch_size=num_items,
    )
    if col.numel() != num_items * num_rows * wanted:
        raise RuntimeError(
            f"torch_cluster returned {col.numel()} neighbours instead of {wanted} for each of "
            f"{num_items * num_rows} nodes; are all features finite?"
        )
    candidate = col.view(num_items, num_rows, wanted) - (items * num_columns).view(-1, 1, 1)
    return search_candidates(query, candidate, num, memory_budget)
