r"""DG-STGCN as published: the baseline and the proof of parity."""

from __future__ import annotations

from collections.abc import Callable

from torch.nn import Module

from pyg_vision.nn.dense.dense_dynamic import DenseDynamicGraphConv
from pyg_vision.nn.dense.dense_space_time import (
    DenseGraphUnit,
    DenseMultiScaleTemporalConv,
    DenseSpaceTimeBlock,
)
from pyg_vision.nn.models._dense_skeleton import DenseSkeleton
from pyg_vision.nn.models.dg_stgcn import DGSTGCN


class DenseDGSTGCN(DenseSkeleton, DGSTGCN):
    r"""The :term:`dense twin` of :class:`DGSTGCN`, keeping the published sequence of operations.

    Args:
        in_channels (int): Channels of a joint.
        num_classes (int): The number of classes.
        **kwargs (optional): Further arguments of :class:`DGSTGCN` but for those about batches.

    Shapes:
        - **input:** a dense tensor :math:`(N, C, T, V, M)`
        - **output:** logits :math:`(N, \textrm{num_classes})`

    Example:
        >>> import torch
        >>> from pyg_vision.nn import DenseDGSTGCN
        >>> model = DenseDGSTGCN(in_channels=3, num_classes=60).eval()
        >>> model(torch.randn(2, 3, 20, 25, 2)).shape
        torch.Size([2, 60])
    """

    conv_layer = DenseDynamicGraphConv

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
        unit = DenseGraphUnit(self.make_conv(*sizes, norm), *sizes)
        tcn = DenseMultiScaleTemporalConv(
            out_channels,
            out_channels,
            stride,
            num_joints=self.layout.num_joints,
            dropout=dropout,
        )
        return DenseSpaceTimeBlock(unit, tcn, *sizes, stride, residual)
