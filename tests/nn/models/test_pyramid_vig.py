import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch_geometric.data import Batch

from pyg_vision.data import image_graph
from pyg_vision.nn import (
    DensePyramidViG,
    DenseViG,
    Grapher,
    PyramidViG,
    RelativePosition,
    pvig_b,
    pvig_m,
    pvig_s,
    pvig_ti,
    vig_b,
    vig_s,
    vig_ti,
)
from pyg_vision.nn.graph.dilated_knn_graph import Reach, fit_reach
from pyg_vision.nn.models._vig_plan import pyramid_reaches
from tests.laws import close
from tests.nn.models.test_vig import warmed

SMALL = {
    "channels": (8, 16, 24), "depths": (1, 2, 1), "reduce_ratios": (4, 2, 1), "k": 4,
    "num_classes": 5, "image_size": 64,
}  # fmt: skip
DIMENSIONS = {
    pvig_ti: (10_714_376, 12_486_314),
    pvig_s: (27_251_912, 29_023_850),
    pvig_m: (49_525_832, 51_681_930),
    pvig_b: (92_980_328, 95_213_258),
}


@pytest.mark.parametrize("build", DIMENSIONS)
def test_published_sizes(build):
    with torch.device("meta"):
        model = build()
    trainable = sum(p.numel() for p in model.parameters() if p.requires_grad)
    assert (trainable, sum(p.numel() for p in model.parameters())) == DIMENSIONS[build]
    most = 5 if build in (pvig_m, pvig_b) else 3
    assert max(reach.dilation for reach in model.reaches) == most
    assert {reach.k for reach in model.reaches} == {9}


