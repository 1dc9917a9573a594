r"""How many neighbours, and how far apart in rank, each block of a Vision GNN takes."""

from __future__ import annotations

from pyg_vision.nn.graph.dilated_knn_graph import Reach, fit_reach


def vig_reaches(depth: int, k: int, dilation: bool) -> list[Reach]:
    r"""Returns the published neighbourhoods, before they are fitted to an image.

    :math:`k` rises linearly to twice its value, the dilation by one every four blocks. The
    published code rounds a floating-point range; the integers here are the exact ones.

    Args:
        depth (int): The number of blocks.
        k (int): The neighbours of the first block.
        dilation (bool): Whether to dilate at all.
    """
    steps = max(depth - 1, 1)
    return [Reach(k + k * i // steps, i // 4 + 1 if dilation else 1) for i in range(depth)]


def fit_reaches(reaches: list[Reach], num_nodes: int) -> list[Reach]:
    r"""Lowers neighbourhoods to what an image of :obj:`num_nodes` patches has.

    Args:
        reaches (list): The neighbourhoods asked for.
        num_nodes (int): The patches of the image.
    """
    widest = max(reach.k for reach in reaches)
    return [fit_reach(reach, num_nodes, widest) for reach in reaches]


# The patches of the last stage of a pyramid at 224 pixels, beyond which the published code does not
# let a neighbourhood reach, whatever the size of the image.
LAST_GRID = 49


def pyramid_reaches(num_blocks: int, k: int, dilation: bool) -> list[Reach]:
    r"""Returns the published neighbourhoods of a pyramid, before they are fitted to an image.

    Args:
        num_blocks (int): The number of blocks of all stages.
        k (int): The neighbours of each.
        dilation (bool): Whether to dilate at all.
    """
    most = max(LAST_GRID // k, 1)
    return [Reach(k, min(i // 4 + 1, most) if dilation else 1) for i in range(num_blocks)]
