r"""Drawing skeletons on axes whose unit is the point, and their legend."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pyg_vision.visualization._skeleton_scene import (
    COLORS,
    TEMPORAL,
    TEMPORAL_NAME,
    Array,
    Edge,
    Motion,
    Relations,
)

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DARK = "#14181d"
GREY = "#6b7280"
GROUND = "#f6f7f9"
PERSONS = (DARK, "#8b95a3")

POINTS = 72.0  # of an inch
_BONE = 30.0  # points, the length of a bone at which signs have their size
_SMALLEST, _LARGEST = 0.5, 1.15
_LINE = 1.5
_OFFSET = 1.6  # from the middle to the line of one direction
_DOT = 2.3
_RING = 4.3
_SYMBOL = 30.0  # the width of a symbol of the legend
_GAP = 18.0
_SMALL = 0.92  # the size of further text
_SPACE = 0.42  # the width of a space with the bearings of letters, as a share of the size
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
    ax: Axes, motion: Motion, relations: Relations, frame: int, place: Place, trail: int
) -> list[Artist]:
    r"""Draws all persons of one frame, and the edges to the frames before it."""
    strokes = Strokes(place.size)
    for person in range(motion.points.shape[0]):
        points = place.scale * motion.points[person] + place.offset
        seen = motion.seen[person]
        _add_trails(strokes, points, seen, frame, trail)
        for edge in relations.edges:
            if seen[frame, edge.source] and seen[frame, edge.destination]:
                _add_edge(strokes, points[frame], edge, place.joints)
        for joint in seen[frame].nonzero()[0]:
            color = PERSONS[person % len(PERSONS)]
            strokes.dot(9, points[frame, joint], color, _DOT * place.joints[joint])
    return strokes.draw(ax)


def _add_trails(strokes: Strokes, points: Array, seen: Array, frame: int, trail: int) -> None:
    first = max(frame - trail, 0)
    for t in range(first, frame):
        # The older, the paler.
        color = _blend(TEMPORAL, 0.25 + 0.75 * (t + 1 - frame + trail) / max(trail, 1))
        for joint in (seen[t] & seen[t + 1]).nonzero()[0]:
            strokes.line(1, points[t : t + 2, joint], color, 1.3)
            strokes.dot(2, points[t, joint], color, 1.2)


def _add_edge(strokes: Strokes, points: Array, edge: Edge, joints: list[float]) -> None:
    color = COLORS[edge.relation]
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


class Legend:
    r"""The names of the relations beside their signs, in as many lines as they need.

    Args:
        relations (Relations): The relations.
        width (float): The width in points.
        fontsize (float): The size of the text.
        temporal (bool): Whether temporal edges are drawn.
        caption (str, optional): Further text.
    """

    def __init__(
        self,
        relations: Relations,
        width: float,
        fontsize: float,
        temporal: bool,
        caption: str | None = None,
    ) -> None:
        self.relations = relations
        entries = list(enumerate(relations.names))
        if temporal:
            entries.append((-1, TEMPORAL_NAME))
        widest = max(_text_width(name, fontsize) for _, name in entries)
        self.fontsize = fontsize = fontsize * min((width - _SYMBOL) / widest, 1.0)
        self.line = 1.75 * fontsize
        self.rows: list[list[tuple[float, int, str]]] = [[]]
        x = 0.0
        for relation, name in entries:
            needed = _SYMBOL + _text_width(name, fontsize)
            if self.rows[-1] and x + needed > width:
                self.rows.append([])
                x = 0.0
            self.rows[-1].append((x, relation, name))
            x += needed + _GAP
        texts = [text for text in (relations.note, caption) if text]
        self.lines = [line for text in texts for line in _wrap(text, width, _SMALL * fontsize)]

    @property
    def height(self) -> float:
        r"""The height in points."""
        return self.line * len(self.rows) + 0.85 * self.line * len(self.lines)

    def draw(self, ax: Axes) -> None:
        r"""Draws the legend on axes of its size."""
        strokes = Strokes(1.0)
        for i, row in enumerate(self.rows):
            y = (i + 0.5) * self.line
            for x, relation, name in row:
                self._add_symbol(strokes, relation, np.array((x, y)))
                _write(ax, x + _SYMBOL, y, name, self.fontsize, DARK)
        strokes.draw(ax)
        for i, line in enumerate(self.lines):
            y = self.line * len(self.rows) + 0.85 * self.line * (i + 0.5)
            _write(ax, 1.0, y, line, _SMALL * self.fontsize, GREY)

    def _add_symbol(self, strokes: Strokes, relation: int, at: Array) -> None:
        left, middle, right = (at + np.array((dx, 0.0)) for dx in (5.0, 13.0, 22.0))
        if relation < 0:
            for i in range(4):
                color = _blend(TEMPORAL, 0.4 + 0.2 * i)
                a, b = (left + (right - left) * (k / 4) for k in (i, i + 1))
                strokes.line(1, np.stack((a, b)), color, 1.3)
                strokes.dot(2, a, color, 1.2)
            strokes.dot(9, right, DARK, _DOT)
            return
        loops, others = self.relations.shapes(relation)
        color = COLORS[relation]
        if loops:
            center = left if others else middle
            strokes.dot(8, center, color, _RING, width=1.3)
            strokes.dot(9, center, DARK, _DOT)
        if others:
            start = middle if loops else left
            strokes.arrow(6, np.stack((start, right)), color)


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


def _wrap(text: str, width: float, fontsize: float) -> list[str]:
    r"""Breaks a text into lines of at most that width."""
    lines: list[str] = []
    left = 0.0
    for word in text.split():
        needed = _text_width(word, fontsize) + _SPACE * fontsize
        if needed <= left:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
            left = width
        left -= needed
    return lines


def _text_width(text: str, fontsize: float) -> float:
    from matplotlib.textpath import TextPath

    # Letters that are fitted to pixels are a little wider.
    return 1.05 * float(TextPath((0.0, 0.0), text, size=fontsize).get_extents().width)


def _blend(color: str, strength: float) -> str:
    r"""Makes a colour paler."""
    from matplotlib.colors import to_hex, to_rgb

    pairs = zip(to_rgb(color), to_rgb(GROUND), strict=True)
    red, green, blue = (strength * a + (1.0 - strength) * b for a, b in pairs)
    return to_hex((red, green, blue))
