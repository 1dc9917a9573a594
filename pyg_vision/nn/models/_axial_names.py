r"""The names in the published checkpoints of MobileViG and the models after it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from torch import Tensor

from pyg_vision.nn.layers.conditional_position import identity_kernel
from pyg_vision.weights.key_rules import KeyRules, flatten_1x1, rename_by

Blocks = tuple[tuple[int, int], ...]  # local and graph blocks of each stage

# The local block: of MobileViG, then of those after it.
LOCAL = (
    (r"mlp\.fc1\.", "pw1.0."),
    (r"mlp\.norm1\.", "pw1.1."),
    (r"mlp\.mid\.", "dw.0."),
    (r"mlp\.mid_norm\.", "dw.1."),
    (r"mlp\.fc2\.", "pw2.0."),
    (r"mlp\.norm2\.", "pw2.1."),
    (r"dws\.pw1\.", "pw1.0."),
    (r"dws\.norm1\.", "pw1.1."),
    (r"dws\.dw\.", "dw.0."),
    (r"dws\.norm2\.", "dw.1."),
    (r"dws\.pw2\.", "pw2.0."),
    (r"dws\.norm3\.", "pw2.1."),
    (r"layer_scale_[12]$", "scale.weight"),
    (r"conv\.", ""),  # it halves the map
)
GRAPH = (
    (r"mixer\.cpe\.(?:pe|reparam_conv)\.", "grapher.position.conv."),
    (r"mixer\.graph_conv\.([qkv])_conv\.", r"grapher.conv.\1."),
    (r"mixer\.graph_conv\.", "grapher.conv."),
    (r"mixer\.", "grapher."),
    (r"ffn\.([01])\.", r"ffn.fc1.\1."),
    (r"ffn\.3\.", "ffn.fc2.0."),
    (r"ffn\.4\.", "ffn.fc2.1."),
    (r"layer_scale_1$", "grapher.scale.weight"),
    (r"layer_scale_2$", "ffn.scale.weight"),
)
HEAD = (
    (r"^stem\.stem\.", "stem."),
    (r"^prediction\.1\.", "head.embed.0."),
    (r"^prediction\.2\.", "head.embed.1."),
    (r"^head\.", "head.fc."),
    (r"^dist_head\.", "head.dist."),
)


@lru_cache(maxsize=32)
def axial_rules(blocks: Blocks) -> KeyRules:
    r"""Returns how the checkpoints of MobileViGv2, GreedyViG and AdaptViG map onto their models:
    the published code counts what halves the map, local blocks and graph blocks of a stage in one.

    Args:
        blocks (tuple): The numbers of local and of graph blocks of each stage.
    """
    rules = list(HEAD)
    for stage, (local, graphs) in enumerate(blocks):
        layers = local + (stage > 0)
        for i in range(layers):
            rules += _moved(rf"^backbone\.{stage}\.{i}\.", f"stages.{stage}.layers.{i}.", LOCAL)
        for i in range(graphs):
            old = rf"^backbone\.{stage}\.{layers + i}\."
            rules += _moved(old, f"stages.{stage}.blocks.{i}.", GRAPH)
    return _key_rules(rules)


@lru_cache(maxsize=32)
def mobile_rules(blocks: Blocks) -> KeyRules:
    r"""Returns how the checkpoints of MobileViG map onto it: the published code counts what is
    before the last stage's graph blocks in one, and these apart.

    Args:
        blocks (tuple): The numbers of local and of graph blocks of each stage.
    """
    rules = list(HEAD)
    number = 0
    for stage, (local, graphs) in enumerate(blocks):
        for i in range(local + (stage > 0)):
            own = f"stages.{stage}.layers.{i}."
            rules += _moved(rf"^local_backbone\.{number}\.", own, LOCAL)
            number += 1
        if stage == len(blocks) - 1:
            for i in range(graphs):
                own = f"stages.{stage}.blocks.{i}."
                rules += [
                    (rf"^backbone\.{i}\.0\.graph_conv\.", f"{own}grapher.conv."),
                    (rf"^backbone\.{i}\.0\.", f"{own}grapher."),
                    (rf"^backbone\.{i}\.1\.", f"{own}ffn."),
                ]
    return _key_rules(rules)


def _moved(old: str, new: str, rules: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(old + pattern, new + replacement) for pattern, replacement in rules]


def _key_rules(rules: Sequence[tuple[str, str]]) -> KeyRules:
    return KeyRules(rename_by(rules), fit=_fit, adjust=_adjust, first="stem.0.weight", head="head.")


def _fit(name: str, value: Tensor, own: Tensor) -> Tensor | None:
    if name.endswith("scale.weight") and value.dim() == 3 and value.shape[1:] == (1, 1):
        value = value.flatten()
    return flatten_1x1(name, value, own)


def _adjust(name: str, value: Tensor) -> Tensor:
    r"""Takes the identity out of a kernel that was merged with it for inference."""
    if name.endswith("cpe.reparam_conv.weight"):
        return value - identity_kernel(value)
    return value


def describe_axial(state: Mapping[str, Tensor]) -> tuple[str, dict[str, Any]] | None:
    r"""Returns the published family and the arguments of its model that a checkpoint tells,
    :obj:`None` if it is of another model.

    Args:
        state (dict): A state dict in published names.
    """
    stem = state.get("stem.stem.0.weight")
    embed, classes = state.get("prediction.1.weight"), state.get("head.weight")
    if stem is None or stem.dim() != 4 or embed is None or embed.dim() != 4:
        return None
    found = _mobile(state) if any(n.startswith("local_backbone.") for n in state) else _later(state)
    if found is None:
        return None
    family, blocks, channels = found
    options: dict[str, Any] = {
        "channels": channels,
        "blocks": blocks,
        "embed_channels": embed.size(0),
        "in_channels": stem.size(1),
        "num_classes": 0 if classes is None else classes.size(0),
        "distilled": "dist_head.weight" in state,
    }
    return family, options


def _mobile(state: Mapping[str, Tensor]) -> tuple[str, list[list[int]], list[int]] | None:
    last = max(int(n.split(".")[1]) for n in state if n.startswith("local_backbone."))
    graphs = {m[1] for n in state if (m := re.match(r"^backbone\.(\d+)\.0\.graph_conv\.", n))}
    second = state.get("stem.stem.3.weight")
    if second is None or not graphs:
        return None
    blocks, channels = [[0, 0]], [second.size(0)]
    for i in range(last + 1):
        halving = state.get(f"local_backbone.{i}.conv.0.weight")
        if halving is None:
            blocks[-1][0] += 1
        else:
            blocks.append([0, 0])
            channels.append(halving.size(0))
    blocks[-1][1] = len(graphs)
    return "MobileViG", blocks, channels


def _later(state: Mapping[str, Tensor]) -> tuple[str, list[list[int]], list[int]] | None:
    places: dict[tuple[int, int], str] = {}
    for name in state:
        match = re.match(r"^backbone\.(\d+)\.(\d+)\.(conv|dws|mixer)\.", name)
        if match:
            places[int(match[1]), int(match[2])] = match[3]
    second = state.get("stem.stem.3.weight")
    if not places or second is None:
        return None
    channels, blocks = [second.size(0)], []
    for stage in range(max(stage for stage, _ in places) + 1):
        kinds = [kind for (at, _), kind in sorted(places.items()) if at == stage]
        blocks.append([kinds.count("dws"), kinds.count("mixer")])
        halving = state.get(f"backbone.{stage}.0.conv.0.weight")
        if halving is not None:
            channels.append(halving.size(0))
    if len(channels) != len(blocks):
        return None
    if any(name.endswith("graph_conv.temperature") for name in state):
        return "AdaptViG", blocks, channels
    # MobileViGv2 and GreedyViG have the same names but for the layer scale of a local block.
    scales = {n.rsplit(".", 1)[1] for n in state if "layer_scale" in n and _is_local(n, places)}
    if scales == {"layer_scale_1"}:
        return "MobileViGv2", blocks, channels
    return ("GreedyViG", blocks, channels) if scales == {"layer_scale_2"} else None


def _is_local(name: str, places: Mapping[tuple[int, int], str]) -> bool:
    match = re.match(r"^backbone\.(\d+)\.(\d+)\.", name)
    return match is not None and places.get((int(match[1]), int(match[2]))) == "dws"
