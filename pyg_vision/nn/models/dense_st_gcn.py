r"""ST-GCN as published: the baseline and the proof of parity."""

from __future__ import annotations

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor
from torch.nn import Identity, Linear
from torch_geometric.data import Data

from pyg_vision.data.layout import SkeletonLayout
from pyg_vision.data.tracks import Tracks
from pyg_vision.nn.dense.dense_stgcn_block import DenseSTGCNBlock
from pyg_vision.nn.models.st_gcn import STAGES, STGCN, Stage
from pyg_vision.typing import Partition


class DenseSTGCN(STGCN):
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
            layout,
            partition,
            edge_importance,
            dropout,
            max_hop=max_hop,
            dilation=dilation,
            kernel_size=kernel_size,
            stages=stages,
            block=DenseSTGCNBlock,
        )

    def _run_dense(self, x: Tensor) -> Tensor:
        self._check_dense(x)
        num, persons = x.size(0), x.size(4)
        h = self._maps(x)
        h = F.avg_pool2d(h, h.shape[2:])
        h = h.view(num, persons, -1, 1, 1).mean(dim=1)
        return self._classify(h).view(num, -1)

    def _extract_dense(self, x: Tensor) -> tuple[Tensor, Tensor]:
        self._check_dense(x)
        h = self._maps(x)
        scores, features = (
            value.view(x.size(0), x.size(4), *value.shape[1:]).permute(0, 2, 3, 4, 1)
            for value in (self._classify(h), h)
        )
        return scores, features

    def _pack(self, x: Tensor | Data) -> tuple[Tensor, Tracks]:
        raise TypeError(
            f"DenseSTGCN takes a tensor (N, C, T, V, M) (got '{type(x).__name__}'); "
            f"pyg_vision.data.skeletons_to_dense makes one of a Batch"
        )

    def _maps(self, x: Tensor) -> Tensor:
        r"""Returns the maps :math:`(N \cdot M, C, T, V)` after the last block."""
        num, channels, frames, joints, persons = x.shape
        h = x.permute(0, 4, 3, 1, 2).contiguous()
        h = self.data_bn(h.view(num * persons, joints * channels, frames))
        h = h.view(num, persons, joints, channels, frames).permute(0, 1, 3, 4, 2).contiguous()
        h = h.view(num * persons, channels, frames, joints)
        for block, adj in zip(self.blocks, self._adjacencies(), strict=True):
            h = block(h, adj)
        return h

    def _adjacencies(self) -> list[Tensor]:
        r"""Returns the weighted adjacency :math:`(K, V, V)` of each block."""
        if self.edge_importance is None:
            return [self.adjacency(weight) for weight in self._edge_weights()]
        adj = self.adjacency()
        return [adj * importance for importance in self.edge_importance]

    def _classify(self, h: Tensor) -> Tensor:
        r"""Runs the head as the 1x1 convolution that is published."""
        if isinstance(self.fcn, Identity):
            return h
        head: Linear = self.fcn  # type: ignore[assignment]
        return F.conv2d(h, head.weight[:, :, None, None], head.bias)
