r"""A learned factor of each channel of a residual branch."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import Module, Parameter
from torch.nn.modules.batchnorm import _BatchNorm


class LayerScale(Module):
    r"""The layer scale from the `"Going Deeper with Image Transformers"
    <https://arxiv.org/abs/2103.17239>`_ paper.

    .. math::
        \mathbf{x}^{\prime} = \boldsymbol{\lambda} \odot \mathbf{x}

    Args:
        channels (int): Size of each input.
        init (float, optional): The first value of each factor. (default: :obj:`1e-5`)
        maps (bool, optional): Whether inputs are maps, with the channels in dimension one, instead
            of nodes. (default: :obj:`False`)

    Shapes:
        - **input:** features :math:`(*, C)`, or maps :math:`(B, C, H, W)`
        - **output:** the same

    Example:
        >>> import torch
        >>> from pyg_vision.nn import LayerScale
        >>> LayerScale(2, init=0.5)(torch.ones(3, 2))[0]
        tensor([0.5000, 0.5000], grad_fn=<SelectBackward0>)
    """

    def __init__(self, channels: int, init: float = 1e-5, maps: bool = False) -> None:
        super().__init__()
        self.init = init
        self.maps = maps
        self.weight = Parameter(torch.empty(channels))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        r"""Resets the factors."""
        torch.nn.init.constant_(self.weight, self.init)

    def forward(self, x: Tensor) -> Tensor:
        r"""Runs the layer."""
        return x * (self.weight[:, None, None] if self.maps else self.weight)

    def extra_repr(self) -> str:
        r"""The settings."""
        return f"{self.weight.numel()}, init={self.init}"


def fold_scale(scale: LayerScale | None, norm: Module) -> LayerScale | None:
    r"""Scales a batch norm by what follows it, in place; returns what is still to be done.

    Args:
        scale (LayerScale, optional): The factors.
        norm (torch.nn.Module): The norm before them.
    """
    if scale is None or not isinstance(norm, _BatchNorm) or norm.weight is None:
        return scale
    for value in (norm.weight, norm.bias):
        value.data = value.detach() * scale.weight.detach()
    return None
