r"""The patch grid of an image graph: the positions of its nodes and their neighbours."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from pyg_vision.data.size import Size2D, as_size, describe_size
from pyg_vision.typing import Connectivity

# Ordered as the nodes are, so that the sources of each node come out sorted.
_EIGHT = ((-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1))
_STEPS = {4: tuple(step for step in _EIGHT if 0 in step), 8: _EIGHT}


def patch_grid(image_size: Sequence[int], patch_size: int | Sequence[int]) -> Size2D:
    r"""Returns the number of patches of an image in height and width.

    Args:
        image_size (tuple): Height and width of the image in pixels.
        patch_size (int or tuple): Height and width of a patch in pixels.

    Raises:
        TypeError: If a size is not a pair of integers.
        ValueError: If the patches do not tile the image; the error names the nearest image size
            that they do tile.

    Example:
        >>> from pyg_vision.data import patch_grid
        >>> patch_grid((224, 320), patch_size=16)
        Size2D(height=14, width=20)
    """
    image, patch = as_size("image_size", image_size), as_size("patch_size", patch_size)
    if image.height % patch.height or image.width % patch.width:
        nearest = Size2D(*(_nearest_multiple(n, p) for n, p in zip(image, patch, strict=True)))
        raise ValueError(
            f"an image of {describe_size(image)} pixels (height × width) does not divide into "
            f"patches of {describe_size(patch)} pixels; the nearest size that does is "
            f"{describe_size(nearest)}"
        )
    return Size2D(image.height // patch.height, image.width // patch.width)


def grid_pos(
    grid_size: Sequence[int],
    patch_size: int | Sequence[int] = 1,
    device: torch.device | str | None = None,
) -> Tensor:
    r"""Returns the centres of all patches in pixels, :math:`(N, 2)` as :math:`(x, y)`.

    :math:`x` grows to the right and :math:`y` downwards, as in
    :class:`~torch_geometric.transforms.ToSLIC` and in :meth:`matplotlib.axes.Axes.imshow`
    (and unlike in :func:`torch_geometric.utils.grid`, where :math:`y` grows upwards). The first
    pixel has its centre at :math:`(0, 0)`, so the position of a patch is the mean of the
    positions of its pixels.

    Args:
        grid_size (tuple): The number of patches in height and width.
        patch_size (int or tuple, optional): Height and width of a patch in pixels.
            (default: :obj:`1`)
        device (torch.device, optional): The device of the result. (default: :obj:`None`)

    Raises:
        TypeError: If a size is not a pair of integers.
        ValueError: If a size is smaller than one.

    Example:
        >>> from pyg_vision.data import grid_pos
        >>> grid_pos((2, 2), patch_size=4)
        tensor([[1.5000, 1.5000],
                [5.5000, 1.5000],
                [1.5000, 5.5000],
                [5.5000, 5.5000]])
    """
    grid, patch = as_size("grid_size", grid_size), as_size("patch_size", patch_size)
    y = torch.arange(grid.height, dtype=torch.float, device=device)
    x = torch.arange(grid.width, dtype=torch.float, device=device)
    y = y * patch.height + (patch.height - 1) / 2
    x = x * patch.width + (patch.width - 1) / 2
    return torch.stack([x.repeat(grid.height), y.repeat_interleave(grid.width)], dim=-1)


def grid_edge_index(
    grid_size: Sequence[int],
    connectivity: Connectivity = 4,
    device: torch.device | str | None = None,
) -> Tensor:
    r"""Returns the edges between neighbouring nodes of a grid, in both directions.

    The edges are sorted by destination, and by source within a destination. There are no
    self-loops.

    Args:
        grid_size (tuple): The number of nodes in height and width.
        connectivity (int, optional): :obj:`4` connects nodes that share a side, :obj:`8` also
            those that share a corner. (default: :obj:`4`)
        device (torch.device, optional): The device of the result. (default: :obj:`None`)

    Raises:
        TypeError: If the size is not a pair of integers.
        ValueError: If the size is smaller than one, or the connectivity is neither 4 nor 8.

    Example:
        >>> from pyg_vision.data import grid_edge_index
        >>> grid_edge_index((2, 2))
        tensor([[1, 2, 0, 3, 0, 3, 1, 2],
                [0, 0, 1, 1, 2, 2, 3, 3]])
        >>> grid_edge_index((14, 14), connectivity=8).shape
        torch.Size([2, 1404])
    """
    grid = as_size("grid_size", grid_size)
    check_connectivity(connectivity)
    steps = torch.tensor(_STEPS[connectivity], device=device)
    row = torch.arange(grid.height, device=device).repeat_interleave(grid.width)
    col = torch.arange(grid.width, device=device).repeat(grid.height)
    to_row = row.view(-1, 1) + steps[:, 0]
    to_col = col.view(-1, 1) + steps[:, 1]
    inside = (to_row >= 0) & (to_row < grid.height) & (to_col >= 0) & (to_col < grid.width)
    source = to_row * grid.width + to_col
    target = (row * grid.width + col).view(-1, 1).expand_as(source)
    return torch.stack([source[inside], target[inside]])


def check_connectivity(connectivity: int) -> None:
    r"""Raises unless the connectivity is one that a square lattice has."""
    if connectivity not in _STEPS:
        raise ValueError(f"'connectivity' must be 4 or 8 (got {connectivity!r})")


def _nearest_multiple(number: int, factor: int) -> int:
    return max(1, (number + factor // 2) // factor) * factor
