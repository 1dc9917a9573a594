r"""Attributions drawn over the image that they are of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch.nn.functional as F
from torch import Tensor

from pyg_vision._checks import check_finite, check_int
from pyg_vision.visualization._canvas import ImageLike, new_figure, read_pixels
from pyg_vision.visualization._style import DARK

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_WIDTH, _LINE = 6.0, 0.25  # inches
_FOR, _AGAINST = (214, 72, 10), (0, 104, 178)  # Okabe and Ito's vermilion and blue
_CLIP = 0.99  # the share of pixels below the strongest colour, so that a few do not hide the rest


def draw_attribution(
    image: ImageLike,
    attribution: Tensor,
    ax: Axes | None = None,
    *,
    title: str | None = None,
    window: int = 5,
    signed: bool = True,
) -> Axes:
    r"""Draws how much each pixel speaks for a class over the image, which is shown in pale grey:
    orange pixels speak for it, blue ones against it.

    Args:
        image (PIL.Image.Image, torch.Tensor or numpy.ndarray): The photograph, a tensor
            :math:`(C, H, W)` with one or three channels or an array :math:`(H, W, 3)`; integers
            0 … 255 or floats 0 … 1.
        attribution (torch.Tensor): The attributions :math:`(H, W)`, as
            :func:`~pyg_vision.explain.attribute` returns them.
        ax (matplotlib.axes.Axes, optional): Where to draw. If :obj:`None`, a new figure, 6 inches
            wide. (default: :obj:`None`)
        title (str, optional): A line above the image. (default: :obj:`None`)
        window (int, optional): The side of the squares over which the attributions are averaged;
            single pixels are noise. It must be odd. (default: :obj:`5`)
        signed (bool, optional): Whether they have a sign, unlike those of :obj:`"saliency"`; the
            line below the image says what the colours are. (default: :obj:`True`)

    Returns:
        matplotlib.axes.Axes: The axes, in pixels of the image.

    Raises:
        ImportError: If :obj:`matplotlib` is not installed.
        TypeError: If the image is of another type.
        ValueError: If the sizes differ, an attribution is no number, or the window is even.

    Example:
        >>> import torch
        >>> from pyg_vision.explain import attribute
        >>> from pyg_vision.nn import PyramidViG
        >>> from pyg_vision.visualization import draw_attribution
        >>> model = PyramidViG(channels=(8, 16), depths=(1, 1), reduce_ratios=(2, 1), num_classes=3)
        >>> image = torch.rand(3, 64, 96)
        >>> ax = draw_attribution(image, attribute(model, image, target=2), title="class 2")
        >>> ax.figure.savefig("attribution.png", dpi=100)
    """
    pixels = read_pixels(image)
    if check_int("window", window) % 2 == 0:
        raise ValueError(f"'window' must be odd (got {window})")
    if not isinstance(attribution, Tensor) or tuple(attribution.shape) != pixels.shape[:2]:
        found = list(attribution.shape) if isinstance(attribution, Tensor) else attribution
        raise ValueError(
            f"'attribution' must be a tensor of the height and width of the image, "
            f"{list(pixels.shape[:2])} (got {found})"
        )
    values = attribution.detach().cpu().float()
    check_finite("attribution", values)
    smooth = F.avg_pool2d(
        values[None, None], window, stride=1, padding=window // 2, count_include_pad=False
    )[0, 0].numpy()
    strongest = float(np.quantile(np.abs(smooth), _CLIP)) or float(np.abs(smooth).max()) or 1.0
    strength = (np.abs(smooth) / strongest).clip(0, 1)[..., None]
    grey = pixels.mean(axis=2, keepdims=True) * 0.45 + 255 * 0.5
    color = np.where(smooth[..., None] > 0, np.array(_FOR), np.array(_AGAINST))
    drawn = (1 - strength) * grey + strength * color
    if ax is None:
        ax = _new_axes(pixels.shape[0] / pixels.shape[1], title is not None, signed)
    ax.imshow(drawn.round().astype(np.uint8), interpolation="antialiased")
    ax.set_axis_off()
    if title is not None:
        ax.set_title(title, loc="left", fontsize=11, fontweight="bold", color=DARK, pad=4.0)
    return ax


def _new_axes(ratio: float, has_title: bool, signed: bool) -> Axes:
    height = _WIDTH * ratio
    total = height + 1.2 * _LINE + (1.2 * _LINE if has_title else 0.0)
    figure = new_figure(_WIDTH, total)
    text = (
        "Orange: speaks for the class. Blue: against it."
        if signed
        else "Orange: the pixels that change the class most."
    )
    figure.text(0.004, 0.6 * _LINE / total, text, fontsize=9, color=DARK, va="center")
    return figure.add_axes((0.0, 1.2 * _LINE / total, 1.0, height / total))
