r"""What the convolutions of this package share."""

from typing import Any, Optional, Union

import torch
from torch import Tensor
from torch_geometric.typing import Adj, PairTensor, Size

from pyg_vision._checks import check_channels, check_int
from pyg_vision.nn.conv.fusible_conv import FusibleConv
from pyg_vision.nn.layers.mlp import NodeMLP, reset_mlp
from pyg_vision.ops import NeighborTable
from pyg_vision.ops.adjacency import fit_table, to_edge_index


class NeighborConv(FusibleConv):
    r"""A layer with a fast path that also takes tables.

    A subclass says in :meth:`message` what a neighbour tells, and in :meth:`forward` what becomes
    of a node and of what its :meth:`neighborhood` tells.
    """

    fused_aggr = ("max",)

    def __init__(
        self, in_channels: Union[int, tuple[int, int]], out_channels: int, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if isinstance(in_channels, (tuple, list)):
            if in_channels[0] != in_channels[1]:
                raise ValueError(
                    f"{type(self).__name__} relates sources to destinations channel by channel; "
                    f"both need the same 'in_channels' (got {tuple(in_channels)})"
                )
            in_channels = in_channels[0]
        self.in_channels = check_channels(in_channels)
        self.out_channels = check_int("out_channels", out_channels)
        self.both_channels = 2 * in_channels if in_channels > 0 else -1
        # What a message is made of: one of both ends of its edge.
        self._ends = self.inspector.get_param_names("message")

    def reset_parameters(self) -> None:
        r"""Resets all learnable parameters of the module."""
        super().reset_parameters()
        for layer in self.children():
            if isinstance(layer, NodeMLP):
                reset_mlp(layer)

    def neighborhood(
        self,
        x: Union[Tensor, PairTensor],
        edge_index: Union[Adj, NeighborTable],
        size: Size = None,
    ) -> PairTensor:
        r"""Returns the features of the destinations, and the messages aggregated at each.

        Args:
            x (torch.Tensor or (torch.Tensor, torch.Tensor)): The node features.
            edge_index (Adj or NeighborTable): The graph.
            size ((int, int), optional): The number of sources and destinations.
        """
        pair = self.read(x, edge_index, size)
        out = self.fused(pair, edge_index) if self.fusible else None
        if out is None:
            # propagate_type: (x: PairTensor)
            out = self.propagate(self.edges(edge_index), x=self.spread(pair, edge_index), size=size)
        return pair[1], out.view(*pair[1].shape[:-1], out.size(-1))

    def fused(self, x: PairTensor, graph: Union[Adj, NeighborTable]) -> Optional[Tensor]:
        r"""Aggregates messages without propagating them, or returns :obj:`None` if it cannot.

        Args:
            x (tuple): The features of sources and destinations.
            graph (Adj or NeighborTable): The graph.
        """
        if not isinstance(graph, NeighborTable):
            return None
        table = fit_table(graph, *x)
        # The order of the edges is that of propagate, so that a layer sees the same messages.
        flat = table.flatten().index.reshape(-1)
        if table.index.dim() == 2:  # of one graph, or static: the same edges for every signal
            x_j = x[0].index_select(-2, flat)
        else:
            x_j = x[0].flatten(0, 1).index_select(0, flat).view(x[0].size(0), -1, x[0].size(-1))
        x_i = x[1].unsqueeze(-2).expand(*x[1].shape[:-1], table.k, -1).flatten(-3, -2)
        ends = {"x_i": x_i, "x_j": x_j}
        edges = self.message(**{name: ends[name] for name in self._ends})
        edges = edges.view(*edges.shape[:-2], -1, table.k, edges.size(-1))
        return edges.max(dim=-2).values if self.aggr == "max" else edges.sum(dim=-2)

    def read(
        self, x: Union[Tensor, PairTensor], graph: Union[Adj, NeighborTable], size: Size
    ) -> PairTensor:
        r"""Returns features of sources and destinations, after checking that all of it fits."""
        pair = (x, x) if isinstance(x, Tensor) else x
        if (
            not isinstance(pair, (tuple, list))
            or len(pair) != 2
            or not all(isinstance(part, Tensor) for part in pair)
        ):
            parts = pair if isinstance(pair, (tuple, list)) else [pair]
            found = [type(part).__name__ for part in parts]
            raise TypeError(
                f"'x' must be a tensor or a pair of tensors, of sources and destinations "
                f"(got {found})"
            )
        for i, part in enumerate(pair):
            self._check_features("x" if isinstance(x, Tensor) else f"x[{i}]", part)
        if pair[0].shape[:-2] != pair[1].shape[:-2] or pair[0].size(-1) != pair[1].size(-1):
            raise ValueError(
                f"'x[0]' and 'x[1]' must agree in channels and number of graphs (got shapes "
                f"{list(pair[0].shape)} and {list(pair[1].shape)})"
            )
        self._check_size(size, (pair[0].size(-2), pair[1].size(-2)))
        if not isinstance(graph, NeighborTable):
            to_edge_index(graph)  # raises if it is no graph
        return pair[0], pair[1]

    def _check_features(self, name: str, x: Tensor) -> None:
        if not x.is_floating_point():
            raise TypeError(f"'{name}' must hold floating-point features (got {x.dtype})")
        if x.dim() not in (2, 3) or x.size(-1) == 0:
            raise ValueError(
                f"'{name}' must be node features [nodes, channels] or [graphs, nodes, channels] "
                f"(got shape {list(x.shape)})"
            )
        if self.in_channels < 0:
            self.in_channels = x.size(-1)  # as the layers inside
        if x.size(-1) != self.in_channels:
            raise ValueError(
                f"'{name}' must have in_channels={self.in_channels} features (got shape "
                f"{list(x.shape)})"
            )

    def _check_size(self, size: Size, found: tuple[int, int]) -> None:
        if size is None:
            return
        if isinstance(size, Tensor) or not isinstance(size, (tuple, list)) or len(size) != 2:
            what = f"tensor of shape {list(size.shape)}" if isinstance(size, Tensor) else repr(size)
            raise TypeError(
                f"'size' must be two integers, the numbers of sources and destinations; "
                f"{type(self).__name__} takes no edge weights (got a {what[:80]})"
            )
        if tuple(size) != found:
            raise ValueError(f"'size' must be {found} for these features (got {tuple(size)})")

    def edges(self, graph: Union[Adj, NeighborTable]) -> Adj:
        r"""Returns a graph in a form that :meth:`propagate` takes."""
        if not isinstance(graph, NeighborTable):
            if isinstance(graph, Tensor) and graph.layout == torch.sparse_csc:
                return graph.to_sparse_csr()  # the one layout that PyG does not read
            if isinstance(graph, Tensor) and graph.layout == torch.sparse_coo:
                return graph.coalesce()
            return graph
        if self.flow != "source_to_target" and graph.index.size(-2) != graph.num_sources:
            raise ValueError(
                f"a table of shape {list(graph.index.shape)} over {graph.num_sources} sources "
                f"needs flow='source_to_target' (got '{self.flow}')"
            )
        edge_index = to_edge_index(graph)
        return edge_index if self.flow == "source_to_target" else edge_index.flip(0)

    def spread(self, x: PairTensor, graph: Union[Adj, NeighborTable]) -> PairTensor:
        r"""Brings batches of :math:`(B, N, C)` to one graph where the edges name all nodes."""
        if isinstance(graph, NeighborTable) and graph.index.dim() == 3 and x[0].dim() == 3:
            return x[0].flatten(0, 1), x[1].flatten(0, 1)
        return x

    def __repr__(self) -> str:
        aggr = "" if self.aggr in self.fused_aggr else f", aggr={self.aggr}"
        return f"{self.__class__.__name__}({self.in_channels}, {self.out_channels}{aggr})"
