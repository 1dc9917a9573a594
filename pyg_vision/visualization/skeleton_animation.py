r"""An animation of a skeleton and its graph."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image
from torch_geometric.data import Data

from pyg_vision._checks import check_int
from pyg_vision.typing import Partition, Up
from pyg_vision.visualization._canvas import new_figure
from pyg_vision.visualization._skeleton_canvas import (
    PERSONS,
    POINTS,
    Place,
    add_canvas,
    add_legend,
    draw_ground,
    draw_pose,
    fit_scale,
    write_title,
)
from pyg_vision.visualization._skeleton_scene import read_motion, read_relations
from pyg_vision.visualization._style import DARK, GREY, GROUND, TEMPORAL

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

_DPI = 100
_FASTEST = 50.0  # frames of a second; viewers slow down shorter delays than two hundredths
_NARROWEST = 200
_FLATTEST, _HIGHEST = 0.6, 1.2  # the height of the image as a share of its width
_MARGIN = 16.0
_TITLE = 20.0
_FONT = 7.6
_SHADES = 6  # of each colour in the palette


def animate_skeleton(
    data: Data,
    path: str | PathLike[str] | None = None,
    fps: float = 15.0,
    partition: Partition = "stgcn",
    max_hop: int = 1,
    *,
    width: int = 420,
    trail: int = 4,
    view: tuple[float, float] = (10.0, 0.0),
    up: Up | None = None,
    title: str | None = None,
    legend: bool = True,
) -> list[Image.Image]:
    r"""Draws a skeleton sequence as an animated GIF, with the typed edges of its graph.

    See :func:`draw_skeleton` for the signs. Place and scale are the same in all frames; a line at
    the bottom shows how much time has passed, and the animation repeats.

    Args:
        data (torch_geometric.data.Data): A single sequence with a layout, as
            :func:`~pyg_vision.data.skeleton_sequence` makes it.
        path (str or path, optional): The file to write, a GIF. (default: :obj:`None`)
        fps (float, optional): Frames of a second, at most 50. (default: :obj:`15.0`)
        partition (str, optional): The partition strategy, see
            :func:`~pyg_vision.data.skeleton_graph`. (default: :obj:`"stgcn"`)
        max_hop (int, optional): The farthest distance joined. (default: :obj:`1`)
        width (int, optional): The width in pixels; the height follows from the motion.
            (default: :obj:`420`)
        trail (int, optional): How many temporal edges are drawn behind each joint.
            (default: :obj:`4`)
        view (tuple, optional): For three coordinates, elevation and azimuth of the viewer, see
            :func:`draw_skeleton`. (default: :obj:`(10.0, 0.0)`)
        up (str, optional): The axis that points up, see :func:`draw_skeleton`.
            (default: :obj:`None`)
        title (str, optional): A line above. (default: :obj:`None`)
        legend (bool, optional): Whether to say below what the colours mean.
            (default: :obj:`True`)

    Returns:
        list[PIL.Image.Image]: One image for each frame, with a palette.

    Raises:
        ImportError: If :obj:`matplotlib` is not installed.
        TypeError: If :obj:`data` is no single sequence, or a number no integer.
        ValueError: If the layout is missing or does not fit, a coordinate is NaN or infinite, a
            number is out of range, the file is no GIF, or there are too many relations to tell
            them apart.

    Example:
        >>> from pyg_vision.datasets import SyntheticMotion
        >>> from pyg_vision.visualization import animate_skeleton
        >>> images = animate_skeleton(SyntheticMotion(num_frames=8)[2], "jumping_jack.gif", fps=12)
        >>> len(images)
        8
    """
    motion = read_motion(data, view, up)
    relations = read_relations(motion.layout, partition, max_hop)
    check_int("trail", trail, 0)
    if not 0.0 < fps <= _FASTEST:
        raise ValueError(f"'fps' must be above 0 and at most {_FASTEST:g} (got {fps})")
    check_int("width", width, _NARROWEST)
    if path is not None and Path(path).suffix.lower() != ".gif":
        raise ValueError(f"'path' must be that of a GIF, '….gif' (got '{path}')")

    across = width * POINTS / _DPI
    figure = new_figure(width / _DPI, 1.0)
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    low, high = motion.bounds()
    extent = high - low
    shape = extent[1] / max(extent[0], 1e-9)
    height = across * float(np.clip(shape, _FLATTEST, _HIGHEST))
    scale = fit_scale(extent, np.array((across, height)) - 2.0 * _MARGIN)
    key = 6.0 + add_legend(figure, relations, across, _FONT, trail > 0) if legend else 0.0
    top = _TITLE if title is not None else 0.0
    pixels = round((top + height + key) * _DPI / POINTS)
    figure.set_size_inches(width / _DPI, pixels / _DPI)
    figure.set_dpi(_DPI)
    canvas = FigureCanvasAgg(figure)
    if title is not None:
        write_title(add_canvas(figure, 0.0, 0.0, across, top), 1.0, 8.5, title, 10.0)
    ax = add_canvas(figure, 0.0, top, across, height)
    draw_ground(ax)
    place = Place.fit(motion, scale, 0.5 * (low + high), 0.5 * np.array((across, height)))

    palette = _make_palette(relations.colors)
    frames = []
    num_frames = motion.points.shape[1]
    for frame in range(num_frames):
        drawn = draw_pose(ax, motion, relations, frame, place, trail)
        drawn.append(_draw_time(ax, (frame + 1) / num_frames))
        canvas.draw()  # type: ignore[no-untyped-call]
        pixel = np.asarray(canvas.buffer_rgba())  # type: ignore[no-untyped-call]
        image = Image.fromarray(np.ascontiguousarray(pixel[..., :3]))
        frames.append(image.quantize(palette=palette, dither=Image.Dither.NONE))
        for artist in drawn:
            artist.remove()
    if path is not None:
        frames[0].save(
            path,
            format="GIF",
            save_all=True,
            append_images=frames[1:],
            duration=_delays(num_frames, fps),
            loop=0,
        )
    return frames


def _draw_time(ax: Axes, share: float) -> Artist:
    r"""Draws how much time has passed."""
    right, bottom = ax.get_xlim()[1] - 8.0, ax.get_ylim()[0] - 4.0
    end = 8.0 + share * (right - 8.0)
    (line,) = ax.plot((8.0, end), (bottom, bottom), color=GREY, linewidth=1.2, zorder=10)
    return line


def _delays(num_frames: int, fps: float) -> list[int]:
    r"""Returns how long each frame is shown, in milliseconds. GIF counts hundredths of a second:
    the frames are as evenly long as they can be and last as long together as they should.
    """
    ends = [round(100.0 * (i + 1) / fps) for i in range(num_frames)]
    return [10 * (end - start) for start, end in zip([0, *ends], ends, strict=False)]


def _make_palette(colors: list[str]) -> Image.Image:
    r"""Returns the colours of a drawing, and their shades where they border on the ground."""
    from matplotlib.colors import to_rgb

    grounds = ((1.0, 1.0, 1.0), to_rgb(GROUND))
    inks = dict.fromkeys((*PERSONS, DARK, GREY, TEMPORAL, *colors))
    shades = [
        share * np.array(to_rgb(ink)) + (1.0 - share) * np.array(ground)
        for ink in inks
        for share in np.arange(1, _SHADES + 1) / _SHADES
        for ground in grounds
    ]
    every = np.stack([*map(np.array, grounds), *shades])
    unique = np.unique((255.0 * every).round().astype(np.uint8), axis=0)
    palette = Image.new("P", (1, 1))
    palette.putpalette(unique.flatten().tolist())
    return palette
