"""What isotropic and pyramid models share: images of any sizes, and training in less memory."""

import pickle

import pytest
import torch
from torch.nn.modules.batchnorm import _BatchNorm
from torch_geometric.data import Batch

from pyg_vision.data import image_graph
from pyg_vision.nn import DensePyramidViG, DenseViG, PyramidViG, ViG

VIG = {
    "channels": 16, "depth": 3, "k": 5, "num_classes": 4, "image_size": 32, "patch_size": 4,
}  # fmt: skip
PYRAMID = {
    "channels": (8, 16, 24), "depths": (1, 1, 2), "reduce_ratios": (4, 2, 1), "k": 5,
    "num_classes": 4, "image_size": 64,
}  # fmt: skip
MODELS = {"ViG": (ViG, VIG), "PyramidViG": (PyramidViG, PYRAMID)}
SIZES = [(48, 64), (32, 32), (48, 64), (40, 72), (33, 47), (32, 32)]


def make(name, **options):
    torch.manual_seed(0)
    cls, own = MODELS[name]
    model = cls(**own | options).double()
    torch.nn.init.normal_(model.pos_embed)
    for module in model.modules():
        if isinstance(module, _BatchNorm):
            torch.nn.init.uniform_(module.running_var, 0.5, 2.0)
            torch.nn.init.normal_(module.running_mean)
    return model


def pictures(sizes=SIZES, channels=3):
    torch.manual_seed(1)
    return [torch.rand(channels, *size, dtype=torch.double) for size in sizes]


@pytest.mark.filterwarnings("ignore:an image of")
@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("conv", ["mr", "edge", "sage", "gin"])
def test_images_of_different_sizes_are_as_one_by_one(name, conv):
    model = make(name, conv=conv).eval()
    images = pictures()
    expected = torch.cat([model(image.unsqueeze(0)) for image in images])
    limit = 1e-9 * expected.abs().max().item()
    torch.testing.assert_close(model(images), expected, rtol=0, atol=limit)
    torch.testing.assert_close(model(images[:1]), expected[:1], rtol=0, atol=limit)
    fused = model.fuse()
    torch.testing.assert_close(fused(images), expected, rtol=0, atol=100 * limit)


@pytest.mark.filterwarnings("ignore:an image of")
@pytest.mark.parametrize("name", MODELS)
def test_a_batch_of_graphs_of_different_sizes(name):
    model = make(name).eval()
    images = pictures([(48, 64), (32, 32), (40, 72)])
    batch = Batch.from_data_list([image_graph(image, 8) for image in images])
    expected = torch.cat([model(image.unsqueeze(0)) for image in images])
    assert (model(batch) - expected).abs().max() <= 1e-9 * expected.abs().max()
    with pytest.raises(ValueError, match="'neighbors' are of images of one size"):
        model(batch, neighbors=[])
    with pytest.raises(ValueError, match="cannot be stacked"):
        model.forward_graphs(batch)


@pytest.mark.parametrize("name", MODELS)
def test_norms_see_all_images_in_training(name):
    """Images of one size as a list are trained on as a batch is."""
    images = pictures([(64, 64)] * 3)
    first, second = make(name), make(name)
    out = first.train()(torch.stack(images))
    again = second.train()(images)
    torch.testing.assert_close(again, out, rtol=1e-9, atol=1e-9)
    out.square().sum().backward()
    again.square().sum().backward()
    for (key, a), b in zip(first.named_parameters(), second.parameters(), strict=True):
        if a.grad is not None:
            scale = max(a.grad.abs().max().item(), 1e-6)
            assert (a.grad - b.grad).abs().max().item() <= 1e-6 * scale, key
    for (key, a), b in zip(first.named_buffers(), second.buffers(), strict=True):
        torch.testing.assert_close(b, a, rtol=1e-9, atol=1e-9, msg=key)


@pytest.mark.filterwarnings("ignore:an image of")
@pytest.mark.parametrize("name", MODELS)
def test_a_norm_of_several_sizes_is_that_of_all_pixels(name):
    model = make(name).train()
    norm = model.stem[1]
    norm.momentum = 1.0
    images = pictures()
    maps = [model.stem[0](image.unsqueeze(0)) for image in images]
    pixels = torch.cat([m.flatten(2)[0] for m in maps], dim=1)
    model(images)
    torch.testing.assert_close(norm.running_mean, pixels.mean(1))
    torch.testing.assert_close(norm.running_var, pixels.var(1))


