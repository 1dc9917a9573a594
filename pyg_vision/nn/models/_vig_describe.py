r"""Vision GNNs as the names and shapes of their checkpoints tell them."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from pyg_vision.nn.models._vig_names import PUBLISHED, pyramid_rules, window_rules
from pyg_vision.weights import Described

INPUT = {
    "kind": "image", "crop": 0.9, "interpolation": "bicubic", "mean": [0.5] * 3, "std": [0.5] * 3,
}  # fmt: skip
# The published share of an image for PyramidViG-B is another than for all others.
CROP_OF_B = 0.95
WINDOW_OF_256 = 8
CHANNELS_OF_B = [128, 256, 512, 1024]


def describe_vig(state: Mapping[str, Tensor]) -> Described | None:
    r"""Returns the arguments of a :class:`ViG`, :obj:`None` if it is of another model.

    Args:
        state (dict): A state dict, in published names or in ours.
    """
    if _depths(state):  # a pyramid
        return None
    own = {PUBLISHED.rename(name) or name: value for name, value in state.items()}
    blocks = _count(own, r"^blocks\.(\d+)\.grapher\.")
    options = _options(own, "blocks.0.")
    if options is None:
        return None
    patch_size = 2 ** (_convolutions(own) - 1)
    image_size = [side * patch_size for side in own["pos_embed"].shape[2:]]
    options |= {
        "channels": own["pos_embed"].size(1),
        "depth": blocks,
        "image_size": image_size,
        "patch_size": patch_size,
    }
    return Described(options, INPUT | {"image_size": image_size[0]})


def describe_pyramid(state: Mapping[str, Tensor]) -> Described | None:
    r"""Returns the arguments of a :class:`PyramidViG`, :obj:`None` if it is of another model.

    Args:
        state (dict): A state dict, in published names or in ours.
    """
    depths = _depths(state)
    if len(depths) < 2 or min(depths) < 1 or _window(state) is not None:
        return None
    rename = pyramid_rules(tuple(depths)).rename
    own = {rename(name) or name: value for name, value in state.items()}
    options = _options(own, "stages.0.blocks.0.")
    if options is None:
        return None
    first = [f"stages.{stage}.blocks.0.grapher." for stage in range(len(depths))]
    widths = [own.get(f"{prefix}fc1.0.weight") for prefix in first]
    channels = [width.size(0) for width in widths if width is not None and width.dim() > 1]
    if len(channels) < len(depths):
        return None
    options |= {"channels": channels, "depths": depths}
    options["image_size"] = [side * 4 for side in own["pos_embed"].shape[2:]]
    tables = [own.get(f"{prefix}relative_pos.table") for prefix in first]
    if all(table is not None and table.dim() == 3 and table.size(2) > 0 for table in tables):
        options["reduce_ratios"] = [
            round(math.sqrt(table.size(1) / table.size(2))) for table in tables if table is not None
        ]
    about = INPUT | {"image_size": options["image_size"][0]}
    if channels == CHANNELS_OF_B:
        about["crop"] = CROP_OF_B
    return Described(options, about)


def describe_windowed(state: Mapping[str, Tensor]) -> Described | None:
    r"""Returns the arguments of a :class:`WiGNet`, :obj:`None` if it is of another model.

    Neither names nor shapes tell :obj:`adapt_knn`, which the published models have for 256 pixels,
    with windows of 8 patches a side, and not for 224.

    Args:
        state (dict): A state dict, in published names or in ours.
    """
    depths, window = _depths(state), _window(state)
    if len(depths) < 2 or min(depths) < 1 or window is None:
        return None
    rename = window_rules(tuple(depths)).rename
    own = {rename(name) or name: value for name, value in state.items()}
    options = _options(own, "stages.0.blocks.0.")
    widths = [own.get(f"stages.{i}.blocks.0.grapher.fc1.0.weight") for i in range(len(depths))]
    channels = [width.size(0) for width in widths if width is not None and width.dim() > 1]
    if options is None or len(channels) < len(depths):
        return None
    image_size = [side * 4 for side in own["pos_embed"].shape[2:]]
    chosen = {name: options[name] for name in ("in_channels", "num_classes", "act")}
    chosen |= {"channels": channels, "depths": depths, "image_size": image_size}
    chosen |= {"window": window, "adapt_knn": window == WINDOW_OF_256}
    about = INPUT | {"image_size": image_size[0]}
    if channels == CHANNELS_OF_B:
        about["crop"] = CROP_OF_B
    return Described(chosen, about)


def _window(state: Mapping[str, Tensor]) -> int | None:
    r"""Returns the side of the windows: all blocks have the same square bias."""
    tables = [v for n, v in state.items() if re.search(r"\.relative_pos(\.table)?$", n)]
    shapes = {tuple(table.shape) for table in tables}
    if len(tables) < 2 or len(shapes) > 1:
        return None
    shape = shapes.pop()
    side = math.isqrt(shape[-1]) if len(shape) == 3 else 0
    return side if side > 0 and shape == (1, side * side, side * side) else None


def _depths(state: Mapping[str, Tensor]) -> list[int]:
    r"""Returns the number of blocks of each stage."""
    stages = [re.match(r"^stages\.(\d+)\.blocks\.(\d+)\.grapher\.", name) for name in state]
    if not any(stages):  # mmpretrain's, of which later stages begin with their downsampling
        stages = [
            re.match(r"^backbone\.stages\.(\d+)\.(\d+)\.0\.(?:fc\d|graph_conv)\.", name)
            for name in state
        ]
    found: dict[int, set[int]] = {}
    for match in filter(None, stages):
        found.setdefault(int(match[1]), set()).add(int(match[2]))
    if found:
        return [len(found.get(stage, ())) for stage in range(max(found) + 1)]
    blocks = {
        int(m[1])
        for name in state
        if (m := re.match(r"^backbone\.(\d+)\.0\.(?:fc\d|graph_conv)\.", name))
    }
    cuts = {int(m[1]) for name in state if (m := re.match(r"^backbone\.(\d+)\.conv\.", name))}
    if not blocks or not cuts:
        return []
    depths, start = [], 0
    for end in (*sorted(cuts), max(blocks) + 1):
        depths.append(end - start)
        start = end + 1
    return depths


def _options(own: Mapping[str, Tensor], block: str) -> dict[str, Any] | None:
    r"""Returns what both kinds of models have in common."""
    conv = f"{block}grapher.conv."
    norm = next((f"{conv}{name}.1.running_mean" for name in ("nn", "nn1")
                 if f"{conv}{name}.0.weight" in own), None)  # fmt: skip
    first, classes = own.get("stem.0.weight"), own.get("head.4.weight")
    maps = (first, own.get("pos_embed"))
    if norm is None or first is None or any(v is None or v.dim() != 4 for v in maps):
        return None
    if classes is not None and classes.dim() < 2:
        return None
    kind = "sage" if f"{conv}nn1.0.weight" in own else "gin" if f"{conv}eps" in own else "mr"
    return {
        "in_channels": first.size(1),
        "num_classes": 0 if classes is None else classes.size(0),
        "conv": kind,
        "act": "prelu" if f"{block}ffn.act.weight" in own else "gelu",
        "norm": "batch" if norm in own else "instance",
        "bias": norm.replace(".1.running_mean", ".0.bias") in own,
    }


def _convolutions(own: Mapping[str, Tensor]) -> int:
    return sum(
        bool(re.match(r"^stem\.\d+\.weight$", name)) and own[name].dim() == 4 for name in own
    )


def _count(own: Mapping[str, Tensor], pattern: str) -> int:
    return len({match[1] for name in own if (match := re.match(pattern, name))})
