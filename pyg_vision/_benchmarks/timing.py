"""Interleaved timing: what disturbs the machine disturbs all contenders alike."""

from __future__ import annotations

import gc
import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch

Run = Callable[[], object]

# A sample repeats a short call until it is well above the resolution of a clock.
SAMPLE_SECONDS = 2e-3
WARM_UP_SECONDS = 0.05


def elapsed(run: Run, calls: int, device: str) -> float:
    """Returns the seconds of one call, averaged over ``calls`` of them."""
    if device == "cuda":
        start: Any = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
        end: Any = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
        torch.cuda.synchronize()
        start.record()
        for _ in range(calls):
            run()
        end.record()
        torch.cuda.synchronize()
        return float(start.elapsed_time(end)) * 1e-3 / calls
    begin = time.perf_counter()
    for _ in range(calls):
        run()
    return (time.perf_counter() - begin) / calls


def warm_up(run: Run, device: str) -> float:
    """Calls until caches and allocators are warm; returns the seconds of the fastest call."""
    fastest, spent = math.inf, 0.0
    while spent < WARM_UP_SECONDS:
        seconds = elapsed(run, 1, device)
        fastest = min(fastest, seconds)
        spent += max(seconds, 1e-6)
    return fastest


def rotated(names: Sequence[str], turn: int) -> list[str]:
    """Everyone comes first once, second once, and so on."""
    shift = turn % len(names)
    return [*names[shift:], *names[:shift]]


def plan_rounds(calls_seconds: float, most: int, least: int, budget: float) -> int:
    """As many rounds as fit into the budget, within bounds."""
    return max(min(least, most), min(most, int(budget / max(calls_seconds, 1e-9))))


def interleave(
    runs: Mapping[str, Run], estimates: Mapping[str, float], rounds: int, device: str
) -> dict[str, list[float]]:
    """Samples all contenders in turn, starting each round with another one."""
    names = list(runs)
    calls = {name: max(1, math.ceil(SAMPLE_SECONDS / estimates[name])) for name in names}
    samples: dict[str, list[float]] = {name: [] for name in names}
    was_enabled = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        for turn in range(rounds):
            for name in rotated(names, turn):
                samples[name].append(elapsed(runs[name], calls[name], device))
    finally:
        if was_enabled:
            gc.enable()
    return samples
