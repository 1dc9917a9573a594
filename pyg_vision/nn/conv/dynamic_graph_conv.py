r"""Graph convolution over groups of channels, with graphs that are learned from nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import torch
from torch import Tensor
from torch.nn import BatchNorm1d, Linear, Module, Parameter, ReLU, Sequential
from torch_geometric.utils import softmax

from pyg_vision._checks import check_int
from pyg_vision.data.tracks import Tracks
from pyg_vision.nn.conv.frame_graph_conv import FrameGraphConv
from pyg_vision.nn.conv.track_products import (
    channels_first,
    channels_last,
    frame_products,
    map_tracks,
)
from pyg_vision.nn.layers.linear_map import node_linear
from pyg_vision.nn.layers.track_means import track_mean


class DynamicGraphConv(FrameGraphConv):
    r"""The graph convolution from the `"DG-STGCN: Dynamic Spatial-Temporal Modeling for
    Skeleton-based Action Recognition" <https://arxiv.org/abs/2210.05895>`_ paper, which is also
    that of `"Revealing Key Details to See Differences: A Novel Prototypical Perspective for
    Skeleton-based Action Recognition" <https://arxiv.org/abs/2411.18941>`_ (ProtoGCN).

    .. math::
        \mathbf{x}^{\prime}_{i,t} &= \Big( \big\Vert_r \sum_{j \in \mathcal{N}(i)}
        \mathbf{w}^{(r)}_{ji} \odot \textrm{ReLU}(\textrm{BN}(\mathbf{x}_{j,t} \mathbf{V}_r))
        \Big) \mathbf{W} + \mathbf{b} \\
        \mathbf{w}^{(r)}_{ji} &= A^{(r)}_{ji} + \alpha \tanh(\mathbf{p}^{(r)}_j -
        \mathbf{q}^{(r)}_i) + \beta \, \textrm{softmax}_j \langle \mathbf{p}^{(r)}_j,
        \mathbf{q}^{(r)}_i \rangle

    with linear maps :math:`\mathbf{p}` and :math:`\mathbf{q}` of the mean over the frames of the
    track, and learned :math:`A`, :math:`\alpha` and :math:`\beta`. As published,
    :math:`\alpha` and :math:`\beta` have an entry for each relation, of which the first counts.

    Args:
        in_channels (int): Size of each input.
        out_channels (int): Size of each output.
        adjacency (torch.Tensor): The weights :math:`(R, |\mathcal{V}|, |\mathcal{V}|)` from row to
            column that learning begins with; with :obj:`edge_index`, :math:`(R, |\mathcal{E}|)`.
            As published, they are random, see :meth:`random_adjacency`.
        mid_channels (int, optional): The channels of a relation.
            (default: an eighth of :obj:`out_channels`)
        norm_layer (Callable, optional): Makes a norm of so many channels.
            (default: :class:`torch.nn.BatchNorm1d`)
        edge_index (torch.Tensor, optional): The edges :math:`(2, |\mathcal{E}|)`.
            (default: those of the complete graph)
        **kwargs (optional): Arguments of :class:`torch_geometric.nn.conv.MessagePassing`.

    Shapes:
        - **input:** the nodes of frames :math:`(F, |\mathcal{V}|, C_{in})`, or of a graph
          :math:`(|\mathcal{V}|, C_{in})`
        - **output:** the same with :math:`C_{out}` channels

    Raises:
        TypeError: If a size is no integer.
        ValueError: If a size is not positive, or shapes do not fit.

    Example:
        >>> import torch
        >>> from pyg_vision.data import Tracks
        >>> from pyg_vision.nn import DynamicGraphConv
        >>> adjacency = DynamicGraphConv.random_adjacency(8, num_joints=17)
        >>> conv = DynamicGraphConv(3, 64, adjacency)
        >>> tracks = Tracks.of([(2, 15, 17)])  # two persons, each with graphs of its own
        >>> conv(torch.randn(30, 17, 3), tracks).shape
        torch.Size([30, 17, 64])
    """

    initial: Tensor

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        adjacency: Tensor,
        mid_channels: int | None = None,
        norm_layer: Callable[[int], Module] = BatchNorm1d,
        edge_index: Tensor | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(adjacency, edge_index, **kwargs)
        self.in_channels = check_int("in_channels", in_channels)
        self.out_channels = check_int("out_channels", out_channels)
        if mid_channels is None:
            mid_channels = max(out_channels // 8, 1)
        self.mid_channels = check_int("mid_channels", mid_channels)
        inner = self.num_relations * mid_channels
        self.pre = Sequential(Linear(in_channels, inner), norm_layer(inner), ReLU(inplace=True))
        self.source = Linear(in_channels, inner)
        self.target = Linear(in_channels, inner)
        self.post = Linear(inner, out_channels)
        start = adjacency.detach().clone()
        self.register_buffer("initial", start, persistent=False)
        self.adjacency = Parameter(start.clone())
        self.alpha = Parameter(torch.zeros(self.num_relations))
        self.beta = Parameter(torch.zeros(self.num_relations))

    @staticmethod
    def random_adjacency(num_relations: int, num_joints: int) -> Tensor:
        r"""Returns the random weights that the published models begin with.

        Args:
            num_relations (int): The number of relations.
            num_joints (int): The joints of a frame.
        """
        return torch.randn(num_relations, num_joints, num_joints) * 0.02 + 0.04

    def reset_parameters(self) -> None:
        r"""Resets all learnable parameters of the module."""
        super().reset_parameters()
        for layer in (*self.pre, self.source, self.target, self.post):
            if hasattr(layer, "reset_parameters"):
                layer.reset_parameters()
        with torch.no_grad():
            self.adjacency.copy_(self.initial)
            self.alpha.zero_()
            self.beta.zero_()

    def sent(self, x: Tensor) -> Tensor:
        r"""The nodes, mapped and normed."""
        shape = (*x.shape[:2], self.num_relations, -1)
        return self._pre(x).view(shape).transpose(1, 2)

    def edge_weights(self, x: Tensor, tracks: Tracks | None) -> Tensor:
        r"""The learned weight of each edge, and what it follows from its ends, by channel."""
        source, target = self._ends(x, tracks)
        p, q = source[:, :, self.edge_index[0]], target[:, :, self.edge_index[1]]
        # Over the edges that end in the same node.
        score = softmax((p * q).sum(-1), self.edge_index[1], num_nodes=x.size(1), dim=2)
        fixed = self.adjacency.flatten(1) + self.beta[0] * score
        return fixed.unsqueeze(-1) + self.alpha[0] * (p - q).tanh()

    def merged(self, sums: Tensor) -> Tensor:
        r"""A linear map of the sums of all relations together."""
        return node_linear(
            sums.transpose(1, 2).flatten(2).contiguous(), self.post.weight, self.post.bias
        )

    def by_products(self, x: Tensor, tracks: Tracks | None) -> Tensor:
        r"""The same by matrices of a track and channel."""
        matrices = self._matrices(x, tracks)  # [tracks, channels of relations, source, target]
        norm, relu = self.pre[1:]
        lin = cast(Linear, self.pre[0])

        def run(frames: Tensor, own: Tensor) -> Tensor:
            sums = (frames.permute(0, 3, 1, 2) @ own).flatten(2)
            out = channels_last(sums, self.post.weight, self.post.bias)
            return out.view(*frames.shape[:3], -1)

        if tracks is None or tracks.regular:
            num = 1 if tracks is None else tracks.num_tracks
            values = channels_first(x.reshape(num, -1, x.size(2)), lin.weight, lin.bias)
            values = relu(norm(values))
            values = values.view(num, values.size(1), -1, x.size(1)).permute(0, 2, 3, 1)
            return run(values, matrices).flatten(0, 1)
        values = self._pre(x)
        out = map_tracks(run, values, matrices, tracks)
        if out is not None:
            return out
        sums = frame_products(matrices, values, tracks)
        return node_linear(sums.contiguous(), self.post.weight, self.post.bias)

    def _matrices(self, x: Tensor, tracks: Tracks | None) -> Tensor:
        r"""Returns the weights of all edges, :math:`(N, R C, V, V)` from row to column."""
        source, target = self._ends(x, tracks)
        score = (source @ target.mT).softmax(dim=-2)
        fixed = self.adjacency + self.beta[0] * score
        apart = source.mT.unsqueeze(-1) - target.mT.unsqueeze(-2)
        return (fixed.unsqueeze(2) + self.alpha[0] * apart.tanh()).flatten(1, 2)

    def _pre(self, x: Tensor) -> Tensor:
        lin, norm, relu = self.pre
        h: Tensor = relu(norm(node_linear(x, lin.weight, lin.bias).flatten(0, 1)))  # type: ignore[arg-type]
        return h.view(*x.shape[:2], -1)

    def _ends(self, x: Tensor, tracks: Tracks | None) -> tuple[Tensor, Tensor]:
        r"""Returns what is compared of the joints of a track, :math:`(N, R, V, C)`."""
        mean = track_mean(x, tracks)
        shape = (*mean.shape[:2], self.num_relations, -1)
        source, target = (
            lin(mean).view(shape).transpose(1, 2) for lin in (self.source, self.target)
        )
        return source, target

    def __repr__(self) -> str:
        return (
            f"{self.__class__.__name__}({self.in_channels}, {self.out_channels}, "
            f"num_relations={self.num_relations})"
        )
