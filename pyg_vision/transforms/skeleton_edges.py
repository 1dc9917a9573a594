r"""The typed edges of a skeleton sequence."""

from __future__ import annotations

import torch
from torch import Tensor
from torch_geometric.data import Data
from torch_geometric.data.datapipes import functional_transform

from pyg_vision.data.partition import num_relations, skeleton_graph
from pyg_vision.transforms._skeleton import SkeletonTransform, layout_of, shape_of
from pyg_vision.typing import Partition


@functional_transform("skeleton_edges")
class SkeletonEdges(SkeletonTransform):
    r"""Joins the joints of a sequence in space and time (functional name:
    :obj:`skeleton_edges`).

    Within each frame, :obj:`edge_index`, :obj:`edge_type` :math:`0 \ldots K - 1` and
    :obj:`edge_weight` are those of :func:`~pyg_vision.data.skeleton_graph`. Edges of type
    :math:`K` and weight one come from the same joint of the same person in the frames before and
    after. With them a sequence is a valid input of any PyG layer, such as
    :class:`torch_geometric.nn.RGCNConv` with :math:`K + 1` relations.
    :class:`~pyg_vision.nn.STGCN` needs no edges; it knows those of its layout.

    Args:
        partition (str, optional): The partition strategy. (default: :obj:`"stgcn"`)
        max_hop (int, optional): The farthest distance joined, in bones. (default: :obj:`1`)
        dilation (int, optional): The step between distances. (default: :obj:`1`)
        temporal (bool, optional): Whether frames are joined. (default: :obj:`True`)

    Raises:
        ValueError: If there is no such strategy, or a number is out of range.

    Example:
        >>> from pyg_vision.datasets import SyntheticMotion
        >>> from pyg_vision.transforms import SkeletonEdges
        >>> data = SyntheticMotion(num_sequences=1, num_frames=20)[0]
        >>> data = SkeletonEdges("stgcn")(data)
        >>> data.edge_index.shape, data.edge_type.unique().tolist()
        (torch.Size([2, 1724]), [0, 1, 2, 3])
    """

    def __init__(
        self,
        partition: Partition = "stgcn",
        max_hop: int = 1,
        dilation: int = 1,
        temporal: bool = True,
    ) -> None:
        skeleton_graph("openpose", partition, max_hop, dilation)  # raises now rather than later
        self.partition = partition
        self.max_hop = max_hop
        self.dilation = dilation
        self.temporal = temporal

    @property
    def num_relations(self) -> int:
        r"""The number of types of edges, temporal ones included."""
        spatial = num_relations(self.partition, self.max_hop, self.dilation)
        return spatial + int(self.temporal)

    def forward(self, data: Data) -> Data:
        r"""Sets :obj:`edge_index`, :obj:`edge_type` and :obj:`edge_weight`."""
        shape = shape_of(data)
        device = data.x.device
        graph = skeleton_graph(layout_of(data), self.partition, self.max_hop, self.dilation)
        persons, frames, joints = shape
        first = torch.arange(persons * frames, device="cpu").view(-1, 1) * joints
        edge_index = (first + graph.edge_index.unsqueeze(1)).flatten(1)
        edge_type = graph.edge_type.repeat(persons * frames)
        edge_weight = graph.edge_weight.to(torch.get_default_dtype()).repeat(persons * frames)
        if self.temporal:
            between = temporal_edges(persons, frames, joints)
            edge_index = torch.cat((edge_index, between), dim=1)
            kind = num_relations(self.partition, self.max_hop, self.dilation)
            edge_type = torch.cat((edge_type, edge_type.new_full((between.size(1),), kind)))
            edge_weight = torch.cat((edge_weight, edge_weight.new_ones(between.size(1))))
        data.edge_index = edge_index.to(device)
        data.edge_type = edge_type.to(device)
        data.edge_weight = edge_weight.to(device)
        return data


def temporal_edges(persons: int, frames: int, joints: int) -> Tensor:
    r"""Returns the edges between the same joint of neighbouring frames, in both directions.

    Args:
        persons (int): The number of persons.
        frames (int): The number of frames.
        joints (int): The number of joints.
    """
    nodes = torch.arange(persons * frames * joints, device="cpu").view(persons, frames, joints)
    before, after = nodes[:, :-1].flatten(), nodes[:, 1:].flatten()
    return torch.stack((torch.cat((before, after)), torch.cat((after, before))))
