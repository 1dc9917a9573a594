r"""Which nodes a relation needs transformed: reasoned once for a graph, then only applied."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor

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
    """

    relations: tuple[int, ...]
    sources: Tensor | None
    edges: Tensor | None
    column: Tensor
    target: Tensor


class RelationPlan:
    r"""Tells which nodes are sources of which relation, for graphs whose edges stay the same.

    Of a skeleton partitioned in the manner of ST-GCN, hardly a quarter of the joints are sources
    of the last relation; only those need its linear map. Reading the edges waits for the device, so
    a plan is made once and kept.

    Args:
        edge_index (torch.Tensor): The edges :math:`(2, |\mathcal{E}|)`.
        edge_type (torch.Tensor): The relation of each edge :math:`(|\mathcal{E}|)`.
        num_relations (int): The number of relations.
        num_nodes (int): The number of sources.
    """

    def __init__(
        self, edge_index: Tensor, edge_type: Tensor, num_relations: int, num_nodes: int
    ) -> None:
        self.num_relations = num_relations
        self.num_nodes = num_nodes
        self.num_edges = edge_type.numel()
        source, target, edge_type = edge_index[0].cpu(), edge_index[1].cpu(), edge_type.cpu()
        sources = [torch.unique(source[edge_type == r]) for r in range(num_relations)]
        whole = [r for r in range(num_relations) if sources[r].numel() >= WHOLE * num_nodes]
        groups = [(tuple(whole), None)] if whole else []
        groups += [
            ((r,), sources[r])
            for r in range(num_relations)
            if r not in whole and sources[r].numel() > 0
        ]
        self.num_rows = sum(
            len(relations) * (num_nodes if nodes is None else nodes.numel())
            for relations, nodes in groups
        )
        made = [_group(source, target, edge_type, *group, num_nodes) for group in groups]
        self._groups = {torch.device("cpu"): made}

    def groups(self, device: torch.device) -> list[RelationGroup]:
        r"""Returns the groups, with their indices on a device.

        Args:
            device (torch.device): The device.
        """
        if device not in self._groups:
            self._groups[device] = [
                RelationGroup(group.relations, *(_to(value, device) for value in group[1:]))
                for group in self._groups[torch.device("cpu")]
            ]
        return self._groups[device]


def _to(value: Tensor | None, device: torch.device) -> Any:
    return None if value is None else value.to(device)


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
    source: Tensor,
    target: Tensor,
    edge_type: Tensor,
    relations: tuple[int, ...],
    sources: Tensor | None,
    num_nodes: int,
) -> RelationGroup:
    edges = torch.isin(edge_type, torch.tensor(relations)).nonzero().flatten()
    position = torch.arange(num_nodes)
    if sources is not None:
        position = torch.zeros(num_nodes, dtype=torch.long)
        position[sources] = torch.arange(sources.numel())
    place = torch.zeros(max(relations) + 1, dtype=torch.long)
    place[list(relations)] = torch.arange(len(relations))
    column = position[source[edges]] * len(relations) + place[edge_type[edges]]
    return RelationGroup(relations, sources, edges, column, target[edges])
