r"""The image below a drawn graph: pixels, veil, lattice and boxes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from pyg_vision.data.convert import image_to_rgb
from pyg_vision.data.size import Size2D

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Pixels = np.ndarray[Any, np.dtype[np.uint8]]
ImageLike = Image.Image | Tensor | np.ndarray[Any, Any]

_MARGIN = 0.12
_PLACE = 0.6


class Box(NamedTuple):
    r"""The rectangle of a patch, in the coordinates of the image."""

    left: float
    top: float
    width: float
    height: float

    @property
    def center(self) -> tuple[float, float]:
        r"""The middle of the patch."""
        return self.left + self.width / 2, self.top + self.height / 2


def patch_box(index: int, size: Size2D, grid: Size2D) -> Box:
    r"""Returns where a patch lies in an image of the given size."""
    width, height = size.width / grid.width, size.height / grid.height
    row, column = divmod(index, grid.width)
    return Box(column * width - 0.5, row * height - 0.5, width, height)


def new_figure(width: float, height: float) -> Figure:
    r"""Returns a figure of the given size in inches that belongs to no window."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError(
            "drawing a graph needs matplotlib: pip install pyg-vision[vis]"
        ) from error
    return Figure(figsize=(width, height), facecolor="white")


def read_pixels(image: ImageLike) -> Pixels:
    r"""Returns any image as an array :math:`(H, W, 3)` of bytes."""
    if isinstance(image, Image.Image):
        return np.asarray(image_to_rgb(image))
    if isinstance(image, np.ndarray):
        if image.ndim not in (2, 3):
            raise ValueError(
                f"an image array must be [height, width, channels] (got shape {list(image.shape)})"
            )
        array = torch.from_numpy(np.ascontiguousarray(image))
        image = array.unsqueeze(0) if array.dim() == 2 else array.permute(2, 0, 1)
    if not isinstance(image, Tensor):
        raise TypeError(
            f"'image' must be a PIL image, a tensor or an array (got '{type(image).__name__}')"
        )
    if image.dim() != 3 or image.size(0) not in (1, 3) or image.numel() == 0:
        raise ValueError(
            f"'image' must have one or three channels, as a tensor [channels, height, width] or an "
            f"array [height, width, channels] (got [channels, height, width] = "
            f"{list(image.shape)})"
        )
    image = image.detach().cpu()
    if image.is_floating_point():
        low, high = (float(v) for v in image.aminmax())
        if not (low >= 0.0 and high <= 1.0):  # also if NaN
            raise ValueError(
                f"a floating-point image must lie in [0, 1] (got values from {low:.4g} to "
                f"{high:.4g}); undo its normalisation first"
            )
        image = image.float().mul(255).round().to(torch.uint8)
    if image.dtype != torch.uint8:
        raise TypeError(f"'image' must be floating-point or torch.uint8 (got {image.dtype})")
    pixels: Pixels = image.expand(3, -1, -1).permute(1, 2, 0).contiguous().numpy()
    return pixels


def choose_nodes(pixels: Pixels, grid: Size2D, count: int = 3) -> list[int]:
    r"""Chooses patches that differ in colour and place, away from the border.

    Each is the farthest from those chosen before it, the first the farthest from the average.
    """
    image = torch.from_numpy(pixels.copy()).permute(2, 0, 1).unsqueeze(0).float() / 255
    color = F.adaptive_avg_pool2d(image, (grid.height, grid.width)).flatten(2)[0].T
    y = ((torch.arange(grid.height) + 0.5) / grid.height).repeat_interleave(grid.width)
    x = ((torch.arange(grid.width) + 0.5) / grid.width).repeat(grid.height)
    place = torch.stack([x, y], dim=1)
    border = ((place - 0.5).abs() > 0.5 - _MARGIN).any(dim=1)
    if int((~border).sum()) < count:
        border = torch.zeros_like(border)

    features = torch.cat([color, _PLACE * place], dim=1)
    gap = (features - features.mean(dim=0)).square().sum(dim=1)
    chosen: list[int] = []
    for _ in range(min(count, len(features))):
        gap[border] = gap[chosen] = -1.0
        chosen.append(int(gap.argmax()))
        to_last = (features - features[chosen[-1]]).square().sum(dim=1)
        gap = to_last if len(chosen) == 1 else gap.minimum(to_last)
    return chosen


def draw_image(ax: Axes, pixels: Pixels, lit: Iterable[Box], dim: float) -> None:
    r"""Draws the image, darkened but for the lit boxes."""
    height, width = pixels.shape[:2]
    veil = np.zeros((height, width, 4), dtype=np.float32)
    veil[..., 3] = dim
    for box in lit:
        top, left = round(box.top + 0.5), round(box.left + 0.5)
        bottom, right = round(box.top + box.height + 0.5), round(box.left + box.width + 0.5)
        veil[top:bottom, left:right, 3] = 0.0
    ax.imshow(pixels, interpolation="antialiased", zorder=0)
    ax.imshow(veil, interpolation="nearest", zorder=1)
    ax.set_xlim(-0.5, width - 0.5)
    ax.set_ylim(height - 0.5, -0.5)
    ax.set_axis_off()


def draw_lattice(ax: Axes, size: Size2D, grid: Size2D) -> None:
    r"""Draws the borders between patches."""
    from matplotlib.collections import LineCollection

    right, bottom = size.width - 0.5, size.height - 0.5
    xs = [i * size.width / grid.width - 0.5 for i in range(1, grid.width)]
    ys = [i * size.height / grid.height - 0.5 for i in range(1, grid.height)]
    lines = [[(x, -0.5), (x, bottom)] for x in xs] + [[(-0.5, y), (right, y)] for y in ys]
    ax.add_collection(
        LineCollection(lines, colors="white", linewidths=0.6, alpha=0.3, zorder=2), autolim=False
    )


def points_per_pixel(ax: Axes) -> float:
    r"""Returns how many points a pixel of the image takes on paper."""
    from matplotlib.figure import Figure

    figure = ax.get_figure(root=True)
    if not isinstance(figure, Figure):
        raise TypeError(f"the axes must belong to a figure (got {figure!r})")
    inches, place = figure.get_size_inches(), ax.get_position()
    width, height = abs(np.diff(ax.get_xlim())[0]), abs(np.diff(ax.get_ylim())[0])
    scale = min(inches[0] * place.width / width, inches[1] * place.height / height)
    return 72.0 * float(scale)
