r"""Edges to the nearest neighbours."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor
from torch_geometric.data import Batch, Data
from torch_geometric.data.datapipes import functional_transform
from torch_geometric.transforms import BaseTransform

from pyg_vision._checks import check_int
from pyg_vision.ops import knn_graph

_EDGE_ATTRIBUTES = ("edge_attr", "edge_weight", "edge_type")


@functional_transform("knn_edges")
class KNNEdges(BaseTransform):
    r"""Joins each node to the nodes with the most similar features or positions, in place of
    the edges there were (functional name: :obj:`knn_edges`).

    It works on a single graph, on a :class:`~torch_geometric.data.Batch`, and on any graph with a
    :obj:`batch` or :obj:`ptr`; neighbours are those of the same graph. Afterwards
    :meth:`~torch_geometric.data.Batch.get_example` returns each graph of a batch with its own
    edges. See :func:`~pyg_vision.ops.knn_graph`, which finds the neighbours; it needs no compiled
    extension, unlike :class:`torch_geometric.transforms.KNNGraph`.

    Args:
        k (int): The number of neighbours.
        attr (str, optional): The node attribute in which nodes are near, such as :obj:`"x"` or
            :obj:`"pos"`. (default: :obj:`"x"`)
        loop (bool, optional): Whether a node is its own (first) neighbour.
            (default: :obj:`False`)
        flow (str, optional): The direction of edges: with :obj:`"source_to_target"` they point
            from the neighbours to the node. (default: :obj:`"source_to_target"`)
        cosine (bool, optional): Whether to use the cosine instead of the Euclidean distance.
            (default: :obj:`False`)
        backend (str, optional): Who searches: :obj:`"torch"`, :obj:`"torch_cluster"` or
            :obj:`"auto"`. (default: :obj:`"auto"`)

    Raises:
        TypeError: If :obj:`k` is no integer; when called, if the attribute is no tensor.
        ValueError: If :obj:`k` is smaller than one; when called, if the attribute is missing or
            has no row for each node.

    Example:
        >>> import torch
        >>> from torch_geometric.data import Data
        >>> from pyg_vision.transforms import KNNEdges
        >>> data = KNNEdges(k=6)(Data(x=torch.randn(100, 16)))
        >>> data.edge_index.shape
        torch.Size([2, 600])
    """

    def __init__(
        self,
        k: int,
        attr: str = "x",
        loop: bool = False,
        flow: Literal["source_to_target", "target_to_source"] = "source_to_target",
        cosine: bool = False,
        backend: Literal["auto", "torch", "torch_cluster"] = "auto",
    ) -> None:
        self.k = check_int("k", k)
        self.attr = attr
        self.loop = loop
        self.flow = flow
        self.cosine = cosine
        self.backend = backend

    def forward(self, data: Data) -> Data:
        r"""Sets :obj:`edge_index`."""
        x = self._read(data)
        batch = _graph_of_node(data)
        data.edge_index = knn_graph(
            x,
            self.k,
            batch,
            loop=self.loop,
            flow=self.flow,
            cosine=self.cosine,
            batch_size=data.num_graphs if isinstance(data, Batch) else None,
            backend=self.backend,
        )
        for name in _EDGE_ATTRIBUTES:  # they belonged to the edges that are gone
            if name in data:
                del data[name]
        if isinstance(data, Batch):
            self._register(data)
        return data

    def _read(self, data: Data) -> Tensor:
        value = data[self.attr] if self.attr in data else None
        if value is None:
            raise ValueError(
                f"the graph has no '{self.attr}' (got the attributes {sorted(data.keys())})"
            )
        if not isinstance(value, Tensor):
            raise TypeError(f"'{self.attr}' must be a tensor (got '{type(value).__name__}')")
        if value.size(0) != data.num_nodes:
            raise ValueError(
                f"'{self.attr}' must have a row for each of {data.num_nodes} nodes (got shape "
                f"{list(value.shape)})"
            )
        return value.view(-1, 1) if value.dim() == 1 else value

    def _register(self, batch: Batch) -> None:
        r"""Tells the batch which edges are whose; else it would lose them when taken apart."""
        if batch._slice_dict is None or batch._inc_dict is None:
            return
        target = batch.edge_index[1 if self.flow == "source_to_target" else 0]
        counts = torch.bincount(batch.batch[target], minlength=batch.num_graphs).cpu()
        zero = counts.new_zeros(1)
        batch._slice_dict = {**batch._slice_dict, "edge_index": torch.cat([zero, counts.cumsum(0)])}
        batch._inc_dict = {**batch._inc_dict, "edge_index": batch.ptr[:-1].cpu()}

    def __repr__(self) -> str:
        return f"{self.__class__.__name__}(k={self.k}, attr={self.attr!r}, loop={self.loop})"


def _graph_of_node(data: Data) -> Tensor | None:
    r"""Returns the graph of each node, if :obj:`data` holds several."""
    batch = data["batch"] if "batch" in data else None
    ptr = data["ptr"] if "ptr" in data else None
    if batch is not None or ptr is None:
        return batch
    counts = ptr.diff()
    return torch.arange(counts.numel(), device=ptr.device).repeat_interleave(counts)
