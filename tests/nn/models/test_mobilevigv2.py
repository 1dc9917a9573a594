import pytest
import torch

from pyg_vision.nn import DenseMobileViGv2, MobileViGv2, get_model, mobilevigv2_ti
from tests.nn.models import axial

SMALL = {
    "channels": (8, 12, 16, 24),
    "blocks": ((1, 0), (1, 1), (1, 1), (0, 1)),
    "embed_channels": 32,
    "num_classes": 5,
    "layer_scale": 0.5,
}
TWINS = pytest.mark.parametrize("cls", [MobileViGv2, DenseMobileViGv2])


@TWINS
def test_reproduces_the_published_outputs(cls, load_golden):
    axial.reproduces_the_published_outputs(cls, load_golden("vision_mobilevigv2"))


@TWINS
def test_reproduces_the_published_training_step(cls, load_golden):
    axial.reproduces_the_published_training_step(cls, load_golden("vision_mobilevigv2"))


def test_is_told_from_its_names(load_golden):
    axial.is_told_from_its_names(MobileViGv2, load_golden("vision_mobilevigv2"))


def test_twins():
    torch.manual_seed(0)
    axial.has_a_dense_twin(MobileViGv2(**SMALL), DenseMobileViGv2(**SMALL))


def test_serves_as_every_model_does():
    torch.manual_seed(0)
    axial.serves_as_every_model_does(MobileViGv2(**SMALL), 3)


@pytest.mark.parametrize(
    ("name", "parameters", "without", "entries"),
    [
        ("mobilevigv2_ti", 5_695_824, 5_182_824, 544),
        ("mobilevigv2_s", 7_767_632, 7_254_632, 793),
        ("mobilevigv2_m", 15_471_504, 14_958_504, 793),
        ("mobilevigv2_b", 27_878_864, 27_109_864, 793),
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
    with pytest.raises(ValueError, match="none yet"):
        mobilevigv2_ti(weights="DEFAULT")
