r"""The graphs of all blocks of a Vision GNN, for the same patches."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from pyg_vision._checks import check_int
from pyg_vision.data.size import Size2D, as_size, describe_size
from pyg_vision.visualization._canvas import (
    ImageLike,
    Pixels,
    choose_nodes,
    draw_image,
    new_figure,
    patch_box,
    read_pixels,
)
from pyg_vision.visualization._style import DARK
from pyg_vision.visualization.image_graph import COLORS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from pyg_vision.explain import BlockGraph

_WIDTH, _GAP, _LINE = 12.0, 0.12, 0.25  # inches
_COLUMNS = 150  # characters that fit into a line of the caption
_MOST = 12  # blocks that are shown if nothing else is said
_COARSE = Size2D(14, 14)  # the patches that places are chosen from
_FAINTEST, _STRONGEST = 0.12, 0.8  # how opaque the patches of the smallest and largest share are


def draw_block_graphs(
    image: ImageLike,
    graphs: Sequence[BlockGraph],
    points: Sequence[Sequence[float]] | None = None,
    blocks: Sequence[int] | None = None,
    *,
    columns: int = 4,
    caption: str | None = None,
    dim: float = 0.6,
) -> Figure:
    r"""Draws which patches a few patches listen to in each block of a Vision GNN, a picture for
    each block, as the figure of the `"Vision GNN: An Image is Worth Graph of Nodes"
    <https://arxiv.org/abs/2206.00272>`_ paper does it for two.

    A chosen patch has a thick frame and a letter. Its neighbours are filled with the same colour,
    the more opaque the larger their share of what it hears.

    Args:
        image (PIL.Image.Image, torch.Tensor or numpy.ndarray): The photograph, a tensor
            :math:`(C, H, W)` with one or three channels or an array :math:`(H, W, 3)`; integers
            0 … 255 or floats 0 … 1. It may be larger than the image that the model saw.
        graphs (list of BlockGraph): The graphs of all blocks, as
            :func:`~pyg_vision.explain.listen` returns them.
        points (list, optional): The places whose patches are shown, as pairs of row and column,
            each a share from 0 (top, left) to 1 of height and width. If :obj:`None`, two places
            that differ. (default: :obj:`None`)
        blocks (list of int, optional): Which blocks, negative ones from the end. If :obj:`None`,
            all, or twelve from the first to the last. (default: :obj:`None`)
        columns (int, optional): The pictures of a row. (default: :obj:`4`)
        caption (str, optional): A text below. (default: :obj:`None`)
        dim (float, optional): How much the rest of the image is darkened, from 0 to 1.
            (default: :obj:`0.6`)

    Returns:
        matplotlib.figure.Figure: The figure, 12 inches wide; save it by :obj:`savefig`.

    Raises:
        ImportError: If :obj:`matplotlib` is not installed.
        TypeError: If the image is of another type.
        ValueError: If there is no graph or no such block, or a place lies outside the image.

    Example:
        >>> import torch
        >>> from pyg_vision.explain import listen
        >>> from pyg_vision.nn import PyramidViG
        >>> from pyg_vision.visualization import draw_block_graphs
        >>> model = PyramidViG(channels=(8, 16), depths=(2, 2), reduce_ratios=(2, 1))
        >>> image = torch.rand(3, 64, 96)
        >>> figure = draw_block_graphs(image, listen(model, image), points=[(0.5, 0.5)])
        >>> figure.savefig("blocks.png", dpi=100)
    """
    pixels = read_pixels(image)
    check_int("columns", columns)
    if not 0.0 <= dim <= 1.0:
        raise ValueError(f"'dim' must lie between 0 and 1 (got {dim})")
    shown = _choose_blocks(len(graphs), blocks)
    places = _choose_points(pixels) if points is None else [_check_point(p) for p in points]
    columns = min(columns, len(shown))
    figure, axes = _new_figure(pixels, len(shown), columns, caption)
    for ax, number in zip(axes, shown, strict=True):
        _draw_block(ax, pixels, graphs[number], places, dim)
        grid = as_size("grid_size", graphs[number].grid_size)
        title = f"Block {number + 1}, {describe_size(grid)} patches"
        ax.set_title(title, loc="left", fontsize=10, fontweight="bold", color=DARK, pad=3.0)
    return figure


def _choose_blocks(count: int, blocks: Sequence[int] | None) -> list[int]:
    if count == 0:
        raise ValueError("'graphs' must hold the graph of a block (got none)")
    if blocks is None:
        shown = min(count, _MOST)
        return [round(i * (count - 1) / max(shown - 1, 1)) for i in range(shown)]
    found = [check_int("blocks", block, -count) for block in blocks]
    odd = [block for block in found if block >= count]
    if odd or not found:
        raise ValueError(f"'blocks' must be some of {count} blocks (got {list(blocks)})")
    return [block % count for block in found]


def _choose_points(pixels: Pixels) -> list[tuple[float, float]]:
    nodes = choose_nodes(pixels, _COARSE, count=2)
    places = (divmod(node, _COARSE.width) for node in nodes)
    return [((y + 0.5) / _COARSE.height, (x + 0.5) / _COARSE.width) for y, x in places]


def _check_point(point: Sequence[float]) -> tuple[float, float]:
    values = [float(value) for value in point]
    if len(values) != 2 or not all(0.0 <= value <= 1.0 for value in values):
        raise ValueError(f"'points' must be pairs (row, column) from 0 to 1 (got {list(point)})")
    return values[0], values[1]


def _draw_block(
    ax: Axes,
    pixels: Pixels,
    graph: BlockGraph,
    places: Sequence[tuple[float, float]],
    dim: float,
) -> None:
    from matplotlib.patches import Rectangle
    from matplotlib.patheffects import withStroke

    size = Size2D(*pixels.shape[:2])
    grid = as_size("grid_size", graph.grid_size)
    sources = as_size("source_grid_size", graph.source_grid_size)
    patches = [_patch_at(place, grid) for place in places]
    heard = [graph.neighbors(patch) for patch in patches]
    centers = [patch_box(patch, size, grid) for patch in patches]
    lit = [patch_box(source, size, sources) for found in heard for source in found]
    draw_image(ax, pixels, [*centers, *lit], dim)
    for i, (center, found) in enumerate(zip(centers, heard, strict=True)):
        color = COLORS[i % len(COLORS)]
        largest = max(found.values(), default=1.0) or 1.0
        for source, share in found.items():
            box = patch_box(source, size, sources)
            alpha = _FAINTEST + (_STRONGEST - _FAINTEST) * share / largest
            fill = Rectangle((box.left, box.top), box.width, box.height, color=color, alpha=alpha)
            fill.set(linewidth=0.0, zorder=3)
            edge = Rectangle((box.left, box.top), box.width, box.height, fill=False)
            edge.set(edgecolor=color, linewidth=0.8, zorder=4)
            ax.add_patch(fill)
            ax.add_patch(edge)
        for width, shade in ((3.6, DARK), (2.0, color)):
            frame = Rectangle((center.left, center.top), center.width, center.height, fill=False)
            frame.set(edgecolor=shade, linewidth=width, zorder=5)
            ax.add_patch(frame)
        ax.annotate(
            chr(ord("A") + i) if i < 26 else str(i),
            center.center,
            (6.0, 6.0),
            textcoords="offset points",
            color=color,
            fontsize=11,
            fontweight="bold",
            zorder=6,
            path_effects=[withStroke(linewidth=2.4, foreground=DARK)],
        )


def _patch_at(place: tuple[float, float], grid: Size2D) -> int:
    row, column = (
        min(int(share * length), length - 1) for share, length in zip(place, grid, strict=True)
    )
    return row * grid.width + column


def _new_figure(
    pixels: Pixels, count: int, columns: int, caption: str | None
) -> tuple[Figure, list[Axes]]:
    r"""Lays out the pictures in rows, with a title above each, and a key and a caption below."""
    lines = [] if caption is None else wrap(caption, _COLUMNS)
    rows = -(-count // columns)
    width = (_WIDTH - _GAP * (columns - 1)) / columns
    height = width * pixels.shape[0] / pixels.shape[1]
    bottom = _LINE * (1.3 + len(lines))
    total = rows * (height + _LINE) + (rows - 1) * _GAP + bottom
    figure = new_figure(_WIDTH, total)
    axes = []
    for i in range(count):
        row, column = divmod(i, columns)
        left = column * (width + _GAP)
        top = total - row * (height + _LINE + _GAP) - _LINE
        place = (left / _WIDTH, (top - height) / total, width / _WIDTH, height / total)
        axes.append(figure.add_axes(place))
    key = (
        "Framed: a patch. Filled: the patches that it listens to, the stronger the larger their "
        "share of what it hears."
    )
    style: dict[str, Any] = {"fontsize": 10, "color": DARK, "verticalalignment": "center"}
    for i, line in enumerate([key, *lines]):
        figure.text(0.002, (bottom - _LINE * (i + 0.75)) / total, line, **style)
    return figure, axes
