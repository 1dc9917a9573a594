import pytest
import torch

from pyg_vision.explain import listen
from pyg_vision.nn import DenseViG, PyramidViG, ViG


@pytest.mark.parametrize("conv", ["mr", "edge", "sage", "gin"])
def test_shares_are_those_of_the_largest_messages(conv):
    model = ViG(channels=8, depth=2, k=4, conv=conv, image_size=64, patch_size=8)
    x = torch.rand(3, 64, 64)
    model(x[None].repeat(2, 1, 1, 1))
    found = listen(model, x)
    assert model.training
    _, graphs = model.eval().forward_graphs(x[None])
    for block, graph in zip(found, graphs, strict=True):
        assert torch.equal(block.table.index, graph.index[0])
        torch.testing.assert_close(block.share.sum(1), torch.ones(64))
    if conv != "mr":
        return
    grapher = model.blocks[0]["grapher"]
    with torch.no_grad():
        nodes = (model.stem(x[None]) + model.pos_embed).permute(0, 2, 3, 1).flatten(1, 2)
        h = grapher.fc1(nodes)[0]
    for i in (0, 17, 63):
        winners = (h[graphs[0].index[0, i]] - h[i]).argmax(0)
        expected = torch.bincount(winners, minlength=4) / 8
        torch.testing.assert_close(found[0].share[i], expected)


def test_a_pyramid_has_squares_as_sources():
    model = PyramidViG(channels=(8, 16), depths=(1, 1), reduce_ratios=(2, 1))
    first, last = listen(model, torch.rand(3, 64, 96))
    assert (first.grid_size, first.source_grid_size) == ((16, 24), (8, 12))
    assert last.grid_size == last.source_grid_size == (8, 12)
    assert sum(first.neighbors(5).values()) == pytest.approx(1)
    assert list(first.neighbors(5)) == first.table.index[5].tolist()


def test_refuses_what_builds_no_graph_layer_by_layer():
    for model in (torch.nn.Linear(2, 2), DenseViG(channels=8, depth=1, image_size=64)):
        with pytest.raises(TypeError, match="must be a ViG or PyramidViG"):
            listen(model, torch.rand(3, 64, 64))
