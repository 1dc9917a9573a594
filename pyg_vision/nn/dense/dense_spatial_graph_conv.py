r"""The spatial graph convolution as published."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from pyg_vision.nn.conv.spatial_graph_conv import SpatialGraphConv


class DenseSpatialGraphConv(SpatialGraphConv):
    r"""The :term:`dense twin` of :class:`SpatialGraphConv`: a 1x1 convolution to all relations, and
    an einsum with the adjacency of each, see :class:`SpatialGraphConv`.

    It has the parameters of its twin, of which the weight is :math:`(R, C_{in}, C_{out})`.

    Args:
        in_channels (int): Size of each input, :obj:`-1` to take it from the first input.
        out_channels (int): Size of each output.
        num_relations (int): The number of relations :math:`R`.
        bias (bool, optional): Whether messages have a bias. (default: :obj:`True`)

    Shapes:
        - **input:** features :math:`(N, C_{in}, T, V)`, adjacency :math:`(R, V, V)` from row to
          column
        - **output:** features :math:`(N, C_{out}, T, V)`

    Example:
        >>> import torch
        >>> from pyg_vision.data import adjacency_stack, skeleton_graph
        >>> from pyg_vision.nn import DenseSpatialGraphConv
        >>> adj = adjacency_stack(skeleton_graph("coco", dtype=torch.float), 3, 17)
        >>> DenseSpatialGraphConv(3, 64, num_relations=3)(torch.randn(2, 3, 30, 17), adj).shape
        torch.Size([2, 64, 30, 17])
    """

    channel_dim = 1

    def __init__(
        self, in_channels: int, out_channels: int, num_relations: int, bias: bool = True
    ) -> None:
        super().__init__(in_channels, out_channels, num_relations, bias=bias)

    def forward(self, x: Tensor, adj: Tensor) -> Tensor:  # type: ignore[override]
        r"""Runs the layer.

        Args:
            x (torch.Tensor): The features.
            adj (torch.Tensor): The adjacency.
        """
        if adj.size(0) != self.num_relations:
            raise ValueError(
                f"'adj' must have num_relations={self.num_relations} matrices (got {adj.size(0)})"
            )
        weight = self.weight.mT.flatten(0, 1)[:, :, None, None]
        h = F.conv2d(x, weight, None if self.bias is None else self.bias.flatten())
        h = h.view(h.size(0), self.num_relations, -1, *h.shape[2:])
        return torch.einsum("nkctv,kvw->nctw", h, adj).contiguous()
