r"""Checkpoints of ViG, from huawei-noah/Efficient-AI-Backbones and from mmpretrain."""

from __future__ import annotations

from torch import Tensor

from pyg_vision.nn.models.vig import resample_pos_embed
from pyg_vision.weights._family import Family, flatten_1x1


def _fit(name: str, value: Tensor, own: Tensor) -> Tensor | None:
    value = flatten_1x1(value, own)
    return value if value.shape == own.shape else None


def _resampled(name: str, value: Tensor, own: Tensor) -> Tensor | None:
    if name == "pos_embed" and value.dim() == 4 and value.shape[:2] == own.shape[:2]:
        return resample_pos_embed(value, (own.size(2), own.size(3)))
    return None


VIG = Family(
    rules=(
        (r"^stem\.convs\.", "stem."),
        (r"^backbone\.(\d+)\.0\.graph_conv\.gconv\.", r"blocks.\1.grapher.conv."),
        (r"^backbone\.(\d+)\.0\.", r"blocks.\1.grapher."),
        (r"^backbone\.(\d+)\.1\.", r"blocks.\1.ffn."),
        (r"^prediction\.", "head."),
        (r"^pos_embed$", "pos_embed"),
        # mmpretrain
        (r"^backbone\.pos_embed$", "pos_embed"),
        (r"^backbone\.stem\.(?:convs\.)?", "stem."),
        (r"^backbone\.blocks\.(\d+)\.0\.graph_conv\.gconv\.", r"blocks.\1.grapher.conv."),
        (r"^backbone\.blocks\.(\d+)\.0\.", r"blocks.\1.grapher."),
        (r"^backbone\.blocks\.(\d+)\.1\.", r"blocks.\1.ffn."),
        (r"^head\.fc1\.", "head.0."),
        (r"^head\.bn\.", "head.1."),
        (r"^head\.fc2\.", "head.4."),
    ),
    fit=_fit,
    resampled=_resampled,
)
