r"""How a published checkpoint maps onto a model: names, shapes, and constants."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor
from torch.nn import Module

Fit = Callable[[str, Tensor, Tensor], Tensor | None]


def flatten_1x1(name: str, value: Tensor, own: Tensor) -> Tensor | None:
    r"""Turns the weight of a 1x1 convolution into that of a linear map, where ours is one.

    Args:
        name (str): Our name of the tensor.
        value (torch.Tensor): The published tensor.
        own (torch.Tensor): Ours.
    """
    if value.dim() == 4 and own.dim() == 2 and value.shape[2:] == (1, 1):
        value = value.flatten(1)
    return value if value.shape == own.shape else None


@dataclass(frozen=True)
class KeyRules:
    r"""How the checkpoints of a family map onto its model, which names them :obj:`published`.

    Args:
        rename (Callable): Returns our name for a published one, :obj:`None` if there is none.
        fit (Callable): Brings a published tensor to the shape of ours, or returns :obj:`None`,
            called as :func:`flatten_1x1`. (default: :func:`flatten_1x1`)
        resampled (Callable): The same for tensors whose size may differ. (default: none)
        constants (Callable): Returns of a model, for patterns of published names that are no
            parameters of ours, what they must be equal to. (default: none)
        unused (tuple): Patterns of published names that a model may do without. (default: none)
    """

    rename: Callable[[str], str | None]
    fit: Fit = flatten_1x1
    resampled: Fit = lambda name, value, own: None
    constants: Callable[[Module], Mapping[str, Tensor]] = lambda model: {}
    unused: tuple[str, ...] = ()


def rename_by(rules: Sequence[tuple[str, str]]) -> Callable[[str], str | None]:
    r"""Returns a function that renames by the first pattern that matches.

    Args:
        rules (list of tuples): Patterns and what replaces them, see :func:`re.sub`.
    """

    def rename(name: str) -> str | None:
        for pattern, replacement in rules:
            new, count = re.subn(pattern, replacement, name)
            if count:
                return new
        return None

    return rename
