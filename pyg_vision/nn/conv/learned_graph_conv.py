r"""Graph convolution over the joints of a frame whose edges are learned."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import Module, Parameter

from pyg_vision.data.tracks import Tracks
from pyg_vision.nn.conv.relation_plan import complete_plan
from pyg_vision.nn.conv.spatial_graph_conv import SpatialGraphConv


class LearnedGraphConv(Module):
    r"""The spatial graph convolution of ST-GCN++, from the `"PYSKL: Towards Good Practices for
    Skeleton Action Recognition" <https://arxiv.org/abs/2205.09443>`_ paper: a
    :class:`SpatialGraphConv` over the complete graph of a frame, the weights of whose edges are
    learned.

    .. math::
        \mathbf{x}^{\prime}_i = \sum_{r = 0}^{R - 1} \sum_{j \in \mathcal{V}} A_{rji} \,
        (\mathbf{x}_j \mathbf{W}_r + \mathbf{b}_r)

    Args:
        in_channels (int): Size of each input.
        out_channels (int): Size of each output.
        adjacency (torch.Tensor): The weights :math:`(R, |\mathcal{V}|, |\mathcal{V}|)` from row to
            column that learning begins with, such as those of
            :func:`~pyg_vision.data.adjacency_stack`.

    Shapes:
        - **input:** the joints of frames :math:`(F, |\mathcal{V}|, C_{in})`
        - **output:** the same with :math:`C_{out}` channels

    Raises:
        ValueError: If :obj:`adjacency` has another shape; when called, if the features do not fit.

    Example:
        >>> import torch
        >>> from pyg_vision.data import adjacency_stack, skeleton_graph
        >>> from pyg_vision.nn import LearnedGraphConv
        >>> graph = skeleton_graph("coco", "inward_outward", dtype=torch.float)
        >>> conv = LearnedGraphConv(3, 64, adjacency_stack(graph, 3, num_joints=17))
        >>> conv(torch.randn(30, 17, 3)).shape
        torch.Size([30, 17, 64])
    """

    def __init__(self, in_channels: int, out_channels: int, adjacency: Tensor) -> None:
        super().__init__()
        if adjacency.dim() != 3 or adjacency.size(1) != adjacency.size(2):
            raise ValueError(
                f"'adjacency' must be [relations, nodes, nodes] (got {list(adjacency.shape)})"
            )
        relations, nodes, _ = adjacency.shape
        self.conv = SpatialGraphConv(in_channels, out_channels, relations)
        self.plan = complete_plan(relations, nodes).to(adjacency.device)
        self.register_buffer("initial", adjacency.detach().clone(), persistent=False)
        self.adjacency = Parameter(adjacency.detach().clone())

    initial: Tensor

    def reset_parameters(self) -> None:
        r"""Resets the weights of edges to those that learning began with."""
        with torch.no_grad():
            self.adjacency.copy_(self.initial)

    def forward(self, x: Tensor, tracks: Tracks | None = None) -> Tensor:
        r"""Runs the layer.

        Args:
            x (torch.Tensor): The joints of frames.
            tracks (Tracks, optional): Their tracks, on which nothing depends.
        """
        edges = self.plan.edge_index, self.plan.edge_type
        weight = self.adjacency.flatten()
        if not torch.is_grad_enabled():
            # A view of a parameter asks for a gradient even then, which torch's FLOP counter
            # looks for in vain.
            weight = weight.detach()
        out: Tensor = self.conv(x, *edges, weight, plan=self.plan)
        return out
