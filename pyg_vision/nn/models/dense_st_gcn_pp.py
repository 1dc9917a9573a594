r"""ST-GCN++ as published: the baseline and the proof of parity."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch.nn import Module

from pyg_vision.data.layout import SkeletonLayout
from pyg_vision.nn.dense.dense_space_time import (
    DenseGraphUnit,
    DenseLearnedGraphConv,
    DenseMultiScaleTemporalConv,
    DenseSpaceTimeBlock,
)
from pyg_vision.nn.models._dense_skeleton import DenseSkeleton
from pyg_vision.nn.models.st_gcn_pp import STGCNPP
from pyg_vision.nn.models.stage import STAGES, Stage
from pyg_vision.typing import Partition


class DenseSTGCNPP(DenseSkeleton, STGCNPP):
    r"""The :term:`dense twin` of :class:`STGCNPP`, keeping the published sequence of operations.

    Maps :math:`(N \cdot M, C, T, V)`, convolutions and an einsum with the learned matrices. It
    shares the state dict of :class:`STGCNPP`.

    Args:
        in_channels (int): Channels of a joint.
        num_classes (int): The number of classes.
        layout (str or SkeletonLayout, optional): The skeleton. (default: :obj:`"ntu"`)
        partition (str, optional): The partition strategy. (default: :obj:`"inward_outward"`)
        dropout (float, optional): Dropout in all blocks but the first. (default: :obj:`0.0`)
        stages (list of tuples, optional): The channels, the number of blocks and the stride of
            each :class:`Stage`. (default: the published ones, ten blocks)

    Shapes:
        - **input:** a dense tensor :math:`(N, C, T, V, M)`
        - **output:** logits :math:`(N, \textrm{num_classes})`

    Raises:
        TypeError: If an argument is of another type; when called, if the input is no tensor.
        ValueError: If a number is out of range; when called, if the input has another shape.

    Example:
        >>> import torch
        >>> from pyg_vision.nn import DenseSTGCNPP
        >>> model = DenseSTGCNPP(in_channels=3, num_classes=60).eval()
        >>> model(torch.randn(2, 3, 20, 25, 2)).shape
        torch.Size([2, 60])
    """

    def __init__(
        self,
        in_channels: int,
        num_classes: int,
        layout: str | SkeletonLayout = "ntu",
        partition: Partition = "inward_outward",
        dropout: float = 0.0,
        stages: Sequence[Stage | tuple[int, ...]] = STAGES,
    ) -> None:
        super().__init__(
            in_channels,
            num_classes,
            layout=layout,
            partition=partition,
            dropout=dropout,
            stages=stages,
        )

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
        unit = DenseGraphUnit(DenseLearnedGraphConv(*sizes, self.adjacency()), *sizes)
        tcn = DenseMultiScaleTemporalConv(out_channels, out_channels, stride, dropout=dropout)
        return DenseSpaceTimeBlock(unit, tcn, *sizes, stride, residual)
