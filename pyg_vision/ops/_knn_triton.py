r"""The neighbour search on a GPU. Imported only when a CUDA tensor is met.

One kernel takes the distances of a tile of queries to a tile of sources by their differences and
keeps the nearest so far in registers, so that no matrix of distances exists anywhere.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import triton
import triton.language as tl
from torch import Tensor

from pyg_vision.ops._knn_query import Query
from pyg_vision.ops._neighbor_max_triton import on_device

# mypy: disable-error-code="untyped-decorator"

DTYPES = (torch.float32, torch.float16, torch.bfloat16)
MOST_NEIGHBOURS = 128
# A key holds the column in its last 20 bits; the distance keeps 32 bits of its mantissa.
COLUMN_BITS = 20
CHUNK = tl.constexpr(32)  # channels that are summed by themselves: sums of sums round less
COLUMN_MASK = tl.constexpr(2**COLUMN_BITS - 1)
LAST = tl.constexpr(2**63 - 1)  # the key of no neighbour
INFINITE = tl.constexpr(0x7FF0000000000000)  # the key of an infinite distance, in column 0
NEAREST = tl.constexpr(-(2**63))
LARGEST = tl.constexpr(1.7e308)


@triton.jit
def _search_kernel(  # type: ignore[no-untyped-def]
    x,
    y,
    scale,
    bias,
    bias_index,
    bias_weight,
    mask,
    num_valid,
    out,
    rows,
    columns,
    channels,
    num,
    first,
    x_graph,
    x_row,
    y_graph,
    y_row,
    bias_graph,
    bias_row,
    bias_column,
    mask_graph,
    mask_row,
    mask_column,
    OWN: tl.constexpr,
    BIASED: tl.constexpr,
    TAPS: tl.constexpr,
    MASKED: tl.constexpr,
    RAGGED: tl.constexpr,
    KEPT: tl.constexpr,
    BLOCK_ROWS: tl.constexpr,
    BLOCK_COLUMNS: tl.constexpr,
):
    graph = tl.program_id(1).to(tl.int64)
    row = tl.program_id(0) * BLOCK_ROWS + tl.arange(0, BLOCK_ROWS)
    row_inside = row < rows
    x_start = x + graph * x_graph + row.to(tl.int64) * x_row
    factor = tl.load(scale + graph)
    valid = columns
    if RAGGED:
        valid = tl.minimum(tl.load(num_valid + graph).to(tl.int32), columns)
    best = tl.full((BLOCK_ROWS, KEPT), LAST, tl.int64)
    for begin in range(0, columns, BLOCK_COLUMNS):
        column = begin + tl.arange(0, BLOCK_COLUMNS)
        column_inside = column < columns
        y_start = y + graph * y_graph + column.to(tl.int64) * y_row
        # A bias can cancel a distance, whose rounding errors would be left.
        if BIASED:
            total = tl.zeros((BLOCK_ROWS, BLOCK_COLUMNS), tl.float64)
        else:
            total = tl.zeros((BLOCK_ROWS, BLOCK_COLUMNS), tl.float32)
        for chunk in range(0, channels, CHUNK):
            part = tl.zeros((BLOCK_ROWS, BLOCK_COLUMNS), total.dtype)
            for channel in range(chunk, tl.minimum(chunk + CHUNK, channels)):
                near = tl.load(x_start + channel, mask=row_inside, other=0.0)
                far = tl.load(y_start + channel, mask=column_inside, other=0.0)
                if BIASED:
                    near, far = near.to(tl.float64), far.to(tl.float64)
                else:
                    near, far = near.to(tl.float32) * factor, far.to(tl.float32) * factor
                difference = near[:, None] - far[None, :]
                part += difference * difference
            total += part
        distance = total.to(tl.float64)
        # Only what is forbidden is infinite, not what unchecked features make so.
        distance = tl.where(distance < LARGEST, distance, LARGEST)
        pair_inside = row_inside[:, None] & column_inside[None, :]
        if TAPS > 0:
            for tap in range(TAPS):
                at = row * TAPS + tap
                start = tl.load(bias_index + at, mask=row_inside, other=0) * bias_row
                factor_of_row = tl.load(bias_weight + at, mask=row_inside, other=0.0)
                place = bias + graph * bias_graph + start[:, None]
                place += column.to(tl.int64)[None, :] * bias_column
                part_of_bias = tl.load(place, mask=pair_inside, other=0.0).to(tl.float64)
                distance += factor_of_row.to(tl.float64)[:, None] * part_of_bias
        elif BIASED:
            place = bias + graph * bias_graph + row.to(tl.int64)[:, None] * bias_row
            place += column.to(tl.int64)[None, :] * bias_column
            distance += tl.load(place, mask=pair_inside, other=0.0).to(tl.float64)
        bits = distance.to(tl.int64, bitcast=True)
        key = bits ^ ((bits >> 63) & LAST)  # integers in the order of the distances
        key = (key & ~COLUMN_MASK) | column[None, :].to(tl.int64)
        if OWN != 0:
            same = column[None, :] == (row + first)[:, None]
            if OWN < 0:
                key = tl.where(same, NEAREST | column[None, :].to(tl.int64), key)
            else:
                key = tl.where(same, LAST, key)
        allowed = column[None, :] < valid
        if MASKED:
            place = mask + graph * mask_graph + row.to(tl.int64)[:, None] * mask_row
            place += column.to(tl.int64)[None, :] * mask_column
            allowed = allowed & (tl.load(place, mask=pair_inside, other=0) != 0)
        key = tl.where(allowed, key, LAST)
        nearer = (key < tl.max(best, axis=1)[:, None]).to(tl.int32)
        if tl.max(tl.max(nearer, axis=1), axis=0) > 0:
            # The smaller of one sequence that rises and one that falls are the smallest of both.
            found = tl.topk(key, KEPT, descending=False)
            best = tl.bitonic_merge(tl.minimum(best, tl.flip(found, 1)))
    rank = tl.arange(0, KEPT)
    index = tl.where(best < INFINITE, best & COLUMN_MASK, -1)
    place = out + (graph * rows + row.to(tl.int64)[:, None]) * num + rank[None, :]
    tl.store(place, index, mask=row_inside[:, None] & (rank[None, :] < num))


class Tile(NamedTuple):
    r"""How a search is cut up.

    Args:
        kept (int): The neighbours that are kept, a power of two.
        rows (int): The queries of a program.
        columns (int): The sources that it looks at, at a time.
        num_warps (int): Its warps.
    """

    kept: int
    rows: int
    columns: int
    num_warps: int


def tile(num: int) -> Tile:
    r"""Returns how a search for so many neighbours is cut up.

    Args:
        num (int): The number of neighbours.
    """
    kept = max(16, triton.next_power_of_2(num))
    return Tile(kept, rows=16, columns=max(64, kept), num_warps=8 if kept > 64 else 4)


def suits(query: Query, num: int) -> bool:
    r"""Returns whether the kernel can do a search.

    Args:
        query (Query): The search.
        num (int): The number of neighbours.
    """
    return (
        query.x.dtype in DTYPES
        and not query.cosine
        and num <= MOST_NEIGHBOURS
        and query.y.size(1) < 2**COLUMN_BITS
    )


def search(query: Query, num: int) -> Tensor:
    r"""Returns the nearest neighbours :math:`(B, R, \textrm{num})`, -1 where none is left.

    Args:
        query (Query): The search, of a kind that :func:`suits`.
        num (int): The number of neighbours.
    """
    x, y = (v if v.stride(-1) == 1 else v.contiguous() for v in (query.x, query.y))
    graphs, rows, channels = x.shape
    out = torch.empty(graphs, rows, num, dtype=torch.long, device=x.device)
    if out.numel() == 0:
        return out
    bias, mask, valid = query.bias, query.mask, query.num_valid
    index, weight = (x, x) if query.taps is None else (v.contiguous() for v in query.taps)
    size = tile(num)
    with on_device(x):
        _search_kernel[(triton.cdiv(rows, size.rows), graphs)](
            x, y, power_of_two(x, y),
            x if bias is None else bias, index, weight,
            x if mask is None else mask.view(torch.uint8),
            x if valid is None else valid,
            out, rows, y.size(1), channels, num, query.first,
            x.stride(0), x.stride(1), y.stride(0), y.stride(1),
            *_strides(bias), *_strides(mask),
            OWN=query.own, BIASED=bias is not None,
            TAPS=0 if query.taps is None else index.size(1), MASKED=mask is not None,
            RAGGED=valid is not None, KEPT=size.kept, BLOCK_ROWS=size.rows,
            BLOCK_COLUMNS=size.columns, num_warps=size.num_warps,
        )  # fmt: skip
    return out


def power_of_two(x: Tensor, y: Tensor) -> Tensor:
    r"""Returns the factor of each graph that brings its features to the upper end of what squares
    in :obj:`float32` can hold, so that those of small differences are not lost at the lower end.
    A product with a power of two is exact.

    Args:
        x (torch.Tensor): Queries :math:`(B, R, C)`.
        y (torch.Tensor): Sources :math:`(B, M, C)`.
    """
    largest = torch.maximum(x.abs().amax(dim=(1, 2)), y.abs().amax(dim=(1, 2))).float()
    # 4 C squares of less than 2^(2 top) stay below 2^126.
    top = 62 - (x.size(-1).bit_length() + 1) // 2
    exponent = torch.frexp(largest).exponent
    return torch.ldexp(torch.ones_like(largest), (top - exponent).clamp(-126, 126))


def _strides(value: Tensor | None) -> tuple[int, int, int]:
    if value is None:
        return 0, 0, 0
    return value.stride(0) if value.size(0) > 1 else 0, value.stride(1), value.stride(2)
