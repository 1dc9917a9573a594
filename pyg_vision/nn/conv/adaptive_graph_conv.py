r"""Graph convolution whose edges are learned and depend on the motion."""

from __future__ import annotations

from typing import Any, get_args

import torch
from torch import Tensor
from torch.nn import Linear, ModuleList, Parameter
from torch_geometric.utils import softmax

from pyg_vision._checks import check_int
from pyg_vision.data.tracks import Tracks
from pyg_vision.nn.conv.frame_graph_conv import FrameGraphConv
from pyg_vision.nn.layers.linear_map import node_linear
from pyg_vision.nn.layers.track_means import to_frames, track_mean
from pyg_vision.typing import EdgeScore


class AdaptiveGraphConv(FrameGraphConv):
    r"""The adaptive graph convolutions from the `"Two-Stream Adaptive Graph Convolutional Networks
    for Skeleton-Based Action Recognition" <https://arxiv.org/abs/1805.07694>`_ paper (2s-AGCN) and
    from the `"Skeleton-Based Action Recognition with Multi-Stream Adaptive Graph Convolutional
    Networks" <https://arxiv.org/abs/1912.06971>`_ paper (AAGCN).

    .. math::
        \mathbf{x}^{\prime}_{i,t} &= \sum_{r} \Big( \sum_{j \in \mathcal{N}(i)} w^{(r)}_{ji} \,
        \mathbf{x}_{j,t} \Big) \mathbf{W}_r + \mathbf{b}_r \\
        s^{(r)}_{ji} &= \frac{1}{C^{\prime} T} \sum_{t} \langle \theta_r(\mathbf{x}_{j,t}),
        \phi_r(\mathbf{x}_{i,t}) \rangle

    with :math:`w^{(r)}_{ji} = A^{(r)}_{ji} + \alpha \tanh(s^{(r)}_{ji})` and learned :math:`A`
    and :math:`\alpha`, or :math:`w^{(r)}_{ji} = A^{(r)}_{ji} + B^{(r)}_{ji} +
    \textrm{softmax}_j(s^{(r)}_{ji})` with learned :math:`B` alone. The linear maps :math:`\theta`
    and :math:`\phi` have :math:`C^{\prime} = C_{out} / 4` channels, and :math:`T` are the frames of
    the track.

    Args:
        in_channels (int): Size of each input.
        out_channels (int): Size of each output, a multiple of four.
        adjacency (torch.Tensor): The weights :math:`(R, |\mathcal{V}|, |\mathcal{V}|)` from row to
            column that learning begins with; with :obj:`edge_index`, :math:`(R, |\mathcal{E}|)`.
        score (str, optional): :obj:`"tanh"` as in AAGCN or :obj:`"softmax"` as in 2s-AGCN.
            (default: :obj:`"tanh"`)
        edge_index (torch.Tensor, optional): The edges :math:`(2, |\mathcal{E}|)`.
            (default: those of the complete graph)
        **kwargs (optional): Arguments of :class:`torch_geometric.nn.conv.MessagePassing`.

    Shapes:
        - **input:** the nodes of frames :math:`(F, |\mathcal{V}|, C_{in})`, or of a graph
          :math:`(|\mathcal{V}|, C_{in})`
        - **output:** the same with :math:`C_{out}` channels

    Raises:
        TypeError: If a size is no integer.
        ValueError: If a size is not positive, :obj:`out_channels` no multiple of four, there is no
            such :obj:`score`, or shapes do not fit.

    Example:
        >>> import torch
        >>> from pyg_vision.data import Tracks, adjacency_stack, skeleton_graph
        >>> from pyg_vision.nn import AdaptiveGraphConv
        >>> graph = skeleton_graph("coco", "inward_outward", dtype=torch.float)
        >>> conv = AdaptiveGraphConv(3, 64, adjacency_stack(graph, 3, num_joints=17))
        >>> tracks = Tracks.of([(2, 15, 17)])  # two persons, each with a graph of its own
        >>> conv(torch.randn(30, 17, 3), tracks).shape
        torch.Size([30, 17, 64])
    """

    adjacency: Tensor
    alpha: Parameter | None

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        adjacency: Tensor,
        score: EdgeScore = "tanh",
        edge_index: Tensor | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(adjacency, edge_index, **kwargs)
        self.in_channels = check_int("in_channels", in_channels)
        self.out_channels = check_int("out_channels", out_channels)
        if out_channels % 4:
            raise ValueError(f"'out_channels' must be a multiple of 4 (got {out_channels})")
        if score not in get_args(EdgeScore):
            raise ValueError(
                f"'score' must be one of {', '.join(get_args(EdgeScore))} (got {score!r})"
            )
        self.score, relations = score, self.num_relations
        inner = out_channels // 4
        self.theta = ModuleList(Linear(in_channels, inner) for _ in range(relations))
        self.phi = ModuleList(Linear(in_channels, inner) for _ in range(relations))
        self.lin = ModuleList(Linear(in_channels, out_channels) for _ in range(relations))
        start = adjacency.detach().clone()
        self.register_buffer("initial", start, persistent=False)
        if score == "tanh":
            self.adjacency = Parameter(start.clone())
            self.register_parameter("alpha", Parameter(torch.zeros(1)))
        else:
            self.adjacency = Parameter(torch.full_like(start, 1e-6))
            self.register_parameter("alpha", None)

    initial: Tensor

    def reset_parameters(self) -> None:
        r"""Resets all learnable parameters of the module."""
        super().reset_parameters()
        for lin in (*self.theta, *self.phi, *self.lin):
            lin.reset_parameters()
        with torch.no_grad():
            if self.alpha is None:
                self.adjacency.fill_(1e-6)
            else:
                self.adjacency.copy_(self.initial)
                self.alpha.zero_()

    def sent(self, x: Tensor) -> Tensor:
        r"""The nodes, for all relations the same."""
        return x.unsqueeze(1).expand(-1, self.num_relations, -1, -1)

    def edge_weights(self, x: Tensor, tracks: Tracks | None) -> Tensor:
        r"""The learned weight of each edge, and what it follows from its ends."""
        source, target = self._ends(x)
        ends = source[:, :, self.edge_index[0]] * target[:, :, self.edge_index[1]]
        score = track_mean(ends.sum(-1), tracks) / ends.size(-1)
        learned = self.adjacency.flatten(1)
        if self.alpha is not None:
            weights = learned + self.alpha * score.tanh()
        else:
            # Over the edges that end in the same node.
            score = softmax(score, self.edge_index[1], num_nodes=x.size(1), dim=2)
            weights = learned + self.initial.flatten(1) + score
        return weights.unsqueeze(-1)

    def merged(self, sums: Tensor) -> Tensor:
        r"""A linear map of the sums of all relations together."""
        return self._map(sums.transpose(1, 2).flatten(2))

    def by_products(self, x: Tensor, tracks: Tracks | None) -> Tensor:
        r"""The same by matrices of a track."""
        source, target = self._ends(x)
        if tracks is not None and tracks.regular:  # frames and channels are one dimension
            shape = (tracks.num_tracks, tracks.length, *source.shape[1:])
            source, target = (
                end.view(shape).permute(0, 2, 3, 1, 4).flatten(3) for end in (source, target)
            )
            score = source @ target.mT / source.size(-1)
        else:
            score = track_mean(source @ target.mT, tracks) / source.size(-1)
        if self.alpha is not None:
            matrices = self.adjacency + self.alpha * score.tanh()
        else:
            matrices = self.adjacency + self.initial + score.softmax(dim=-2)
        # A row for each target and relation, so that the sums of a node are behind one another.
        rows = matrices.permute(0, 3, 1, 2).flatten(1, 2)
        sums = (to_frames(rows, tracks, x.size(0)) @ x).view(*x.shape[:2], -1)
        return self._map(sums)

    def _map(self, sums: Tensor) -> Tensor:
        r"""Maps the sums of all relations, behind one another."""
        weight, bias = _joined(self.lin, dim=1)
        return node_linear(sums, weight, bias.view(self.num_relations, -1).sum(0))

    def _ends(self, x: Tensor) -> tuple[Tensor, Tensor]:
        r"""Returns what is compared of sources and targets, :math:`(F, R, |\mathcal{V}|, C)`."""
        source, target = (
            node_linear(x, *_joined(lins))
            .view(*x.shape[:2], self.num_relations, -1)
            .transpose(1, 2)
            for lins in (self.theta, self.phi)
        )
        return source, target

    def __repr__(self) -> str:
        return (
            f"{self.__class__.__name__}({self.in_channels}, {self.out_channels}, "
            f"num_relations={self.num_relations}, score={self.score!r})"
        )


def _joined(lins: ModuleList, dim: int = 0) -> tuple[Tensor, Tensor]:
    r"""Returns the weights and the biases of linear maps as those of one."""
    weights = [lin.weight for lin in lins]
    biases = [lin.bias for lin in lins]
    return torch.cat(weights, dim), torch.cat(biases)  # type: ignore[arg-type]
