r"""The smallest entries of each row of a distance matrix, in order."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pyg_vision._processor import sorts_vectorised

# So many numbers numpy sorts without a branch. Measured on one thread of an AVX-512 CPU, the 11
# smallest of 750,000 entries, in ms: in rows of 196 by keys of 64 bits 2.2, of 32 bits 1.5, by
# torch.topk 7.6; in rows of 784 by groups of 4 1.2, by keys 6.7, by torch.topk 2.9; in rows of 3136
# by groups of 13 0.7, 8.5 and 1.6.
SORT_COLUMNS = 256
# Entries beyond the wanted ones that are selected by a part of their digits.
SPARE = 4
# So many are sorted whole in one step.
SORTED_COLUMNS = 32
# Entries from which sorting on several threads is worth starting them.
PARALLEL_ENTRIES = 2**18

Floats = np.ndarray[Any, np.dtype[np.float32]]
Integers = np.ndarray[Any, np.dtype[np.int64]]


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


def _rank_rows(dist: Tensor, num: int) -> tuple[Tensor, Tensor]:
    r"""Returns the :obj:`num` smallest entries of rows :math:`(R, M)` and their columns."""
    size = _groups(dist.size(1), num)
    if size == 1:
        found = _in_parts(dist.numpy(), num)
        return torch.from_numpy(found[0]), torch.from_numpy(found[1])
    column, near = _nearest_groups(dist, num, size)
    value, place = _rank_rows(near, num)
    return value, column.gather(1, place)


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


def _in_parts(dist: Floats, num: int) -> tuple[Floats, Integers]:
    r"""Ranks the rows on several threads; numpy works without the interpreter's lock."""
    threads = min(torch.get_num_threads(), max(1, dist.size // PARALLEL_ENTRIES))
    if threads == 1:
        return _smallest(dist, num)
    step = -(-len(dist) // threads)
    parts = [dist[i : i + step] for i in range(0, len(dist), step)]
    with ThreadPoolExecutor(threads) as pool:
        value, place = zip(*pool.map(_smallest, parts, repeat(num)), strict=True)
    return np.concatenate(value), np.concatenate(place)


def _smallest(dist: Floats, num: int) -> tuple[Floats, Integers]:
    r"""Ranks the entries of each row in as many digits as they have."""
    if not _selects(dist.shape[1], num):
        place = _rank_by_keys(dist, num)
        return _take(dist, place), place
    # Selects by 32-bit integers, distances whose last digits give way to their places.
    key = _sortable(dist)
    key &= -SORT_COLUMNS
    key |= np.arange(dist.shape[1], dtype=np.int32)
    key.partition(num + SPARE - 1, axis=-1)
    column = (key[:, : num + SPARE] & (SORT_COLUMNS - 1)).astype(np.int64)
    near = _take(dist, column)
    place = _rank_by_keys(near, num)
    value, place = _take(near, place), _take(column, place)
    # What was not selected is no smaller than the last one that was, but for its last digits.
    missed = _sortable(value[:, -1]) > (key[:, num + SPARE - 1] & -SORT_COLUMNS)
    if missed.any():
        place[missed] = _rank_by_keys(dist[missed], num)
        value[missed] = _take(dist[missed], place[missed])
    return value, place


def _rank_by_keys(dist: Floats, num: int) -> Integers:
    r"""Ranks 64-bit integers: the distance in the upper half, its column in the lower."""
    columns = dist.shape[1]
    key = _sortable(dist).astype(np.int64)
    key <<= 32
    key |= np.arange(columns)
    if columns > SORTED_COLUMNS and num < columns:
        key.partition(num - 1, axis=-1)
        key = key[:, :num].copy()
    key.sort(axis=-1)
    return key[:, :num] & 0xFFFFFFFF


def _take(value: Any, place: Integers) -> Any:
    r"""Returns some entries of each row."""
    start = np.arange(0, value.size, value.shape[1]).reshape(-1, 1)
    return value.reshape(-1).take(place + start)


def _sortable(value: Floats) -> Any:
    r"""Returns the bits of floats as integers of the same order."""
    bits = value.view(np.int32)
    key = bits >> 31
    key &= 0x7FFFFFFF
    key ^= bits
    return key
