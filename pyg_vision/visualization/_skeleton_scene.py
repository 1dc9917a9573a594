r"""What a drawn skeleton consists of: points in a plane, typed edges and their names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, get_args

import numpy as np
import torch
from torch import Tensor
from torch_geometric.data import Batch, Data

from pyg_vision.data.layout import SkeletonLayout
from pyg_vision.data.partition import SkeletonGraph, hop_distance, skeleton_graph
from pyg_vision.data.skeleton import read_layout, read_shapes
from pyg_vision.typing import Partition, Up
from pyg_vision.visualization._style import ANY, FARTHER, NEARER, SELF

Array = np.ndarray[Any, np.dtype[np.float64]]
Mask = np.ndarray[Any, np.dtype[np.bool_]]

MOST_HOPS = 3  # more are told apart by distance alone


class Motion(NamedTuple):
    r"""One sequence as it is seen.

    Args:
        points (numpy.ndarray): The joints :math:`(M, T, V, 2)`, :math:`y` downwards.
        seen (numpy.ndarray): Which of them were seen, :math:`(M, T, V)`.
        layout (SkeletonLayout): The skeleton.
    """

    points: Array
    seen: Mask
    layout: SkeletonLayout

    def seen_frames(self) -> list[int]:
        r"""Returns the frames in which someone is seen, all if there are none."""
        frames: list[int] = np.flatnonzero(self.seen.any(axis=(0, 2))).tolist()
        return frames or list(range(self.seen.shape[1]))

    def bounds(self, frames: Sequence[int] | slice = slice(None)) -> tuple[Array, Array]:
        r"""Returns the least and the greatest coordinates in some frames."""
        points = self.points[:, frames][self.seen[:, frames]]
        if len(points) == 0:
            return np.zeros(2), np.ones(2)
        return points.min(axis=0), points.max(axis=0)

    def bone_lengths(self) -> Array:
        r"""Returns how long each edge of the layout mostly is, zero if it is never seen."""
        lengths = np.zeros(len(self.layout.edges))
        for i, (a, b) in enumerate(self.layout.edges):
            vectors = (self.points[:, :, a] - self.points[:, :, b])[
                self.seen[:, :, a] & self.seen[:, :, b]
            ]
            if len(vectors):
                lengths[i] = np.quantile(np.linalg.norm(vectors, axis=-1), 0.75)
        return lengths


class Edge(NamedTuple):
    r"""An edge of the graph of one frame."""

    source: int
    destination: int
    relation: int
    hop: int


class Relations(NamedTuple):
    r"""The typed edges of one frame.

    Args:
        edges (list of Edge): The edges, loops among them.
        names (list of str): What the relations are called, in words that are true.
        colors (list of str): The colour of each.
        note (str, optional): What else must be known to read the names.
    """

    edges: list[Edge]
    names: list[str]
    colors: list[str]
    note: str | None

    def shapes(self, relation: int) -> tuple[bool, bool]:
        r"""Says whether a relation has loops, and whether it has other edges."""
        hops = {edge.hop == 0 for edge in self.edges if edge.relation == relation}
        return True in hops, False in hops


def read_motion(data: Data, view: tuple[float, float], up: Up | None) -> Motion:
    r"""Reads a single sequence, and projects it onto a plane.

    Args:
        data (torch_geometric.data.Data): The sequence.
        view (tuple): Elevation and azimuth of the viewer in degrees, for three coordinates.
        up (str, optional): The axis that points upwards.
    """
    shapes = read_shapes(data)
    if isinstance(data, Batch) or len(shapes) > 1:
        raise TypeError(
            f"a drawing shows a single sequence (got a Batch of {len(shapes)}); take one of "
            f"batch.to_data_list()"
        )
    shape = shapes[0]
    layout = read_layout(data)
    if layout is None:
        raise ValueError(
            "the sequence does not tell its 'layout'; pyg_vision.data.skeleton_sequence sets it"
        )
    if layout.num_joints != shape.num_joints:
        raise ValueError(
            f"layout '{layout.name}' has {layout.num_joints} joints (got a sequence of "
            f"{shape.num_joints})"
        )
    if up is not None and up not in get_args(Up):
        raise ValueError(f"'up' must be one of {', '.join(get_args(Up))} or None (got {up!r})")
    num_nodes = int(np.prod(shape))
    pos = data.pos
    if not isinstance(pos, Tensor) or pos.dim() != 2 or pos.size(1) not in (2, 3):
        found = list(pos.shape) if isinstance(pos, Tensor) else type(pos).__name__
        raise ValueError(f"'pos' must be the coordinates [nodes, 2 or 3] of joints (got {found})")
    if pos.size(0) != num_nodes:
        raise ValueError(
            f"a sequence of shape {tuple(shape)} has {num_nodes} joints (got {pos.size(0)} in "
            f"'pos')"
        )
    joints = pos.detach().cpu().double().view(*shape, -1)
    if not bool(joints.isfinite().all()):
        person, frame, joint = (~joints.isfinite()).nonzero()[0].tolist()[:3]
        raise ValueError(
            f"'pos' holds a value that is NaN or infinite, the first of person {person} in frame "
            f"{frame} at joint {joint} ('{layout.joints[joint]}')"
        )
    seen = (joints != 0).flatten(2).any(dim=2, keepdim=True).expand(shape).clone()
    x = data.x
    if isinstance(x, Tensor) and x.dim() == 2 and x.size(1) == pos.size(1) + 1:
        seen &= (x[:, -1] != 0).cpu().view(shape)  # the score of a joint that was not found is zero
    return Motion(_project(joints.numpy(), view, up), seen.numpy(), layout)


def read_relations(layout: SkeletonLayout, partition: Partition, max_hop: int) -> Relations:
    r"""Returns the typed edges of a skeleton, and what to call their relations."""
    graph = skeleton_graph(layout, partition, max_hop)
    most = len(ANY) if partition in ("uniform", "distance") else MOST_HOPS
    if max_hop > most:
        raise ValueError(
            f"a drawing tells up to {most} hops of partition {partition!r} apart (got "
            f"max_hop={max_hop})"
        )
    distance = hop_distance(layout)
    edges = [
        Edge(source, destination, relation, int(distance[source, destination]))
        for (source, destination), relation in zip(
            graph.edge_index.T.tolist(), graph.edge_type.tolist(), strict=True
        )
    ]
    names, colors = zip(*_name_relations(layout, partition, max_hop, graph), strict=True)
    note = None
    if partition == "stgcn" and int(distance[layout.center].max()) > max_hop:
        bones = "1 bone" if max_hop == 1 else f"{max_hop} bones"
        note = (
            f"Joints that are more than {bones} from the {_center(layout)} count as equally far, "
            f"as in the published code of ST-GCN."
        )
    return Relations(edges, list(names), list(colors), note)


def _name_relations(
    layout: SkeletonLayout, partition: Partition, max_hop: int, graph: SkeletonGraph
) -> list[tuple[str, str]]:
    r"""Returns what each relation is called, and its colour."""
    hops = range(max_hop)
    apart = [f"{hop + 1} bones apart" if hop > 0 else "1 bone apart" for hop in hops]
    ends = [""] if max_hop == 1 else [f", {text}" for text in apart]
    center = _center(layout)
    if partition == "uniform":
        reach = "its neighbours" if max_hop == 1 else f"joints up to {max_hop} bones apart"
        return [(f"the joint itself and {reach}", ANY[0])]
    if partition == "distance":
        return [("the joint itself", SELF), *zip(apart, ANY, strict=False)]
    if partition == "inward_outward":
        children = ("from parent to child", NEARER[0])
        return [("the joint itself", SELF), children, ("from child to parent", FARTHER[0])]
    if partition == "stgcn":
        nearer, farther = f"from nearer the {center}", f"from as far from the {center} or farther"
    else:
        nearer, farther = f"centripetal: from nearer the {center}", "centrifugal: from farther"
    root = "root: the joint itself"
    source, destination = graph.edge_index[:, graph.edge_type == 0]
    if not torch.equal(source, destination):
        root += f", and from as far from the {center}"
    relations = [(root, SELF)]
    for hop, end in zip(hops, ends, strict=True):
        pair = [(nearer + end, NEARER[hop]), (farther + end, FARTHER[hop])]
        relations += pair[::-1] if partition == "stgcn" else pair
    return relations


def _center(layout: SkeletonLayout) -> str:
    return layout.joints[layout.center].replace("_", " ")


def _project(joints: Array, view: tuple[float, float], up: Up | None) -> Array:
    r"""Returns the coordinates in the drawing, :math:`y` downwards."""
    if len(view) != 2 or not np.isfinite(view).all():
        raise ValueError(f"'view' must be (elevation, azimuth) in degrees (got {view!r})")
    if joints.shape[-1] == 2:
        if up == "z":
            raise ValueError("'up' must be 'y' or '-y' for two coordinates (got 'z')")
        return joints * (1.0, -1.0 if up == "y" else 1.0)
    right, height, away = np.moveaxis(joints, -1, 0)
    if up == "-y":
        height = -height
    elif up == "z":
        height, away = away, height
    elevation, azimuth = np.radians(view)
    depth = away * np.cos(azimuth) - right * np.sin(azimuth)
    right = right * np.cos(azimuth) + away * np.sin(azimuth)
    return np.stack((right, -height * np.cos(elevation) - depth * np.sin(elevation)), axis=-1)
