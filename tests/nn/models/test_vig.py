import warnings

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch_geometric.data import Batch
from torch_geometric.loader import DataLoader

from pyg_vision.data import image_graph
from pyg_vision.nn import DenseViG, Grapher, ViG, vig_b, vig_s, vig_ti
from pyg_vision.nn.graph.dilated_knn_graph import Reach
from pyg_vision.nn.models._vig_plan import fit_reaches, vig_reaches
from pyg_vision.ops import NeighborTable
from tests.laws import close

SMALL = {"channels": 16, "depth": 3, "k": 3, "num_classes": 5, "image_size": 32, "patch_size": 4}

# The published neighbours of ViG-Ti, and of ViG-S and ViG-B.
K12 = (9, 9, 10, 11, 12, 13, 13, 14, 15, 16, 17, 18)
K16 = (9, 9, 10, 10, 11, 12, 12, 13, 13, 14, 15, 15, 16, 16, 17, 18)


def warmed(model):
    """A model whose running statistics fit its features, so that evaluation is well-behaved."""
    model.train()
    norms = [m for m in model.modules() if isinstance(m, torch.nn.modules.batchnorm._BatchNorm)]
    for momentum in (1.0, 0.1):
        for norm in norms:
            norm.momentum = momentum
        model(torch.randn(4, 3, 32, 32, dtype=next(model.parameters()).dtype))
    return model.eval()


