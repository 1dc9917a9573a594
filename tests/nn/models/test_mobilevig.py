import pytest
import torch
from PIL import Image

from pyg_vision.nn import DenseMobileViG, MobileViG, MobileViG_S_Weights, get_model
from tests.nn.models import axial

SMALL = {
    "channels": (8, 12, 16, 24),
    "blocks": ((1, 0), (1, 0), (1, 0), (0, 2)),
    "embed_channels": 32,
    "num_classes": 5,
    "layer_scale": 0.5,
}
TWINS = pytest.mark.parametrize("cls", [MobileViG, DenseMobileViG])


@TWINS
def test_reproduces_the_published_outputs(cls, load_golden):
    axial.reproduces_the_published_outputs(cls, load_golden("vision_mobilevig"))


@TWINS
def test_reproduces_the_published_training_step(cls, load_golden):
    axial.reproduces_the_published_training_step(cls, load_golden("vision_mobilevig"))


def test_is_told_from_its_names(load_golden):
    axial.is_told_from_its_names(MobileViG, load_golden("vision_mobilevig"))


def test_twins():
    torch.manual_seed(0)
    axial.has_a_dense_twin(MobileViG(**SMALL), DenseMobileViG(**SMALL))


def test_serves_as_every_model_does():
    torch.manual_seed(0)
    axial.serves_as_every_model_does(MobileViG(**SMALL), 2)


@pytest.mark.parametrize(
    ("name", "parameters", "without", "entries"),
    [
        ("mobilevig_ti", 5_271_074, 4_758_074, 336),
        ("mobilevig_s", 7_276_538, 6_763_538, 481),
        ("mobilevig_m", 14_075_786, 13_306_786, 481),
        ("mobilevig_b", 26_868_506, 26_099_506, 771),
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
    weights = MobileViG_S_Weights.DEFAULT
    assert weights.url.endswith("SLDGroup/MobileViG/resolve/main/MobileViG_S_78_2.pth.tar")
    assert weights.meta["metrics"] == {"ImageNet-1K": {"acc@1": 78.2}}
    assert weights.meta["licence"] == "Apache-2.0"
    image = weights.transforms()(Image.new("RGB", (300, 260), (124, 116, 104)))
    assert image.shape == (3, 224, 224)
    assert image.abs().max() < 0.02  # the mean of ImageNet
