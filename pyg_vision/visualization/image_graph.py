r"""Graphs drawn over the images that they were built from."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from torch import Tensor

from pyg_vision.data.size import Size2D, as_size, describe_size
from pyg_vision.ops import NeighborTable
from pyg_vision.visualization._canvas import (
    Box,
    ImageLike,
    Pixels,
    choose_nodes,
    draw_image,
    draw_lattice,
    new_figure,
    patch_box,
    points_per_pixel,
    read_pixels,
)
from pyg_vision.visualization._style import DARK, mix

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Bright on a dimmed photograph, and apart from each other for colour-blind eyes as well.
COLORS = ("#ffd23f", "#3fd0ff", "#ff6fae", "#9dff70", "#ff9a3c", "#c9a2ff")
_DARKEST = 0.32  # how dark the weakest arrow is
_WIDTH = 12.0  # inches, 1200 pixels at 100 dpi
_GAP = 0.15  # inches between two images
_LINE = 0.25  # inches of a line of text
_LEGIBLE = 4.0  # points, the radius of the smallest sign whose number can be read
_COLUMNS = 150  # characters that fit into a line of the caption
_TITLE: dict[str, Any] = {"loc": "left", "fontsize": 13, "fontweight": "bold", "color": DARK}


def draw_image_graph(
    image: ImageLike,
    neighbors: Tensor | NeighborTable,
    grid_size: Sequence[int],
    nodes: Sequence[int] | None = None,
    ax: Axes | None = None,
    *,
    source_grid_size: Sequence[int] | None = None,
    title: str | None = None,
    dim: float = 0.5,
) -> Axes:
    r"""Draws a graph over the image it was built from: a few patches and their neighbours.

    The image is dimmed, except for the chosen patches and their neighbours. A chosen patch has a
    thick frame and a letter, its neighbours have a thin frame of the same colour and their rank,
    nearest first. Arrows run from the neighbours to the chosen patch, as messages do; the nearer
    the neighbour, the stronger the arrow.

    Nothing of :obj:`matplotlib.pyplot` is used: no window opens and no state is kept.

    Args:
        image (PIL.Image.Image, torch.Tensor or numpy.ndarray): The photograph, a tensor
            :math:`(C, H, W)` with one or three channels or an array :math:`(H, W, 3)`; integers
            0 … 255 or floats 0 … 1. It may be larger than the image the model saw: the grid is
            stretched over it.
        neighbors (NeighborTable or torch.Tensor): The graph, as a table or as an
            :obj:`edge_index` in which the edges of a node are in the order nearest first, as
            :func:`~pyg_vision.ops.knn_graph` returns them.
        grid_size (tuple): The number of patches in height and width.
        nodes (list, optional): The patches whose neighbours are shown, by index. If :obj:`None`,
            three patches that differ in colour and place. (default: :obj:`None`)
        ax (matplotlib.axes.Axes, optional): Where to draw. If :obj:`None`, a new figure, 12
            inches wide, with a line below the image that explains the signs.
            (default: :obj:`None`)
        source_grid_size (tuple, optional): The grid of the neighbours where it is coarser than
            that of the nodes. (default: :obj:`None`)
        title (str, optional): A line above the image. (default: :obj:`None`)
        dim (float, optional): How much the rest of the image is darkened, from 0 to 1.
            (default: :obj:`0.5`)

    Returns:
        matplotlib.axes.Axes: The axes, in pixels of the image.

    Raises:
        ImportError: If :obj:`matplotlib` is not installed.
        TypeError: If the image or the graph is of another type.
        ValueError: If shapes or sizes do not fit, or an index lies outside its grid.

    Example:
        >>> import torch
        >>> from pyg_vision.ops import knn
        >>> from pyg_vision.visualization import draw_image_graph
        >>> image = torch.rand(3, 56, 84)
        >>> table = knn(torch.randn(14 * 21, 48), k=9)
        >>> ax = draw_image_graph(image, table, grid_size=(14, 21), title="kNN graph")
        >>> ax.figure.savefig("graph.png", dpi=100)
    """
    pixels = read_pixels(image)
    grid = as_size("grid_size", grid_size)
    sources = grid if source_grid_size is None else as_size("source_grid_size", source_grid_size)
    if not 0.0 <= dim <= 1.0:
        raise ValueError(f"'dim' must lie between 0 and 1 (got {dim})")
    nodes = choose_nodes(pixels, grid) if nodes is None else _check_nodes(nodes, grid)
    found = _find_neighbors(neighbors, nodes, grid, sources)
    if ax is None:
        _, (ax,) = _new_figure(pixels, 1, title is not None, None)
    _draw(ax, pixels, grid, sources, nodes, found, dim)
    if title is not None:
        ax.set_title(title, **_TITLE)
    return ax


def draw_vig_graphs(
    image: ImageLike,
    first: Tensor | NeighborTable,
    last: Tensor | NeighborTable,
    grid_size: Sequence[int],
    nodes: Sequence[int] | None = None,
    *,
    titles: tuple[str, str] = ("First block", "Last block"),
    caption: str | None = None,
    dim: float = 0.5,
    last_grid_size: Sequence[int] | None = None,
    source_grid_sizes: Sequence[Sequence[int] | None] = (None, None),
) -> Figure:
    r"""Draws the graphs of two blocks of a Vision GNN side by side, for the same patches.

    See :func:`draw_image_graph` for the signs, which a line below the images explains.

    Args:
        image (PIL.Image.Image, torch.Tensor or numpy.ndarray): The photograph.
        first (NeighborTable or torch.Tensor): The graph of the first block.
        last (NeighborTable or torch.Tensor): The graph of the last block.
        grid_size (tuple): The number of patches in height and width.
        nodes (list, optional): The patches whose neighbours are shown, by index. If :obj:`None`,
            three patches that differ in colour and place. (default: :obj:`None`)
        titles (tuple, optional): What stands above each image.
            (default: :obj:`("First block", "Last block")`)
        caption (str, optional): A text below, such as which weights drew the graphs.
            (default: :obj:`None`)
        dim (float, optional): How much the rest of the image is darkened, from 0 to 1.
            (default: :obj:`0.5`)
        last_grid_size (tuple, optional): The patches of the last block, if they are others; of
            these the ones that hold the middle of the chosen patches are shown. (default: the same)
        source_grid_sizes (tuple, optional): The patches that the neighbours of either block are
            chosen from, if they are others. (default: the same)

    Returns:
        matplotlib.figure.Figure: The figure, 12 inches wide; save it by :obj:`savefig`.

    Raises:
        ImportError: If :obj:`matplotlib` is not installed.
        TypeError: If the image or a graph is of another type.
        ValueError: If shapes or sizes do not fit, or an index lies outside its grid.

    Example:
        >>> import torch
        >>> from pyg_vision.nn import vig_ti
        >>> from pyg_vision.visualization import draw_vig_graphs
        >>> image = torch.rand(3, 224, 224)
        >>> _, graphs = vig_ti(depth=2).eval().forward_graphs(image.unsqueeze(0))
        >>> figure = draw_vig_graphs(image, graphs[0], graphs[-1], grid_size=(14, 14))
        >>> figure.savefig("graphs.png", dpi=100)
    """
    pixels = read_pixels(image)
    grid = as_size("grid_size", grid_size)
    last_grid = grid if last_grid_size is None else as_size("last_grid_size", last_grid_size)
    if nodes is None:
        nodes = choose_nodes(pixels, grid)
    others = [_same_place(node, grid, last_grid) for node in _check_nodes(nodes, grid)]
    figure, axes = _new_figure(pixels, 2, True, caption)
    rows = zip(
        axes, (first, last), (grid, last_grid), source_grid_sizes, (nodes, others), titles,
        strict=True,
    )  # fmt: skip
    for ax, neighbors, own, sources, chosen, title in rows:
        draw_image_graph(
            pixels, neighbors, own, chosen, ax,
            title=title, dim=dim, source_grid_size=sources,
        )  # fmt: skip
    return figure


def _same_place(node: int, grid: Size2D, other: Size2D) -> int:
    r"""Returns the patch of another grid that holds the middle of a patch."""
    row, column = divmod(node, grid.width)
    row = (2 * row + 1) * other.height // (2 * grid.height)
    column = (2 * column + 1) * other.width // (2 * grid.width)
    return row * other.width + column


def _draw(
    ax: Axes,
    pixels: Pixels,
    grid: Size2D,
    source_grid: Size2D,
    nodes: Sequence[int],
    neighbors: list[list[int]],
    dim: float,
) -> None:
    size = Size2D(*pixels.shape[:2])
    centers = [patch_box(node, size, grid) for node in nodes]
    around = [[patch_box(source, size, source_grid) for source in found] for found in neighbors]
    draw_image(ax, pixels, [*centers, *(box for boxes in around for box in boxes)], dim)
    draw_lattice(ax, size, grid)
    scale = points_per_pixel(ax)
    for i, (center, boxes) in enumerate(zip(centers, around, strict=True)):
        _draw_node(ax, center, boxes, _letter(i), COLORS[i % len(COLORS)], scale)


def _draw_node(
    ax: Axes, center: Box, around: list[Box], letter: str, color: str, scale: float
) -> None:
    r"""Draws one chosen patch with its neighbours, the nearest on top."""
    from matplotlib.patches import FancyArrowPatch, Rectangle
    from matplotlib.patheffects import withStroke

    unit = scale * min(center.width, center.height)
    radius = min(0.3 * unit, 9.0)
    head = f"-|>,head_length={0.55 * radius:.2f},head_width={0.3 * radius:.2f}"
    goal = Rectangle((center.left, center.top), center.width, center.height)
    goal.set_transform(ax.transData)
    for rank, box in reversed(list(enumerate(around))):
        strength = 1.0 - rank / max(1, len(around) - 1)
        shade = mix(color, DARK, _DARKEST * (1.0 - strength))
        _draw_frame(ax, box, shade, 1.6, zorder=3)
        width = 0.9 + 1.6 * strength
        ax.add_patch(
            FancyArrowPatch(
                box.center,
                center.center,
                connectionstyle="arc3,rad=0.12",
                arrowstyle=head,
                mutation_scale=1.0,
                color=shade,
                linewidth=width,
                shrinkA=radius,
                shrinkB=2.0,
                patchB=goal,
                zorder=5 + strength,
                path_effects=[withStroke(linewidth=width + 1.6, foreground=DARK)],
            )
        )
        if radius >= _LEGIBLE:
            _draw_sign(ax, box.center, str(rank + 1), radius, shade, DARK, zorder=7)
    _draw_frame(ax, center, DARK, 6.0, zorder=8)
    _draw_frame(ax, center, color, 3.5, zorder=8)
    _draw_sign(ax, center.center, letter, 1.25 * max(radius, _LEGIBLE), DARK, color, zorder=9)


def _draw_frame(ax: Axes, box: Box, color: str, linewidth: float, zorder: float) -> None:
    from matplotlib.patches import Rectangle

    x, y, width, height = box
    frame = Rectangle((x, y), width, height, fill=False, edgecolor=color, linewidth=linewidth)
    frame.set_zorder(zorder)
    ax.add_patch(frame)


def _draw_sign(
    ax: Axes, at: tuple[float, float], text: str, radius: float, fill: str, ink: str, zorder: float
) -> None:
    r"""Draws a letter or number on a disc of the given radius in points."""
    ax.plot(
        *at,
        marker="o",
        markersize=2 * radius,
        color=fill,
        markeredgecolor=ink,
        markeredgewidth=0.12 * radius,
        zorder=zorder,
    )
    ax.text(
        *at,
        text,
        color=ink,
        fontsize=(1.25 if len(text) < 2 else 1.05) * radius,
        fontweight="bold",
        horizontalalignment="center",
        verticalalignment="center_baseline",
        zorder=zorder,
    )


def _new_figure(
    pixels: Pixels, columns: int, has_title: bool, caption: str | None
) -> tuple[Figure, list[Axes]]:
    r"""Lays out the images in a row, with a key and a caption below."""
    lines = [] if caption is None else wrap(caption, _COLUMNS)
    top = _LINE * 1.3 if has_title else 0.0
    bottom = _LINE * (1.5 + 0.9 * len(lines) + 0.2 * bool(lines))
    width = (_WIDTH - _GAP * (columns - 1)) / columns
    height = width * pixels.shape[0] / pixels.shape[1]
    total = top + height + bottom
    figure = new_figure(_WIDTH, total)
    axes = [
        figure.add_axes(
            (i * (width + _GAP) / _WIDTH, bottom / total, width / _WIDTH, height / total)
        )
        for i in range(columns)
    ]
    key = figure.add_axes((0.0, (bottom - 1.5 * _LINE) / total, 1.0, 1.5 * _LINE / total))
    _draw_key(key)
    for i, line in enumerate(lines):
        y = (bottom - _LINE * (1.5 + 0.9 * (i + 0.5))) / total
        figure.text(0.006, y, line, fontsize=10, color=DARK, verticalalignment="center")
    return figure, axes


def _draw_key(ax: Axes) -> None:
    r"""Explains the signs, on axes of one line of the figure's full width in inches."""
    from matplotlib.patches import FancyArrowPatch

    ax.set_xlim(0.0, _WIDTH)
    ax.set_ylim(-0.5, 0.5)
    ax.set_axis_off()
    color, radius = COLORS[0], 7.0

    def write(x: float, text: str) -> None:
        ax.text(x, 0.0, text, fontsize=10, color=DARK, verticalalignment="center_baseline")

    _draw_sign(ax, (0.18, 0.0), "A", radius, DARK, color, zorder=2)
    write(0.36, "a patch")
    for i, rank in enumerate("123"):
        shade = mix(color, DARK, _DARKEST * 0.4 * i)
        _draw_sign(ax, (1.38 + 0.25 * i, 0.0), rank, radius, shade, DARK, zorder=2)
    write(2.06, "its neighbours in the graph, the nearest first")
    arrow = FancyArrowPatch(
        (5.55, 0.0),
        (5.95, 0.0),
        arrowstyle="-|>,head_length=4,head_width=2.2",
        mutation_scale=1.0,
        color=DARK,
        linewidth=1.8,
        shrinkA=0.0,
        shrinkB=0.0,
    )
    ax.add_patch(arrow)
    write(6.08, "the way information flows, bolder the nearer the neighbour")


