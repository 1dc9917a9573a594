r"""The blocks of a skeleton model, as data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from pyg_vision._checks import check_int


class Stage(NamedTuple):
    r"""Blocks of one width.

    Args:
        channels (int): The channels of each block.
        depth (int): The number of blocks.
        stride (int): The stride over frames of the first of them. (default: :obj:`1`)

    Example:
        >>> from pyg_vision.nn import STGCN, Stage
        >>> model = STGCN(3, 10, stages=[Stage(16, depth=1), Stage(32, depth=2, stride=2)])
        >>> [block.stride for block in model.blocks]
        [1, 2, 1]
    """

    channels: int
    depth: int
    stride: int = 1


STAGES = (Stage(64, 4), Stage(128, 3, 2), Stage(256, 3, 2))  # of ST-GCN and most families after it


def block_sizes(stages: Sequence[Stage | tuple[int, ...]]) -> list[tuple[int, int]]:
    r"""Returns the channels and the stride of each block.

    Args:
        stages (list of tuples): The channels, the number of blocks and the stride of each
            :class:`Stage`.
    """
    sizes = []
    for number, row in enumerate(stages):
        stage = Stage(*row)
        for name, value in zip(Stage._fields, stage, strict=True):
            check_int(f"{name} of stages[{number}]", value)
        sizes += [(stage.channels, stage.stride)] + [(stage.channels, 1)] * (stage.depth - 1)
    if not sizes:
        raise ValueError("'stages' must hold at least one stage (got none)")
    return sizes
