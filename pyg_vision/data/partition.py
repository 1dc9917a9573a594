r"""Partition strategies: the typed, weighted edges of one skeleton."""

from __future__ import annotations

from typing import NamedTuple, get_args

import torch
from torch import Tensor

from pyg_vision._checks import check_int
from pyg_vision.data.layout import SkeletonLayout
from pyg_vision.data.layouts import skeleton_layout
from pyg_vision.typing import Partition


class SkeletonGraph(NamedTuple):
    r"""The edges of one skeleton, each a :term:`typed edge`, sorted by type, source and
    destination.

    Args:
        edge_index (torch.Tensor): The edges :math:`(2, |\mathcal{E}|)`, from source to destination.
        edge_type (torch.Tensor): The relation of each edge :math:`(|\mathcal{E}|)`.
        edge_weight (torch.Tensor): The weight of each edge :math:`(|\mathcal{E}|)`, by default in
            double precision.

    Example:
        >>> from pyg_vision.data import skeleton_graph
        >>> edge_index, edge_type, edge_weight = skeleton_graph("coco")
        >>> edge_index.shape
        torch.Size([2, 49])
        >>> edge_type.unique()
        tensor([0, 1, 2])
    """

    edge_index: Tensor
    edge_type: Tensor
    edge_weight: Tensor


def skeleton_graph(
    layout: str | SkeletonLayout,
    partition: Partition = "stgcn",
    max_hop: int = 1,
    dilation: int = 1,
    dtype: torch.dtype = torch.double,
) -> SkeletonGraph:
    r"""Returns the edges of a skeleton, typed by a :term:`partition strategy` of the `"Spatial
    Temporal Graph Convolutional Networks for Skeleton-Based Action Recognition"
    <https://arxiv.org/abs/1801.07455>`_ paper.

    Two joints are connected if their distance is at most :obj:`max_hop` bones and a multiple of
    :obj:`dilation`; this includes self-loops. Except for :obj:`"inward_outward"`, the weights of
    all edges into a joint sum to one:

    .. math::
        w_{ji} = \frac{1}{|\{ j : d(j, i) \in \{0, \delta, 2 \delta, \ldots, h\} \}|}

    * :obj:`"uniform"`: one relation.
    * :obj:`"distance"`: a relation for each distance.
    * :obj:`"stgcn"`: the spatial strategy as the published code computes it. Relation 0 holds the
      self-loops; each further distance has a relation for sources that are farther from the
      centre than the destination, and one for those that are nearer. That code ignores distances
      beyond :obj:`max_hop`, so edges between two such joints are in the first of the two in both
      directions. Published weights require this strategy.
    * :obj:`"stgcn_paper"`: the spatial strategy as the paper defines it, with the true distances
      to the centre. Relation 0 holds sources that are as far from the centre as the destination
      (the root itself), the next one those that are nearer (centripetal), the third those that
      are farther (centrifugal); further distances have two relations each.
    * :obj:`"inward_outward"`: the strategy of the `"Two-Stream Adaptive Graph Convolutional
      Networks" <https://arxiv.org/abs/1805.07694>`_ paper and its successors: self-loops, edges
      from parent to child, and edges from child to parent, each relation normalised separately.

    Args:
        layout (str or SkeletonLayout): The skeleton, see :func:`skeleton_layout`.
        partition (str, optional): The strategy. (default: :obj:`"stgcn"`)
        max_hop (int, optional): The largest distance of connected joints, in bones.
            (default: :obj:`1`)
        dilation (int, optional): The step between distances. (default: :obj:`1`)
        dtype (torch.dtype, optional): The data type of the weights.
            (default: :obj:`torch.double`)

    Raises:
        TypeError: If :obj:`layout` is neither a name nor a layout, or a number is not an integer.
        ValueError: If there is no such layout or strategy, a number is smaller than one, or
            :obj:`max_hop` or :obj:`dilation` of :obj:`"inward_outward"` is not one.

    Example:
        >>> from pyg_vision.data import skeleton_graph
        >>> graph = skeleton_graph("coco", partition="stgcn")
        >>> graph.edge_index.shape
        torch.Size([2, 49])
        >>> graph.edge_type.bincount()  # self-loops, and the two spatial relations
        tensor([17, 22, 10])
    """
    layout = skeleton_layout(layout)
    max_hop, dilation = _check_strategy(partition, max_hop, dilation)
    if partition == "inward_outward":
        stack = _inward_outward(layout)
    else:
        stack = _by_distance(layout, partition, max_hop, dilation)
    edge_type, source, destination = stack.nonzero(as_tuple=True)
    weight = stack[edge_type, source, destination].to(dtype)
    return SkeletonGraph(torch.stack((source, destination)), edge_type, weight)


