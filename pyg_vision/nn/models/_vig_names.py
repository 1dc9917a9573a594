r"""The names in the published checkpoints of Vision GNNs."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache

import torch.nn.functional as F
from torch import Tensor

from pyg_vision.nn.graph.relative_position import resample_table
from pyg_vision.weights.key_rules import KeyRules, rename_by

# The names of huawei-noah/Efficient-AI-Backbones, then those of mmpretrain.
_SHARED = (
    (r"^stem\.convs\.", "stem."),
    (r"^prediction\.", "head."),
    (r"^pos_embed$", "pos_embed"),
    (r"^backbone\.pos_embed$", "pos_embed"),
    (r"^backbone\.stem\.(?:convs\.)?", "stem."),
    (r"^head\.fc1\.", "head.0."),
    (r"^head\.bn\.", "head.1."),
    (r"^head\.fc2\.", "head.4."),
)
_RENAME = rename_by(
    (
        *_SHARED,
        (r"^backbone\.(\d+)\.0\.graph_conv\.gconv\.", r"blocks.\1.grapher.conv."),
        (r"^backbone\.(\d+)\.0\.", r"blocks.\1.grapher."),
        (r"^backbone\.(\d+)\.1\.", r"blocks.\1.ffn."),
        (r"^backbone\.blocks\.(\d+)\.0\.graph_conv\.gconv\.", r"blocks.\1.grapher.conv."),
        (r"^backbone\.blocks\.(\d+)\.0\.", r"blocks.\1.grapher."),
        (r"^backbone\.blocks\.(\d+)\.1\.", r"blocks.\1.ffn."),
    )
)


def resample_pos_embed(pos_embed: Tensor, grid_size: tuple[int, int]) -> Tensor:
    r"""Resamples a position embedding to another grid of patches.

    Args:
        pos_embed (torch.Tensor): The embedding :math:`(1, C, H, W)`.
        grid_size (tuple): The height and width wanted.
    """
    return F.interpolate(pos_embed, size=grid_size, mode="bicubic", align_corners=False)


def _resampled(name: str, value: Tensor, own: Tensor) -> Tensor | None:
    if name.endswith(".relative_pos.table") and value.dim() == 3:
        return resample_table(value, (own.size(1), own.size(2)))
    if name == "pos_embed" and value.dim() == 4 and value.shape[:2] == own.shape[:2]:
        return resample_pos_embed(value, (own.size(2), own.size(3)))
    return None


# A bias of true positions takes the place of a table.
_UNUSED = (r"\.relative_pos(\.table)?$",)

FIRST, HEAD = "stem.0.weight", "head."

PUBLISHED = KeyRules(_RENAME, resampled=_resampled, first=FIRST, head=HEAD)


@lru_cache(maxsize=16)
def pyramid_rules(depths: tuple[int, ...]) -> KeyRules:
    r"""Returns how the checkpoints of a pyramid map onto it, whose blocks the published code counts
    over all stages, downsampling included, and mmpretrain within each.

    Args:
        depths (tuple): The number of blocks of each stage.
    """
    rules: list[tuple[str, str]] = list(_SHARED)
    for stage, depth in enumerate(depths):
        first = sum(depths[:stage]) + stage
        prefix = f"stages.{stage}"
        if stage > 0:
            rules.append((rf"^backbone\.{first - 1}\.conv\.", f"{prefix}.downsample."))
            rules.append(
                (rf"^backbone\.stages\.{stage}\.0\.(?=[01]\.[a-z])", f"{prefix}.downsample.")
            )
        for block in range(depth):
            own = f"{prefix}.blocks.{block}"
            for old in (rf"{first + block}", rf"stages\.{stage}\.{block + (stage > 0)}"):
                rules += [
                    (rf"^backbone\.{old}\.0\.graph_conv\.gconv\.", f"{own}.grapher.conv."),
                    (rf"^backbone\.{old}\.0\.relative_pos$", f"{own}.grapher.relative_pos.table"),
                    (rf"^backbone\.{old}\.0\.", f"{own}.grapher."),
                    (rf"^backbone\.{old}\.1\.", f"{own}.ffn."),
                ]
    return KeyRules(rename_by(rules), resampled=_resampled, unused=_UNUSED, first=FIRST, head=HEAD)


# What depends on the size of an image is computed again.
_MASKS = r"\.(?:attn_mask|adj_mask)$"


@lru_cache(maxsize=16)
def window_rules(depths: tuple[int, ...]) -> KeyRules:
    r"""Returns how the checkpoints of a :class:`WiGNet` map onto it.

    Args:
        depths (tuple): The number of blocks of each stage.
    """
    rules = pyramid_rules(depths)

    def rename(name: str) -> str | None:
        if re.search(_MASKS, name):
            return name
        new = rules.rename(name)
        return (
            None
            if new is None
            else new.replace("grapher.relative_pos", "grapher.graph.relative_pos")
        )

    return replace(rules, rename=rename, unused=(_MASKS,))
