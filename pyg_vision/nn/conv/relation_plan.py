r"""Which nodes a relation needs transformed: reasoned once for a graph, then only applied."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import Module

# Relations with at least this share of all nodes as sources are transformed together for all
# nodes: to gather almost all of them costs more than it saves.
WHOLE = 0.75


class RelationGroup(NamedTuple):
    r"""Relations that are transformed together.

    Args:
        relations (tuple): Which relations.
        sources (torch.Tensor): The nodes they start from, :obj:`None` for all.
        edges (torch.Tensor): Which edges are theirs, :obj:`None` for all.
        column (torch.Tensor): What each edge takes: the position of its source, times the number
            of relations, plus the position of its relation.
        target (torch.Tensor): Where each edge ends.

    Example:
        >>> from pyg_vision.data import skeleton_graph
        >>> from pyg_vision.nn import RelationPlan
        >>> graph = skeleton_graph("coco")
        >>> plan = RelationPlan(graph.edge_index, graph.edge_type, num_relations=3, num_nodes=17)
        >>> sorted(relation for group in plan.groups for relation in group.relations)
        [0, 1, 2]
    """

    relations: tuple[int, ...]
    sources: Tensor | None
    edges: Tensor | None
    column: Tensor
    target: Tensor


class RelationPlan(Module):
    r"""Tells which nodes are sources of which relation, for graphs whose edges stay the same.

    Of a skeleton partitioned in the manner of ST-GCN, hardly a quarter of the joints are sources
    of the last relation; only those need its linear map. Reading the edges waits for the device, so
    a plan is made once and kept. It is a module without state, so that a model takes it along to
    another device.

    Args:
        edge_index (torch.Tensor): The edges :math:`(2, |\mathcal{E}|)`.
        edge_type (torch.Tensor): The relation of each edge :math:`(|\mathcal{E}|)`.
        num_relations (int): The number of relations.
        num_nodes (int): The number of sources.

    Attributes:
        complete (bool): Whether all nodes are joined by all relations, sorted by relation, source
            and destination, so that weights of edges are matrices.

    Example:
        >>> import torch
        >>> from pyg_vision.data import skeleton_graph
        >>> from pyg_vision.nn import RelationPlan, SpatialGraphConv
        >>> graph = skeleton_graph("coco")
        >>> plan = RelationPlan(graph.edge_index, graph.edge_type, num_relations=3, num_nodes=17)
        >>> conv = SpatialGraphConv(3, 64, num_relations=3)
        >>> conv(torch.randn(17, 3), graph.edge_index, graph.edge_type, plan=plan).shape
        torch.Size([17, 64])
    """

    edge_index: Tensor
    edge_type: Tensor

    def __init__(
        self, edge_index: Tensor, edge_type: Tensor, num_relations: int, num_nodes: int
    ) -> None:
        super().__init__()
        self.num_relations = num_relations
        self.num_nodes = num_nodes
        self.complete = _is_complete(edge_index, edge_type, num_relations, num_nodes)
        self.register_buffer("edge_index", edge_index, persistent=False)
        self.register_buffer("edge_type", edge_type, persistent=False)
        sources = [
            torch.unique(edge_index[0, edge_type == relation]) for relation in range(num_relations)
        ]
        whole = [r for r in range(num_relations) if sources[r].numel() >= WHOLE * num_nodes]
        few = [r for r in range(num_relations) if 0 < sources[r].numel() < WHOLE * num_nodes]
        self._relations = [tuple(whole)] if whole else []
        self._relations += [(r,) for r in few]
        for number, relations in enumerate(self._relations):
            only = None if relations[0] in whole else sources[relations[0]]
            group = _group(edge_index, edge_type, relations, only, num_nodes)
            for name in RelationGroup._fields[1:]:
                self.register_buffer(f"{name}_{number}", getattr(group, name), persistent=False)

    @property
    def groups(self) -> list[RelationGroup]:
        r"""The groups of relations."""
        return [
            RelationGroup(
                relations,
                *(
                    getattr(self, f"{name}_{i}")
                    for name in ("sources", "edges", "column", "target")
                ),
            )
            for i, relations in enumerate(self._relations)
        ]


def complete_plan(num_relations: int, num_nodes: int) -> RelationPlan:
    r"""Returns the plan of a graph in which all nodes are joined by all relations.

    Args:
        num_relations (int): The number of relations.
        num_nodes (int): The number of nodes.
    """
    everything = torch.ones(num_relations, num_nodes, num_nodes, device="cpu")
    edge_type, source, target = everything.nonzero().unbind(1)
    return RelationPlan(torch.stack((source, target)), edge_type, num_relations, num_nodes)


def _is_complete(edge_index: Tensor, edge_type: Tensor, num_relations: int, num_nodes: int) -> bool:
    r"""Whether all nodes are joined by all relations, in the order of matrices."""
    if edge_type.numel() != num_relations * num_nodes**2:
        return False
    number = (edge_type * num_nodes + edge_index[0]) * num_nodes + edge_index[1]
    return torch.equal(number, torch.arange(number.numel(), device=number.device))


def whole_group(edge_index: Tensor, edge_type: Tensor, num_relations: int) -> RelationGroup:
    r"""Returns all relations as one group, which needs no look at the edges.

    Args:
        edge_index (torch.Tensor): The edges.
        edge_type (torch.Tensor): The relation of each edge.
        num_relations (int): The number of relations.
    """
    column = edge_index[0] * num_relations + edge_type
    return RelationGroup(tuple(range(num_relations)), None, None, column, edge_index[1])


def _group(
    edge_index: Tensor,
    edge_type: Tensor,
    relations: tuple[int, ...],
    sources: Tensor | None,
    num_nodes: int,
) -> RelationGroup:
    device = edge_index.device
    wanted = torch.tensor(relations, device=device)
    edges = torch.isin(edge_type, wanted).nonzero().flatten()
    position = torch.arange(num_nodes, device=device)
    if sources is not None:
        position = torch.zeros_like(position)
        position[sources] = torch.arange(sources.numel(), device=device)
    place = torch.zeros(max(relations) + 1, dtype=torch.long, device=device)
    place[wanted] = torch.arange(len(relations), device=device)
    column = position[edge_index[0, edges]] * len(relations) + place[edge_type[edges]]
    return RelationGroup(relations, sources, edges, column, edge_index[1, edges])
