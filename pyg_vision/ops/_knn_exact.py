r"""Rankings that rounding cannot change.

:math:`\| \mathbf{y} \|^2 - 2 \mathbf{x} \cdot \mathbf{y}` has an absolute error that grows with the
extent of the data, so that the order of neighbours nearer to each other than that is noise. Here
such neighbours are told from the others, and compared by differences in :obj:`float64`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple, Optional

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from pyg_vision.ops._knn_query import AS_ANY, EXCLUDED, Doubles, Indices, Query

# Candidates beyond the last wanted one that are looked at before a whole row is.
SPARE = 8
# Distances of pairs that are taken at a time, in elements of their differences.
CHUNK_ELEMENTS = 2**19
DOUBLE_EPS = torch.finfo(torch.float64).eps
# Squared lengths beyond these leave no room for products and their rounding errors.
SAFE_LENGTH = {torch.float32: (1e-24, 1e36), torch.float64: (1e-270, 1e300)}
BOTH = np.arange(2)
Truths = np.ndarray[Any, np.dtype[np.bool_]]


def rounding_error(length: Tensor, channels: int) -> Tensor:
    r"""Returns how far from the truth :math:`\|\mathbf{y}\|^2 - 2\mathbf{x} \cdot \mathbf{y}` is.

    Errors of a sum of random signs grow with the root of its length. Over 3 to 2,048 channels of
    data of one scale and of mixed scale, none exceeded 2 + 0.43 times that root, in units in the
    last place, and products which are summed in parts stayed far below.

    Args:
        length (torch.Tensor): The squared lengths of a query and the longest source together.
        channels (int): The channels of the features.
    """
    return length * (torch.finfo(length.dtype).eps * (3.0 + 0.45 * math.sqrt(channels)))


def uncertain(value: Tensor, error: Tensor, biased: bool) -> Truths:
    r"""Returns which neighbours in a row may stand in another order than their distances say.

    Args:
        value (torch.Tensor): Sorted distances :math:`(*, K)`.
        error (torch.Tensor): The largest error of each row :math:`(*, 1)`.
        biased (bool): Whether a bias added rounding of its own.

    Returns:
        numpy.ndarray: Whether each entry but the first may change places with the one before it
        :math:`(*, K - 1)`. Entries that are infinite stay where they are.
    """
    dist, slack = value.numpy(), 2.0 * error.numpy()
    if biased:  # relative to what the bias makes of a distance
        after = np.abs(dist[..., 1:])
        slack = slack + np.where(after < math.inf, after, 0.0) * (4.0 * np.finfo(dist.dtype).eps)
    with np.errstate(invalid="ignore"):
        close: Truths = dist[..., 1:] - dist[..., :-1] <= slack
    return close


class Ranking(NamedTuple):
    r"""A ranking by approximate distances.

    Args:
        value (torch.Tensor): The smallest distances of each row, in order :math:`(B, R, K)`, two
            more than are wanted, if there are as many.
        found (torch.Tensor): Their columns.
        error (torch.Tensor): How far the distances of a graph may be wrong :math:`(B, 1, 1)`.
        unsafe (torch.Tensor, optional): The graphs whose distances are no numbers :math:`(B)`.
        again (Callable): Returns the distances of some rows, counted over all graphs.
    """

    value: Tensor
    found: Tensor
    error: Tensor
    unsafe: Optional[Tensor]
    again: Callable[[Tensor], Tensor]


def settle(query: Query, ranking: Ranking, num: int) -> Tensor:
    r"""Returns the :obj:`num` nearest neighbours in their true order, on a CPU.

    What is uncertain is little as a rule, and numpy takes less time than torch over little.

    Args:
        query (Query): The search.
        ranking (Ranking): What is known of it.
        num (int): The number of neighbours.
    """
    value, found, error, unsafe, _ = ranking
    index = found[..., :num].contiguous()
    joined = uncertain(value, error, query.bias is not None)
    graph, row, place = joined.nonzero()
    row += graph * value.size(1)
    if row.size == 0 and unsafe is None:
        return index
    # Three or more that may change places, or perhaps so: nothing is known of what follows.
    several = whole = row[:0]
    if row.size > 1:
        several = np.unique(row[1:][(row[1:] == row[:-1]) & (place[1:] - place[:-1] == 1)])
    alone = place < num
    if unsafe is not None:
        graph = unsafe.nonzero().numpy()
        whole = (graph * index.size(1) + np.arange(index.size(1))).reshape(-1)
        several = np.setdiff1d(several, whole)
    for elsewhere in (several, whole):
        if elsewhere.size > 0:
            alone &= ~np.isin(row, elsewhere)
    row, place = row[alone], place[alone]
    out = index.view(-1, num)
    if row.size > 0:
        _settle_pairs(query, out, found.view(-1, found.size(-1)), row, place)
    if several.size > 0:
        left = _settle_runs(query, ranking, out, torch.from_numpy(several))
        whole = np.concatenate((whole, left.numpy()))
    if whole.size > 0:
        rows = torch.from_numpy(whole)
        out[rows] = _search_rows(query, rows, num)
    return index


def _settle_pairs(query: Query, index: Tensor, found: Tensor, row: Indices, place: Indices) -> None:
    r"""Orders two neighbours each, of which the second may be one that is not wanted."""
    pair = found.numpy()[row.reshape(-1, 1), place.reshape(-1, 1) + BOTH]
    exact, scale = _pair_distances(query, row.reshape(-1, 1), pair)
    equal = abs(exact[:, 1] - exact[:, 0]) <= _tolerance(scale.max(axis=1), query)
    swap = np.where(equal, pair[:, 0] > pair[:, 1], exact[:, 1] < exact[:, 0])
    if not swap.any():
        return
    row, place, pair = row[swap], place[swap], pair[swap]
    out = index.numpy()
    out[row, place] = pair[:, 1]
    inside = place + 1 < out.shape[1]
    out[row[inside], place[inside] + 1] = pair[inside, 0]


def _settle_runs(query: Query, ranking: Ranking, index: Tensor, rows: Tensor) -> Tensor:
    r"""Orders the neighbours of some rows, however many may change places; returns those rows for
    which more candidates must be looked at.

    Args:
        query (Query): The search.
        ranking (Ranking): What is known of it.
        index (torch.Tensor): What is found :math:`(B \cdot R, \textrm{num})`, changed in place.
        rows (torch.Tensor): Which rows.
    """
    num, columns = index.size(-1), query.y.size(1)
    width = min(columns, num + SPARE)
    left = []
    for part in torch.split(rows, max(1, CHUNK_ELEMENTS // columns)):
        value, candidate = ranking.again(part).topk(width, largest=False)
        error = ranking.error.view(-1, 1)[part // query.x.size(1)]
        joined = torch.from_numpy(uncertain(value, error, query.bias is not None))
        run = F.pad((~joined).cumsum(-1), (1, 0))
        last = run[:, num - 1 : num]
        if width < columns:
            # A run that reaches the last candidate may go on among those that were not seen.
            goes_on = (run[:, -1:] == last).view(-1)
            left.append(part[goes_on])
            part, value, candidate, joined, run, last = (
                v[~goes_on] for v in (part, value, candidate, joined, run, last)
            )
        apart = (F.pad(joined, (1, 0)) | F.pad(joined, (0, 1))) & (run <= last)
        place = np.nonzero(apart.numpy())
        exact, scale = torch.zeros(2, *value.shape, dtype=torch.float64)
        pairs = [v.reshape(-1, 1) for v in (part.numpy()[place[0]], candidate.numpy()[place])]
        exact.numpy()[place], scale.numpy()[place] = (
            v.reshape(-1) for v in _pair_distances(query, *pairs)
        )
        order = _order(run, exact, scale, candidate, query)
        index[part] = _known(candidate, value).gather(1, order[:, :num])
    return torch.cat(left) if left else rows[:0]


def search_exactly(query: Query, num: int, budget: int) -> Tensor:
    r"""Searches by differences alone, without looking at any value: the form for a GPU.

    Args:
        query (Query): The search.
        num (int): The number of neighbours.
        budget (int): The bytes that one block of distances may take.
    """
    items, columns = slice(0, query.x.size(0)), query.y.size(1)
    x, y = scaled(query)
    step = max(1, budget // (8 * x.size(0) * columns))
    found = []
    for start in range(0, x.size(1), step):
        rows = slice(start, start + step)
        dist = _differences(x[:, rows], y, query.cosine)
        value, scale = _restricted(query.block(items, rows), dist)
        # Equal distances may differ in their last places, which are taken off to choose candidates.
        rounded = ((value.view(torch.int64) + 2**11) & -(2**12)).view(torch.float64)
        column = rounded.argsort(dim=-1, stable=True)[..., : num + SPARE]
        value, scale = value.gather(-1, column), scale.gather(-1, column)
        order = _order(torch.zeros_like(column), value, scale, column, query)
        found.append(_known(column, value).gather(-1, order[..., :num]))
    return torch.cat(found, dim=1)


def search_candidates(query: Query, candidate: Tensor, num: int, budget: int) -> Tensor:
    r"""Returns the nearest of some candidates in their true order, or searches again where these
    may not be all that are as near.

    Args:
        query (Query): The search.
        candidate (torch.Tensor): Columns of candidates :math:`(B, R, K)`.
        num (int): The number of neighbours.
        budget (int): The bytes that one block of distances may take.
    """
    value, order = rank_candidates(query, candidate)
    index = candidate.gather(-1, order)
    if candidate.size(-1) < query.y.size(1) - (query.own == EXCLUDED):
        # What was not looked at is at least as far as the last candidate, but for rounding.
        last, wanted = (value[..., i - 1 : i].clamp(min=0.0) for i in (value.size(-1), num))
        if bool((last <= wanted * (1 + 1e-6)).any()):
            return search_exactly(query, num, budget)
    return index[..., :num]


def rank_candidates(
    query: Query, candidate: Tensor, forbidden: Optional[Tensor] = None
) -> tuple[Tensor, Tensor]:
    r"""Returns the exact distances of candidates :math:`(B, R, K)` in order, and this order.

    Args:
        query (Query): The search.
        candidate (torch.Tensor): Columns of candidates.
        forbidden (torch.Tensor, optional): Which are none. (default: :obj:`None`)
    """
    x, y = scaled(query)
    parts = []
    step = x.size(1)
    if not _exporting():  # which takes any number of graphs
        step = max(1, CHUNK_ELEMENTS // (x.size(0) * candidate.size(-1) * x.size(-1)))
    for start in range(0, x.size(1), step):
        rows = slice(start, start + step)
        column = candidate[:, rows]
        graph = torch.arange(x.size(0), device=x.device).view(-1, 1, 1)
        near = y[graph, column]
        value = (x[:, rows].unsqueeze(2) - near).square().sum(-1)
        if query.cosine:
            zero = zero_rows(x[:, rows]).unsqueeze(-1) | zero_rows(near)
            value = torch.where(zero, 1.0, 0.5 * value)
        parts.append(value)
    value = scale = parts[0] if len(parts) == 1 else torch.cat(parts, dim=1)
    rows_of_bias = query.bias_rows()
    if rows_of_bias is not None:
        bias = rows_of_bias.expand(x.size(0), -1, -1).gather(-1, candidate).double()
        value, scale = value + bias, scale + bias.abs()
    if query.own != AS_ANY:
        row = query.first + torch.arange(x.size(1), device=x.device).unsqueeze(-1)
        value = value.masked_fill(candidate == row, query.own * math.inf)
    if forbidden is not None:
        value = value.masked_fill(forbidden, math.inf)
    order = _order(torch.zeros_like(candidate), value, scale, candidate, query)
    return value.gather(-1, order), order


def _search_rows(query: Query, rows: Tensor, num: int) -> Tensor:
    r"""Searches for some rows, counted over all graphs, among all sources, in :obj:`float64`."""
    num_rows, columns = query.x.size(1), query.y.size(1)
    out = torch.empty(rows.numel(), num, dtype=torch.long, device=rows.device)
    graph_of_row = rows // num_rows
    for graph in torch.unique(graph_of_row).tolist():
        mine = (graph_of_row == graph).nonzero().view(-1)
        items = slice(graph, graph + 1)
        x, y = scaled(query.block(items, slice(0, num_rows)))
        for part in torch.split(mine, max(1, CHUNK_ELEMENTS // columns)):
            row = rows[part] - graph * num_rows
            dist = _differences(x[:, row], y, query.cosine)
            value, scale = _restricted(query.block(items, row), dist)
            out[part] = _first(value[0], scale[0], num, query)
    return out


def _first(value: Tensor, scale: Tensor, num: int, query: Query) -> Tensor:
    r"""Returns the columns of the smallest entries, those of the lowest number among equal ones."""
    kth = value.kthvalue(num, dim=-1, keepdim=True)
    reach = kth.values + _tolerance(scale.gather(-1, kth.indices), query)
    width = max(num, int((value <= reach).sum(-1).max()))
    value, column = value.topk(width, largest=False)
    order = _order(torch.zeros_like(column), value, scale.gather(-1, column), column, query)
    return _known(column, value).gather(-1, order[..., :num])


def _known(column: Tensor, value: Tensor) -> Tensor:
    return torch.where(value == math.inf, -1, column)


def _order(run: Tensor, value: Tensor, scale: Tensor, column: Tensor, query: Query) -> Tensor:
    r"""Returns the order by run, then by distance, then by column where distances are equal."""
    order = _argsort(value)
    order = order.gather(-1, _argsort(run.gather(-1, order)))
    value, scale, run = (v.gather(-1, order) for v in (value, scale, run))
    # Sums taken in another order differ in their last places; no more is told apart here.
    larger = torch.maximum(scale[..., 1:], scale[..., :-1])
    new = (value.diff(dim=-1) > _tolerance(larger, query)) | (run.diff(dim=-1) > 0)
    group = F.pad(new.long().cumsum(-1), (1, 0))
    key = group * (1 + column.amax(-1, keepdim=True)) + column.gather(-1, order)
    return order.gather(-1, _argsort(key))


def _argsort(value: Tensor) -> Tensor:
    if _exporting():  # ONNX has no sort; its TopK keeps equal entries in order
        return value.topk(value.size(-1), largest=False).indices
    return value.argsort(dim=-1, stable=True)


def _tolerance(scale: Any, query: Query) -> Any:
    r"""Returns by how much equal distances may differ, of tensors or arrays."""
    if query.cosine:  # of differences of unit vectors, each rounded once
        return 2.0 * DOUBLE_EPS * (2.0 * scale) ** 0.5 + DOUBLE_EPS**2
    return scale * (4.0 * DOUBLE_EPS * math.sqrt(max(1, query.x.size(-1))))


def _restricted(query: Query, dist: Tensor) -> tuple[Tensor, Tensor]:
    r"""Returns distances with bias and restrictions, and the size of what they are made of."""
    scale = dist
    bias = query.bias_rows()
    if bias is not None:
        bias = bias.to(torch.float64)
        scale = dist + bias.abs()
        dist = dist + bias
    return query.restrict(dist.clone()), scale.nan_to_num(posinf=0.0)


def _differences(x: Tensor, y: Tensor, cosine: bool) -> Tensor:
    r"""Returns the distances of all pairs; both sides as :func:`scaled` gives them."""
    dist = torch.cdist(x, y, compute_mode="donot_use_mm_for_euclid_dist").square_()
    # Only what is forbidden is infinite, not what unchecked features make so.
    dist.clamp_(max=torch.finfo(torch.float64).max)
    if cosine:
        zero = zero_rows(x).unsqueeze(-1) | zero_rows(y).unsqueeze(-2)
        dist = torch.where(zero, 1.0, 0.5 * dist)
    return dist


def _pair_distances(query: Query, row: Indices, column: Indices) -> tuple[Doubles, Doubles]:
    r"""Returns the exact distances of single pairs, and the size of what they are made of.

    Args:
        query (Query): The search.
        row (numpy.ndarray): The query of each pair, counted over all graphs :math:`(P, 1)`.
        column (numpy.ndarray): The sources of each, counted in its graph :math:`(P, S)`.
    """
    num_rows, columns, channels = query.x.size(1), query.y.size(1), query.x.size(-1)
    graph = row // num_rows
    x_rows, y_rows = query.x.reshape(-1, channels), query.y.reshape(-1, channels)
    source = graph * columns + column
    step = max(1, CHUNK_ELEMENTS // (channels * column.shape[1]))
    parts = []
    for start in range(0, max(1, len(row)), step):
        part = slice(start, start + step)
        x, y = _doubles(x_rows, row[part]), _doubles(y_rows, source[part])
        if query.cosine:
            near, far = torch.from_numpy(x), torch.from_numpy(y)
            zero = (zero_rows(near) | zero_rows(far)).numpy()
            x, y = unit(near).numpy(), unit(far).numpy()
        y = x - y
        value = np.einsum("psc,psc->ps", y, y)
        parts.append(np.where(zero, 1.0, 0.5 * value) if query.cosine else value)
    dist: Doubles = parts[0] if len(parts) == 1 else np.concatenate(parts)
    if query.bias is None:
        return dist, dist
    bias = query.bias_of(graph, row % num_rows, column)
    return dist + bias, dist + np.abs(bias)


def _doubles(rows: Tensor, place: Indices) -> Doubles:
    r"""Returns some rows as an array of :obj:`float64`."""
    if rows.dtype == torch.bfloat16:  # which numpy does not know
        return rows[torch.from_numpy(place)].double().numpy()
    return rows.numpy().take(place, axis=0).astype(np.float64, copy=False)


def scaled(query: Query) -> tuple[Tensor, Tensor]:
    r"""Returns queries and sources in :obj:`float64`, within the range of their squares."""
    x, y = query.x.double(), query.y.double()
    if query.cosine:
        return unit(x), unit(y)
    if query.x.dtype == torch.float64 and query.bias is None and not _exporting():
        largest = torch.maximum(x.abs().amax(), y.abs().amax())
        # A power of two changes no digit; beyond 2^1022 it would be no number.
        exponent = torch.frexp(largest).exponent.clamp(-1000, 1000)
        x, y = torch.ldexp(x, -exponent), torch.ldexp(y, -exponent)
    return x, y


def zero_rows(x: Tensor) -> Tensor:
    r"""Returns which vectors have no direction; their similarity to any is zero."""
    return (x == 0).all(-1)


def _exporting() -> bool:
    return torch.onnx.is_in_onnx_export()  # a format without powers of two


def unit(x: Tensor) -> Tensor:
    r"""Returns vectors of length one, in the direction of any that is not zero, however short."""
    largest = x.abs().amax(dim=-1, keepdim=True)
    x = x / torch.where(largest == 0, 1.0, largest)
    return x / torch.linalg.vector_norm(x, dim=-1, keepdim=True).clamp(min=0.5)
