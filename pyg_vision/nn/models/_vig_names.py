r"""The names in the published checkpoints of Vision GNNs."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from pyg_vision.weights.key_rules import KeyRules, rename_by

# The names of huawei-noah/Efficient-AI-Backbones, then those of mmpretrain.
_RENAME = rename_by(
    (
        (r"^stem\.convs\.", "stem."),
        (r"^backbone\.(\d+)\.0\.graph_conv\.gconv\.", r"blocks.\1.grapher.conv."),
        (r"^backbone\.(\d+)\.0\.", r"blocks.\1.grapher."),
        (r"^backbone\.(\d+)\.1\.", r"blocks.\1.ffn."),
        (r"^prediction\.", "head."),
        (r"^pos_embed$", "pos_embed"),
        (r"^backbone\.pos_embed$", "pos_embed"),
        (r"^backbone\.stem\.(?:convs\.)?", "stem."),
        (r"^backbone\.blocks\.(\d+)\.0\.graph_conv\.gconv\.", r"blocks.\1.grapher.conv."),
        (r"^backbone\.blocks\.(\d+)\.0\.", r"blocks.\1.grapher."),
        (r"^backbone\.blocks\.(\d+)\.1\.", r"blocks.\1.ffn."),
        (r"^head\.fc1\.", "head.0."),
        (r"^head\.bn\.", "head.1."),
        (r"^head\.fc2\.", "head.4."),
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
    if name == "pos_embed" and value.dim() == 4 and value.shape[:2] == own.shape[:2]:
        return resample_pos_embed(value, (own.size(2), own.size(3)))
    return None


PUBLISHED = KeyRules(_RENAME, resampled=_resampled)
