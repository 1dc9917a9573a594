r"""Activations by their published names."""

from __future__ import annotations

import torch
from torch.nn import Module

ACTIVATIONS = ("relu", "leakyrelu", "prelu", "gelu", "hswish")


def make_act(act: str) -> Module:
    r"""Returns the activation of that published name."""
    name = act.lower()
    if name == "relu":
        return torch.nn.ReLU()
    if name == "leakyrelu":
        return torch.nn.LeakyReLU(0.2)
    if name == "prelu":
        return torch.nn.PReLU(init=0.2)
    if name == "gelu":
        return torch.nn.GELU()
    if name == "hswish":
        return torch.nn.Hardswish()
    raise ValueError(f"'act' must be one of {', '.join(ACTIVATIONS)} (got {act!r})")
