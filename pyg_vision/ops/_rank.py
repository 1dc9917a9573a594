r"""The smallest entries of each row of a distance matrix, in order."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Optional

import numpy as np
import torch
from torch import Tensor

from pyg_vision._processor import sorts_vectorised

# So many numbers numpy sorts without a branch. Measured on one thread of an AVX-512 CPU, the 11
# smallest of 750,000 entries, in ms: in rows of 196 by keys of 64 bits 2.2, of 32 bits 1.5, by
# torch.topk 7.6; in rows of 784 by groups of 4 1.2, by keys 6.7, by torch.topk 2.9; in rows of 3136
# by groups of 13 0.7, 8.5 and 1.6.
SORT_COLUMNS = 256
# Entries beyond the wanted ones that are selected by a part of their digits, which takes more calls
# and pays from so many entries.
SPARE = 4
SELECTED_ENTRIES = 2**16
# Entries from which sorting on several threads is worth starting them.
PARALLEL_ENTRIES = 2**18


def rank(dist: Tensor, num: int, partial: bool) -> tuple[Tensor, Tensor]:
    r"""Returns the :obj:`num` smallest entries of each row and their columns, smallest first.

    Args:
        dist (torch.Tensor): Distances :math:`(*, M)`.
        num (int): The number of columns, at most :math:`M`.
        partial (bool): Whether entries may be infinite; their columns are reported as -1.
    """
    if _sorts_keys(dist):
        found = _rank_rows(dist.reshape(-1, dist.size(-1)), num)
        value, index = (v.view(*dist.shape[:-1], num) for v in found)
    else:
        value, index = dist.topk(num, largest=False, sorted=True)
    return value, torch.where(value < float("inf"), index, -1) if partial else index


def bytes_per_row(dist: Tensor, columns: int, num: int) -> int:
    r"""Returns the memory that ranking takes for each row, beside that of its distances.

    Args:
        dist (torch.Tensor): A tensor of the data type and on the device of the distances.
        columns (int): The distances of a row.
        num (int): The number of the smallest ones that are wanted.
    """
    if not _sorts_keys(dist):
        return 0
    size = _groups(columns, num)
    if size > 1:
        return 16 * (-(-columns // size) + size * num)
    return columns * (4 if _selects(columns, num) else 16)


def _sorts_keys(dist: Tensor) -> bool:
    return dist.device.type == "cpu" and dist.dtype == torch.float32 and sorts_vectorised()


def _groups(columns: int, num: int) -> int:
    r"""Returns how many columns have one minimum that stands for them all."""
    size = -(-columns // SORT_COLUMNS)
    return size if 2 * size * num <= columns else 1  # or most would be looked at twice


def _selects(columns: int, num: int) -> bool:
    return max(SORT_COLUMNS // 2, 4 * num) <= columns <= SORT_COLUMNS


def _rank_rows(dist: Tensor, num: int, column: Optional[Tensor] = None) -> tuple[Tensor, Tensor]:
    r"""Ranks the entries of rows.

    Args:
        dist (torch.Tensor): Distances :math:`(R, M)`.
        num (int): The number of the smallest ones that are wanted.
        column (torch.Tensor, optional): What stands for each entry, if not its place.
    """
    columns = dist.size(1)
    size = _groups(columns, num)
    if size > 1:
        place, near = _nearest_groups(dist, num, size)
        return _rank_rows(near, num, _at(column, place))
    if dist.numel() >= SELECTED_ENTRIES and _selects(columns, num):
        return _rank_selected(dist, num, column)
    return _rank_by_keys(dist, num, column)


def _at(column: Optional[Tensor], place: Tensor) -> Tensor:
    return place if column is None else column.gather(1, place)


def _nearest_groups(dist: Tensor, num: int, size: int) -> tuple[Tensor, Tensor]:
    r"""Returns the groups of columns with the smallest minima, which the smallest entries are in,
    and what is there.
    """
    columns = dist.size(1)
    width = -(-columns // size)
    least = dist[:, :width].clone()
    for start in range(width, columns, width):
        part = dist[:, start : start + width]
        same = least[:, : part.size(1)]
        torch.minimum(same, part, out=same)
    _, group = _rank_rows(least, num)
    place = (
        group.unsqueeze(1) + width * torch.arange(size, device=dist.device).view(-1, 1)
    ).flatten(1)
    if size * width == columns:
        return place, dist.gather(1, place)
    beyond = place >= columns
    place.clamp_(max=columns - 1)
    return place, dist.gather(1, place).masked_fill_(beyond, math.inf)


def _rank_selected(dist: Tensor, num: int, column: Optional[Tensor]) -> tuple[Tensor, Tensor]:
    r"""Selects by 32-bit integers, distances whose last digits give way to their places, and ranks
    what is selected.
    """
    key = _sortable(dist).bitwise_and_(-SORT_COLUMNS).bitwise_or_(_arange(dist, torch.int32))
    found = torch.from_numpy(_smallest(key, num + SPARE, in_order=False))
    place = (found & (SORT_COLUMNS - 1)).long()
    value, index = _rank_by_keys(dist.gather(1, place), num, _at(column, place))
    # What was not selected is no smaller than the last one that was, but for its last digits.
    missed = _sortable(value[:, -1]) > found[:, -1].bitwise_and(-SORT_COLUMNS)
    again = missed.nonzero().view(-1)
    if again.numel() > 0:
        value[again], index[again] = _rank_by_keys(
            dist[again], num, None if column is None else column[again]
        )
    return value, index


def _rank_by_keys(dist: Tensor, num: int, column: Optional[Tensor]) -> tuple[Tensor, Tensor]:
    r"""Ranks 64-bit integers: the distance in the upper half, its column in the lower."""
    key = _sortable(dist).long().bitwise_left_shift_(32)
    key |= _arange(dist, torch.int64)
    place = torch.from_numpy(_smallest(key, num, in_order=True)).bitwise_and_(0xFFFFFFFF)
    return dist.gather(1, place), _at(column, place)


def _sortable(value: Tensor) -> Tensor:
    r"""Returns the bits of floats as integers of the same order, or the other way round."""
    bits = value.view(torch.int32)
    return (bits >> 31).bitwise_and_(0x7FFFFFFF).bitwise_xor_(bits)


def _arange(dist: Tensor, dtype: torch.dtype) -> Tensor:
    return torch.arange(dist.size(1), dtype=dtype, device=dist.device)


def _smallest(key: Tensor, num: int, in_order: bool) -> Any:
    r"""Returns the smallest entries of each row as an array, the largest of them last; changes the
    rows.
    """
    rows = key.numpy()
    top = np.empty((len(rows), num), dtype=rows.dtype)
    few = rows.shape[1] <= 32  # sorted in one step

    def run(part: slice) -> None:
        if few:
            rows[part].sort(axis=-1)
        elif num < rows.shape[1]:
            rows[part].partition(num - 1, axis=-1)
        top[part] = rows[part, :num]
        if in_order and not few:
            top[part].sort(axis=-1)

    threads = min(torch.get_num_threads(), max(1, rows.size // PARALLEL_ENTRIES))
    if threads == 1:
        run(slice(None))
    else:
        step = -(-len(rows) // threads)
        with ThreadPoolExecutor(threads) as pool:  # numpy works without the interpreter's lock
            list(pool.map(run, [slice(i, i + step) for i in range(0, len(rows), step)]))
    return top
