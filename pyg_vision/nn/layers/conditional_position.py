r"""Positions told by what is around: a depthwise convolution."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import Conv2d, Module, Parameter

from pyg_vision._checks import check_int


class ConditionalPosition(Module):
    r"""The conditional position encoding from the `"Conditional Positional Encodings for Vision
    Transformers" <https://arxiv.org/abs/2102.10882>`_ paper, a depthwise convolution beside the
    identity.

    .. math::
        \mathbf{X}^{\prime} = \mathbf{X} + \textrm{depthwise}_{k \times k}(\mathbf{X})

    For inference the identity is one more at the centre of the kernel, which :meth:`fuse_layers`
    adds: the re-parameterised form of MobileViGv2.

    Args:
        channels (int): Channels of input and output.
        kernel_size (int, optional): The side of the kernel, odd. (default: :obj:`7`)

    Shapes:
        - **input:** maps :math:`(B, C, H, W)`
        - **output:** the same

    Raises:
        ValueError: If the side of the kernel is even.

    Example:
        >>> import torch
        >>> from pyg_vision.nn import ConditionalPosition
        >>> ConditionalPosition(16)(torch.randn(2, 16, 14, 14)).shape
        torch.Size([2, 16, 14, 14])
    """

    def __init__(self, channels: int, kernel_size: int = 7) -> None:
        super().__init__()
        if check_int("kernel_size", kernel_size) % 2 == 0:
            raise ValueError(f"'kernel_size' must be odd (got {kernel_size})")
        self.conv = Conv2d(
            channels, channels, kernel_size, padding=kernel_size // 2, groups=channels
        )
        self.merged = False

    def fuse_layers(self) -> None:
        r"""Makes the identity a part of the kernel."""
        if not self.merged:
            weight = self.conv.weight.detach() + identity_kernel(self.conv.weight)
            self.conv.weight = Parameter(weight, requires_grad=False)
            self.merged = True

    def forward(self, x: Tensor) -> Tensor:
        r"""Runs the layer.

        Args:
            x (torch.Tensor): The maps.
        """
        h: Tensor = self.conv(x)
        return h if self.merged else h + x


def identity_kernel(weight: Tensor) -> Tensor:
    r"""Returns the kernel of a depthwise convolution that changes nothing.

    Args:
        weight (torch.Tensor): A kernel :math:`(C, 1, k, k)` of the same shape.
    """
    kernel = torch.zeros_like(weight)
    kernel[..., weight.size(-2) // 2, weight.size(-1) // 2] = 1.0
    return kernel
