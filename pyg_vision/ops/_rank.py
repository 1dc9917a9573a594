r"""The smallest entries of each row of a distance matrix, in order."""

from __future__ import annotations

import functools
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from torch import Tensor

# Up to this many columns sorting whole rows with vector instructions beats torch.topk. The choice
# must not depend on anything that changes from call to call, or the order of ties would.
SORT_COLUMNS = 256
# Entries from which sorting on several threads is worth starting them.
PARALLEL_ENTRIES = 2**18


def rank(dist: Tensor, num: int, partial: bool) -> Tensor:
    r"""Returns the columns of the :obj:`num` smallest entries of each row, smallest first.

    Args:
        dist (torch.Tensor): Distances :math:`(*, M)`.
        num (int): The number of columns, at most :math:`M`.
        partial (bool): Whether entries may be infinite; their columns are reported as -1.
    """
    if _sorts_rows(dist.device, dist.dtype, dist.size(-1)):
        return _rank_by_sorting(dist, num, partial)
    value, index = dist.topk(num, largest=False, sorted=True)
    return torch.where(value < float("inf"), index, -1) if partial else index


def bytes_per_entry(device: torch.device, dtype: torch.dtype, columns: int) -> int:
    r"""Returns the memory that one entry takes, its sorting key included."""
    return dtype.itemsize + (8 if _sorts_rows(device, dtype, columns) else 0)


def _sorts_rows(device: torch.device, dtype: torch.dtype, columns: int) -> bool:
    return (
        device.type == "cpu"
        and dtype == torch.float32
        and columns <= SORT_COLUMNS
        and _numpy_sorts_fast()
    )


def _rank_by_sorting(dist: Tensor, num: int, partial: bool) -> Tensor:
    r"""Sorts 64-bit integers: the distance in the upper half, its column in the lower."""
    key = torch.empty(*dist.shape, 2, dtype=torch.int32)
    key[..., 0] = torch.arange(dist.size(-1), dtype=torch.int32)
    # As integers, the bits of floats order like the floats once those of negatives are flipped.
    bits = dist.view(torch.int32)
    torch.bitwise_xor(bits, (bits >> 31).bitwise_and_(0x7FFFFFFF), out=key[..., 1])
    rows = key.view(torch.int64).view(-1, dist.size(-1)).numpy()
    threads = min(torch.get_num_threads(), max(1, rows.size // PARALLEL_ENTRIES))
    if threads == 1:
        rows.sort(axis=-1)
    else:
        with ThreadPoolExecutor(threads) as pool:  # numpy sorts without the interpreter's lock
            list(pool.map(_sort, np.array_split(rows, threads)))
    index = key[..., :num, 0].long()
    if not partial:
        return index
    infinity = torch.tensor(float("inf")).view(torch.int32)
    return torch.where(key[..., :num, 1] < infinity, index, -1)


def _sort(rows: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> None:
    rows.sort(axis=-1)


@functools.cache
def _numpy_sorts_fast() -> bool:
    r"""Whether numpy was built with, and runs on, a vectorised sort of 64-bit numbers."""
    found = np.show_config(mode="dicts") or {}
    simd = set(found.get("SIMD Extensions", {}).get("found", ()))
    fast = {"AVX512_SKX", "X86_V4"}
    if int(np.__version__.partition(".")[0]) >= 2:
        fast |= {"AVX2", "X86_V3"}
    return sys.byteorder == "little" and bool(simd & fast)
