r"""Norms folded into the layers before them, for inference."""

from __future__ import annotations

from collections import Counter

import torch
from torch import Tensor
from torch.nn import (
    Conv1d,
    Conv2d,
    Conv3d,
    Identity,
    Linear,
    Module,
    Parameter,
    Sequential,
)
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.utils.parametrize import is_parametrized

from pyg_vision.nn.layers.activations import in_place
from pyg_vision.nn.layers.grouped_linear import GroupedLinear
from pyg_vision.nn.layers.temporal_conv import TemporalConv

# Layers whose weight has the output channels first.
LAYERS = (Linear, GroupedLinear, Conv1d, Conv2d, Conv3d, TemporalConv)


class ChannelAffine(Module):
    r"""What a batch norm computes in evaluation mode: a factor and a term for each channel.

    Args:
        scale (torch.Tensor, optional): The factors :math:`(C)`, :obj:`None` for ones.
        shift (torch.Tensor): The terms :math:`(C)`.

    Shapes:
        - **input:** features :math:`(N, C)` or :math:`(N, C, *)`
        - **output:** the same
    """

    scale: Tensor | None
    shift: Tensor

    def __init__(self, scale: Tensor | None, shift: Tensor) -> None:
        super().__init__()
        self.register_buffer("scale", scale)
        self.register_buffer("shift", shift)

    def forward(self, x: Tensor) -> Tensor:
        r"""Runs the layer."""
        size = (-1, *(1,) * (x.dim() - 2))
        if self.scale is None:
            return x + self.shift.view(size)
        return torch.addcmul(self.shift.view(size), x, self.scale.view(size))


def fold_all_norms(model: Module) -> None:
    r"""Folds every batch norm of a model into the layer before it, in place; activations behind
    those overwrite their input.

    Consecutive layers are those of a :class:`~torch.nn.Sequential`, and what a module says itself
    in a method :meth:`fuse_layers`. A norm without such a layer becomes a factor and a term.

    Args:
        model (torch.nn.Module): The model. Layers that it uses in two places stay as they are.
    """
    uses = Counter(id(m) for _, m in model.named_modules(remove_duplicate=False))
    shared = {key for key, count in uses.items() if count > 1}
    for module in list(model.modules()):
        fold = getattr(module, "fuse_layers", None)
        if callable(fold) and not shared.intersection(map(id, module.children())):
            fold()
        if isinstance(module, Sequential):
            _fold_sequence(module, shared)
    for module in list(model.modules()):
        for name, child in module.named_children():
            if (norm := scale_and_shift(child)) is not None:
                like: Tensor = child.running_var  # type: ignore[assignment]
                setattr(module, name, ChannelAffine(*(v.to(like.dtype) for v in norm)))


def scale_and_shift(norm: Module) -> tuple[Tensor, Tensor] | None:
    r"""Returns what a batch norm does in evaluation mode, in :obj:`float64`; :obj:`None` if it is
    no batch norm, or one that takes the statistics of its input.

    Args:
        norm (torch.nn.Module): The norm.
    """
    if not isinstance(norm, _BatchNorm) or norm.running_mean is None or norm.running_var is None:
        return None
    scale = (norm.running_var.double() + norm.eps).rsqrt()
    if norm.weight is not None:
        scale = scale * norm.weight.detach().double()
    shift = -norm.running_mean.double() * scale
    if norm.bias is not None:
        shift = shift + norm.bias.detach().double()
    return scale, shift


def scale_layer(layer: Module, scale: Tensor, shift: Tensor | None, dim: int = 0) -> None:
    r"""Scales what a layer returns, in its weight and bias, and adds to it.

    Args:
        layer (torch.nn.Module): The layer.
        scale (torch.Tensor): The factor of each output channel.
        shift (torch.Tensor, optional): The term of each output channel.
        dim (int, optional): The dimension of the output channels of weight and bias.
            (default: :obj:`0`)
    """
    weight: Tensor = layer.weight  # type: ignore[assignment]
    bias: Tensor | None = layer.bias  # type: ignore[assignment]
    size = [1] * weight.dim()
    size[dim] = -1
    scaled = weight.detach().double() * scale.view(size)
    layer.weight = Parameter(scaled.to(weight.dtype), requires_grad=False)
    term = None if bias is None else bias.detach().double() * scale
    if shift is not None:
        term = shift if term is None else term + shift
    if term is not None:
        layer.bias = Parameter(term.to(weight.dtype), requires_grad=False)


def fold_behind_sum(conv: Module, layers: Sequential) -> None:
    r"""Folds a norm into a graph convolution that adds up messages: its factor into the weights,
    which have the output channels last, while its term is added after the sum.

    Args:
        conv (torch.nn.Module): The graph convolution.
        layers (torch.nn.Sequential): What follows, of which the first may be a norm.
    """
    norm = scale_and_shift(layers[0])
    if norm is not None and not is_parametrized(conv):
        scale_layer(conv, norm[0], None, dim=-1)
        layers[0] = ChannelAffine(None, norm[1].to(conv.weight.dtype))  # type: ignore[arg-type]


def _fold_sequence(layers: Sequential, shared: set[int]) -> None:
    for i in range(len(layers) - 1):
        layer, norm = layers[i], scale_and_shift(layers[i + 1])
        if norm is not None and isinstance(layer, LAYERS) and not is_parametrized(layer):
            if not {id(layer), id(layers[i + 1])} & shared:
                scale_layer(layer, *norm)
                layers[i + 1] = Identity()
                if i + 2 < len(layers):
                    layers[i + 2] = in_place(layers[i + 2])
