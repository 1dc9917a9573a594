import re
import sys

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from matplotlib.image import imread
from matplotlib.patches import FancyArrowPatch, Rectangle
from PIL import Image

from pyg_vision.ops import NeighborTable, knn
from pyg_vision.visualization import draw_image_graph, draw_vig_graphs

GRID = (3, 4)


def photo(height=30, width=40):
    generator = np.random.default_rng(0)
    return generator.integers(0, 256, (height, width, 3), dtype=np.uint8)


def ring(k=2, n=12):
    """Node i has the neighbours i + 1, …, i + k."""
    index = (torch.arange(n).view(-1, 1) + torch.arange(1, k + 1)) % n
    return NeighborTable(index, n)


def arrows(ax):
    return [p for p in ax.patches if isinstance(p, FancyArrowPatch)]


def signs(ax):
    """The letters and numbers, by the node they stand on."""
    found = {}
    for text in ax.texts:
        x, y = text.get_position()
        found[text.get_text()] = int((y + 0.5) // 10) * 4 + int((x + 0.5) // 10)
    return found


def test_the_neighbours_of_a_node_are_numbered_and_joined_to_it():
    ax = draw_image_graph(photo(), ring(3), GRID, nodes=[5])
    assert signs(ax) == {"A": 5, "1": 6, "2": 7, "3": 8}
    ends = {tuple(map(tuple, a._posA_posB)) for a in arrows(ax)}
    target = (14.5, 14.5)
    assert ends == {((24.5, 14.5), target), ((34.5, 14.5), target), ((4.5, 24.5), target)}


def test_the_nearest_has_the_strongest_arrow():
    ax = draw_image_graph(photo(), ring(3), GRID, nodes=[5])
    by_start = {a._posA_posB[0]: a for a in arrows(ax)}
    nearest, middle, farthest = (by_start[at] for at in [(24.5, 14.5), (34.5, 14.5), (4.5, 24.5)])
    assert nearest.get_linewidth() > middle.get_linewidth() > farthest.get_linewidth()
    assert sum(nearest.get_edgecolor()) > sum(farthest.get_edgecolor())
    assert nearest.get_zorder() > farthest.get_zorder()


def test_each_node_has_its_letter_and_color():
    ax = draw_image_graph(photo(), ring(1), GRID, nodes=[0, 6, 9])
    assert {"A": 0, "B": 6, "C": 9}.items() <= signs(ax).items()
    assert len({a.get_edgecolor() for a in arrows(ax)}) == 3


def test_a_table_and_its_edge_index_give_the_same_drawing():
    table = knn(torch.randn(12, 3), 4)
    a = draw_image_graph(photo(), table, GRID, nodes=[7])
    b = draw_image_graph(photo(), table.edge_index, GRID, nodes=[7])
    c = draw_image_graph(photo(), NeighborTable(table.index.unsqueeze(0), 12), GRID, nodes=[7])
    assert signs(a) == signs(b) == signs(c)
    assert len(signs(a)) == 4  # the node itself is among its four neighbours


def test_loops_and_repetitions_are_not_drawn():
    index = torch.arange(12).view(-1, 1).repeat(1, 4)
    index[5] = torch.tensor([5, 2, 2, 9])
    ax = draw_image_graph(photo(), NeighborTable(index, 12), GRID, nodes=[5])
    assert signs(ax) == {"A": 5, "1": 2, "2": 9}
    assert len(arrows(ax)) == 2


def test_a_node_without_edges_is_drawn_alone():
    ax = draw_image_graph(photo(), torch.empty(2, 0, dtype=torch.long), GRID, nodes=[5])
    assert signs(ax) == {"A": 5}


def test_neighbours_on_a_coarser_grid():
    index = torch.tensor([[1]]).repeat(12, 1)
    ax = draw_image_graph(
        photo(), NeighborTable(index, 2), GRID, nodes=[0], source_grid_size=(1, 2)
    )
    (arrow,) = arrows(ax)
    assert arrow._posA_posB == [(29.5, 14.5), (4.5, 4.5)]
    boxes = {p.get_bbox().bounds for p in ax.patches if isinstance(p, Rectangle)}
    assert (19.5, -0.5, 20.0, 30.0) in boxes


def test_chosen_patches_and_neighbours_are_lit_and_the_rest_is_dimmed():
    ax = draw_image_graph(photo(), ring(1), GRID, nodes=[5], dim=0.4)
    _, veil = (image.get_array() for image in ax.images)
    lit = torch.from_numpy(np.array(veil[..., 3] == 0)).view(3, 10, 4, 10).float().mean((1, 3))
    assert lit.flatten().nonzero().flatten().tolist() == [5, 6]
    assert set(lit.unique().tolist()) == {0.0, 1.0}
    assert veil[0, 0, 3] == np.float32(0.4)


def test_nodes_are_chosen_to_differ_and_to_be_the_same_each_time():
    image = np.zeros((80, 80, 3), dtype=np.uint8)
    image[20:30, 20:30], image[50:60, 20:30] = (255, 0, 0), (0, 0, 255)
    index = torch.zeros(64, 1, dtype=torch.long)
    ax = draw_image_graph(image, NeighborTable(index, 64), (8, 8))
    at = [t.get_position() for t in ax.texts if t.get_text() in "ABC"]
    assert len(set(at)) == 3
    assert {(24.5, 24.5), (24.5, 54.5)} <= set(at)
    again = draw_image_graph(image, NeighborTable(index, 64), (8, 8))
    assert at == [t.get_position() for t in again.texts if t.get_text() in "ABC"]


@pytest.mark.parametrize("grid", [(1, 1), (1, 2), (2, 2)])
def test_small_grids(grid):
    n = grid[0] * grid[1]
    ax = draw_image_graph(photo(), NeighborTable(torch.zeros(n, 1, dtype=torch.long), n), grid)
    assert {t.get_text() for t in ax.texts} >= {"A"}


def test_numbers_too_small_to_read_are_left_out():
    index = torch.zeros(200 * 200, 1, dtype=torch.long)
    ax = draw_image_graph(photo(400, 400), NeighborTable(index, 40000), (200, 200), nodes=[20100])
    assert [t.get_text() for t in ax.texts] == ["A"]
    assert len(arrows(ax)) == 1


@pytest.mark.parametrize("kind", ["array", "pil", "bytes", "floats", "grey", "rgba", "grey array"])
def test_pictures_of_all_kinds(kind):
    image = photo()
    tensor = torch.from_numpy(image).permute(2, 0, 1)
    picture = {
        "array": image,
        "pil": Image.fromarray(image),
        "bytes": tensor,
        "floats": tensor / 255,
        "grey": tensor[:1],
        "rgba": Image.fromarray(image).convert("RGBA"),
        "grey array": image[..., 0],
    }[kind]
    ax = draw_image_graph(picture, ring(), GRID, nodes=[5])
    expected = image[..., :1].repeat(3, -1) if "grey" in kind else image
    assert np.array_equal(ax.images[0].get_array(), expected)


@pytest.mark.parametrize("with_title", [False, True])
def test_a_picture_of_1200_pixels_is_written(tmp_path, with_title):
    title = "The title" if with_title else None
    ax = draw_image_graph(photo(), ring(3), GRID, title=title)
    assert ax.get_title(loc="left") == (title or "")
    ax.figure.savefig(tmp_path / "graph.png", dpi=100)
    pixels = imread(tmp_path / "graph.png")
    assert pixels.shape[1] == 1200
    assert 900 < pixels.shape[0] < 1000  # the image is 900 high
    assert pixels.std() > 0.1


def test_drawing_on_given_axes():
    figure = Figure()
    axes = figure.subplots(1, 2)
    ax = draw_image_graph(photo(), ring(), GRID, nodes=[5], ax=axes[1])
    assert ax is axes[1]
    assert not axes[0].patches
    assert figure.axes == list(axes)  # no key
    assert ax.get_xlim() == (-0.5, 39.5)
    assert ax.get_ylim() == (29.5, -0.5)


def test_two_blocks_side_by_side(tmp_path):
    caption = "Drawn by " + "very " * 60 + "random weights."
    figure = draw_vig_graphs(
        photo(), ring(1), ring(2).edge_index, GRID, [5, 9], titles=("one", "two"), caption=caption
    )
    first, last, key = figure.axes
    assert [ax.get_title(loc="left") for ax in (first, last)] == ["one", "two"]
    assert (len(arrows(first)), len(arrows(last))) == (2, 4)
    assert signs(first).items() >= {"A": 5, "B": 9}.items()
    assert signs(last).items() >= {"A": 5, "B": 9}.items()
    assert "neighbours" in " ".join(t.get_text() for t in key.texts)
    assert " ".join(t.get_text() for t in figure.texts) == caption
    assert len(figure.texts) == 3
    figure.savefig(tmp_path / "blocks.png", dpi=100)
    assert imread(tmp_path / "blocks.png").shape[1] == 1200


def test_no_text_runs_out_of_the_figure():
    figure = draw_vig_graphs(photo(), ring(), ring(), GRID, caption="W" * 10 + " wide words" * 60)
    texts = [*figure.texts, *(t for ax in figure.axes for t in ax.texts)]
    for text in texts:
        box = text.get_window_extent()
        assert box.x0 >= 0
        assert box.x1 <= figure.bbox.x1
        assert box.y0 >= 0


def test_two_blocks_show_the_same_nodes_by_default():
    figure = draw_vig_graphs(photo(), ring(1), ring(2), GRID)
    first, last = (
        [t.get_position() for t in ax.texts if t.get_text() in "ABC"] for ax in figure.axes[:2]
    )
    assert first == last
    assert len(first) == 3


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"nodes": [12]}, ValueError, r"'nodes' must be patches 0 … 11 .* 3×4 \(got \[12\]\)"),
        ({"nodes": [-1]}, ValueError, r"\(got \[-1\]\)"),
        ({"grid_size": (4, 4)}, ValueError, r"\[16, k\] for a grid of 4×4 .* \(got \[12, 2\]\)"),
        ({"grid_size": 3.0}, TypeError, r"'grid_size' must be"),
        ({"dim": 1.5}, ValueError, r"'dim' must lie between 0 and 1 \(got 1.5\)"),
        ({"source_grid_size": (1, 2)}, ValueError, r"0 … 1 of the grid of 1×2 \(got \[6, 7\]\)"),
        ({"neighbors": ring(2, 16).edge_index}, ValueError, r"12 nodes \(got edges to node 15\)"),
        ({"neighbors": torch.zeros(3, 2).long()}, ValueError, r"\[2, edges\] .* \[3, 2\]"),
        ({"neighbors": torch.zeros(2, 2)}, ValueError, r"integer tensor .* torch.float32"),
        ({"neighbors": [[0], [1]]}, TypeError, r"NeighborTable or an edge_index .* 'list'"),
        (
            {"neighbors": NeighborTable(torch.zeros(2, 12, 3).long(), 12)},
            ValueError,
            r"of one image.*\(got \[2, 12, 3\]\); of a batch",
        ),
        ({"image": "photo.jpg"}, TypeError, r"'image' must be a PIL image, .* \(got 'str'\)"),
        ({"image": torch.rand(2, 4, 4)}, ValueError, r"one or three channels.*\[2, 4, 4\]"),
        ({"image": np.zeros(4)}, ValueError, r"an image array must be .* \(got shape \[4\]\)"),
        ({"image": torch.zeros(3, 4, 4).long()}, TypeError, r"torch.uint8 \(got torch.int64\)"),
        ({"image": torch.full((3, 4, 4), -2.0)}, ValueError, r"in \[0, 1\] \(got .* -2 to -2\)"),
        ({"image": torch.full((3, 4, 4), float("nan"))}, ValueError, r"must lie in \[0, 1\]"),
    ],
)
def test_errors_name_what_was_found(changes, error, message):
    arguments = {"image": photo(), "neighbors": ring(), "grid_size": GRID, "nodes": [5], **changes}
    with pytest.raises(error, match=message):
        draw_image_graph(**arguments)


def test_without_matplotlib_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=re.escape("pip install pyg-vision[vis]")):
        draw_image_graph(photo(), ring(), GRID)
