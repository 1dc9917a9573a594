r"""Checkpoint files: read without running their code, taken out of their wrappers, recognised."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

# Where training scripts keep the weights, and those averaged over the steps of a training.
PLAIN = ("state_dict", "model", "model_state_dict", "net", "module")
AVERAGED = ("state_dict_ema", "model_ema", "ema_state_dict", "ema")
# A pickle can hold itself.
MOST_WRAPPERS = 10
# What torch's AveragedModel and MMEngine count beside the averaged weights.
COUNTS = ("n_averaged", "steps")
# The entry of the metadata of a .safetensors file that says how its model is built.
CONFIG_ENTRY = "pyg_vision"
# What parallel, compiled and wrapped models put before each name.
PREFIXES = ("module.", "model.", "net.")

# What a name in a checkpoint tells; the first that is found counts.
FAMILIES = (
    (r"^blocks\.\d+\.(grapher|ffn)\.", "pyg_vision's own ViG"),
    (r"^stages\.\d+\.layers\.\d+\.pw1\.", "pyg_vision's own MobileViG, GreedyViG or AdaptViG"),
    (r"^stages\.\d+\.blocks\.\d+\.grapher\.graph\.", "pyg_vision's own WiGNet"),
    (r"^stages\.\d+\.blocks\.\d+\.(grapher|ffn)\.", "pyg_vision's own PyramidViG"),
    (r"^((origin|motion)_stream\.)?blocks\.\d+\.(gcn|tcn)\.", "pyg_vision's own STGCN"),
    (r"^(backbone\.)?(stages\.\d+|backbone|blocks)\.\d+\.\d+\.relative_pos$", "Pyramid ViG"),
    (r"\.graph_conv\.gconv\.", "ViG"),
    (r"^local_backbone\.", "MobileViG"),
    (r"\.mixer\.graph_conv\.temperature$", "AdaptViG"),
    (r"\.mixer\.graph_conv\.", "MobileViGv2 or GreedyViG"),
    (r"(^|\.)st_gcn_networks\.", "ST-GCN (yysijie/st-gcn)"),
    (r"^backbone\.gcn\.\d+\.", "a skeleton model of pyskl or MMAction2"),
    (r"^l\d+\.gcn1\.conv_[abd]\.", "2s-AGCN or AAGCN"),
    (r"^l\d+\.gcn1\.(PA|convs\.)", "CTR-GCN"),
    (r"^(gcn3d|sgcn)\d", "MS-G3D"),
    (r"(^|\.)blocks\.\d+\.attn\.qkv\.", "a vision transformer (ViT)"),
    (r"(^|\.)encoder\.layers?\.", "a transformer"),
    (r"relative_position_bias_table$", "Swin Transformer"),
    (r"(^|\.)downsample_layers\.", "ConvNeXt"),
    (r"(^|\.)layer[1-4]\.\d+\.conv1\.", "a ResNet"),
    (r"(^|\.)features\.\d+\.", "a model of torchvision"),
)


class Checkpoint(NamedTuple):
    r"""The tensors of a checkpoint.

    Args:
        state (dict): The tensors.
        entry (str): Under which names they were found, such as :obj:`"state_dict_ema"`.
    """

    state: dict[str, Tensor]
    entry: str


def read_checkpoint(path: Path) -> object:
    r"""Reads a file of tensors and plain Python values.

    Of classes only :class:`argparse.Namespace` is known, in which training scripts keep their
    options.
    """
    if not path.is_file():
        raise FileNotFoundError(f"there is no checkpoint '{path}'")
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            return load_file(path)
        with torch.serialization.safe_globals([argparse.Namespace]):
            return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as e:  # every reader has exceptions of its own for a broken file
        reason = str(e).strip().partition("\n")[0]
        raise ValueError(
            f"'{path}' could not be read as a checkpoint of tensors; it is truncated, of another "
            f"format, or holds more than tensors ({type(e).__name__}: {reason[:200]})"
        ) from e


def read_config(path: Path) -> dict[str, Any] | None:
    r"""Returns what :func:`~pyg_vision.weights.convert` wrote into a file beside its tensors."""
    if path.suffix != ".safetensors":
        return None
    from safetensors import safe_open

    with safe_open(path, framework="pt") as file:
        text = (file.metadata() or {}).get(CONFIG_ENTRY)
    if text is None:
        return None
    try:
        config = json.loads(text)
        ok = isinstance(config["model"], str) and isinstance(config["options"], dict)
        ok &= isinstance(config.get("input", {}), dict)
        ok &= isinstance(config.get("multi_label", False), bool)
        classes = config.get("classes")
        ok &= classes is None or (
            isinstance(classes, list) and all(isinstance(name, str) for name in classes)
        )
    except (ValueError, KeyError, TypeError):
        ok = False
    if not ok:
        raise ValueError(f"'{path}' carries a configuration that cannot be read")
    found: dict[str, Any] = config
    return found


def find_state(value: object, source: str, averaged: bool = True) -> Checkpoint:
    r"""Returns the tensors, out of the wrappers that training scripts save.

    Args:
        value (object): What a file held.
        source (str): What errors call it.
        averaged (bool, optional): Whether averaged weights are taken where there are both.
            (default: :obj:`True`)
    """
    entries: list[str] = []
    while isinstance(value, Mapping) and len(entries) < MOST_WRAPPERS:
        # MMEngine swaps the two when it saves, so that "state_dict" is the averaged one.
        meta = value.get("meta")
        swapped = "message_hub" in value or (
            isinstance(meta, Mapping) and "mmengine_version" in meta
        )
        order = AVERAGED + PLAIN if averaged != swapped else PLAIN + AVERAGED
        key = next((key for key in order if isinstance(value.get(key), Mapping)), None)
        if key is None:
            break
        entries.append(key)
        value = value[key]
    if not isinstance(value, Mapping) or not value:
        raise ValueError(f"{source} holds no state dict (got '{type(value).__name__}')")
    wrong = [str(k) for k, v in value.items() if not isinstance(v, Tensor)]
    if wrong:
        raise ValueError(f"{source} holds entries that are no tensors: {wrong[:5]}")
    return Checkpoint(_strip({str(k): v for k, v in value.items()}), ".".join(entries))


def _strip(state: dict[str, Tensor]) -> dict[str, Tensor]:
    # Parts of a model are compiled by themselves, too.
    state = {name.replace("_orig_mod.", ""): value for name, value in state.items()}
    while True:
        state = {name: value for name, value in state.items() if name not in COUNTS}
        prefix = next((p for p in PREFIXES if all(n.startswith(p) for n in state)), None)
        if prefix is None or not state:
            return state
        state = {name.removeprefix(prefix): value for name, value in state.items()}


def looks_like(names: Iterable[str]) -> str | None:
    r"""Says what model names of parameters belong to, :obj:`None` if that is not known."""
    names = list(names)
    for pattern, family in FAMILIES:
        if any(re.search(pattern, name) for name in names):
            return family
    return None
