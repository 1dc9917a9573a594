r"""Drawing skeletons on axes whose unit is the point, and their legend."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from pyg_vision.visualization._skeleton_scene import Array, Edge, Motion, Relations
from pyg_vision.visualization._style import DARK, GREY, GROUND, RESPONSE, TEMPORAL, mix

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PERSONS = (DARK, "#8b95a3")

POINTS = 72.0  # of an inch
_BONE = 30.0  # points, the length of a bone at which signs have their size
_SMALLEST, _LARGEST = 0.5, 1.15
_LINE = 1.5
_OFFSET = 1.6  # from the middle to the line of one direction
_DOT = 2.3
_RING = 4.3
_DISC = 13.0
_SMALL = 0.92  # the size of further text
_CURVE = 0.16  # how far an edge of two hops swings out, as a share of its length


class Place(NamedTuple):
    r"""Where the plane of a motion lies on paper.

    Args:
        scale (float): The points of a unit.
        offset (numpy.ndarray): Where the origin lies.
        size (float): How large lines and dots are drawn, one being normal.
        joints (list of float): How large each joint is drawn, smaller where bones are short.
    """

    scale: float
    offset: Array
    size: float
    joints: list[float]

    @classmethod
    def fit(cls, motion: Motion, scale: float, source: Array, target: Array) -> Place:
        r"""Returns the place that takes a point of the plane to one of the paper."""
        bones = scale * motion.bone_lengths()
        typical = np.median(bones) if len(bones) else _BONE
        size = float(np.clip(typical / _BONE, _SMALLEST, _LARGEST))
        joints = np.ones(motion.layout.num_joints)
        for (a, b), length in zip(motion.layout.edges, bones, strict=True):
            room = float(np.clip(0.5 * length / (_RING * size), _SMALLEST, 1.0))
            joints[[a, b]] = joints[[a, b]].clip(max=room)
        return cls(scale, target - scale * source, size, joints.tolist())


def fit_scale(extent: Array, room: Array) -> float:
    r"""Returns the scale at which something fits into a room, one if it is but a point."""
    wide = extent > 0
    return float((room[wide] / extent[wide]).min()) if wide.any() else 1.0


class Strokes:
    r"""Collects lines and dots, and draws those of one kind at once."""

    def __init__(self, size: float) -> None:
        self.size = size
        self._lines: dict[tuple[int, str, float], list[Array]] = {}
        self._dots: dict[tuple[int, str, float, float], list[Array]] = {}
        self._heads: dict[tuple[int, str], list[Array]] = {}

    def line(self, order: int, path: Array, color: str, width: float = _LINE) -> None:
        self._lines.setdefault((order, color, width), []).append(path)

    def dot(self, order: int, at: Array, color: str, radius: float, width: float = 0.0) -> None:
        r"""Adds a dot, or a ring if the line has a width."""
        self._dots.setdefault((order, color, radius, width), []).append(at)

    def arrow(self, order: int, path: Array, color: str, width: float = _LINE) -> None:
        r"""Adds a line with half a head, on the right of its direction."""
        self.line(order, path, color, width)
        along = path[-1] - path[-2]
        length = float(np.linalg.norm(path[-1] - path[0]))
        along = along / max(float(np.linalg.norm(along)), 1e-9)
        right = np.array((-along[1], along[0]))
        head = min(5.5 * self.size, 0.6 * length)
        foot = path[-1] - head * along
        self._heads.setdefault((order, color), []).append(
            np.stack((path[-1], foot + 0.55 * head * right, foot))
        )

    def draw(self, ax: Axes) -> list[Artist]:
        r"""Draws everything, and returns what was drawn."""
        from matplotlib.collections import LineCollection, PolyCollection

        drawn: list[Artist] = []
        for (order, color, width), paths in self._lines.items():
            lines = LineCollection(
                paths, colors=color, linewidths=width * self.size, zorder=order, capstyle="round"
            )
            drawn.append(ax.add_collection(lines, autolim=False))
        for (order, color), corners in self._heads.items():
            heads = PolyCollection(
                corners,
                facecolors=color,
                edgecolors=color,
                linewidths=0.6 * self.size,
                zorder=order,
                joinstyle="round",
            )
            drawn.append(ax.add_collection(heads, autolim=False))
        for (order, color, radius, width), centers in self._dots.items():
            x, y = np.stack(centers).T
            drawn.append(
                ax.scatter(
                    x,
                    y,
                    s=(2.0 * radius * self.size) ** 2,
                    facecolors="none" if width else color,
                    edgecolors=color if width else "none",
                    linewidths=width * self.size,
                    zorder=order,
                )
            )
        return drawn


def draw_pose(
    ax: Axes,
    motion: Motion,
    relations: Relations,
    frame: int,
    place: Place,
    trail: int,
    response: Array | None = None,
) -> list[Artist]:
    r"""Draws all persons of one frame, and the edges to the frames before it; the response of a
    joint, from 0 to 1, is a disc behind it.
    """
    strokes = Strokes(place.size)
    for person in range(motion.points.shape[0]):
        points = place.scale * motion.points[person] + place.offset
        seen = motion.seen[person]
        _add_trails(strokes, points, seen, frame, trail)
        for edge in relations.edges:
            if seen[frame, edge.source] and seen[frame, edge.destination]:
                color = relations.colors[edge.relation]
                _add_edge(strokes, points[frame], edge, place.joints, color)
        for joint in seen[frame].nonzero()[0]:
            color = PERSONS[person % len(PERSONS)]
            strokes.dot(9, points[frame, joint], color, _DOT * place.joints[joint])
            share = 0.0 if response is None else float(response[person, frame, joint])
            if share > 0.02:
                tone = mix(GROUND, RESPONSE, 0.25 + 0.75 * share)
                strokes.dot(1, points[frame, joint], tone, _DISC * share * place.joints[joint])
    return strokes.draw(ax)


def _add_trails(strokes: Strokes, points: Array, seen: Array, frame: int, trail: int) -> None:
    first = max(frame - trail, 0)
    for t in range(first, frame):
        # The older, the paler.
        color = mix(TEMPORAL, GROUND, 0.75 - 0.75 * (t + 1 - frame + trail) / max(trail, 1))
        for joint in (seen[t] & seen[t + 1]).nonzero()[0]:
            strokes.line(1, points[t : t + 2, joint], color, 1.3)
            strokes.dot(2, points[t, joint], color, 1.2)


def _add_edge(strokes: Strokes, points: Array, edge: Edge, joints: list[float], color: str) -> None:
    start, end = points[edge.source], points[edge.destination]
    if edge.hop == 0:
        strokes.dot(8, start, color, _RING * joints[edge.source], width=1.3)
        return
    length = float(np.linalg.norm(end - start))
    if length < 1e-6:
        return
    along = (end - start) / length
    right = np.array((-along[1], along[0]))
    aside = _OFFSET * strokes.size * right
    gaps = [(_RING * joints[i] + 0.8) * strokes.size for i in (edge.source, edge.destination)]
    start = start + min(gaps[0], 0.35 * length) * along + aside
    end = end - min(gaps[1], 0.35 * length) * along + aside
    share = np.linspace(0.0, 1.0, 2 if edge.hop == 1 else 13)[:, None]
    swing = 4.0 * share * (1.0 - share) * _CURVE * (edge.hop - 1) * length
    width = _LINE if edge.hop == 1 else 0.6 * _LINE
    strokes.arrow(
        6 if edge.hop == 1 else 4, start + share * (end - start) + swing * right, color, width
    )


def add_canvas(figure: Figure, left: float, top: float, width: float, height: float) -> Axes:
    r"""Adds axes whose unit is the point, :math:`y` downwards."""
    full_width, full_height = POINTS * figure.get_size_inches()
    ax = figure.add_axes(
        (
            left / full_width,
            1.0 - (top + height) / full_height,
            width / full_width,
            height / full_height,
        )
    )
    ax.set_xlim(0.0, width)
    ax.set_ylim(height, 0.0)
    ax.set_axis_off()
    return ax


def draw_ground(ax: Axes) -> None:
    r"""Draws a pale sheet with round corners over all of the axes."""
    from matplotlib.patches import FancyBboxPatch

    width, height = ax.get_xlim()[1], ax.get_ylim()[0]
    sheet = FancyBboxPatch(
        (0.0, 0.0),
        width,
        height,
        boxstyle="round,pad=0,rounding_size=8",
        facecolor=GROUND,
        edgecolor="none",
        zorder=0,
    )
    ax.add_patch(sheet)


def add_legend(
    figure: Figure,
    relations: Relations,
    width: float,
    fontsize: float,
    temporal: bool,
    caption: str | None = None,
) -> float:
    r"""Explains colours and arrows at the foot of a figure, and returns the height in points.

    Args:
        figure (matplotlib.figure.Figure): The figure.
        relations (Relations): The relations.
        width (float): The width of the figure in points.
        fontsize (float): The size of the text.
        temporal (bool): Whether temporal edges are drawn.
        caption (str, optional): Further text. (default: :obj:`None`)
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.legend_handler import HandlerTuple

    size = fontsize / 10.0
    signs = [(_sign(relations, i, size), name) for i, name in enumerate(relations.names)]
    if temporal:
        signs.append((_line(TEMPORAL, "o", 2.4 * size), "the same joint in neighbouring frames"))
    signs.append(
        (_line(GREY, ">", 6.0 * size), "arrows run from the sender of a message to its receiver")
    )
    texts = [text for text in (relations.note, caption) if text]
    letter = 0.64 * _SMALL * fontsize + 0.5  # small ones are widened to whole pixels
    letters = int((width - 4.0) / letter)  # in a line
    lines = [
        line for text in texts for line in textwrap.wrap(text, letters, break_on_hyphens=False)
    ]
    foot = 1.5 * _SMALL * fontsize * len(lines)
    renderer = FigureCanvasAgg(figure).get_renderer()  # type: ignore[no-untyped-call]
    # As few rows as there is room for; a single column that is too wide has smaller letters.
    for columns in range(len(signs), 0, -1):
        legend = figure.legend(
            *zip(*signs, strict=True),
            ncols=columns,
            fontsize=fontsize,
            labelcolor=DARK,
            frameon=False,
            loc="lower left",
            bbox_to_anchor=(0.0, foot / POINTS),
            bbox_transform=figure.dpi_scale_trans,
            borderaxespad=0.0,
            borderpad=0.3,
            columnspacing=1.6,
            labelspacing=0.25,
            handlelength=2.4,
            handler_map={tuple: HandlerTuple(ndivide=None)},
        )
        box = legend.get_window_extent(renderer)
        across = POINTS / figure.dpi * box.width
        if across <= width - 2.0:
            break
        legend.remove()
    else:
        smaller = 0.96 * fontsize * width / across
        return add_legend(figure, relations, width, smaller, temporal, caption)
    for i, line in enumerate(lines):
        y = (foot - 1.5 * _SMALL * fontsize * (i + 0.5)) / POINTS
        figure.text(
            1.0 / POINTS, y, line, fontsize=_SMALL * fontsize, color=GREY, va="center_baseline",
            transform=figure.dpi_scale_trans,
        )  # fmt: skip
    return foot + POINTS / figure.dpi * box.height


