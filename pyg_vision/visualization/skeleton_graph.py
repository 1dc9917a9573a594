r"""Moments of a skeleton sequence and its graph, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from torch import Tensor
from torch_geometric.data import Data

from pyg_vision._checks import check_int
from pyg_vision.typing import Partition, Up
from pyg_vision.visualization._canvas import new_figure
from pyg_vision.visualization._skeleton_canvas import (
    POINTS,
    Place,
    add_canvas,
    add_legend,
    draw_ground,
    draw_pose,
    fit_scale,
    write_label,
    write_title,
)
from pyg_vision.visualization._skeleton_scene import (
    Array,
    Motion,
    read_motion,
    read_relations,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_WIDTH = 12.0 * POINTS  # 1200 pixels at 100 dpi
_NARROWEST = 6.0 * POINTS
_PANEL = 4.2 * POINTS  # the widest panel
_HEIGHT = 3.9 * POINTS  # the highest figure
_MARGIN = 16.0
_GAP = 8.0
_FONT = 10.0


def draw_skeleton(
    data: Data,
    frames: int | Sequence[int] = 5,
    partition: Partition = "stgcn",
    max_hop: int = 1,
    *,
    trail: int = 4,
    view: tuple[float, float] = (10.0, 0.0),
    up: Up | None = None,
    title: str | None = None,
    caption: str | None = None,
    response: Tensor | None = None,
) -> Figure:
    r"""Draws moments of a skeleton sequence side by side, with the typed edges of its graph.

    Each joint is a dot. An arrow from joint to joint is an edge in the colour of its relation,
    a ring around a joint its edge to itself, and a trail behind it the temporal edges to the same
    joint in the frames before. A legend says what the colours mean, which are the same in every
    drawing: blue edges come from nearer the centre of the body, orange ones from farther away.

    All moments have the same scale and the same height above the ground, and each is centred.
    Persons that are all zeros in a frame are not drawn, nor are joints whose score is zero.
    Nothing of :obj:`matplotlib.pyplot` is used: no window opens and no state is kept.

    Args:
        data (torch_geometric.data.Data): A single sequence with a layout, as
            :func:`~pyg_vision.data.skeleton_sequence` makes it; edges of its own are not needed.
        frames (int or list, optional): How many moments, the middles of equal stretches of the
            time in which someone is seen, or which frames. (default: :obj:`5`)
        partition (str, optional): The partition strategy, see
            :func:`~pyg_vision.data.skeleton_graph`. (default: :obj:`"stgcn"`)
        max_hop (int, optional): The farthest distance joined. (default: :obj:`1`)
        trail (int, optional): How many temporal edges are drawn behind each joint.
            (default: :obj:`4`)
        view (tuple, optional): For three coordinates, how many degrees the viewer stands above
            the horizon and to the right of the front; the first axis points to the right, and
            the third away from the viewer. (default: :obj:`(10.0, 0.0)`)
        up (str, optional): The axis that points up: :obj:`"y"`, :obj:`"-y"` as in images, or
            :obj:`"z"`. If :obj:`None`, :obj:`"-y"` for two coordinates, :obj:`"y"` for three.
            (default: :obj:`None`)
        title (str, optional): A line above. (default: :obj:`None`)
        caption (str, optional): A text below. (default: :obj:`None`)
        response (torch.Tensor, optional): A value from 0 to 1 for each joint
            :math:`(M, T, V)`, such as how much it speaks for a class: a disc behind the joint.
            (default: :obj:`None`)

    Returns:
        matplotlib.figure.Figure: The figure, up to 12 inches wide; save it by :obj:`savefig`.

    Raises:
        ImportError: If :obj:`matplotlib` is not installed.
        TypeError: If :obj:`data` is no single sequence, or a number no integer.
        ValueError: If the layout is missing or does not fit, a coordinate is NaN or infinite, a
            frame is out of range, or there are too many relations to tell them apart.

    Example:
        >>> from pyg_vision.datasets import SyntheticMotion
        >>> from pyg_vision.visualization import draw_skeleton
        >>> figure = draw_skeleton(SyntheticMotion()[2], partition="stgcn_paper")
        >>> figure.savefig("skeleton.png", dpi=100)
    """
    motion = read_motion(data, view, up)
    relations = read_relations(motion.layout, partition, max_hop)
    check_int("trail", trail, 0)
    values = None if response is None else _read_response(motion, response)
    chosen = _choose_frames(motion, frames)
    shown = [range(max(frame - trail, 0), frame + 1) for frame in chosen]
    bounds = [motion.bounds(list(part)) for part in shown]
    low = np.min([bound[0] for bound in bounds], axis=0)
    high = np.max([bound[1] for bound in bounds], axis=0)
    widest = max(bound[1][0] - bound[0][0] for bound in bounds)
    tallest = float(high[1] - low[1])

    width = min(_WIDTH, max(_NARROWEST, len(chosen) * 0.6 * _PANEL))
    panel = (width - _GAP * (len(chosen) - 1)) / len(chosen)
    room = np.array((panel - 2.0 * _MARGIN, _HEIGHT))
    scale = fit_scale(np.array((widest, tallest)), room)
    figure = new_figure(width / POINTS, 1.0)
    key = add_legend(figure, relations, width, _FONT, trail > 0, caption)
    top = 26.0 if title is not None else 0.0
    height = scale * tallest + 2.0 * _MARGIN + 1.6 * _FONT
    total = top + height + 8.0 + key
    figure.set_size_inches(width / POINTS, total / POINTS)
    if title is not None:
        write_title(add_canvas(figure, 0.0, 0.0, width, top), 1.0, 11.0, title, 13.0)
    for i, (frame, bound) in enumerate(zip(chosen, bounds, strict=True)):
        ax = add_canvas(figure, i * (panel + _GAP), top, panel, height)
        draw_ground(ax)
        middle = np.array((0.5 * (bound[0][0] + bound[1][0]), low[1]))
        place = Place.fit(motion, scale, middle, np.array((0.5 * panel, _MARGIN)))
        draw_pose(ax, motion, relations, frame, place, trail, values)
        write_label(ax, 0.5 * panel, height - 1.1 * _FONT, f"frame {frame}", 0.9 * _FONT)
    return figure


def _choose_frames(motion: Motion, frames: int | Sequence[int]) -> list[int]:
    num_frames = motion.points.shape[1]
    if isinstance(frames, int) and not isinstance(frames, bool):
        if frames < 1:
            raise ValueError(f"'frames' must be at least one moment (got {frames})")
        seen = motion.seen_frames()
        count = min(frames, len(seen))
        return [seen[(2 * i + 1) * len(seen) // (2 * count)] for i in range(count)]
    if not isinstance(frames, Sequence) or not all(type(frame) is int for frame in frames):
        raise TypeError(f"'frames' must be a number or a list of frames (got {frames!r})")
    if not frames:
        raise ValueError(f"'frames' must name at least one frame (got {frames!r})")
    outside = [frame for frame in frames if not 0 <= frame < num_frames]
    if outside:
        raise ValueError(
            f"'frames' must be 0 … {num_frames - 1} of a sequence of {num_frames} (got {outside})"
        )
    return list(frames)


def _read_response(motion: Motion, response: Tensor) -> Array:
    shape = motion.points.shape[:3]
    if tuple(response.shape) != shape:
        raise ValueError(
            f"'response' must be [persons, frames, joints] = {list(shape)} (got shape "
            f"{list(response.shape)})"
        )
    values: Array = response.detach().cpu().numpy()
    if not (values.min() >= 0 and values.max() <= 1):
        raise ValueError(
            f"'response' must be from 0 to 1 (got {values.min():.3g} to {values.max():.3g})"
        )
    return values
