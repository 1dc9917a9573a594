r"""2s-AGCN and AAGCN as published: the baselines and the proof of parity."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch.nn import Module

from pyg_vision.nn.dense.dense_adaptive import (
    DenseAdaptiveGraphConv,
    DenseAttendingUnit,
    DenseSkeletonAttention,
    DenseTemporalUnit,
)
from pyg_vision.nn.dense.dense_space_time import DenseSpaceTimeBlock
from pyg_vision.nn.models._dense_skeleton import DenseSkeleton
from pyg_vision.nn.models.adaptive_gcn import AAGCN
from pyg_vision.typing import EdgeScore


class DenseAAGCN(DenseSkeleton, AAGCN):
    r"""The :term:`dense twin` of :class:`AAGCN`, keeping the published sequence of operations.

    Args:
        in_channels (int): Channels of a joint.
        num_classes (int): The number of classes.
        **kwargs (optional): Further arguments of :class:`AAGCN` but for those about batches.

    Shapes:
        - **input:** a dense tensor :math:`(N, C, T, V, M)`
        - **output:** logits :math:`(N, \textrm{num_classes})`

    Example:
        >>> import torch
        >>> from pyg_vision.nn import DenseAAGCN
        >>> model = DenseAAGCN(in_channels=3, num_classes=60).eval()
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
        conv = DenseAdaptiveGraphConv(*sizes, self.adjacency(), self.score)
        attention = None
        if self.attends:
            attention = DenseSkeletonAttention(out_channels, self.layout.num_joints)
        unit = DenseAttendingUnit(conv, *sizes, attention)
        tcn = DenseTemporalUnit(out_channels, 9, stride, dropout)
        return DenseSpaceTimeBlock(unit, tcn, *sizes, stride, residual)


class DenseAGCN(DenseAAGCN):
    r"""The :term:`dense twin` of :class:`AGCN`, see :class:`DenseAAGCN`.

    Args:
        in_channels (int): Channels of a joint.
        num_classes (int): The number of classes.
        **kwargs (optional): Further arguments of :class:`AGCN`.

    Example:
        >>> import torch
        >>> from pyg_vision.nn import DenseAGCN
        >>> model = DenseAGCN(in_channels=3, num_classes=60).eval()
        >>> model(torch.randn(2, 3, 20, 25, 2)).shape
        torch.Size([2, 60])
    """

    score: EdgeScore = "softmax"

    def __init__(self, in_channels: int, num_classes: int, **kwargs: Any) -> None:
        super().__init__(in_channels, num_classes, **{"attention": False, **kwargs})
