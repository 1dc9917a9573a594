r"""Graph convolution over typed, weighted edges."""

import math
from typing import Any, Optional, Union

import torch
from torch import Tensor
from torch.nn import Parameter
from torch.nn.parameter import is_lazy
from torch_geometric.typing import Adj, OptPairTensor, OptTensor, Size

from pyg_vision._checks import check_channels, check_int
from pyg_vision._validation import validation_enabled
from pyg_vision.nn.conv.fusible_conv import FusibleConv
from pyg_vision.nn.conv.relation_plan import RelationGroup, RelationPlan, whole_group
from pyg_vision.nn.layers.lazy_weight import LazyWeight
from pyg_vision.nn.layers.linear_map import node_linear
from pyg_vision.ops import relation_sum, typed_sum


class SpatialGraphConv(FusibleConv, LazyWeight):
    r"""The spatial graph convolution from the `"Spatial Temporal Graph Convolutional Networks for
    Skeleton-Based Action Recognition" <https://arxiv.org/abs/1801.07455>`_ paper, over edges typed
    in the manner of the `"Modeling Relational Data with Graph Convolutional Networks"
    <https://arxiv.org/abs/1703.06103>`_ paper.

    .. math::
        \mathbf{x}^{\prime}_i = \sum_{r = 0}^{R - 1} \sum_{j \in \mathcal{N}_r(i)} w_{ji} \,
        (\mathbf{x}_j \mathbf{W}_r + \mathbf{b}_r)

    The bias is inside the message, as published. With unit weights and no bias this is
    :class:`torch_geometric.nn.RGCNConv` with :obj:`aggr="sum"`, :obj:`root_weight=False` and
    :obj:`bias=False`; :func:`~pyg_vision.data.skeleton_graph` gives the edges of a skeleton.

    Features :math:`(B, |\mathcal{V}|, C)` are many signals over the one graph that the edges
    describe, such as the frames of a skeleton; its structure is used, not replicated.

    Args:
        in_channels (int): Size of each input, :obj:`-1` to take it from the first input.
        out_channels (int): Size of each output.
        num_relations (int): The number of relations :math:`R`.
        aggr (str, optional): How messages of all relations together are aggregated, by the name
            of a PyG aggregation. (default: :obj:`"add"`)
        bias (bool, optional): Whether messages have a bias. (default: :obj:`True`)
        **kwargs (optional): Additional arguments of
            :class:`torch_geometric.nn.conv.MessagePassing`.

    Shapes:
        - **input:** node features :math:`(|\mathcal{V}|, C_{in})` or
          :math:`(B, |\mathcal{V}|, C_{in})`, or those of sources and destinations as a pair;
          edges :math:`(2, |\mathcal{E}|)`, their types :math:`(|\mathcal{E}|)` and weights
          :math:`(|\mathcal{E}|)` *(optional)*
        - **output:** node features :math:`(|\mathcal{V}|, C_{out})` or
          :math:`(B, |\mathcal{V}|, C_{out})`

    Raises:
        TypeError: If a size is no integer; when called, if edges are no :obj:`edge_index` or types
            no integers.
        ValueError: If a size is not positive or :obj:`flow` is reversed; when called, if shapes do
            not fit or a type is out of range.

    Example:
        >>> import torch
        >>> from pyg_vision.data import skeleton_graph
        >>> from pyg_vision.nn import SpatialGraphConv
        >>> graph = skeleton_graph("coco", dtype=torch.float)
        >>> conv = SpatialGraphConv(3, 64, num_relations=3)
        >>> x = torch.randn(30, 17, 3)  # 30 frames of 17 joints
        >>> conv(x, graph.edge_index, graph.edge_type, graph.edge_weight).shape
        torch.Size([30, 17, 64])
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        num_relations: int,
        aggr: str = "add",
        bias: bool = True,
        **kwargs: Any,
    ) -> None:
        if kwargs.get("flow", "source_to_target") != "source_to_target":
            raise ValueError("typed edges run from source to target; flip 'edge_index' instead")
        super().__init__(aggr=aggr, **kwargs)
        self.in_channels = check_channels(in_channels)
        self.out_channels = check_int("out_channels", out_channels)
        self.num_relations = check_int("num_relations", num_relations)
        if in_channels > 0:
            self.weight = Parameter(torch.empty(num_relations, in_channels, out_channels))
        else:
            self.wait_for_channels()
        if bias:
            self.bias = Parameter(torch.empty(num_relations, out_channels))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    fused_aggr = ("add", "sum")

    def reset_parameters(self) -> None:
        r"""Resets all learnable parameters of the module, as published: those of a convolution."""
        super().reset_parameters()
        if is_lazy(self.weight):
            return
        bound = 1 / math.sqrt(self.in_channels)
        torch.nn.init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            torch.nn.init.uniform_(self.bias, -bound, bound)

    def materialize(self, in_channels: int) -> None:
        r"""Gives lazy parameters their size."""
        if is_lazy(self.weight):
            self.in_channels = in_channels
            self.weight.materialize((self.num_relations, in_channels, self.out_channels))
            self.reset_parameters()
            super().materialize(in_channels)

    def channels_of(self, weight: Tensor) -> int:
        r"""Returns the input channels of a weight."""
        return weight.size(1)

    def forward(
        self,
        x: Union[Tensor, OptPairTensor],
        edge_index: Adj,
        edge_type: Tensor,
        edge_weight: OptTensor = None,
        size: Size = None,
        plan: Optional[RelationPlan] = None,
    ) -> Tensor:
        r"""Runs the layer.

        Args:
            x (torch.Tensor or (torch.Tensor, torch.Tensor)): The node features; of a pair only
                the number of destinations matters, which may be :obj:`None` if :obj:`size` is
                given.
            edge_index (torch.Tensor): The edges.
            edge_type (torch.Tensor): The relation of each edge.
            edge_weight (torch.Tensor, optional): The weight of each edge. (default: :obj:`None`)
            size ((int, int), optional): The number of sources and destinations.
                (default: :obj:`None`)
            plan (RelationPlan, optional): The plan of these edges, so that only nodes which
                are sources of a relation are transformed for it. (default: :obj:`None`)
        """
        source, num_targets = self._ends(x, size)
        self._check(source, edge_index, edge_type, edge_weight, num_targets, plan)
        if self.fusible:
            return self._fused(source, edge_index, edge_type, edge_weight, num_targets, plan)
        # Each relation of a node is a node of its own, so that a message is one row.
        relation = torch.matmul(source.unsqueeze(-3), self.weight)
        if self.bias is not None:
            relation = relation + self.bias.unsqueeze(-2)
        relation = relation.transpose(-3, -2).flatten(-3, -2)
        column = edge_index[0] * self.num_relations + edge_type
        # propagate_type: (x: OptPairTensor, edge_weight: OptTensor)
        return self.propagate(  # type: ignore[operator]
            torch.stack((column, edge_index[1])),
            x=(relation, None),
            edge_weight=edge_weight,
            size=(relation.size(-2), num_targets),
        )

    def message(self, x_j: Tensor, edge_weight: OptTensor) -> Tensor:
        r"""The transformed neighbour, weighted."""
        return x_j if edge_weight is None else edge_weight.to(x_j.dtype).unsqueeze(-1) * x_j

    def _fused(
        self,
        x: Tensor,
        edge_index: Tensor,
        edge_type: Tensor,
        edge_weight: OptTensor,
        num_targets: int,
        plan: Optional[RelationPlan],
    ) -> Tensor:
        r"""Aggregates whichever has fewer channels, the input or the output.

        Sums over edges cost more than their share of multiplications: they are small products,
        bound by memory.
        """
        if plan is not None and plan.complete and num_targets == plan.num_nodes:
            return self._by_matrices(x, edge_weight, num_targets)
        if self.in_channels < self.out_channels:
            return self._aggregate_first(x, edge_index, edge_type, edge_weight, num_targets)
        if plan is None:
            groups = [whole_group(edge_index, edge_type, self.num_relations)]
        else:
            groups = plan.groups
        out: Optional[Tensor] = None
        for group in groups:
            h = self._transform(x, group)
            weight = edge_weight
            if weight is not None and group.edges is not None:
                weight = weight.index_select(0, group.edges)
            out = typed_sum(h, group.column, group.target, weight, num_targets, out)
        if out is None:  # no edges at all
            return x.new_zeros(*x.shape[:-2], num_targets, self.out_channels)
        return out

    def _transform(self, x: Tensor, group: RelationGroup) -> Tensor:
        r"""Returns a row for each source and relation of a group."""
        weight: Tensor = self.weight
        bias: OptTensor = self.bias
        if len(group.relations) < self.num_relations:
            weight = torch.stack([self.weight[r] for r in group.relations])
            bias = None if bias is None else torch.stack([bias[r] for r in group.relations])
        if group.sources is not None:
            x = x.index_select(-2, group.sources)
        flat = None if bias is None else bias.flatten()
        h = node_linear(x, weight.transpose(1, 2).flatten(0, 1), flat)
        return h.view(*h.shape[:-2], h.size(-2) * len(group.relations), self.out_channels)

    def _by_matrices(self, x: Tensor, edge_weight: OptTensor, num_nodes: int) -> Tensor:
        r"""Aggregates by products with the weights of a complete graph, as matrices."""
        relations, shape = self.num_relations, (self.num_relations, num_nodes, num_nodes)
        if edge_weight is None:
            edge_weight = x.new_ones(shape)
        matrices = edge_weight.to(x.dtype).view(shape)
        if self.in_channels < self.out_channels:
            rows = matrices.permute(2, 0, 1).reshape(num_nodes * relations, num_nodes)
            h = (rows @ x).view(*x.shape[:-1], relations * self.in_channels)
            out = node_linear(h, self.weight.flatten(0, 1).t())
            return out if self.bias is None else out + matrices.sum(1).t() @ self.bias
        flat = None if self.bias is None else self.bias.flatten()
        h = node_linear(x, self.weight.transpose(1, 2).flatten(0, 1), flat)
        h = h.view(*x.shape[:-2], num_nodes * relations, self.out_channels)
        return matrices.permute(2, 1, 0).reshape(num_nodes, num_nodes * relations) @ h

    def _aggregate_first(
        self,
        x: Tensor,
        edge_index: Tensor,
        edge_type: Tensor,
        edge_weight: OptTensor,
        num_targets: int,
    ) -> Tensor:
        edges = (edge_index, edge_type, edge_weight, self.num_relations, num_targets)
        out = node_linear(relation_sum(x, *edges).flatten(-2), self.weight.flatten(0, 1).t())
        if self.bias is None:
            return out
        degree = relation_sum(x.new_ones(x.size(-2), 1), *edges).squeeze(-1)
        return out + degree @ self.bias

    def _ends(self, x: Union[Tensor, OptPairTensor], size: Size) -> tuple[Tensor, int]:
        r"""Returns the features of the sources and the number of destinations."""
        source, target = (x, x) if isinstance(x, Tensor) else (x[0], x[1])
        if not isinstance(source, Tensor) or source.dim() < 2:
            raise ValueError(
                f"'x' must be node features [nodes, {self.in_channels}], or a pair of them"
            )
        if source.size(-1) != self.in_channels:
            raise ValueError(
                f"'x' must have in_channels={self.in_channels} features (got shape "
                f"{list(source.shape)})"
            )
        if target is None and size is None:
            raise ValueError("where 'x' has no destinations, 'size' must tell how many there are")
        if size is not None and size[0] != source.size(-2):
            raise ValueError(f"'size' must fit {source.size(-2)} sources (got {tuple(size)})")
        if target is None:
            return source, size[1]
        if size is not None and size[1] != target.size(-2):
            raise ValueError(f"'size' must fit {target.size(-2)} destinations (got {tuple(size)})")
        return source, target.size(-2)

    def _check(
        self,
        x: Tensor,
        edge_index: Adj,
        edge_type: Tensor,
        edge_weight: OptTensor,
        num_targets: int,
        plan: Optional[RelationPlan],
    ) -> None:
        if not isinstance(edge_index, Tensor) or edge_index.layout != torch.strided:
            raise TypeError(
                "typed edges need an 'edge_index' [2, edges] beside their 'edge_type'; a sparse "
                "matrix tells no types"
            )
        num_edges = edge_index.size(-1)
        if edge_index.dim() != 2 or edge_index.size(0) != 2:
            raise ValueError(f"'edge_index' must be [2, edges] (got {list(edge_index.shape)})")
        if edge_type.is_floating_point() or edge_index.is_floating_point():
            raise TypeError(
                f"'edge_index' and 'edge_type' must be integers (got {edge_index.dtype} and "
                f"{edge_type.dtype})"
            )
        if edge_type.shape != (num_edges,):
            raise ValueError(
                f"'edge_type' must have one entry for each of {num_edges} edges (got shape "
                f"{list(edge_type.shape)})"
            )
        if edge_weight is not None and edge_weight.shape != (num_edges,):
            raise ValueError(
                f"'edge_weight' must have one entry for each of {num_edges} edges (got shape "
                f"{list(edge_weight.shape)})"
            )
        if plan is not None:
            self._check_plan(plan, x, edge_index, edge_type)
        if num_edges == 0 or not validation_enabled(x):
            return
        ranges: list[tuple[str, Tensor, int]] = [
            ("edge_type", edge_type, self.num_relations),
            ("the sources of 'edge_index'", edge_index[0], x.size(-2)),
            ("the destinations of 'edge_index'", edge_index[1], num_targets),
        ]
        for name, value, end in ranges:
            low, high = int(value.min()), int(value.max())
            if low < 0 or high >= end:
                raise ValueError(f"{name} must lie in 0 … {end - 1} (got {low} … {high})")

    def _check_plan(
        self, plan: RelationPlan, x: Tensor, edge_index: Tensor, edge_type: Tensor
    ) -> None:
        planned = (plan.num_nodes, plan.edge_type.numel(), plan.num_relations)
        found = (x.size(-2), edge_type.numel(), self.num_relations)
        if planned != found:
            raise ValueError(
                f"'plan' is for {planned[0]} nodes, {planned[1]} edges and {planned[2]} relations "
                f"(got {found[0]}, {found[1]} and {found[2]})"
            )
        if validation_enabled(x) and not (
            torch.equal(plan.edge_index, edge_index) and torch.equal(plan.edge_type, edge_type)
        ):
            raise ValueError("'plan' is for other edges, or for these in another order")

    def __repr__(self) -> str:
        aggr = "" if self.aggr in self.fused_aggr else f", aggr={self.aggr}"
        return (
            f"{self.__class__.__name__}({self.in_channels}, {self.out_channels}, "
            f"num_relations={self.num_relations}{aggr})"
        )