def test_what_is_no_list_of_images():
    model = make("ViG").eval()
    for wrong, message in (
        ([], "at least one"),
        ([torch.rand(2, 3, 8, 8)], r"\[3, H, W\].*\[2, 3, 8, 8\]"),
        (["photo"], "'photo'"),
        (pictures([(32, 32)], channels=2), r"\[1, 2, 32, 32\]"),
    ):
        with pytest.raises(ValueError, match=message):
            model(wrong)
    with pytest.raises(TypeError, match="floating-point"):
        model([torch.zeros(3, 32, 32, dtype=torch.uint8)])
    with pytest.raises(ValueError, match="takes no images of different sizes"):
        make("ViG", norm="instance")(pictures())
    with pytest.raises(TypeError, match="must be a tensor or a Batch"):
        DenseViG(**VIG)(pictures())


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("packed", [False, True])
def test_blocks_that_are_computed_again_train_the_same(name, packed):
    images = pictures([(64, 64)] * 2)
    x = images if packed else torch.stack(images)
    models = [make(name, drop_path=0.3, stochastic=True).train() for _ in range(2)]
    models[1].set_grad_checkpointing()
    for model in models:
        torch.manual_seed(5)
        model(x).square().sum().backward()
    first, second = models
    for (key, a), b in zip(first.named_parameters(), second.parameters(), strict=True):
        if a.grad is not None:
            assert torch.equal(a.grad, b.grad), key
    for (key, a), b in zip(first.named_buffers(), second.buffers(), strict=True):
        assert torch.equal(a, b), key
    saved = []
    for model in models:
        sizes = []
        with torch.autograd.graph.saved_tensors_hooks(
            lambda t, sizes=sizes: sizes.append(t.numel()) or t, lambda t: t
        ):
            model(x)
        saved.append(sum(sizes))
    assert saved[1] < saved[0] / 2


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize(
    ("dtype", "steps"),
    [
        (torch.bfloat16, 30),
        pytest.param(torch.bfloat16, 200, marks=pytest.mark.slow),
        pytest.param(torch.float16, 200, marks=pytest.mark.slow),
    ],
)
def test_autocast_trains_and_searches_in_float32(name, dtype, steps):
    torch.manual_seed(0)
    model = make(name).float().train()
    optimizer = torch.optim.SGD(model.parameters(), 1e-3)
    x = torch.rand(4, 3, 64, 64)
    y = torch.arange(4)
    seen = []
    model_blocks = [m for m in model.modules() if type(m).__name__ == "DilatedKNNGraph"]
    features = model_blocks[0]._features
    model_blocks[0]._features = lambda h: seen.append(features(h).dtype) or features(h)
    losses = []
    for _ in range(steps):
        with torch.autocast("cpu", dtype):
            loss = torch.nn.functional.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert set(seen) == {torch.float32}
    assert all(loss == loss for loss in losses)
    assert losses[-1] < losses[0]


@pytest.mark.filterwarnings("ignore:an image of")
@pytest.mark.parametrize("name", [*MODELS, "DenseViG", "DensePyramidViG"])
def test_recorded_by_fx(name):
    cls, options = MODELS[name.removeprefix("Dense")]
    torch.manual_seed(0)
    if name.startswith("Dense"):
        cls = {"ViG": DenseViG, "PyramidViG": DensePyramidViG}[cls.__name__]
    model = cls(**options).double().eval()
    recorded = torch.fx.symbolic_trace(model)
    for size in [(64, 64), (32, 48), (33, 47)]:
        x = torch.rand(2, 3, *size, dtype=torch.double)
        assert torch.equal(recorded(x), model(x))
    again = pickle.loads(pickle.dumps(recorded))
    assert torch.equal(again(x), model(x))
    x = x.requires_grad_()
    a, b = (torch.autograd.grad(m(x).sum(), x)[0] for m in (recorded, model))
    assert torch.equal(a, b)


def test_what_fx_does_not_record():
    model = make("ViG").eval()
    x = torch.rand(1, 3, 32, 32, dtype=torch.double)
    recorded = torch.fx.symbolic_trace(model)
    with pytest.raises(ValueError, match="takes no 'neighbors'"):
        recorded(x, model.forward_graphs(x)[1])
    with pytest.raises(ValueError, match=r"must be images \[B, 3, H, W\]"):
        recorded(x[:, :1])

    class Graphs(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = model

        def forward(self, x):
            return self.model.forward_graphs(x)

    with pytest.raises(TypeError, match="records no graphs"):
        torch.fx.symbolic_trace(Graphs())


def test_fx_records_other_uses():
    model = make("PyramidViG").eval()
    x = torch.rand(1, 3, 64, 64, dtype=torch.double)

    class Maps(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = model

        def forward(self, x):
            last, maps = self.model.forward_intermediates(x, [0, -1])
            return last, maps[0], maps[1]

    wanted = model.forward_intermediates(x, [0, -1])
    last, *maps = torch.fx.symbolic_trace(Maps())(x)
    assert torch.equal(last, wanted[0])
    assert all(torch.equal(a, b) for a, b in zip(maps, wanted[1], strict=True))
