r"""The smallest entries of each row of a distance matrix, in order."""

from __future__ import annotations

import functools
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from torch import Tensor

# torch.topk keeps a heap where a row has so many entries for each that is wanted, and is slow
# otherwise. Measured on an AVX2 CPU, one thread, 300,000 entries, in ms, vectorised partition
# against topk: 11 of 256 entries 1.5 and 3.7, of 784 1.25 and 1.4, of 1568 1.1 and 1.0, of 3136 1.0
# and 0.75; 54 of 784 1.25 and 4.2, of 3136 1.1 and 3.4.
HEAP_ENTRIES = 64
# Entries from which sorting on several threads is worth starting them.
PARALLEL_ENTRIES = 2**18


def rank(dist: Tensor, num: int, partial: bool) -> tuple[Tensor, Tensor]:
    r"""Returns the :obj:`num` smallest entries of each row and their columns, smallest first.

    Args:
        dist (torch.Tensor): Distances :math:`(*, M)`.
        num (int): The number of columns, at most :math:`M`.
        partial (bool): Whether entries may be infinite; their columns are reported as -1.
    """
    if partitions(dist, dist.size(-1), num):
        value, index = _rank_by_partition(dist, num)
    else:
        value, index = dist.topk(num, largest=False, sorted=True)
    return value, torch.where(value < float("inf"), index, -1) if partial else index


def partitions(x: Tensor, columns: int, num: int) -> bool:
    r"""Whether distances of that device and data type are ranked by keys of 64 bits each."""
    return (
        x.device.type == "cpu"
        and x.dtype == torch.float32
        and columns < num * HEAP_ENTRIES
        and _numpy_sorts_fast()
    )


def _rank_by_partition(dist: Tensor, num: int) -> tuple[Tensor, Tensor]:
    r"""Ranks 64-bit integers: the distance in the upper half, its column in the lower."""
    columns = dist.size(-1)
    key = torch.empty(*dist.shape, 2, dtype=torch.int32, device=dist.device)
    key[..., 0] = torch.arange(columns, dtype=torch.int32, device=dist.device)
    # As integers, the bits of floats order like the floats once those of negatives are flipped.
    bits = dist.view(torch.int32)
    torch.bitwise_xor(bits, (bits >> 31).bitwise_and_(0x7FFFFFFF), out=key[..., 1])
    rows = key.view(torch.int64).view(-1, columns).numpy()
    top = np.empty((len(rows), num), dtype=np.int64)

    def run(part: slice) -> None:
        if num < columns:
            rows[part].partition(num - 1, axis=-1)
        top[part] = rows[part, :num]
        top[part].sort(axis=-1)

    threads = min(torch.get_num_threads(), max(1, rows.size // PARALLEL_ENTRIES))
    if threads == 1:
        run(slice(None))
    else:
        step = -(-len(rows) // threads)
        with ThreadPoolExecutor(threads) as pool:  # numpy works without the interpreter's lock
            list(pool.map(run, [slice(i, i + step) for i in range(0, len(rows), step)]))
    found = torch.from_numpy(top).view(*dist.shape[:-1], num)
    bits = (found >> 32).to(torch.int32)
    value = bits.bitwise_xor((bits >> 31).bitwise_and_(0x7FFFFFFF)).view(torch.float32)
    return value, found & 0xFFFFFFFF


@functools.cache
def _numpy_sorts_fast() -> bool:
    r"""Whether numpy was built with, and runs on, a vectorised sort of 64-bit numbers."""
    found = np.show_config(mode="dicts") or {}
    simd = set(found.get("SIMD Extensions", {}).get("found", ()))
    fast = {"AVX512_SKX", "X86_V4"}
    if int(np.__version__.partition(".")[0]) >= 2:
        fast |= {"AVX2", "X86_V3"}
    return sys.byteorder == "little" and bool(simd & fast)