def test_reaches():
    assert [r.dilation for r in pyramid_reaches(24, 9, True)] == [
        min(i // 4 + 1, 5) for i in range(24)
    ]
    assert pyramid_reaches(2, 60, True) == [Reach(60, 1)] * 2
    assert pyramid_reaches(9, 4, False) == [Reach(4, 1)] * 9
    assert fit_reach(Reach(9, 5), 49) == Reach(9, 5)
    assert fit_reach(Reach(9, 5), 30) == Reach(9, 3)
    assert fit_reach(Reach(9, 5), 4) == Reach(4, 1)


@settings(max_examples=12)
@given(
    st.sampled_from(["mr", "edge", "sage", "gin"]),
    st.sampled_from(["published", "grid", None]),
    st.sampled_from([(64, 64), (64, 96), (50, 77), (33, 64), (128, 32)]),
    st.booleans(),
)
@pytest.mark.filterwarnings("ignore:an image of")
def test_equals_the_dense_twin(conv, relative_pos, image_size, training):
    torch.manual_seed(0)
    options = SMALL | {"conv": conv, "relative_pos": relative_pos}
    sparse = PyramidViG(**options).double()
    dense = DensePyramidViG(**options).double()
    dense.load_state_dict(sparse.state_dict())
    x = torch.randn(2, 3, *image_size, dtype=torch.double)
    sparse.train(training), dense.train(training)
    out, graphs = sparse.forward_graphs(x)
    expected, twins = dense.forward_graphs(x)
    for a, b in zip(graphs, twins, strict=True):
        assert torch.equal(a.index, b.index)
        assert a.num_sources == b.num_sources
    assert (out - expected).abs().max() <= 1e-9 * expected.abs().max()
    if training:
        for result in (out, expected):
            result.square().mean().backward()
        for (name, a), b in zip(sparse.named_parameters(), dense.parameters(), strict=True):
            if name.endswith("relative_pos.table"):
                assert a.grad is None
                assert b.grad is None
                continue
            scale = max(b.grad.abs().max().item(), 1e-6)
            assert (a.grad - b.grad.view_as(a)).abs().max().item() <= 1e-7 * scale, name


@pytest.mark.slow
@pytest.mark.parametrize("build", [vig_ti, vig_s, vig_b, *DIMENSIONS])
def test_every_builder_equals_its_dense_twin(build):
    torch.manual_seed(0)
    model = build().double().eval()
    pyramid = isinstance(model, PyramidViG)
    options = {"channels": model.channels} | (
        {"depths": model.depths} if pyramid else {"depth": model.depth}
    )
    dense = (DensePyramidViG if pyramid else DenseViG)(**options).double().eval()
    dense.load_state_dict(model.state_dict())
    for size in ((224, 224), (256, 256), (192, 320)):
        x = torch.randn(1, 3, *size, dtype=torch.double)
        with torch.no_grad():
            out, graphs = model.forward_graphs(x)
            expected, twins = dense.forward_graphs(x)
        assert all(torch.equal(a.index, b.index) for a, b in zip(graphs, twins, strict=True))
        assert (out - expected).abs().max() <= 1e-9 * expected.abs().max()


@pytest.mark.filterwarnings("ignore:an image of")
def test_any_size_from_32_pixels():
    model = pvig_ti(num_classes=3).eval()
    for size in ((32, 32), (33, 47), (64, 300)):
        assert model(torch.randn(1, 3, *size)).shape == (1, 3)
    assert model.train()(torch.randn(2, 3, 32, 45)).shape == (2, 3)
    with pytest.raises(ValueError, match="the image is too small: stage 0 has 3 x 8 patches"):
        model(torch.randn(1, 3, 12, 32))


def test_maps_graphs_and_features():
    model = warmed(PyramidViG(**SMALL))
    x = torch.randn(2, 3, 64, 64)
    features, maps = model.forward_intermediates(x)
    assert [tuple(m.shape[1:]) for m in maps] == [(8, 16, 16), (16, 8, 8), (24, 4, 4)]
    assert features.shape == (2, 16, 24)
    assert torch.equal(maps[-1].flatten(2).mT, features)
    assert torch.equal(model.forward_head(features), model(x))
    _, some = model.forward_intermediates(x, [0, -1])
    assert torch.equal(some[0], maps[0])
    assert torch.equal(some[1], maps[2])
    with pytest.raises(ValueError, match="one or more of 3 stages"):
        model.forward_intermediates(x, [3])
    logits, graphs = model.forward_graphs(x)
    assert [g.num_sources for g in graphs] == [16, 16, 16, 16]
    assert [tuple(g.index.shape) for g in graphs] == [
        (2, 256, 4),
        (2, 64, 4),
        (2, 64, 4),
        (2, 16, 4),
    ]
    assert torch.equal(model(x, neighbors=graphs), logits)
    with pytest.raises(ValueError, match="each of 4 blocks"):
        model(x, neighbors=graphs[1:])
    model.reset_classifier(0)
    assert torch.equal(model(x), features.mean(1))


def test_a_batch_of_patch_graphs():
    model = warmed(PyramidViG(**SMALL))
    pictures = torch.rand(3, 3, 64, 64)
    batch = Batch.from_data_list([image_graph(picture, 8) for picture in pictures])
    assert torch.equal(model(batch), model(pictures))


@pytest.mark.slow
@pytest.mark.parametrize("training", [False, True])
def test_compiles_without_graph_break(training):
    model = warmed(PyramidViG(**SMALL | {"depths": (1, 1, 1)})).train(training)
    x = torch.randn(2, 3, 64, 80)  # whose bias is resampled
    compiled = torch.compile(model, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(x), model(x), rtol=1e-4, atol=1e-4)


@pytest.mark.slow
def test_exports_with_any_number_of_images():
    model = warmed(PyramidViG(**SMALL))
    for size in ((64, 64), (64, 80)):
        x = torch.randn(2, 3, *size)
        batch = {"x": {0: torch.export.Dim("batch", min=1, max=64)}}
        program = torch.export.export(model, (x,), dynamic_shapes=batch).module()
        other = torch.randn(5, 3, *size)
        torch.testing.assert_close(program(other), model(other), rtol=1e-4, atol=1e-4)


def test_under_autocast_and_in_half_precision():
    model = warmed(PyramidViG(**SMALL))
    x = torch.randn(2, 3, 64, 80)
    with torch.autocast("cpu", torch.bfloat16):
        assert model(x).isfinite().all()
    half = model.to(torch.bfloat16)(x.bfloat16())
    assert half.dtype == torch.bfloat16
    assert half.isfinite().all()


def test_true_positions_change_the_graphs():
    torch.manual_seed(0)
    models = [PyramidViG(**SMALL, relative_pos=kind).eval() for kind in ("published", "grid", None)]
    for model in models[1:]:
        model.load_state_dict(models[0].state_dict(), strict=False)
        assert not any("relative_pos" in name for name in model.state_dict())
    x = torch.randn(1, 3, 64, 64)
    first = [model.forward_graphs(x)[1][0].index for model in models]
    assert not torch.equal(first[0], first[1])
    assert not torch.equal(first[1], first[2])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"depths": (1, 1)}, "of one length.*3, 2 and 3"),
        ({"channels": 48}, "'channels' must be a sequence"),
        ({"depths": (1, 0, 1)}, "'depths' must be at least 1"),
        ({"channels": (6, 8, 8)}, "divisible by 4.*6"),
        ({"relative_pos": "learned"}, "'learned'"),
        ({"image_size": 8}, "the image is too small"),
        ({"k": 0}, "'k' must be at least 1"),
    ],
)
def test_wrong_options_are_named(options, message):
    with pytest.raises((TypeError, ValueError), match=message):
        PyramidViG(**SMALL | options)


def test_blocks_say_what_grid_they_need():
    grapher = Grapher(8, k=3, reduce_ratio=2, relative_pos=RelativePosition(8, (4, 6), 2)).eval()
    x = torch.randn(2, 24, 8)
    out, graph = grapher(x, grid_size=(4, 6), return_graph=True)
    assert graph.num_sources == 6
    close(grapher(x, graph, grid_size=(4, 6)), out)
    for grid in (None, (4, 5), (5, 4)):
        with pytest.raises(ValueError, match="'grid_size' must be the rows and columns of 24"):
            grapher(x, grid_size=grid)
    with pytest.raises(ValueError, match="images of one size"):
        grapher(x[0], batch=torch.zeros(24, dtype=torch.long), grid_size=(4, 6))
    with pytest.raises(ValueError, match="1 x 24 patches is too small for reduce_ratio=2"):
        grapher(x, grid_size=(1, 24))
