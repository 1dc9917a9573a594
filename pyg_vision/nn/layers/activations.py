r"""Activations by their published names."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from torch.nn import GELU, Hardswish, LeakyReLU, Module, PReLU, ReLU

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