@pytest.mark.parametrize(
    ("build", "millions", "ks"), [(vig_ti, 7.185, K12), (vig_s, 22.748, K16), (vig_b, 86.842, K16)]
)
def test_published_sizes(build, millions, ks):
    with torch.device("meta"):
        model = build()
    assert round(sum(p.numel() for p in model.parameters()) / 1e6, 3) == millions
    graphs = [block["grapher"].graph for block in model.blocks]
    assert tuple(graph.k for graph in graphs) == ks
    assert [graph.dilation for graph in graphs] == [i // 4 + 1 for i in range(len(ks))]


def test_reaches_without_dilation_and_of_one_block():
    assert vig_reaches(2, 3, False) == [Reach(3, 1), Reach(6, 1)]
    assert vig_reaches(1, 9, True) == [Reach(9, 1)]


@given(st.integers(1, 20), st.integers(1, 20), st.booleans(), st.integers(1, 400))
def test_fitted_reaches_always_fit(depth, k, dilation, num_nodes):
    reaches = vig_reaches(depth, k, dilation)
    fitted = fit_reaches(reaches, num_nodes)
    assert all(k * d <= num_nodes for k, d in fitted)
    assert all(
        a.k <= b.k and a.dilation <= b.dilation for a, b in zip(fitted, reaches, strict=True)
    )
    if num_nodes >= 20 * 2 * 5 * 20:
        assert fitted == reaches


@settings(max_examples=10)
@given(
    st.sampled_from(["mr", "edge", "sage", "gin"]), st.sampled_from(["gelu", "relu", "hswish"]),
    st.sampled_from([1, 3]), st.sampled_from([(32, 32), (24, 40), (30, 37)]), st.booleans(),
)  # fmt: skip
def test_equals_the_dense_twin(conv, act, in_channels, image_size, training):
    torch.manual_seed(0)
    options = SMALL | {
        "conv": conv, "act": act, "in_channels": in_channels, "image_size": image_size
    }  # fmt: skip
    sparse, dense = ViG(**options).double(), DenseViG(**options).double()
    dense.load_state_dict(sparse.state_dict())
    x = torch.randn(3, in_channels, *image_size, dtype=torch.double)
    sparse.train(training), dense.train(training)
    out, graphs = sparse.forward_graphs(x)
    expected, twins = dense.forward_graphs(x)
    assert all(torch.equal(a.index, b.index) for a, b in zip(graphs, twins, strict=True))
    assert (out - expected).abs().max() <= 1e-9 * expected.abs().max()
    if training:
        for model, result in ((sparse, out), (dense, expected)):
            result.square().mean().backward()
            assert model.pos_embed.grad.abs().sum() > 0
        for (name, a), b in zip(sparse.named_parameters(), dense.parameters(), strict=True):
            scale = max(b.grad.abs().max().item(), 1e-6)
            assert (a.grad - b.grad.view_as(a)).abs().max().item() <= 1e-7 * scale, name


def test_returned_graphs_can_be_fed_back():
    model = warmed(ViG(**SMALL))
    x = torch.randn(2, 3, 32, 32)
    logits, graphs = model.forward_graphs(x)
    assert [graph.index.shape for graph in graphs] == [(2, 64, 3), (2, 64, 4), (2, 64, 6)]
    assert torch.equal(model(x, neighbors=graphs), logits)
    assert torch.equal(model(x), logits)
    zero = [NeighborTable(torch.zeros_like(graph.index), 64) for graph in graphs]
    assert not torch.allclose(model(x, neighbors=zero), logits)
    with pytest.raises(ValueError, match=r"each of 3 blocks \(got 2\)"):
        model(x, neighbors=graphs[:2])


@pytest.mark.parametrize("patch", [1, 4, 8, 16])
def test_a_batch_of_patch_graphs_gives_the_same_logits(patch):
    model = warmed(ViG(**SMALL))
    pictures = torch.rand(3, 3, 32, 32)
    graphs = [image_graph(picture, patch) for picture in pictures]
    expected = model(pictures)
    assert torch.equal(model(Batch.from_data_list(graphs)), expected)
    assert torch.equal(model(next(iter(DataLoader(graphs, batch_size=3)))), expected)
    torch.testing.assert_close(model(graphs[0]), expected[:1])
    dense = DenseViG(**SMALL).eval()
    dense.load_state_dict(model.state_dict())
    torch.testing.assert_close(dense(Batch.from_data_list(graphs)), expected, rtol=1e-4, atol=1e-4)


def test_pictures_of_other_sizes_resample_the_position_embedding():
    model = warmed(ViG(**SMALL))
    torch.nn.init.normal_(model.pos_embed)
    for size in ((48, 32), (64, 64), (21, 50)):
        assert model(torch.randn(2, 3, *size)).shape == (2, 5)
    wide = F.interpolate(model.pos_embed, (12, 8), mode="bicubic", align_corners=False)
    x = torch.randn(1, 3, 48, 32)
    torch.testing.assert_close(model._embed(x), model.stem(x) + wide)
    x = torch.randn(1, 3, 32, 32)
    torch.testing.assert_close(model._embed(x), model.stem(x) + model.pos_embed)


def test_small_pictures_are_clamped_with_one_warning():
    model = ViG(**SMALL | {"k": 9, "image_size": 224, "patch_size": 16})
    with pytest.warns(UserWarning, match="4 patches is too small for k=9"):
        model(torch.randn(2, 3, 32, 32))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model(torch.randn(2, 3, 32, 32))
    with pytest.warns(UserWarning, match="4 patches"):
        small = ViG(**SMALL | {"k": 9, "image_size": 32, "patch_size": 16})
    assert [block["grapher"].graph.k for block in small.blocks] == [4, 4, 4]
    _, graphs = model.eval().forward_graphs(torch.randn(2, 3, 32, 32))
    assert [graph.k for graph in graphs] == [4, 4, 4]


def test_features_head_and_new_classifier():
    model = warmed(ViG(**SMALL))
    x = torch.randn(2, 3, 32, 32)
    features = model.forward_features(x)
    assert features.shape == (2, 64, 16)
    assert torch.equal(model.forward_head(features), model(x))
    assert torch.equal(model.forward_head(features, pre_logits=True), features.mean(1))
    model.reset_classifier(7, dropout=0.1)
    assert model(x).shape == (2, 7)
    assert model.num_classes == 7
    assert torch.equal(model.head[4].bias, torch.zeros(7))
    model.reset_classifier(0)
    assert torch.equal(model(x), features.mean(1))
    with pytest.raises(ValueError, match="'num_classes' must be at least 0"):
        model.reset_classifier(-1, dropout=0.7)
    assert (model.num_classes, model.dropout) == (0, 0.1)


@pytest.mark.parametrize("cls", [ViG, DenseViG])
def test_reset_is_as_published(cls):
    model = cls(**SMALL | {"conv": "gin", "act": "prelu"})
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.fill_(3.0)
    model.reset_parameters()
    for name, parameter in model.named_parameters():
        assert not (parameter == 3.0).any(), name
    block = model.blocks[0]
    assert block["grapher"].conv.eps.item() == 0
    assert block["ffn"].act.weight.item() == pytest.approx(0.2)
    fan_in = block["ffn"].fc2[0].weight[0].numel()
    assert block["ffn"].fc2[0].weight.std().item() == pytest.approx((2 / fan_in) ** 0.5, rel=0.2)


def test_channels_stay_a_view_between_stem_and_blocks():
    model = ViG(**SMALL).eval()
    maps = model._embed(torch.randn(2, 3, 32, 32))
    nodes = maps.permute(0, 2, 3, 1).flatten(1, 2)
    assert nodes.data_ptr() == maps.data_ptr()


def test_stochastic_options_act_in_training_only():
    model = warmed(ViG(**SMALL | {"stochastic": True, "epsilon": 1.0, "drop_path": 0.5}))
    x = torch.randn(2, 3, 32, 32)
    assert torch.equal(model(x), model(x))
    model.train()
    assert not torch.equal(model(x), model(x))
    rates = [block["grapher"].drop_path.p for block in model.blocks]
    assert rates == pytest.approx([0.0, 0.25, 0.5])


@pytest.mark.parametrize("training", [pytest.param(False, marks=pytest.mark.slow), True])
def test_compiles_without_graph_break(training):
    model = warmed(ViG(**SMALL)).train(training)
    x = torch.randn(2, 3, 32, 32)
    compiled = torch.compile(model, fullgraph=True, backend="aot_eager")
    expected = model(x)
    out = compiled(x)
    torch.testing.assert_close(out, expected, rtol=1e-4, atol=1e-4)
    if training:
        out.sum().backward()
        assert all(p.grad is not None for p in model.parameters())


@pytest.mark.ext  # the default compiler needs a C++ compiler, as the extensions do
def test_compiles_with_the_default_backend():
    model = warmed(ViG(**SMALL | {"depth": 1}))
    x = torch.randn(2, 3, 32, 32)
    compiled = torch.compile(model, fullgraph=True)
    torch.testing.assert_close(compiled(x), model(x), rtol=1e-4, atol=1e-4)


def test_under_autocast():
    model = warmed(ViG(**SMALL))
    x = torch.randn(2, 3, 32, 32)
    with torch.autocast("cpu", torch.bfloat16):
        out = model(x)
    assert out.isfinite().all()
    half = model.to(torch.bfloat16)(x.bfloat16())
    assert half.dtype == torch.bfloat16


def test_learns():
    """A few steps on two kinds of pictures: the loss must fall to almost nothing."""
    model = ViG(**SMALL | {"num_classes": 2, "depth": 2})
    x = torch.rand(16, 3, 32, 32)
    y = torch.arange(16) % 2
    x[y == 1, :, :16] += 1.0
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3)
    for _ in range(30):
        loss = torch.nn.functional.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss < 0.05


