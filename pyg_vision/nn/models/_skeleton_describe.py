r"""Skeleton models as the names and shapes of their checkpoints tell them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, get_args

import torch
from torch import Tensor

from pyg_vision.data.layouts import layouts_of
from pyg_vision.data.partition import adjacency_stack, num_relations, skeleton_graph
from pyg_vision.nn.models.stage import Stage
from pyg_vision.typing import Partition
from pyg_vision.weights import Described
from pyg_vision.weights.key_rules import KeyRules

# The layouts of pyskl by their number of joints; which edges they have is in the weights.
LAYOUTS = {17: "coco", 18: "openpose", 20: "kinect", 21: "hand", 25: "ntu"}


_BLOCK = re.compile(r"^blocks\.(\d+)\.")
_CONV = "blocks.0.gcn.conv."


def describe_stgcn(state: Mapping[str, Tensor], rules: KeyRules) -> Described | None:
    r"""Returns the arguments of a :class:`STGCN`, :obj:`None` if it is of another model.

    Layout and partition strategy are those whose edges a checkpoint holds.

    Args:
        state (dict): A state dict, in published names: ours do not hold the edges.
        rules (KeyRules): The names of the model.
    """
    own = {new: value for name, value in state.items() if (new := rules.rename(name))}
    adj = state.get("A", state.get("backbone.gcn.0.gcn.A"))
    weight, norm = own.get("blocks.0.tcn.2.weight"), own.get("data_bn.weight")
    if adj is None or weight is None or norm is None or adj.dim() != 3 or weight.dim() != 4:
        return None
    found = _described(own, adj.size(1), norm.numel() // adj.size(1), "blocks.{}.tcn.0.weight")
    graph = _same_graph(adj)
    if found is None or graph is None:
        return None
    layout, partition, max_hop = graph
    found.options.update(
        layout=layout,
        partition=partition,
        max_hop=max_hop,
        kernel_size=weight.size(2),
        edge_importance="edge_importance.0" in own,
    )
    return found


def _same_graph(adj: Tensor) -> tuple[str, Partition, int] | None:
    r"""Returns the layout, the strategy and the largest distance that give these matrices."""
    relations, joints, _ = adj.shape
    for name in layouts_of(joints):
        for partition in get_args(Partition):
            for max_hop in (1, 2, 3) if partition != "inward_outward" else (1,):
                if num_relations(partition, max_hop) != relations:
                    continue
                stack = adjacency_stack(skeleton_graph(name, partition, max_hop), relations, joints)
                if torch.allclose(stack.float(), adj.float().cpu(), rtol=1e-4, atol=1e-6):
                    return name, partition, max_hop
    return None


def describe_stgcnpp(state: Mapping[str, Tensor], rules: KeyRules) -> Described | None:
    r"""Returns the arguments of a :class:`STGCNPP`, :obj:`None` if it is of another model.

    Args:
        state (dict): A state dict, in published names or in ours.
        rules (KeyRules): The names of the model.
    """
    own = _renamed(state, rules)
    first = own.get(f"{_CONV}adjacency")
    if first is None or first.dim() != 3 or f"{_CONV}conv.weight" not in own:
        return None
    if "blocks.0.tcn.branches.5.0.weight" not in own:
        return None
    return _described(own, first.size(1), _inputs(own, first.size(1)))


def describe_agcn(state: Mapping[str, Tensor], rules: KeyRules, adaptive: bool) -> Described | None:
    r"""Returns the arguments of an :class:`AAGCN`, or of an :class:`AGCN`, :obj:`None` if it is of
    another model.

    Args:
        state (dict): A state dict, in published names or in ours.
        rules (KeyRules): The names of the model.
        adaptive (bool): Whether an :class:`AAGCN` is asked for.
    """
    own = _renamed(state, rules)
    first, theta = own.get(f"{_CONV}adjacency"), own.get(f"{_CONV}theta.0.weight")
    if first is None or theta is None or (f"{_CONV}alpha" in own) != adaptive:
        return None
    found = _described(own, first.size(1), theta.size(1))
    if found is not None:
        found.options["attention"] = "blocks.0.gcn.attention.fc1.weight" in own
    return found


def describe_ctrgcn(
    state: Mapping[str, Tensor], rules: KeyRules, temporal_relu: bool
) -> Described | None:
    r"""Returns the arguments of a :class:`CTRGCN`, :obj:`None` if it is of another model.

    Args:
        state (dict): A state dict, in published names: ours do not tell whose model it is.
        rules (KeyRules): The names of the model.
        temporal_relu (bool): Whether these are pyskl's.
    """
    own = {new: value for name, value in state.items() if (new := rules.rename(name))}
    first = own.get(f"{_CONV}adjacency")
    source = own.get(f"{_CONV}topologies.0.source.weight")
    if first is None or source is None:
        return None
    found = _described(own, first.size(1), source.size(1))
    if found is not None:
        found.options["temporal_relu"] = temporal_relu
    return found


def describe_dgstgcn(state: Mapping[str, Tensor], rules: KeyRules) -> Described | None:
    r"""Returns the arguments of a :class:`DGSTGCN`, :obj:`None` if it is of another model.

    Args:
        state (dict): A state dict, in published names or in ours.
        rules (KeyRules): The names of the model.
    """
    own = _renamed(state, rules)
    first, pre = own.get(f"{_CONV}adjacency"), own.get(f"{_CONV}pre.0.weight")
    if first is None or pre is None or f"{_CONV}beta" not in own:
        return None
    found = _described(own, first.size(1), pre.size(1))
    if found is not None:
        graphs, width = first.size(0), found.options["stages"][0][0]
        found.options.update(num_graphs=graphs, ratio=pre.size(0) / graphs / width)
    return found


def describe_msg3d(state: Mapping[str, Tensor], rules: KeyRules) -> Described | None:
    r"""Returns the arguments of a :class:`MSG3D`, :obj:`None` if it is of another model.

    Args:
        state (dict): A state dict, in published names: ours do not tell how hops are normalised.
        rules (KeyRules): The names of the model.
    """
    own = {new: value for name, value in state.items() if (new := rules.rename(name))}
    frame, window = own.get("blocks.0.gcn.adjacency"), own.get("blocks.0.gcn3d.0.conv.adjacency")
    norm, weight = own.get("blocks.0.bn.weight"), own.get("blocks.0.gcn.conv.weight")
    persons, head = own.get("data_bn.norm.weight"), own.get("fcn.weight")
    if frame is None or window is None or norm is None or weight is None or persons is None:
        return None
    joints = frame.size(-1)
    scales = frame.numel() // joints**2
    in_channels = weight.size(1) // scales
    options = {
        "in_channels": in_channels,
        "num_classes": 0 if head is None else head.size(0),
        "layout": LAYOUTS.get(joints),
        "channels": norm.numel(),
        "num_scales": scales,
        "num_window_scales": window.numel() // window.size(-1) ** 2,
        "num_persons": persons.numel() // (joints * in_channels),
        "hop_norm": "symmetric" if any(name.endswith("A_res") for name in state) else "target",
    }
    return Described(options)


def _renamed(state: Mapping[str, Tensor], rules: KeyRules) -> dict[str, Tensor]:
    return {rules.rename(name) or name: value for name, value in state.items()}


def _inputs(own: Mapping[str, Tensor], joints: int) -> int:
    r"""Returns the channels of a joint, if persons are alike."""
    norm = own.get("data_bn.weight")
    return 0 if norm is None or norm.numel() % joints else norm.numel() // joints


def _described(
    own: Mapping[str, Tensor], joints: int, in_channels: int, norm: str = "blocks.{}.gcn.bn.weight"
) -> Described | None:
    r"""Returns what the families have in common."""
    head, stages = own.get("fcn.weight"), _stages(own, norm)
    if not in_channels or not stages:
        return None
    options: dict[str, Any] = {
        "in_channels": in_channels,
        "num_classes": 0 if head is None else head.size(0),
        "layout": LAYOUTS.get(joints),
        "stages": stages,
    }
    persons = own.get("data_bn.norm.weight")
    if persons is not None:
        options["num_persons"] = persons.numel() // (joints * in_channels)
    return Described(options)


def _stages(own: Mapping[str, Tensor], norm: str) -> list[tuple[int, ...]]:
    r"""Returns blocks of one width as a stage each.

    A stride leaves no trace in shapes; as published, frames are halved where channels are doubled.
    """
    found: list[Stage] = []
    for number in range(1 + max((int(m[1]) for n in own if (m := _BLOCK.match(n))), default=-1)):
        width = own.get(norm.format(number))
        if width is None:
            return []
        channels = width.numel()
        if found and found[-1].channels == channels:
            found[-1] = found[-1]._replace(depth=found[-1].depth + 1)
        else:
            found.append(Stage(channels, 1, 2 if found else 1))
    return [tuple(stage) for stage in found]
