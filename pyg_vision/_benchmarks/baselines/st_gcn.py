"""ST-GCN's layers and model by the best dense code.

Maps with channels last as ours, whose convolutions they share; the difference to those is the graph
alone: the adjacency of all relations as one matrix, applied to all joints.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from pyg_vision.data import SkeletonGraph, Tracks, adjacency_stack
from pyg_vision.nn import STGCN, SpatialGraphConv, STGCNBlock
from pyg_vision.nn.layers.linear_map import node_linear


class BestSpatialGraphConv(SpatialGraphConv):
    """The typed convolution of frames ``[F, V, C]`` by a linear map and one matrix a frame."""

    def forward(  # type: ignore[override]
        self, x: Tensor, edge_index: Tensor, edge_type: Tensor, edge_weight: Tensor, **unused: Any
    ) -> Tensor:
        joints = x.size(1)
        graph = SkeletonGraph(edge_index, edge_type, edge_weight)
        adj = adjacency_stack(graph, self.num_relations, joints).permute(2, 1, 0)
        weight = self.weight.transpose(1, 2).flatten(0, 1)
        h = node_linear(x, weight, self.bias.flatten())
        rows = h.view(x.size(0), joints * self.num_relations, self.out_channels)
        return torch.bmm(adj.flatten(1).to(x.dtype).expand(x.size(0), -1, -1), rows)


class BestSTGCN(STGCN):
    """The model, with every spatial convolution replaced."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"block": _block, **kwargs})

    def _pack(self, x: Any) -> tuple[Tensor, Tracks]:
        if not isinstance(x, Tensor):
            raise TypeError("the dense baselines take dense tensors")
        return super()._pack(x)


def _block(in_channels: int, out_channels: int, **kwargs: Any) -> STGCNBlock:
    block = STGCNBlock(in_channels, out_channels, **kwargs)
    block.gcn = BestSpatialGraphConv(in_channels, out_channels, kwargs["num_relations"])
    return block
