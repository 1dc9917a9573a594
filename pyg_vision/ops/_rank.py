r"""The smallest entries of each row of a distance matrix, in order."""

from __future__ import annotations

import functools

import numpy as np
import torch
from torch import Tensor

# float64 keeps the 24 significant bits of a float32 and has 29 to spare for the column.
INDEX_BITS = 29
INDEX_MASK = (1 << INDEX_BITS) - 1
# Sorting whole rows on one thread wins over torch.topk on all threads up to about this many
# columns times threads.
SORT_LIMIT = 512


def rank(dist: Tensor, num: int, partial: bool) -> Tensor:
    r"""Returns the columns of the :obj:`num` smallest entries of each row, smallest first.

    Args:
        dist (torch.Tensor): Distances :math:`(*, M)`, which may be overwritten.
        num (int): The number of columns, at most :math:`M`.
        partial (bool): Whether entries may be infinite; their columns are reported as -1.
    """
    if _sorts_rows(dist.device, dist.dtype, dist.size(-1)):
        return _rank_by_sorting(dist, num, partial)
    value, index = dist.topk(num, largest=False, sorted=True)
    return torch.where(value < float("inf"), index, -1) if partial else index


def bytes_per_entry(device: torch.device, dtype: torch.dtype, columns: int) -> int:
    r"""Returns the size of the largest form that :func:`rank` brings an entry to."""
    return 8 if _sorts_rows(device, dtype, columns) else dtype.itemsize


def _sorts_rows(device: torch.device, dtype: torch.dtype, columns: int) -> bool:
    r"""Whether numpy's vectorised sort of whole rows is faster here than :func:`torch.topk`."""
    return (
        device.type == "cpu"
        and dtype == torch.float32
        and columns * torch.get_num_threads() <= SORT_LIMIT
        and _numpy_sorts_fast()
    )


def _rank_by_sorting(dist: Tensor, num: int, partial: bool) -> Tensor:
    r"""Sorts distances as float64 that carry their column in the last bits."""
    limit = torch.finfo(dist.dtype).max
    if partial:  # an infinity with bits in its mantissa would be NaN
        dist.clamp_(-limit, limit)
    key = dist.double()
    key.view(torch.int64).bitwise_or_(torch.arange(dist.size(-1)))
    key.numpy().sort(axis=-1)  # NaN goes last, as in torch
    first = key[..., :num].contiguous()
    index = first.view(torch.int64) & INDEX_MASK
    return torch.where(first < limit, index, -1) if partial else index


@functools.cache
def _numpy_sorts_fast() -> bool:
    r"""Whether numpy was built with, and runs on, a vectorised sort of 64-bit numbers."""
    found = np.show_config(mode="dicts") or {}
    simd = set(found.get("SIMD Extensions", {}).get("found", ()))
    fast = {"AVX512_SKX", "X86_V4"}
    if int(np.__version__.partition(".")[0]) >= 2:
        fast |= {"AVX2", "X86_V3"}
    return bool(simd & fast)
