r"""What the convolutions of this package share."""

from typing import Any, Union

import torch
from torch import Tensor
from torch_geometric.typing import Adj, PairTensor, Size

from pyg_vision.nn.conv.fusible_conv import FusibleConv
from pyg_vision.ops import NeighborTable
from pyg_vision.ops._adjacency import to_edge_index


class NeighborConv(FusibleConv):
    r"""A layer with a fast path that also takes tables."""

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
        for name, value in (("in_channels", in_channels), ("out_channels", out_channels)):
            if value < 1 and not (name == "in_channels" and value == -1):
                raise ValueError(f"'{name}' must be positive (got {value})")
        self.in_channels = in_channels
        self.out_channels = out_channels

    fused_aggr = ("max",)

    @staticmethod
    def check_size(size: Size, x: PairTensor) -> None:
        r"""Raises if a size that was given is not that of the features."""
        found = (x[0].size(-2), x[1].size(-2))
        if size is not None and tuple(size) != found:
            raise ValueError(f"'size' must be {found} for these features (got {tuple(size)})")

    @staticmethod
    def pair(x: Union[Tensor, PairTensor]) -> PairTensor:
        r"""Returns features of sources and destinations."""
        if isinstance(x, Tensor):
            return x, x
        if len(x) != 2 or not all(isinstance(part, Tensor) for part in x):
            found = [type(part).__name__ for part in x]
            raise TypeError(
                f"'x' must be a tensor or a pair of tensors, of sources and destinations "
                f"(got {found})"
            )
        return x[0], x[1]

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
        return f"{self.__class__.__name__}({self.in_channels}, {self.out_channels})"