def _letter(i: int) -> str:
    return chr(ord("A") + i) if i < 26 else str(i)


def _check_nodes(nodes: Sequence[int], grid: Size2D) -> list[int]:
    count = grid.height * grid.width
    checked = [int(node) for node in nodes]
    outside = [node for node in checked if not 0 <= node < count]
    if outside:
        raise ValueError(
            f"'nodes' must be patches 0 … {count - 1} of the grid of {describe_size(grid)} "
            f"(got {outside})"
        )
    return checked


def _find_neighbors(
    neighbors: Tensor | NeighborTable, nodes: Sequence[int], grid: Size2D, source_grid: Size2D
) -> list[list[int]]:
    r"""Returns the neighbours of the chosen nodes, nearest first."""
    num_nodes, num_sources = grid.height * grid.width, source_grid.height * source_grid.width
    if isinstance(neighbors, NeighborTable):
        index = neighbors.index
        if index.dim() == 3 and index.size(0) == 1:
            index = index[0]
        if index.dim() != 2 or index.size(0) != num_nodes:
            raise ValueError(
                f"the table must hold the neighbours of one image, [{num_nodes}, k] for a grid of "
                f"{describe_size(grid)} patches (got {list(neighbors.index.shape)}); of a batch, "
                f"take NeighborTable(table.index[i], table.num_sources)"
            )
        found = [index[node].tolist() for node in nodes]
    elif isinstance(neighbors, Tensor):
        if neighbors.dim() != 2 or neighbors.size(0) != 2 or neighbors.is_floating_point():
            raise ValueError(
                f"an edge_index must be an integer tensor [2, edges] (got {neighbors.dtype} of "
                f"shape {list(neighbors.shape)})"
            )
        if neighbors.numel() > 0 and int(neighbors[1].max()) >= num_nodes:
            raise ValueError(
                f"the edge_index must be that of one image of {num_nodes} nodes (got edges to "
                f"node {int(neighbors[1].max())})"
            )
        found = [neighbors[0][neighbors[1] == node].tolist() for node in nodes]
    else:
        raise TypeError(
            f"'neighbors' must be a NeighborTable or an edge_index tensor (got "
            f"'{type(neighbors).__name__}')"
        )
    outside = sorted({j for sources in found for j in sources if not 0 <= j < num_sources})
    if outside:
        raise ValueError(
            f"neighbours must be patches 0 … {num_sources - 1} of the grid of "
            f"{describe_size(source_grid)} (got {outside})"
        )
    # A node that is its own neighbour needs no arrow, and nobody is shown twice.
    own = nodes if source_grid == grid else [None] * len(nodes)
    pairs = zip(own, found, strict=True)
    return [[j for j in dict.fromkeys(sources) if j != node] for node, sources in pairs]
