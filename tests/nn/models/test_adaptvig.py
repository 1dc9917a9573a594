import pytest
import torch
from PIL import Image

from pyg_vision.nn import AdaptViG, AdaptViG_M_Weights, DenseAdaptViG, get_model
from pyg_vision.ops import NeighborTable
from tests.nn.models import axial

SMALL = {
    "channels": (8, 12, 16, 24),
    "blocks": ((1, 1), (1, 1), (0, 2), (1, 1)),
    "embed_channels": 32,
    "num_classes": 5,
    "layer_scale": 0.5,
}
TWINS = pytest.mark.parametrize("cls", [AdaptViG, DenseAdaptViG])


@TWINS
def test_reproduces_the_published_outputs(cls, load_golden):
    axial.reproduces_the_published_outputs(cls, load_golden("vision_adaptvig"))


@TWINS
def test_reproduces_the_published_training_step(cls, load_golden):
    axial.reproduces_the_published_training_step(cls, load_golden("vision_adaptvig"))


def test_is_told_from_its_names(load_golden):
    axial.is_told_from_its_names(AdaptViG, load_golden("vision_adaptvig"))


def test_twins():
    torch.manual_seed(0)
    axial.has_a_dense_twin(AdaptViG(**SMALL), DenseAdaptViG(**SMALL))


def test_serves_as_every_model_does():
    torch.manual_seed(0)
    axial.serves_as_every_model_does(AdaptViG(**SMALL), 5)


@pytest.mark.parametrize(
    ("name", "parameters", "without", "entries"),
    [
        ("adaptvig_s", 8_685_785, 7_916_785, 940),
        ("adaptvig_m", 18_062_812, 17_293_812, 1238),
        ("adaptvig_b", 26_987_231, 26_218_231, 1536),
    ],
)
def test_published_sizes(name, parameters, without, entries):
    with torch.device("meta"):
        model = get_model(name)
        single = get_model(name, distilled=False)
    assert sum(p.numel() for p in model.parameters()) == parameters
    assert sum(p.numel() for p in single.parameters()) == without
    assert len(model.state_dict()) == entries


def test_a_graph_of_one_row_is_not_taken_for_the_complete_one():
    torch.manual_seed(0)
    model = AdaptViG(**SMALL).eval()
    x = torch.rand(2, 3, 64, 96)
    with torch.no_grad():
        logits, graphs = model.forward_graphs(x)
        torch.testing.assert_close(model(x, graphs), logits, rtol=1e-4, atol=1e-5)
        count = graphs[-1].num_sources
        only = torch.zeros(1, dtype=torch.long).expand(2, count, count)
        graphs[-1] = NeighborTable(only, count)
        assert not torch.allclose(model(x, graphs), logits, rtol=1e-3)


def test_weights():
    weights = AdaptViG_M_Weights.DEFAULT
    assert weights.url.endswith(".co/SLDGroup/AdaptViG/resolve/main/AdaptViG_M_model_best.pth")
    assert weights.meta["metrics"] == {"ImageNet-1K": {"acc@1": 82.6}}
    assert not weights.value.averaged  # which the accuracy is not of
    assert weights.meta["licence"] == "Apache-2.0"
    image = weights.transforms()(Image.new("RGB", (300, 260), (124, 116, 104)))
    assert image.shape == (3, 224, 224)
    assert image.abs().max() < 0.02  # the mean of ImageNet
