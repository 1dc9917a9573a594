r"""ST-GCN as published: the baseline and the proof of parity."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from pyg_vision.data.layout import SkeletonLayout
from pyg_vision.nn.dense.dense_stgcn_block import DenseSTGCNBlock
from pyg_vision.nn.models._dense_skeleton import DenseSkeleton
from pyg_vision.nn.models.st_gcn import STGCN
from pyg_vision.nn.models.stage import STAGES, Stage
from pyg_vision.typing import Partition


class DenseSTGCN(DenseSkeleton, STGCN):
    r"""The :term:`dense twin` of :class:`STGCN`, keeping the published sequence of operations.

    Maps :math:`(N \cdot M, C, T, V)`, convolutions and an einsum with the adjacency matrices, as
    in the `"Spatial Temporal Graph Convolutional Networks for Skeleton-Based Action Recognition"
    <https://arxiv.org/abs/1801.07455>`_ paper. It shares the state dict of :class:`STGCN`, key by
    key and shape by shape, and takes the same arguments but for those about batches of graphs.

    Args:
        in_channels (int): Channels of a joint.
        num_classes (int): The number of classes.
        layout (str or SkeletonLayout, optional): The skeleton. (default: :obj:`"openpose"`)
        partition (str, optional): The partition strategy. (default: :obj:`"stgcn"`)
        edge_importance (bool, optional): Whether edges have a learned importance.
            (default: :obj:`True`)
        dropout (float, optional): Dropout in all blocks but the first. (default: :obj:`0.0`)
        max_hop (int, optional): The farthest distance joined. (default: :obj:`1`)
        dilation (int, optional): The step between distances. (default: :obj:`1`)
        kernel_size (int, optional): The frames of a temporal convolution. (default: :obj:`9`)
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
        >>> from pyg_vision.nn import DenseSTGCN
        >>> model = DenseSTGCN(in_channels=3, num_classes=7, layout="openpose").eval()
        >>> model(torch.randn(2, 3, 64, 18, 1)).shape
        torch.Size([2, 7])
    """

    def __init__(
        self,
        in_channels: int,
        num_classes: int,
        layout: str | SkeletonLayout = "openpose",
        partition: Partition = "stgcn",
        edge_importance: bool = True,
        dropout: float = 0.0,
        max_hop: int = 1,
        dilation: int = 1,
        kernel_size: int = 9,
        stages: Sequence[Stage | tuple[int, ...]] = STAGES,
    ) -> None:
        super().__init__(
            in_channels,
            num_classes,
            layout=layout,
            partition=partition,
            edge_importance=edge_importance,
            dropout=dropout,
            max_hop=max_hop,
            dilation=dilation,
            kernel_size=kernel_size,
            stages=stages,
            block=DenseSTGCNBlock,
        )

    def _run_blocks(self, h: Tensor) -> Tensor:
        for block, adj in zip(self.blocks, self._adjacencies(), strict=True):
            h = block(h, adj)
        return h

    def _adjacencies(self) -> list[Tensor]:
        r"""Returns the weighted adjacency :math:`(K, V, V)` of each block."""
        if self.edge_importance is None:
            return [self.adjacency(weight) for weight in self._edge_weights()]
        adj = self.adjacency()
        return [adj * importance for importance in self.edge_importance]
