"""How blocks and models are compared and run, whatever their layout."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import Module

from benchmarks.agreement import compare_tensors
from benchmarks.core import Contender, Difference, Options, Outputs

# In float64 no two neighbours are equal up to rounding, as they now and then are in float32,
# where a gradient may then rightly go to either.
EXACT = 1e-9
OUTPUT = {torch.float32: 1e-4, torch.float16: 2e-2, torch.bfloat16: 1e-1}
# Statistics of a batch as small as that of the check amplify rounding.
TRAINING_OUTPUT = {torch.float32: 1e-3, torch.float16: 1e-1, torch.bfloat16: 3e-1}

AGREEMENT_NOTE = (
    "Contenders share one state dict. Given the same graphs they must agree in float64, outputs "
    "and (training) gradients of all parameters, and in outputs as timed; they are timed building "
    "their graphs themselves."
)


@dataclass(frozen=True)
class Entry:
    """A module with its input, in its own layout.

    ``backward`` takes the output to its gradients. ``checked`` is the input of the check, which
    can be smaller, and ``neighbors`` the graph or graphs for it.
    """

    module: Module
    x: Tensor
    checked: Tensor
    neighbors: Any
    from_layout: Callable[[Tensor], Tensor]
    backward: Callable[[Tensor], None]
    estimate: int = 0


def contender(name: str, entry: Entry, training: bool, options: Options) -> Contender:
    module = entry.module.train(training)
    forward = options.compiled(module)

    @torch.no_grad()
    def run_forward() -> Tensor:
        with options.autocast():
            out: Tensor = forward(entry.x)
        return out

    def run_training() -> None:
        with options.autocast():
            out = forward(entry.x)
        entry.backward(out)
        # At the end: a call starts from nothing and leaves nothing.
        module.zero_grad(set_to_none=True)

    def outputs() -> Outputs:
        with torch.no_grad(), options.autocast():
            timed = forward(entry.checked, neighbors=entry.neighbors)
        result = {"output as timed": entry.from_layout(timed)}
        exact = copy.deepcopy(module).double()
        with torch.set_grad_enabled(training):
            out = exact(entry.checked.double(), neighbors=entry.neighbors)
        result["output"] = entry.from_layout(out.detach())
        if training:
            entry.backward(out)
            result["gradients"] = _gradients(exact)
        return result

    return Contender(name, run_training if training else run_forward, outputs, entry.estimate)


def compare(
    training: bool, options: Options
) -> Callable[[str, Outputs, Outputs], list[Difference]]:
    tolerances = {
        "output": EXACT,
        "gradients": EXACT,
        "output as timed": (TRAINING_OUTPUT if training else OUTPUT)[options.dtype],
    }
    return lambda name, outputs, reference: compare_tensors(name, outputs, reference, tolerances)


def share_state(source: Module, *others: Module) -> None:
    for other in others:
        other.load_state_dict(source.state_dict())


def _gradients(module: Module) -> Tensor:
    """All in one: of a bias before a norm the gradient is zero, which is no scale to measure by."""
    parameters = sorted(module.named_parameters(), key=lambda item: item[0])
    return torch.cat([p.grad.flatten() for _, p in parameters if p.grad is not None])
