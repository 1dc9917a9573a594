import pytest
import torch
from PIL import Image

from pyg_vision.nn import DenseGreedyViG, GreedyViG, GreedyViG_B_Weights, get_model
from tests.nn.models import axial

SMALL = {
    "channels": (8, 12, 16, 24),
    "blocks": ((1, 1), (1, 1), (0, 2), (1, 1)),
    "embed_channels": 32,
    "num_classes": 5,
    "layer_scale": 0.5,
}
TWINS = pytest.mark.parametrize("cls", [GreedyViG, DenseGreedyViG])


@TWINS
def test_reproduces_the_published_outputs(cls, load_golden):
    axial.reproduces_the_published_outputs(cls, load_golden("vision_greedyvig"))


@TWINS
def test_reproduces_the_published_training_step(cls, load_golden):
    axial.reproduces_the_published_training_step(cls, load_golden("vision_greedyvig"))


def test_is_told_from_its_names(load_golden):
    axial.is_told_from_its_names(GreedyViG, load_golden("vision_greedyvig"))


def test_twins():
    torch.manual_seed(0)
    axial.has_a_dense_twin(GreedyViG(**SMALL), DenseGreedyViG(**SMALL))


def test_serves_as_every_model_does():
    torch.manual_seed(0)
    axial.serves_as_every_model_does(GreedyViG(**SMALL), 5)


@pytest.mark.parametrize(
    ("name", "parameters", "without", "entries"),
    [
        ("greedyvig_s", 11_983_376, 11_214_376, 622),
        ("greedyvig_m", 21_928_112, 21_159_112, 910),
        ("greedyvig_b", 30_905_296, 30_136_296, 1137),
    ],
)
def test_published_sizes(name, parameters, without, entries):
    with torch.device("meta"):
        model = get_model(name)
        single = get_model(name, distilled=False)
    assert sum(p.numel() for p in model.parameters()) == parameters
    assert sum(p.numel() for p in single.parameters()) == without
    assert len(model.state_dict()) == entries


def test_weights():
    weights = GreedyViG_B_Weights.DEFAULT
    assert weights.url.endswith("SLDGroup/GreedyViG/resolve/main/B_GreedyViG_83_9.pth")
    assert weights.meta["metrics"] == {"ImageNet-1K": {"acc@1": 83.9}}
    assert weights.meta["licence"] == "Apache-2.0"
    image = weights.transforms()(Image.new("RGB", (300, 260), (124, 116, 104)))
    assert image.shape == (3, 224, 224)
    assert image.abs().max() < 0.02  # the mean of ImageNet
