r"""Batch norm of what a layer returned, in its place."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import BatchNorm1d, BatchNorm2d, Conv2d, Module
from torch.nn.modules.module import _has_any_global_hook

from pyg_vision._validation import is_mapped, is_traced
from pyg_vision.nn.layers.grouped_linear import GroupedLinear


def norm_in_place(before: Module | None, norm: Module, x: Tensor) -> Tensor | None:
    r"""Normalises rows :math:`(*, C)` in their place, by running statistics; returns :obj:`None`
    where somebody else may see what is overwritten, or the norm does something else.

    The system takes longer to give the memory of another result than the norm to fill it.

    Args:
        before (torch.nn.Module): The layer that returned the rows, and keeps no other reference.
        norm (torch.nn.Module): The norm.
        x (torch.Tensor): The rows.
    """
    # A tracer records even that a parameter is looked at.
    if is_traced(x) or not isinstance(norm, BatchNorm1d | BatchNorm2d) or norm.training:
        return None
    if not isinstance(before, GroupedLinear | Conv2d):
        return None
    mean, var, weight, bias = norm.running_mean, norm.running_var, norm.weight, norm.bias
    if mean is None or var is None or weight is None or bias is None:
        return None
    if torch.is_grad_enabled() and (x.requires_grad or weight.requires_grad):
        return None
    if _watched(before) or _watched(norm):
        return None
    suits = x.dtype == weight.dtype == var.dtype and x.dim() > 1 and x.size(-1) == mean.numel()
    if not suits or is_mapped(x) or not x.is_contiguous():
        return None
    scale = weight * (var + norm.eps).rsqrt()
    return torch.addcmul(bias - mean * scale, x, scale, out=x)


def _watched(module: Module) -> bool:
    return bool(
        module._forward_hooks
        or module._forward_pre_hooks
        or module._backward_hooks
        or module._backward_pre_hooks
        or _has_any_global_hook()  # type: ignore[no-untyped-call]
    )