@pytest.mark.cuda
def test_no_step_waits_for_the_gpu():
    model = warmed(ViG(**SMALL)).cuda()
    grapher = Grapher(8, k=3).cuda()
    pictures = torch.randn(2, 3, 32, 32, device="cuda")
    x, batch = torch.randn(12, 8, device="cuda"), torch.tensor([0] * 5 + [1] * 7, device="cuda")

    def step():
        model.eval()(pictures)
        model.train()(pictures).sum().backward()
        grapher(x, batch=batch, batch_size=2, max_num_nodes=7).sum().backward()

    step()  # kernels are compiled the first time
    torch.cuda.set_sync_debug_mode("error")
    try:
        step()
    finally:
        torch.cuda.set_sync_debug_mode("default")


@pytest.mark.ext
def test_runs_on_torch_cluster():
    model = warmed(ViG(**SMALL).double())
    other = ViG(**SMALL, knn_backend="torch_cluster").double().eval()
    other.load_state_dict(model.state_dict())
    x = torch.randn(2, 3, 32, 32, dtype=torch.double)
    torch.testing.assert_close(other(x), model(x))
    other.train()(x).sum().backward()
    assert other.stem[0].weight.grad.abs().sum() > 0


@pytest.mark.parametrize(
    ("x", "error", "message"),
    [
        (torch.randn(3, 32, 32), ValueError, r"\[B, 3, H, W\].*\[3, 32, 32\]"),
        (torch.randn(2, 1, 32, 32), ValueError, r"\[B, 3, H, W\].*\[2, 1, 32, 32\]"),
        (torch.randn(0, 3, 32, 32), ValueError, "at least one"),
        (torch.zeros(2, 3, 32, 32, dtype=torch.uint8), TypeError, "floating-point.*uint8"),
        ("picture", TypeError, "tensor or a Batch.*'str'"),
        (torch.full((2, 3, 32, 32), float("nan")), ValueError, "must be finite.*nan"),
    ],
)
def test_wrong_input_is_named(x, error, message):
    with pytest.raises(error, match=message):
        ViG(**SMALL)(x)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"conv": "gat"}, "'conv'.*'gat'"),
        ({"act": "tanh"}, "'act'.*'tanh'"),
        ({"norm": "layer"}, "'norm'.*'layer'"),
        ({"patch_size": 3}, "'patch_size'.*3"),
        ({"depth": 0}, "'depth' must be at least 1"),
        ({"k": 0}, "'k' must be at least 1"),
        ({"image_size": (32, 0)}, r"'image_size'.*\(32, 0\)"),
        ({"image_size": 32.0}, r"'image_size'.*32\.0"),
        ({"depth": 1, "drop_path": 1.5}, r"'drop_path'.*1\.5"),
        ({"num_classes": -1}, "'num_classes'"),
        ({"drop_path": 1.0}, "'drop_path'"),
        ({"knn_backend": "faiss"}, "'faiss'"),
    ],
)
def test_wrong_options_are_named(options, message):
    with pytest.raises((TypeError, ValueError), match=message):
        ViG(**SMALL | options)