def num_relations(partition: Partition = "stgcn", max_hop: int = 1, dilation: int = 1) -> int:
    r"""Returns the number of relations of a :term:`partition strategy`, which is the same for all
    skeletons.

    Args:
        partition (str, optional): The strategy, see :func:`skeleton_graph`.
            (default: :obj:`"stgcn"`)
        max_hop (int, optional): The largest distance of connected joints. (default: :obj:`1`)
        dilation (int, optional): The step between distances. (default: :obj:`1`)

    Example:
        >>> from pyg_vision.data import num_relations
        >>> num_relations("stgcn")
        3
        >>> num_relations("distance", max_hop=3)
        4
    """
    max_hop, dilation = _check_strategy(partition, max_hop, dilation)
    if partition == "inward_outward":
        return 3
    farther = max_hop // dilation
    return {"uniform": 1, "distance": 1 + farther}.get(partition, 1 + 2 * farther)


def _check_strategy(partition: Partition, max_hop: int, dilation: int) -> tuple[int, int]:
    if partition not in get_args(Partition):
        raise ValueError(
            f"'partition' must be one of {', '.join(get_args(Partition))} (got {partition!r})"
        )
    max_hop, dilation = check_int("max_hop", max_hop), check_int("dilation", dilation)
    if partition == "inward_outward" and (max_hop, dilation) != (1, 1):
        raise ValueError(
            f"'inward_outward' joins neighbours only; it takes no other 'max_hop' and 'dilation' "
            f"than 1 (got {max_hop} and {dilation})"
        )
    return max_hop, dilation


def adjacency_stack(graph: SkeletonGraph, relations: int, num_joints: int) -> Tensor:
    r"""Returns the edges as one adjacency matrix for each relation, :math:`(K, V, V)`, as in the
    published code.

    Args:
        graph (SkeletonGraph): The edges.
        relations (int): The number of relations :math:`K`.
        num_joints (int): The number of joints :math:`V`.

    Returns:
        torch.Tensor: :math:`A_{k, v, w}`, the weight of the edge from joint :math:`v` to joint
        :math:`w` in relation :math:`k`, zero where there is none.

    Example:
        >>> from pyg_vision.data import adjacency_stack, num_relations, skeleton_graph
        >>> graph = skeleton_graph("coco", "stgcn")
        >>> adjacency_stack(graph, num_relations("stgcn"), num_joints=17).shape
        torch.Size([3, 17, 17])
    """
    stack = graph.edge_weight.new_zeros(relations, num_joints, num_joints)
    stack[graph.edge_type, graph.edge_index[0], graph.edge_index[1]] = graph.edge_weight
    return stack


def hop_distance(layout: SkeletonLayout) -> Tensor:
    r"""Returns how many edges apart two joints are, :math:`(V, V)`.

    Args:
        layout (SkeletonLayout): The skeleton.
    """
    num_joints = layout.num_joints
    distance = torch.full((num_joints, num_joints), num_joints, dtype=torch.long, device="cpu")
    distance.fill_diagonal_(0)
    for a, b in layout.edges:
        distance[a, b] = distance[b, a] = 1
    for middle in range(num_joints):
        through = distance[:, middle, None] + distance[None, middle, :]
        distance = torch.minimum(distance, through)
    return distance


def _by_distance(
    layout: SkeletonLayout, partition: Partition, max_hop: int, dilation: int
) -> Tensor:
    distance = hop_distance(layout)
    hops = range(0, max_hop + 1, dilation)
    joined = torch.stack([distance == hop for hop in hops])
    count = joined.sum(dim=(0, 1)).double()
    masks = [joined.any(dim=0)]
    if partition == "distance":
        masks = list(joined)
    elif partition in ("stgcn", "stgcn_paper"):
        to_center = distance[:, layout.center]
        if partition == "stgcn":  # what is farther than max_hop is infinitely far
            to_center = torch.where(to_center > max_hop, layout.num_joints, to_center)
        source, destination = to_center[:, None], to_center[None, :]
        if partition == "stgcn":
            masks = [joined[0]]
            for mask in joined[1:]:
                masks += [mask & (source >= destination), mask & (source < destination)]
        else:
            masks = [joined.any(dim=0) & (source == destination)]
            for mask in joined[1:]:
                masks += [mask & (source < destination), mask & (source > destination)]
    return torch.stack(masks) / count


def _inward_outward(layout: SkeletonLayout) -> Tensor:
    num_joints = layout.num_joints
    stack = torch.zeros(3, num_joints, num_joints, dtype=torch.double, device="cpu")
    stack[0] = torch.eye(num_joints, device="cpu")
    for child, parent in layout.edges:
        stack[1, parent, child] = 1
        stack[2, child, parent] = 1
    return stack / stack.sum(dim=1, keepdim=True).clamp(min=1)