def _sign(relations: Relations, relation: int, size: float) -> Any:
    r"""Returns what stands for a relation in the legend."""
    loops, others = relations.shapes(relation)
    color = relations.colors[relation]
    ring = _line(color, "o", 2.0 * _RING * size, linestyle="none", markerfacecolor="none")
    arrow = _line(color, ">", 6.0 * size)
    return (ring, arrow) if loops and others else ring if loops else arrow


def _line(color: str, marker: str, size: float, **options: Any) -> Artist:
    from matplotlib.lines import Line2D

    return Line2D([], [], color=color, linewidth=_LINE, marker=marker, markersize=size, **options)


def write_title(ax: Axes, x: float, y: float, text: str, fontsize: float) -> None:
    r"""Writes a bold line."""
    _write(ax, x, y, text, fontsize, DARK, "bold")


def write_label(ax: Axes, x: float, y: float, text: str, fontsize: float) -> None:
    r"""Writes a grey text around a point."""
    _write(ax, x, y, text, fontsize, GREY, align="center")


def _write(
    ax: Axes,
    x: float,
    y: float,
    text: str,
    fontsize: float,
    color: str,
    weight: str = "normal",
    align: str = "left",
) -> None:
    ax.text(
        x,
        y,
        text,
        fontsize=fontsize,
        color=color,
        fontweight=weight,
        horizontalalignment=align,
        verticalalignment="center_baseline",
    )
