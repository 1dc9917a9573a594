r"""Activations by their published names."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.fx import Proxy
from torch.nn import GELU, Hardswish, LeakyReLU, Module, PReLU, ReLU

from pyg_vision._record import record_module
from pyg_vision._validation import is_mapped, is_traced

ACTIVATIONS: dict[str, Callable[[], Module]] = {
    "relu": ReLU,
    "leakyrelu": partial(LeakyReLU, 0.2),
    "prelu": partial(PReLU, init=0.2),
    "gelu": GELU,
    "hswish": Hardswish,
}


def make_act(act: str) -> Module:
    r"""Returns the activation of that published name."""
    name = act.lower()
    if name not in ACTIVATIONS:
        raise ValueError(f"'act' must be one of {', '.join(ACTIVATIONS)} (got {act!r})")
    return ACTIVATIONS[name]()


class InPlaceGELU(Module):
    r"""GELU of the output of a layer, in its place where no gradient needs it."""

    def forward(self, x: Tensor) -> Tensor:
        r"""Runs the layer."""
        if isinstance(x, Proxy):
            return record_module(self, x)
        needed = torch.is_grad_enabled() and x.requires_grad
        if needed or is_traced(x) or is_mapped(x):
            return F.gelu(x)
        out: Tensor = torch.ops.aten.gelu_(x)
        return out


def in_place(act: Module) -> Module:
    r"""Returns an activation that overwrites its input: the system takes as long to give new memory
    as an activation takes to fill it.

    Args:
        act (torch.nn.Module): The activation.
    """
    if isinstance(act, ReLU):
        return ReLU(inplace=True)
    if isinstance(act, GELU) and act.approximate == "none":
        return InPlaceGELU()
    return act
