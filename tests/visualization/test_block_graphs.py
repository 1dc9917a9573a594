import numpy as np
import pytest
import torch
from matplotlib.patches import Rectangle

from pyg_vision.explain import BlockGraph, listen
from pyg_vision.nn import PyramidViG
from pyg_vision.ops import NeighborTable
from pyg_vision.visualization import draw_block_graphs


def photo(height=30, width=40):
    generator = np.random.default_rng(0)
    return generator.integers(0, 256, (height, width, 3), dtype=np.uint8)


def graph(rows, share, grid=(3, 4), sources=None):
    sources = grid if sources is None else sources
    index = torch.zeros(grid[0] * grid[1], 2, dtype=torch.long)
    shares = torch.zeros(index.shape)
    for node, found in rows.items():
        index[node] = torch.tensor(found)
        shares[node] = torch.tensor(share)
    return BlockGraph(NeighborTable(index, sources[0] * sources[1]), grid, sources, shares)


def rectangles(ax):
    return [patch for patch in ax.patches if isinstance(patch, Rectangle)]


def fills(ax):
    """How opaque each filled patch is, by its corner."""
    return {
        patch.get_xy(): patch.get_alpha()
        for patch in rectangles(ax)
        if patch.get_alpha() is not None
    }


def frames(ax):
    thick = [p for p in rectangles(ax) if p.get_linewidth() == 2.0]
    return [(*p.get_xy(), p.get_width(), p.get_height()) for p in thick]


def test_the_neighbours_of_the_patch_at_a_place_are_filled_by_their_share():
    one = graph({5: [6, 9]}, [0.75, 0.25])
    other = graph({5: [0, 11]}, [0.5, 0.5])
    figure = draw_block_graphs(photo(), [one, other], points=[(0.5, 0.3)])
    first, second = figure.axes
    assert frames(first) == frames(second) == [(9.5, 9.5, 10.0, 10.0)]
    alphas = fills(first)
    assert set(alphas) == {(19.5, 9.5), (9.5, 19.5)}
    assert alphas[19.5, 9.5] > alphas[9.5, 19.5]
    assert set(fills(second)) == {(-0.5, -0.5), (29.5, 19.5)}
    assert len(set(fills(second).values())) == 1
    assert first.get_title(loc="left") == "Block 1, 3×4 patches"
    assert [text.get_text() for text in first.texts] == ["A"]


def test_grids_of_stages_and_their_sources():
    fine = graph({35: [5, 6]}, [0.5, 0.5], (6, 8), (3, 4))
    coarse = graph({5: [5, 5]}, [0.4, 0.6])
    first, second = draw_block_graphs(photo(), [fine, coarse], points=[(0.75, 0.45)]).axes
    # Row 4, column 3 of 6 x 8 is row 2, column 1 of 3 x 4, which the second block numbers 9.
    assert frames(first) == [(14.5, 19.5, 5.0, 5.0)]
    assert set(fills(first)) == {(9.5, 9.5), (19.5, 9.5)}
    assert frames(second) == [(9.5, 19.5, 10.0, 10.0)]


def test_which_blocks_are_shown():
    graphs = [graph({}, [1.0, 0.0])] * 30

    def titles(**options):
        axes = draw_block_graphs(photo(), graphs, **options).axes
        return [int(ax.get_title(loc="left").split(",")[0].removeprefix("Block ")) for ax in axes]

    shown = titles()
    assert len(shown) == 12
    assert (shown[0], shown[-1]) == (1, 30)
    assert titles(blocks=[0, 4, -1]) == [1, 5, 30]


def test_a_pyramid_over_any_photograph(tmp_path):
    model = PyramidViG(channels=(8, 16), depths=(1, 1), reduce_ratios=(2, 1))
    figure = draw_block_graphs(photo(64, 96), listen(model, torch.rand(3, 64, 96)), columns=2)
    figure.savefig(tmp_path / "blocks.png", dpi=40)
    assert figure.get_size_inches()[0] == 12.0
    assert len(figure.axes) == 2
    for ax in figure.axes:
        assert [text.get_text() for text in ax.texts] == ["A", "B"]
        left, bottom, width, height = ax.get_position().bounds
        assert left >= 0
        assert left + width <= 1 + 1e-9
        assert bottom > 0
        assert bottom + height < 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"points": [(0.5, 1.5)]}, r"'points' must be pairs \(row, column\) from 0 to 1"),
        ({"points": [(0.5,)]}, "'points' must be pairs"),
        ({"points": [(float("nan"), 0.5)]}, "'points' must be pairs"),
        ({"blocks": [2]}, r"'blocks' must be some of 2 blocks \(got \[2\]\)"),
        ({"blocks": []}, "'blocks' must be some of 2 blocks"),
        ({"blocks": [-3]}, "'blocks' must be at least -2"),
        ({"dim": 2.0}, "'dim' must lie between 0 and 1"),
        ({"columns": 0}, "'columns' must be at least 1"),
    ],
)
def test_what_cannot_be_drawn(options, message):
    graphs = [graph({}, [1.0, 0.0])] * 2
    with pytest.raises(ValueError, match=message):
        draw_block_graphs(photo(), graphs, **options)
    with pytest.raises(ValueError, match="'graphs' must hold the graph of a block"):
        draw_block_graphs(photo(), [])
