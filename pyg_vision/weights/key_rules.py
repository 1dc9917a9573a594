r"""How a published checkpoint maps onto a model: names, shapes, and constants."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import Module

from pyg_vision.weights._checkpoint import find_state

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
        adjust (Callable): Returns, of a published name and tensor, the tensor in the form that ours
            has, such as a kernel without what was merged into it. (default: as it is)
        constants (Callable): Returns of a model, for patterns of published names that are no
            parameters of ours, what they must be equal to. (default: none)
        unused (tuple): Patterns of published names that a model may do without. (default: none)
        first (str): Our name of the weight of the first convolution, whose input may be of other
            channels. (default: none)
        head (str): What our names of the head begin with, which may be of other classes.
            (default: none)
    """

    rename: Callable[[str], str | None]
    fit: Fit = flatten_1x1
    resampled: Fit = lambda name, value, own: None
    adjust: Callable[[str, Tensor], Tensor] = lambda name, value: value
    constants: Callable[[Module], Mapping[str, Tensor]] = lambda model: {}
    unused: tuple[str, ...] = ()
    first: str = ""
    head: str = ""


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


def adapt_input(weight: Tensor, channels: int) -> Tensor:
    r"""Returns the weight of a convolution for images of another number of channels, as timm.

    Colours are summed for one channel. For another number they are repeated in order, and divided
    by how much more input there is, so that features keep their scale.

    Args:
        weight (torch.Tensor): The weight :math:`(C_{out}, C_{in}, H, W)`.
        channels (int): The number of channels wanted.

    Example:
        >>> import torch
        >>> from pyg_vision.weights.key_rules import adapt_input
        >>> adapt_input(torch.ones(8, 3, 3, 3), 1)[0, 0, 0]
        tensor([3., 3., 3.])
        >>> adapt_input(torch.ones(8, 3, 3, 3), 6)[0, 5, 0]
        tensor([0.5000, 0.5000, 0.5000])
    """
    before = weight.size(1)
    if channels == before:
        return weight
    if channels == 1:
        return weight.sum(dim=1, keepdim=True)
    index = torch.arange(channels, device=weight.device) % before
    return weight[:, index] * (before / channels)


def unwrapped(found: Mapping[str, Any]) -> dict[str, Tensor]:
    r"""Returns the tensors of what training scripts wrap around them.

    Args:
        found (dict): What a checkpoint holds.

    Example:
        >>> import torch
        >>> from pyg_vision.weights.key_rules import unwrapped
        >>> unwrapped({"state_dict": {"module.weight": torch.ones(1)}})
        {'weight': tensor([1.])}
    """
    return find_state(dict(found), "the checkpoint", averaged=False).state
