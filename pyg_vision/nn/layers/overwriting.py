r"""Norms and activations in the place of what a layer returned.

The system takes longer to give the memory of another result than they take to fill it.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor
from torch.autograd import forward_ad
from torch.nn import GELU, BatchNorm1d, BatchNorm2d, Conv2d, Module
from torch.nn.modules.module import _has_any_global_hook

from pyg_vision._validation import is_mapped, is_traced
from pyg_vision.nn.layers.grouped_linear import GroupedLinear

NORMS = (BatchNorm1d, BatchNorm2d)
LAYERS = (GroupedLinear, Conv2d)


def norm_in_place(before: Module | None, norm: Module, x: Tensor) -> Tensor | None:
    r"""Normalises rows :math:`(*, C)` in their place, by running statistics; returns :obj:`None`
    where somebody else may see what is overwritten, or the norm does something else.

    Args:
        before (torch.nn.Module): The layer that returned the rows, and keeps no other reference.
        norm (torch.nn.Module): The norm.
        x (torch.Tensor): The rows.
    """
    # A tracer records even that a parameter is looked at. Subclasses may do something else.
    if is_traced(x) or before is None or type(norm) not in NORMS or type(before) not in LAYERS:
        return None
    mean, var, weight, bias = (
        getattr(norm, name) for name in ("running_mean", "running_var", "weight", "bias")
    )
    if norm.training or mean is None or var is None or weight is None or bias is None:
        return None
    if not _overwritable((before, norm), x, weight, bias, mean, var):
        return None
    # Of half precision the factors would be rounded.
    single = x.dtype in (torch.float32, torch.float64)
    if not single or x.dtype != weight.dtype or x.dim() < 2 or x.size(-1) != mean.numel():
        return None
    scale = weight * (var + norm.eps).rsqrt()
    return torch.addcmul(bias - mean * scale, x, scale, out=x)


def act_in_place(before: Module | None, act: Module, x: Tensor) -> Tensor | None:
    r"""Computes GELU in the place of its input, the output of a norm; returns :obj:`None` where
    somebody else may see what is overwritten, or the activation is another.

    Args:
        before (torch.nn.Module): The norm that returned the input, or layers that end with it.
        act (torch.nn.Module): The activation.
        x (torch.Tensor): The input.
    """
    if is_traced(x) or type(act) is not GELU or act.approximate != "none" or before is None:
        return None
    watched = before.modules() if type(before) not in NORMS else (before,)
    if not _overwritable((*watched, act), x):
        return None
    out: Tensor = torch.ops.aten.gelu_(x)
    return out


def _overwritable(modules: Iterable[Module], x: Tensor, *others: Tensor) -> bool:
    r"""Returns whether nobody sees that a tensor is overwritten: no gradient and no hook."""
    tensors = (x, *others)
    if torch.is_grad_enabled() and any(value.requires_grad for value in tensors):
        return False
    if forward_ad._current_level >= 0 or any(is_mapped(value) for value in tensors):
        return False
    if not x.is_contiguous() or _has_any_global_hook():  # type: ignore[no-untyped-call]
        return False
    return not any(_watched(module) for module in modules)


def _watched(module: Module) -> bool:
    return bool(
        module._forward_hooks
        or module._forward_pre_hooks
        or module._backward_hooks
        or module._backward_pre_hooks
    )
