r"""Adaptive graphs and attention as published, on maps of frames and joints."""

from __future__ import annotations

from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn import BatchNorm2d, Conv2d, Dropout, Linear, Module, Sequential

from pyg_vision.nn.conv.adaptive_graph_conv import AdaptiveGraphConv
from pyg_vision.nn.dense.dense_space_time import DenseGraphUnit
from pyg_vision.nn.layers.skeleton_attention import SkeletonAttention


class DenseAdaptiveGraphConv(AdaptiveGraphConv):
    r"""The :term:`dense twin` of :class:`AdaptiveGraphConv`, on maps of frames and joints, of which
    each has a graph of its own.

    Args:
        in_channels (int): Size of each input.
        out_channels (int): Size of each output, a multiple of four.
        adjacency (torch.Tensor): The weights :math:`(R, V, V)` that learning begins with.
        score (str, optional): :obj:`"tanh"` or :obj:`"softmax"`. (default: :obj:`"tanh"`)

    Shapes:
        - **input:** features :math:`(N, C_{in}, T, V)`
        - **output:** features :math:`(N, C_{out}, T, V)`

    Example:
        >>> import torch
        >>> from pyg_vision.nn import DenseAdaptiveGraphConv
        >>> conv = DenseAdaptiveGraphConv(3, 64, torch.rand(3, 17, 17))
        >>> conv(torch.randn(2, 3, 30, 17)).shape
        torch.Size([2, 64, 30, 17])
    """

    def forward(self, x: Tensor) -> Tensor:  # type: ignore[override]
        r"""Runs the layer.

        Args:
            x (torch.Tensor): The features.
        """
        num, channels, frames, joints = x.shape
        out: Tensor | None = None
        for r in range(self.num_relations):
            source, target = (
                as_conv(lins[r], x).view(num, -1, joints) for lins in (self.theta, self.phi)
            )
            score = self._adapted(r, torch.matmul(source.mT, target) / source.size(1))
            mixed = torch.matmul(x.reshape(num, channels * frames, joints), score)
            sums = as_conv(self.lin[r], mixed.view(num, channels, frames, joints))
            out = sums if out is None else out + sums
        return cast(Tensor, out)

    def _adapted(self, relation: int, score: Tensor) -> Tensor:
        learned = self.adjacency[relation]
        if self.alpha is not None:
            return learned + torch.tanh(score) * self.alpha
        return torch.softmax(score, -2) + (self.initial[relation] + learned)


class DenseSkeletonAttention(SkeletonAttention):
    r"""The :term:`dense twin` of :class:`SkeletonAttention`, on maps of frames and joints.

    Args:
        channels (int): Size of each input and output.
        num_joints (int): The joints of a frame.

    Shapes:
        - **input:** features :math:`(N, C, T, V)`
        - **output:** the same

    Example:
        >>> import torch
        >>> from pyg_vision.nn import DenseSkeletonAttention
        >>> DenseSkeletonAttention(16, 17)(torch.randn(2, 16, 30, 17)).shape
        torch.Size([2, 16, 30, 17])
    """

    def forward(self, x: Tensor) -> Tensor:  # type: ignore[override]
        r"""Runs the layer.

        Args:
            x (torch.Tensor): The features.
        """
        share = torch.sigmoid(self.joints(x.mean(-2)))
        x = x * share.unsqueeze(-2) + x
        frames = self.frames
        share = F.conv1d(x.mean(-1), frames.weight.squeeze(-1), frames.bias, padding=frames.reach)
        x = x * torch.sigmoid(share).unsqueeze(-1) + x
        share = torch.sigmoid(self.fc2(F.relu(self.fc1(x.mean(-1).mean(-1)))))
        return x * share[..., None, None] + x


class DenseAttendingUnit(DenseGraphUnit):
    r"""A :class:`DenseGraphUnit` with attention behind it.

    Args:
        conv (torch.nn.Module): The graph convolution of maps.
        in_channels (int): Size of each input.
        out_channels (int): Size of each output.
        attention (torch.nn.Module, optional): The attention. (default: :obj:`None`)
    """

    def __init__(
        self, conv: Module, in_channels: int, out_channels: int, attention: Module | None = None
    ) -> None:
        super().__init__(conv, in_channels, out_channels)
        self.attention = attention

    def forward(self, x: Tensor) -> Tensor:
        r"""Runs the unit.

        Args:
            x (torch.Tensor): The features.
        """
        out = super().forward(x)
        return out if self.attention is None else self.attention(out)


class DenseTemporalUnit(Module):
    r"""A temporal convolution with norm and dropout, on maps of frames and joints.

    Args:
        channels (int): Size of each input and output.
        kernel_size (int, optional): The frames of the convolution. (default: :obj:`9`)
        stride (int, optional): Its stride. (default: :obj:`1`)
        dropout (float, optional): Dropout behind the norm. (default: :obj:`0.0`)
    """

    def __init__(
        self, channels: int, kernel_size: int = 9, stride: int = 1, dropout: float = 0.0
    ) -> None:
        super().__init__()
        size, step, padding = (kernel_size, 1), (stride, 1), (kernel_size // 2, 0)
        self.layers = Sequential(
            Conv2d(channels, channels, size, step, padding),
            BatchNorm2d(channels),
            Dropout(dropout, inplace=True),
        )

    def forward(self, x: Tensor) -> Tensor:
        r"""Runs the layers.

        Args:
            x (torch.Tensor): The features.
        """
        out: Tensor = self.layers(x)
        return out


def as_conv(lin: Module, x: Tensor) -> Tensor:
    r"""Runs a linear map as the 1x1 convolution that is published.

    Args:
        lin (torch.nn.Module): The linear map.
        x (torch.Tensor): Maps of frames and joints.
    """
    layer = cast(Linear, lin)
    return F.conv2d(x, layer.weight[:, :, None, None], layer.bias)
