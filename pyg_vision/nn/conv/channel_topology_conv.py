r"""Graph convolution with a graph for each channel."""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor
from torch.nn import Linear, Module, ModuleList, Parameter

from pyg_vision._checks import check_int
from pyg_vision.data.tracks import Tracks
from pyg_vision.nn.conv.frame_graph_conv import FrameGraphConv
from pyg_vision.nn.conv.track_products import channels_first, frame_products, map_tracks
from pyg_vision.nn.layers.linear_map import node_linear
from pyg_vision.nn.layers.track_means import track_mean


class ChannelTopology(Module):
    r"""The linear maps of one relation of a :class:`ChannelTopologyConv`.

    Args:
        in_channels (int): Size of each input.
        mid_channels (int): Size of what sources and targets are compared by.
        out_channels (int): Size of each output.
    """

    def __init__(self, in_channels: int, mid_channels: int, out_channels: int) -> None:
        super().__init__()
        self.source = Linear(in_channels, mid_channels)
        self.target = Linear(in_channels, mid_channels)
        self.value = Linear(in_channels, out_channels)
        self.spread = Linear(mid_channels, out_channels)


class ChannelTopologyConv(FrameGraphConv):
    r"""The graph convolution from the `"Channel-wise Topology Refinement Graph Convolution for
    Skeleton-Based Action Recognition" <https://arxiv.org/abs/2107.12213>`_ paper.

    .. math::
        \mathbf{x}^{\prime}_{i,t} &= \sum_r \sum_{j \in \mathcal{N}(i)} \mathbf{w}^{(r)}_{ji} \odot
        (\mathbf{x}_{j,t} \mathbf{V}_r + \mathbf{b}_r) \\
        \mathbf{w}^{(r)}_{ji} &= A^{(r)}_{ji} + \alpha \, \xi_r \Big( \tanh \big( \textstyle
        \frac{1}{T} \sum_t \phi_r(\mathbf{x}_{j,t}) - \frac{1}{T} \sum_t \psi_r(\mathbf{x}_{i,t})
        \big) \Big)

    with linear maps :math:`\phi`, :math:`\psi` to :obj:`mid_channels` and :math:`\xi` to all
    channels, and learned :math:`A` and :math:`\alpha`.

    Args:
        in_channels (int): Size of each input.
        out_channels (int): Size of each output.
        adjacency (torch.Tensor): The weights :math:`(R, |\mathcal{V}|, |\mathcal{V}|)` from row to
            column that learning begins with; with :obj:`edge_index`, :math:`(R, |\mathcal{E}|)`.
        mid_channels (int, optional): What sources and targets are compared by.
            (default: an eighth of :obj:`in_channels`, but 8 up to 16 of them)
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
        >>> from pyg_vision.data import Tracks, adjacency_stack, skeleton_graph
        >>> from pyg_vision.nn import ChannelTopologyConv
        >>> graph = skeleton_graph("coco", "inward_outward", dtype=torch.float)
        >>> conv = ChannelTopologyConv(3, 64, adjacency_stack(graph, 3, num_joints=17))
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
        edge_index: Tensor | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(adjacency, edge_index, **kwargs)
        self.in_channels = check_int("in_channels", in_channels)
        self.out_channels = check_int("out_channels", out_channels)
        if mid_channels is None:
            mid_channels = 8 if in_channels <= 16 else in_channels // 8
        self.mid_channels = check_int("mid_channels", mid_channels)
        self.topologies = ModuleList(
            ChannelTopology(in_channels, self.mid_channels, out_channels)
            for _ in range(self.num_relations)
        )
        start = adjacency.detach().clone()
        self.register_buffer("initial", start, persistent=False)
        self.adjacency = Parameter(start.clone())
        self.alpha = Parameter(torch.zeros(1))

    def reset_parameters(self) -> None:
        r"""Resets all learnable parameters of the module."""
        super().reset_parameters()
        for topology in self.topologies:
            for lin in topology.children():
                cast(Linear, lin).reset_parameters()
        with torch.no_grad():
            self.adjacency.copy_(self.initial)
            self.alpha.zero_()

    def sent(self, x: Tensor) -> Tensor:
        r"""The nodes, mapped for each relation."""
        return self._all(x, "value").transpose(1, 2)

    def edge_weights(self, x: Tensor, tracks: Tracks | None) -> Tensor:
        r"""The learned weight of each edge, and what it follows from its ends, by channel."""
        source, target = self._ends(x, tracks)
        apart = source[:, :, self.edge_index[0]] - target[:, :, self.edge_index[1]]
        return self.adjacency.flatten(1).unsqueeze(-1) + self.alpha * self._spread(apart.tanh())

    def merged(self, sums: Tensor) -> Tensor:
        r"""The sum over relations."""
        return sums.sum(dim=1)

    def by_products(self, x: Tensor, tracks: Tracks | None) -> Tensor:
        r"""The same by matrices of a track and channel."""
        matrices = self._matrices(x, tracks)  # [tracks, relations, channels, source, target]

        def run(frames: Tensor, own: Tensor) -> Tensor:
            num, length, joints, _ = frames.shape
            nodes, out = frames.flatten(1, 2), None
            for topology, graphs in zip(self.topologies, own.unbind(1), strict=True):
                lin = cast(Linear, topology.value)
                values = channels_first(nodes, lin.weight, lin.bias)
                sums = values.view(num, -1, length, joints) @ graphs
                out = sums if out is None else out + sums
            return cast(Tensor, out).permute(0, 2, 3, 1)

        out = map_tracks(run, x, matrices, tracks)
        if out is not None:
            return out.contiguous()
        # Sources with all their relations behind one another.
        values = self._all(x, "value").transpose(1, 2).flatten(1, 2)
        together = matrices.transpose(1, 2).flatten(2, 3)
        return frame_products(together, values, cast(Tracks, tracks))

    def _matrices(self, x: Tensor, tracks: Tracks | None) -> Tensor:
        r"""Returns the weights of all edges, :math:`(N, R, C, V, V)` from row to column."""
        source, target = (end.mT for end in self._ends(x, tracks))
        apart = (source.unsqueeze(-1) - target.unsqueeze(-2)).tanh()
        graphs = []
        rows = zip(apart.flatten(3).unbind(1), self.topologies, self.adjacency, strict=True)
        for compared, topology, learned in rows:
            lin = cast(Linear, topology.spread)
            spread = channels_first(compared.mT, lin.weight, lin.bias)
            spread = spread.view(-1, self.out_channels, *learned.shape)
            graphs.append(torch.addcmul(learned, spread, self.alpha.view(-1, 1, 1)))
        return torch.stack(graphs, dim=1)

    def _ends(self, x: Tensor, tracks: Tracks | None) -> tuple[Tensor, Tensor]:
        r"""Returns what is compared of the joints of a track, :math:`(N, R, V, C)`."""
        mean = track_mean(x, tracks)  # of what is mapped, which is linear
        source, target = (self._all(mean, name).transpose(1, 2) for name in ("source", "target"))
        return source, target

    def _all(self, x: Tensor, name: str) -> Tensor:
        r"""Maps nodes for all relations, :math:`(F, V, R, C)`."""
        return node_linear(x, *self._joined(name)).view(*x.shape[:2], self.num_relations, -1)

    def _joined(self, name: str) -> tuple[Tensor, Tensor]:
        r"""Returns the weights and the biases of all relations as those of one map."""
        lins = [cast(Linear, getattr(topology, name)) for topology in self.topologies]
        return torch.cat([lin.weight for lin in lins]), torch.cat([lin.bias for lin in lins])

    def _spread(self, x: Tensor) -> Tensor:
        r"""Maps what was compared to all channels, for each relation by itself."""
        parts = zip(x.unbind(1), self.topologies, strict=True)
        return torch.stack([cast(Any, topology).spread(part) for part, topology in parts], dim=1)

    def __repr__(self) -> str:
        return (
            f"{self.__class__.__name__}({self.in_channels}, {self.out_channels}, "
            f"num_relations={self.num_relations})"
        )
