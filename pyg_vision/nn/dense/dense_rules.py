r"""The graph convolutions of MobileViG and the models after it as published: whole maps shifted,
masked and compared, one shift after the other.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import LayerNorm, Module, Parameter

from pyg_vision.nn.conv.gated_mr_conv import EPS
from pyg_vision.nn.conv.relative_attention import REDUCTION
from pyg_vision.nn.dense.dense_layers import Conv1x1, dense_mlp
from pyg_vision.nn.graph.axial_graph import axial_shifts
from pyg_vision.nn.layers.conditional_position import ConditionalPosition
from pyg_vision.nn.layers.drop_path import DropPath
from pyg_vision.nn.layers.layer_scale import LayerScale, fold_scale
from pyg_vision.typing import AxialRule


def dense_shift(x: Tensor, by: int, dim: int) -> Tensor:
    r"""Shifts maps by joining two slices of them.

    Args:
        x (torch.Tensor): The maps.
        by (int): The shift, to higher positions if positive.
        dim (int): The dimension.
    """
    length = x.size(dim)
    if abs(by) >= length:
        return x
    by %= length
    return torch.cat([x.narrow(dim, length - by, by), x.narrow(dim, 0, length - by)], dim=dim)


class DenseAxialConv(Module):
    r"""The :term:`dense twin` of :class:`~pyg_vision.nn.MRConv` over an
    :class:`~pyg_vision.nn.AxialGraph`.

    Args:
        channels (int): Channels of the input.
        out_channels (int): Channels of the output.
        rule (str, optional): The rule of the graph. (default: :obj:`"svga"`)
        step (int, optional): Its step. (default: :obj:`2`)
        reverse (bool, optional): Whether differences are those to the neighbours.
            (default: :obj:`False`)
        norm (str, optional): The norm. (default: :obj:`"batch"`)
        act (str, optional): The activation. (default: :obj:`"gelu"`)

    Shapes:
        - **input:** maps :math:`(B, C, H, W)`
        - **output:** maps :math:`(B, C_{out}, H, W)`

    Example:
        >>> import torch
        >>> from pyg_vision.nn import DenseAxialConv
        >>> DenseAxialConv(16, 32)(torch.randn(2, 16, 7, 7)).shape
        torch.Size([2, 32, 7, 7])
    """

    def __init__(
        self,
        channels: int,
        out_channels: int,
        rule: AxialRule = "svga",
        step: int = 2,
        reverse: bool = False,
        norm: str | None = "batch",
        act: str | None = "gelu",
    ) -> None:
        super().__init__()
        self.rule = rule
        self.step = step
        self.reverse = reverse
        self.nn = dense_mlp(2 * channels, out_channels, norm=norm, act=act)

    def forward(self, x: Tensor) -> Tensor:
        r"""Runs the layer."""
        m = x - x
        for dim in (2, 3):
            for by in axial_shifts(self.rule, self.step, x.size(dim)):
                shifted = dense_shift(x, by, dim)
                m = torch.max(m, x - shifted if self.reverse else shifted - x)
        out: Tensor = self.nn(torch.cat([x, m], dim=1))
        return out


class DenseDynamicAxialConv(Module):
    r"""The :term:`dense twin` of :class:`~pyg_vision.nn.MRConv` over a
    :class:`~pyg_vision.nn.DynamicAxialGraph`.

    Args:
        channels (int): Channels of the input.
        out_channels (int): Channels of the output.
        step (int, optional): The step of the graph. (default: :obj:`2`)
        norm (str, optional): The norm. (default: :obj:`"batch"`)
        act (str, optional): The activation. (default: :obj:`"gelu"`)

    Shapes:
        - **input:** maps :math:`(B, C, H, W)`
        - **output:** maps :math:`(B, C_{out}, H, W)`

    Example:
        >>> import torch
        >>> from pyg_vision.nn import DenseDynamicAxialConv
        >>> DenseDynamicAxialConv(16, 32)(torch.randn(2, 16, 7, 7)).shape
        torch.Size([2, 32, 7, 7])
    """

    def __init__(
        self,
        channels: int,
        out_channels: int,
        step: int = 2,
        norm: str | None = "batch",
        act: str | None = "gelu",
    ) -> None:
        super().__init__()
        self.step = step
        self.nn = dense_mlp(2 * channels, out_channels, norm=norm, act=act)

    def forward(self, x: Tensor) -> Tensor:
        r"""Runs the layer."""
        height, width = x.shape[2:]
        m = x - x
        quadrants = torch.cat([x[:, :, -height // 2 :], x[:, :, : -height // 2]], dim=2)
        quadrants = torch.cat([quadrants[..., -width // 2 :], quadrants[..., : -width // 2]], dim=3)
        distance = torch.norm(x - quadrants, p=1, dim=1, keepdim=True)
        mean = torch.mean(distance, [2, 3], keepdim=True)
        std = mean.new_full(mean.shape, torch.nan)
        if height * width > 1:  # the published code warns, and gets the same
            std = torch.std(distance, [2, 3], keepdim=True)
        for dim in (2, 3):
            for by in range(0, x.size(dim), self.step):
                shifted = dense_shift(x, by, dim)
                distance = torch.norm(x - shifted, p=1, dim=1, keepdim=True)
                mask = torch.where(distance < mean - std, 1, 0)
                m = torch.max(m, (shifted - x) * mask)
        out: Tensor = self.nn(torch.cat([x, m], dim=1))
        return out


class DenseGatedAxialConv(Module):
    r"""The :term:`dense twin` of :class:`~pyg_vision.nn.GatedMRConv` over an
    :class:`~pyg_vision.nn.AxialGraph` of powers of two.

    Args:
        channels (int): Channels of the input.
        out_channels (int): Channels of the output.
        step (int, optional): The step of the neighbours without a gate. (default: :obj:`2`)
        norm (str, optional): The norm. (default: :obj:`"batch"`)
        act (str, optional): The activation. (default: :obj:`"gelu"`)

    Shapes:
        - **input:** maps :math:`(B, C, H, W)`
        - **output:** maps :math:`(B, C_{out}, H, W)`

    Example:
        >>> import torch
        >>> from pyg_vision.nn import DenseGatedAxialConv
        >>> DenseGatedAxialConv(16, 32)(torch.randn(2, 16, 7, 7)).shape
        torch.Size([2, 32, 7, 7])
    """

    def __init__(
        self,
        channels: int,
        out_channels: int,
        step: int = 2,
        norm: str | None = "batch",
        act: str | None = "gelu",
    ) -> None:
        super().__init__()
        self.step = step
        self.temperature = Parameter(torch.ones(()))
        self.nn = dense_mlp(2 * channels, out_channels, norm=norm, act=act)

    def forward(self, x: Tensor) -> Tensor:
        r"""Runs the layer."""
        m = x - x
        for dim in (2, 3):
            m = torch.max(m, dense_shift(x, self.step, dim) - x)
        for dim in (2, 3):
            for i in range(1, x.size(dim).bit_length()):
                difference = dense_shift(x, 2**i, dim) - x
                distance = torch.norm(difference, p=1, dim=1, keepdim=True)
                gate = torch.exp(-distance / (torch.abs(self.temperature) + EPS))
                m = torch.max(m, difference * gate)
        out: Tensor = self.nn(torch.cat([x, m], dim=1))
        return out


class DenseRelativeAttention(Module):
    r"""The :term:`dense twin` of :class:`~pyg_vision.nn.RelativeAttention`.

    Args:
        channels (int): Channels of the input.
        out_channels (int): Channels of the output.
        norm (str, optional): The norm. (default: :obj:`"batch"`)
        act (str, optional): The activation. (default: :obj:`"gelu"`)

    Shapes:
        - **input:** maps :math:`(B, C, H, W)`
        - **output:** maps :math:`(B, C_{out}, H, W)`

    Example:
        >>> import torch
        >>> from pyg_vision.nn import DenseRelativeAttention
        >>> DenseRelativeAttention(16, 32)(torch.randn(2, 16, 7, 7)).shape
        torch.Size([2, 32, 7, 7])
    """

    def __init__(
        self,
        channels: int,
        out_channels: int,
        norm: str | None = "batch",
        act: str | None = "gelu",
    ) -> None:
        super().__init__()
        narrow = channels // REDUCTION
        self.q = Conv1x1(channels, narrow, bias=False)
        self.k = Conv1x1(channels, narrow, bias=False)
        self.v = Conv1x1(channels, channels, bias=False)
        self.q_norm = LayerNorm(narrow)
        self.k_norm = LayerNorm(narrow)
        self.nn = dense_mlp(2 * channels, out_channels, norm=norm, act=act)

    def forward(self, x: Tensor) -> Tensor:
        r"""Runs the layer."""
        b, c, height, width = x.shape
        q = self.q_norm(self.q(x).flatten(2).transpose(1, 2))
        k = self.k_norm(self.k(x).flatten(2).transpose(1, 2))
        v = self.v(x).flatten(2).transpose(1, 2)
        scores = torch.softmax(q @ k.transpose(1, 2) / (c // REDUCTION) ** 0.5, dim=-1)
        told = (scores @ v).transpose(1, 2).reshape(b, c, height, width)
        m = torch.max(x - x, told - x)
        out: Tensor = self.nn(torch.cat([x, m], dim=1))
        return out


class DenseGraphMixer(Module):
    r"""The :term:`dense twin` of :class:`~pyg_vision.nn.GraphMixer`; the two share one state dict.

    Args:
        channels (int): Channels of input and output.
        conv (torch.nn.Module): The convolution of maps, which shifts them itself.
        conv_channels (int): Channels of its output.
        position (bool, optional): Whether there is a :class:`~pyg_vision.nn.ConditionalPosition`.
            (default: :obj:`False`)
        layer_scale (float, optional): The first value of the layer scale, :obj:`None` for none.
            (default: :obj:`None`)
        drop_path (float, optional): Probability of stochastic depth. (default: :obj:`0.0`)

    Shapes:
        - **input:** maps :math:`(B, C, H, W)`
        - **output:** the same

    Example:
        >>> import torch
        >>> from pyg_vision.nn import DenseAxialConv, DenseGraphMixer
        >>> DenseGraphMixer(16, DenseAxialConv(16, 32), 32)(torch.randn(2, 16, 7, 7)).shape
        torch.Size([2, 16, 7, 7])
    """

    position: ConditionalPosition | None
    scale: LayerScale | None

    def __init__(
        self,
        channels: int,
        conv: Module,
        conv_channels: int,
        position: bool = False,
        layer_scale: float | None = None,
        drop_path: float = 0.0,
    ) -> None:
        super().__init__()
        self.position = ConditionalPosition(channels) if position else None
        self.fc1 = dense_mlp(channels, channels, norm="batch")
        self.conv = conv
        self.fc2 = dense_mlp(conv_channels, channels, norm="batch")
        self.scale = None if layer_scale is None else LayerScale(channels, layer_scale, maps=True)
        self.drop_path = DropPath(drop_path)

    def fuse_layers(self) -> None:
        r"""Folds the layer scale into the norm before it."""
        self.scale = fold_scale(self.scale, self.fc2[-1])

    def forward(self, x: Tensor) -> Tensor:
        r"""Runs the block.

        Args:
            x (torch.Tensor): The maps.
        """
        h = x if self.position is None else self.position(x)
        h = self.fc2(self.conv(self.fc1(h)))
        h = h if self.scale is None else self.scale(h)
        return x + self.drop_path(h)
