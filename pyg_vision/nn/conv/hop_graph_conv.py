r"""Graph convolution with the distances of joints as relations."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import Module, Parameter

from pyg_vision.data.tracks import Tracks
from pyg_vision.nn.conv.relation_plan import complete_plan
from pyg_vision.nn.conv.spatial_graph_conv import SpatialGraphConv


class HopGraphConv(Module):
    r"""The disentangled multi-scale graph convolution from the `"Disentangling and Unifying Graph
    Convolutions for Skeleton-Based Action Recognition" <https://arxiv.org/abs/2003.14111>`_ paper:
    a :class:`SpatialGraphConv` with a relation for each distance, and a learned residual of the
    weights of all edges.

    .. math::
        \mathbf{x}^{\prime}_i = \mathbf{b} + \sum_{k = 0}^{K - 1} \sum_{j \in \mathcal{V}}
        (A_{kji} + B_{kji}) \, \mathbf{x}_j \mathbf{W}_k

    Args:
        in_channels (int): Size of each input.
        out_channels (int): Size of each output.
        adjacency (torch.Tensor): The fixed weights :math:`(K, |\mathcal{V}|, |\mathcal{V}|)` from
            row to column, see :func:`~pyg_vision.data.hop_adjacency`.

    Shapes:
        - **input:** the joints of frames or windows :math:`(F, |\mathcal{V}|, C_{in})`
        - **output:** the same with :math:`C_{out}` channels

    Raises:
        ValueError: If :obj:`adjacency` has another shape; when called, if the features do not fit.

    Example:
        >>> import torch
        >>> from pyg_vision.data import hop_adjacency
        >>> from pyg_vision.nn import HopGraphConv
        >>> conv = HopGraphConv(3, 64, hop_adjacency("coco", num_scales=13).float())
        >>> conv(torch.randn(30, 17, 3)).shape
        torch.Size([30, 17, 64])
    """

    initial: Tensor

    def __init__(self, in_channels: int, out_channels: int, adjacency: Tensor) -> None:
        super().__init__()
        if adjacency.dim() != 3 or adjacency.size(1) != adjacency.size(2):
            raise ValueError(
                f"'adjacency' must be [scales, nodes, nodes] (got {list(adjacency.shape)})"
            )
        scales, nodes, _ = adjacency.shape
        self.conv = SpatialGraphConv(in_channels, out_channels, scales, bias=False)
        self.plan = complete_plan(scales, nodes).to(adjacency.device)
        self.register_buffer("initial", adjacency.detach().clone(), persistent=False)
        self.adjacency = Parameter(torch.empty_like(adjacency))
        self.bias = Parameter(torch.empty(out_channels))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        r"""Resets the residual of edges to almost nothing, as published, and the bias."""
        torch.nn.init.uniform_(self.adjacency, -1e-6, 1e-6)
        bound = (self.conv.num_relations * self.conv.in_channels) ** -0.5
        torch.nn.init.uniform_(self.conv.weight, -bound, bound)
        torch.nn.init.uniform_(self.bias, -bound, bound)

    def forward(self, x: Tensor, tracks: Tracks | None = None) -> Tensor:
        r"""Runs the layer.

        Args:
            x (torch.Tensor): The joints of frames.
            tracks (Tracks, optional): Their tracks, on which nothing depends.
        """
        edges = self.plan.edge_index, self.plan.edge_type
        weights = (self.initial + self.adjacency).flatten()
        out: Tensor = self.conv(x, *edges, weights, plan=self.plan)
        return out + self.bias
