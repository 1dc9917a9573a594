r"""CTR-GCN as published: the baseline and the proof of parity."""

from __future__ import annotations

from collections.abc import Callable

from torch.nn import Module

from pyg_vision.nn.dense.dense_channel_topology import DenseChannelTopologyConv
from pyg_vision.nn.dense.dense_space_time import (
    DenseGraphUnit,
    DenseMultiScaleTemporalConv,
    DenseSpaceTimeBlock,
)
from pyg_vision.nn.layers.multi_scale_temporal_conv import FOUR
from pyg_vision.nn.models._dense_skeleton import DenseSkeleton
from pyg_vision.nn.models.ctr_gcn import CTRGCN


class DenseCTRGCN(DenseSkeleton, CTRGCN):
    r"""The :term:`dense twin` of :class:`CTRGCN`, keeping the published sequence of operations.

    Args:
        in_channels (int): Channels of a joint.
        num_classes (int): The number of classes.
        **kwargs (optional): Further arguments of :class:`CTRGCN` but for those about batches.

    Shapes:
        - **input:** a dense tensor :math:`(N, C, T, V, M)`
        - **output:** logits :math:`(N, \textrm{num_classes})`

    Example:
        >>> import torch
        >>> from pyg_vision.nn import DenseCTRGCN
        >>> model = DenseCTRGCN(in_channels=3, num_classes=60).eval()
        >>> model(torch.randn(2, 3, 20, 25, 2)).shape
        torch.Size([2, 60])
    """

    def make_block(
        self,
        in_channels: int,
        out_channels: int,
        stride: int,
        residual: bool,
        dropout: float,
        norm: Callable[[int], Module],
    ) -> Module:
        r"""Returns a block."""
        sizes = in_channels, out_channels
        unit = DenseGraphUnit(DenseChannelTopologyConv(*sizes, self.adjacency()), *sizes)
        tcn = DenseMultiScaleTemporalConv(
            out_channels,
            out_channels,
            stride,
            kernels=FOUR,
            merge=False,
            dropout=dropout,
            relu=self.temporal_relu,
        )
        return DenseSpaceTimeBlock(unit, tcn, *sizes, stride, residual)
