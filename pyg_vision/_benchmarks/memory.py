"""The peak memory of a call, and the guard against running out of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import psutil
import torch
from torch.profiler import ProfilerActivity, profile

# Beyond this share of what is available, a contender is not tried: Linux would not refuse the
# memory but kill a process for it.
SAFE_SHARE = 0.85


class OutOfMemoryError(MemoryError):
    """Says that a contender would need more than there is."""


def guard(estimate: int, device: str) -> None:
    """Raises where a call would need more than the machine has. A GPU refuses by itself."""
    available = psutil.virtual_memory().available
    if device == "cpu" and estimate > SAFE_SHARE * available:
        raise OutOfMemoryError(
            f"needs at least {estimate / 2**30:.1f} GiB of the {available / 2**30:.1f} GiB free"
        )


def is_out_of_memory(error: BaseException) -> bool:
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    text = str(error).lower()
    return isinstance(error, RuntimeError) and (
        "can't allocate memory" in text or "out of memory" in text or "not enough memory" in text
    )


def peak_of(deltas: Iterable[int]) -> int:
    """The largest running sum, at least 0."""
    live = peak = 0
    for delta in deltas:
        live += delta
        peak = max(peak, live)
    return peak


def peak_memory(run: Callable[[], object], device: str) -> int:
    """Returns the most bytes of tensors alive during a call, above those alive before it.

    What autograd saves for the backward pass is counted. On a CPU, memory that a kernel takes
    without torch's allocator (the trees of torch_cluster, the scratch space of MKL) is not.
    """
    if device == "cuda":
        torch.cuda.synchronize()
        before = torch.cuda.memory_allocated()
        torch.cuda.reset_peak_memory_stats()
        run()
        torch.cuda.synchronize()
        return torch.cuda.max_memory_allocated() - before
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as trace:
        run()
    results = trace.profiler.kineto_results
    events = [event for event in results.events() if event.name() == "[memory]"]
    events.sort(key=lambda event: event.start_ns())
    return peak_of(event.nbytes() for event in events)