@pytest.mark.parametrize("cls", [ViG, DenseViG])
def test_intermediates_are_maps(cls):
    model = cls(channels=16, depth=3, k=3, num_classes=4, patch_size=4, image_size=16)
    model = model.double().eval()
    x = torch.randn(2, 3, 16, 20, dtype=torch.double)
    features, maps = model.forward_intermediates(x)
    assert [m.shape for m in maps] == [(2, 16, 4, 5)] * 3
    close(model.forward_head(features), model(x))
    last = features.mT.unflatten(2, (4, 5)) if cls is ViG else features
    assert torch.equal(maps[-1], last)
    for indices, wanted in ((2, [1, 2]), ([0, -1], [0, 2]), ((1,), [1])):
        _, some = model.forward_intermediates(x, indices)
        assert all(torch.equal(a, maps[i]) for a, i in zip(some, wanted, strict=True))
    _, graphs = model.forward_graphs(x)
    _, same = model.forward_intermediates(x, neighbors=graphs)
    close(torch.stack(same), torch.stack(maps))
    for wrong in (0, 4, [3], [], [True], [0.0]):
        with pytest.raises(ValueError, match="'indices' must be one or more of 3 blocks"):
            model.forward_intermediates(x, wrong)


def test_parts_are_arguments():
    made = []

    def grapher(*args, **kwargs):
        made.append(Grapher(*args, **kwargs))
        return made[-1]

    model = ViG(channels=16, depth=2, k=3, image_size=64, grapher=grapher, num_classes=4)
    assert [block["grapher"] for block in model.blocks] == made
