import pytest
import torch

from pyg_vision.nn import DenseWiGNet, PyramidViG, WiGNet, get_model, wignet_ti
from pyg_vision.weights import describe_checkpoint, from_published, load_published
from tests.nn.models.axial import TOLERANCE, relative

SMALL = {"channels": (16, 32), "depths": (2, 3), "num_classes": 5, "image_size": 112}


def published_names(model, masks=True):
    """A state dict in the names of the published code, which keeps what depends on the size."""
    found, first = {}, [0]
    for depth in model.depths:
        first.append(first[-1] + depth + 1)
    for name, value in model.state_dict().items():
        parts = name.split(".")
        if parts[0] == "stem":
            name = f"stem.convs.{'.'.join(parts[1:])}"
        elif parts[0] == "head":
            name = f"prediction.{'.'.join(parts[1:])}"
            value = value[:, :, None, None] if value.dim() == 2 else value
        elif parts[0] == "stages" and parts[2] == "downsample":
            name = f"backbone.{first[int(parts[1])] - 1}.conv.{'.'.join(parts[3:])}"
        elif parts[0] == "stages":
            place, rest = first[int(parts[1])] + int(parts[3]), ".".join(parts[4:])
            rest = rest.replace("grapher.graph.relative_pos.table", "0.relative_pos")
            rest = rest.replace("grapher.conv.", "0.graph_conv.gconv.")
            rest = rest.replace("grapher.", "0.").replace("ffn.", "1.")
            name = f"backbone.{place}.{rest}"
            value = value[:, :, None, None] if value.dim() == 2 else value
        found[name] = value
    if masks:
        found["backbone.1.0.attn_mask"] = torch.zeros(16, 49, 49)
        found["backbone.1.0.adj_mask"] = torch.zeros(16, 49, 9)
    return found


def test_loads_published_names():
    torch.manual_seed(0)
    source, model = WiGNet(**SMALL).eval(), WiGNet(**SMALL).eval()
    report = load_published(model, published_names(source))
    assert report.unused == ["backbone.1.0.attn_mask", "backbone.1.0.adj_mask"]
    x = torch.rand(2, 3, 112, 112)
    assert torch.equal(model(x), source(x))
    info = describe_checkpoint(published_names(source))
    assert info.model == "pyg_vision.nn.WiGNet"
    assert info.options["window"] == 7
    assert info.options["adapt_knn"] is False
    assert torch.equal(from_published(published_names(source)).eval()(x), source(x))


@pytest.mark.parametrize("window", [7, 8])
def test_is_told_from_a_pyramid(window):
    model = WiGNet(**SMALL, window=window, adapt_knn=window == 8)
    for state in (model.state_dict(), published_names(model, masks=False)):
        info = describe_checkpoint(state)
        assert info.model == "pyg_vision.nn.WiGNet"
        assert (info.options["window"], info.options["adapt_knn"]) == (window, window == 8)
        assert info.options["image_size"] == [112, 112]
    other = PyramidViG((16, 32), (1, 1), (4, 2), num_classes=5, image_size=64)
    assert describe_checkpoint(other.state_dict()).model == "pyg_vision.nn.PyramidViG"


@pytest.mark.parametrize(
    ("options", "size"),
    [({}, (112, 112)), ({"window": 8, "adapt_knn": True, "image_size": 256}, (256, 128))],
)
def test_twins(options, size):
    torch.manual_seed(0)
    model, twin = (cls(**SMALL | options).double() for cls in (WiGNet, DenseWiGNet))
    twin.load_state_dict(model.state_dict())
    x = torch.rand(2, 3, *size, dtype=torch.double)
    outs, grads = [], []
    for net in (model.train(), twin.train()):
        outs.append(net(x))
        own = [p for p in net.parameters() if p.requires_grad]
        grads.append(torch.autograd.grad(outs[-1].square().sum(), own))
    assert relative(*outs) < TOLERANCE
    largest = max(float(v.abs().max()) for v in grads[1])
    for found, expected in zip(*grads, strict=True):
        assert float((found - expected).abs().max()) < 1e-8 * largest
    model.eval(), twin.eval()
    with torch.no_grad():
        assert relative(model(x), twin(x)) < TOLERANCE
        assert relative(model.fuse()(x), twin(x)) < TOLERANCE


@pytest.mark.filterwarnings("ignore:an image of")
@pytest.mark.parametrize("size", [(40, 72), (100, 36), (128, 224)])
def test_images_of_any_size(size):
    torch.manual_seed(0)
    model = WiGNet(**SMALL).eval()
    x = torch.rand(2, 3, *size)
    with torch.no_grad():
        logits, graphs = model.forward_graphs(x)
        for graph, (grid, _) in zip(graphs, model.block_grids(*size), strict=True):
            assert graph.num_sources == grid[0] * grid[1]
        torch.testing.assert_close(model(x, graphs), logits)
        alone = torch.cat([model(image[None]) for image in x])
    torch.testing.assert_close(logits, alone, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("name", "parameters", "frozen", "frozen_256"),
    [
        ("wignet_ti", 10_714_376, 28_812, 49_152),
        ("wignet_s", 27_251_912, 28_812, 49_152),
        ("wignet_m", 49_525_832, 52_822, 90_112),
        ("wignet_b", 92_980_328, 57_624, 98_304),
    ],
)
def test_published_sizes(name, parameters, frozen, frozen_256):
    for options, tables in (({}, frozen), ({"image_size": 256, "window": 8}, frozen_256)):
        with torch.device("meta"):
            model = get_model(name, **options)
        counts = [p.numel() for p in model.parameters() if not p.requires_grad]
        assert sum(counts) == tables
        trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
        more = model.channels[0] * (64**2 - 56**2) if options else 0  # of the positions
        assert trained == parameters + more


def test_weights():
    with pytest.raises(ValueError, match="none yet"):
        wignet_ti(weights="DEFAULT")


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match="'channels' and 'depths' must be of one length"):
        WiGNet((16, 32), (1,))
