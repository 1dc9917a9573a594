r"""What differs between the published families of models: names, shapes, and constants."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from torch import Tensor
from torch.nn import Module

Fit = Callable[[str, Tensor, Tensor], Tensor | None]


@dataclass(frozen=True)
class Family:
    r"""How the checkpoints of a family map onto a model.

    Args:
        rules (tuple): Published name to ours, the first pattern that matches.
        fit (Callable): Brings a published tensor to the shape of ours, or returns :obj:`None`.
        resampled (Callable): The same for tensors whose size may differ. (default: none)
        constants (Callable): For patterns of published names that are no parameters of ours, what
            they must be equal to. (default: none)
    """

    rules: tuple[tuple[str, str], ...]
    fit: Fit
    resampled: Fit = lambda name, value, own: None
    constants: Callable[[Module], Mapping[str, Tensor]] = lambda model: {}

    def rename(self, name: str) -> str | None:
        r"""Returns our name for a published one, :obj:`None` if there is none."""
        for pattern, replacement in self.rules:
            new, count = re.subn(pattern, replacement, name)
            if count:
                return new
        return None


def flatten_1x1(value: Tensor, own: Tensor) -> Tensor:
    r"""Turns the weight of a 1x1 convolution into that of a linear map, where ours is one."""
    if value.dim() == 4 and own.dim() == 2 and value.shape[2:] == (1, 1):
        return value.flatten(1)
    return value
