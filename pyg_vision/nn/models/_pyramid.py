r"""What all pyramids share: a stem of stride four, and stages that halve the grid."""

from __future__ import annotations

from collections.abc import Sequence

from pyg_vision.typing import Grid

STEM_STRIDE = 4


def stage_grids(height: int, width: int, stages: int) -> list[Grid]:
    r"""Returns the rows and columns of the patches of each stage.

    Args:
        height (int): The rows of the first stage.
        width (int): Its columns.
        stages (int): The number of stages.
    """
    grids = [(height, width)]
    while len(grids) < stages:  # a convolution of stride two rounds up
        grids.append((-(-grids[-1][0] // 2), -(-grids[-1][1] // 2)))
    return grids


def patches_of(height: int, width: int) -> Grid:
    r"""Returns the rows and columns of the first stage.

    Args:
        height (int): The height of the image in pixels.
        width (int): Its width.
    """
    return -(-height // STEM_STRIDE), -(-width // STEM_STRIDE)


def stage_maps(channels: Sequence[int]) -> list[tuple[int, int]]:
    r"""Returns the channels and the stride in pixels of the map after each stage.

    Args:
        channels (list of int): The channels of each stage.
    """
    return [(width, STEM_STRIDE * 2**i) for i, width in enumerate(channels)]
