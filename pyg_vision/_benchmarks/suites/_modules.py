"""How blocks and models are compared and run, whatever their layout."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import Module

from pyg_vision._benchmarks.agreement import compare_tensors
from pyg_vision._benchmarks.core import Contender, Difference, Options, Outputs

# In float64 no two neighbours are equal up to rounding, as they now and then are in float32,
# where a gradient may then rightly go to either.
EXACT = 1e-9
OUTPUT = {torch.float32: 1e-4, torch.float16: 2e-2, torch.bfloat16: 1e-1}
# Statistics of a batch as small as that of the check amplify rounding.
TRAINING_OUTPUT = {torch.float32: 1e-3, torch.float16: 1e-1, torch.bfloat16: 3e-1}

SAME_STATE = (
    "Contenders share one state dict. They must agree in float64, outputs and (training) gradients "
    "of all parameters, and in outputs as timed"
)
FUSED_NOTE = "fused: what model.fuse() returns, with norms folded into the layers before them."
AGREEMENT_NOTE = f"{SAME_STATE}, given the same graphs; they are timed building them themselves."


@dataclass(frozen=True)
class Entry:
    """A module with its input, in its own layout.

    ``backward`` takes the output to its gradients. ``checked`` is the input of the check, which
    can be smaller, and ``given`` what else the module takes for it, such as its graph.
    """

    module: Module
    x: Any
    checked: Any
    given: Mapping[str, Any]
    from_layout: Callable[[Tensor], Tensor]
    backward: Callable[[Tensor], None]
    estimate: int = 0
    fused: bool = False


def contender(name: str, entry: Entry, training: bool, options: Options) -> Contender:
    module = entry.module.train(training)
    forward = options.compiled(module.fuse() if entry.fused else module)  # type: ignore[operator]

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
            timed = forward(entry.checked, **entry.given)
        result = {"output as timed": entry.from_layout(timed)}
        exact = copy.deepcopy(module).double()
        exact = exact.fuse() if entry.fused else exact  # type: ignore[operator]
        with torch.set_grad_enabled(training):
            out = exact(_exact(entry.checked), **entry.given)
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


def _exact(x: Any) -> Any:
    return x.double() if isinstance(x, Tensor) else x.clone().apply(Tensor.double, "x")


def _gradients(module: Module) -> Tensor:
    """All in one: of a bias before a norm the gradient is zero, which is no scale to measure by.

    They are brought into the shapes of the state dict, which are the same for all contenders.
    """
    holder = copy.deepcopy(module)
    with torch.no_grad():
        for place, parameter in zip(holder.parameters(), module.parameters(), strict=True):
            place.copy_(torch.zeros_like(place) if parameter.grad is None else parameter.grad)
    names = {name for name, _ in module.named_parameters()}
    state = holder.state_dict()
    return torch.cat([state[name].flatten() for name in sorted(names)])
