import pytest
import torch

from pyg_vision.explain import listen
from pyg_vision.nn import (
    AdaptViG,
    DenseViG,
    GreedyViG,
    MobileViG,
    MobileViGv2,
    PyramidViG,
    ViG,
    WiGNet,
)


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


RULES = {"channels": (8, 12), "blocks": ((1, 1), (1, 2)), "num_classes": 4}


@pytest.mark.parametrize("cls", [MobileViG, MobileViGv2, GreedyViG, AdaptViG, WiGNet])
def test_models_whose_graphs_are_rules(cls):
    torch.manual_seed(0)
    if cls is WiGNet:
        model = cls((8, 12), (1, 2), k=4, window=4, num_classes=4)
    else:
        model = cls(**RULES, steps=(2, 1))
    found = listen(model, torch.rand(3, 64, 48))
    assert [block.grid_size for block in found] == [(16, 12), (8, 6), (8, 6)]
    for block in found:
        torch.testing.assert_close(block.share.sum(1), torch.ones(len(block.share)))
        assert sum(block.neighbors(5).values()) == pytest.approx(1)


def test_attention_is_the_share():
    torch.manual_seed(0)
    model = AdaptViG(**RULES, steps=(2, 1)).eval()
    x, seen = torch.rand(3, 64, 48), []
    conv = model.stages[1]["blocks"][1]["grapher"].conv
    conv.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    found = listen(model, x)[2]
    assert torch.equal(found.share, conv.weights(seen[0])[0])


def test_refuses_what_builds_no_graph_layer_by_layer():
    for model in (torch.nn.Linear(2, 2), DenseViG(channels=8, depth=1, image_size=64)):
        with pytest.raises(TypeError, match="must be a ViG, PyramidViG or another"):
            listen(model, torch.rand(3, 64, 64))
