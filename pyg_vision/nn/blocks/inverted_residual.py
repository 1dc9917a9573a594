r"""The local block of MobileViG and the models after it."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor
from torch.nn import BatchNorm2d, Conv2d, Module, Sequential

from pyg_vision.nn.layers.activations import make_act
from pyg_vision.nn.layers.drop_path import DropPath
from pyg_vision.nn.layers.layer_scale import LayerScale, fold_scale
from pyg_vision.nn.layers.map_layers import MapLayers, map_mlp

EXPANSION = 4


class InvertedResidual(Module):
    r"""The inverted residual block of the `"MobileNetV2: Inverted Residuals and Linear Bottlenecks"
    <https://arxiv.org/abs/1801.04381>`_ paper, as MobileViG, MobileViGv2, GreedyViG and AdaptViG
    have it: with GELU and a layer scale.

    .. math::
        \mathbf{X}^{\prime} = \mathbf{X} + \boldsymbol{\lambda} \odot \textrm{BN}(\mathbf{W}_2 \,
        \sigma(\textrm{BN}(\textrm{depthwise}_{3 \times 3}(\sigma(\textrm{BN}(
        \mathbf{W}_1 \mathbf{X}))))))

    Args:
        channels (int): Channels of input and output; there are four times as many between.
        act (str, optional): The activation. (default: :obj:`"gelu"`)
        layer_scale (float, optional): The first value of the layer scale. (default: :obj:`1e-5`)
        drop_path (float, optional): Probability of stochastic depth. (default: :obj:`0.0`)
        mlp (Callable, optional): Makes a linear layer on maps, its norm and activation.
            (default: :func:`map_mlp`)

    Shapes:
        - **input:** maps :math:`(B, C, H, W)`
        - **output:** the same

    Example:
        >>> import torch
        >>> from pyg_vision.nn import InvertedResidual
        >>> InvertedResidual(16)(torch.randn(2, 16, 14, 14)).shape
        torch.Size([2, 16, 14, 14])
    """

    scale: LayerScale | None

    def __init__(
        self,
        channels: int,
        act: str = "gelu",
        layer_scale: float = 1e-5,
        drop_path: float = 0.0,
        mlp: Callable[..., Sequential] = map_mlp,
    ) -> None:
        super().__init__()
        hidden = EXPANSION * channels
        self.pw1 = mlp(channels, hidden, norm="batch", act=act)
        conv = Conv2d(hidden, hidden, 3, padding=1, groups=hidden)
        if mlp is map_mlp:
            self.dw: Sequential = MapLayers(conv, BatchNorm2d(hidden), make_act(act))
        else:
            self.dw = Sequential(conv, BatchNorm2d(hidden), make_act(act))
        self.pw2 = mlp(hidden, channels, norm="batch")
        self.scale = LayerScale(channels, layer_scale, maps=True)
        self.drop_path = DropPath(drop_path)

    def fuse_layers(self) -> None:
        r"""Folds the layer scale into the norm before it."""
        self.scale = fold_scale(self.scale, self.pw2[-1])

    def forward(self, x: Tensor) -> Tensor:
        r"""Runs the block.

        Args:
            x (torch.Tensor): The maps.
        """
        h = self.pw2(self.dw(self.pw1(x)))
        h = h if self.scale is None else self.scale(h)
        return x + self.drop_path(h)
