import pytest
import torch
from torchvision.models.feature_extraction import create_feature_extractor

from pyg_vision.nn import BackboneWithFPN, FeatureMaps, PyramidViG, ViG

TINY = {
    "channels": (8, 16, 24, 32),
    "depths": (1, 1, 1, 1),
    "num_classes": 5,
    "image_size": 64,
    "k": 4,
}


def test_maps_are_those_of_forward_intermediates():
    model = PyramidViG(**TINY).eval()
    x = torch.rand(2, 3, 64, 96)
    _, expected = model.forward_intermediates(x)
    maps = FeatureMaps(model)
    found = maps(x)
    assert list(found) == ["0", "1", "2", "3"]
    for m, e, channels, stride in zip(
        found.values(), expected, maps.channels, maps.strides, strict=True
    ):
        assert torch.equal(m, e)
        assert m.shape == (2, channels, 64 // stride, 96 // stride)
    assert maps.strides == (4, 8, 16, 32)


@pytest.mark.parametrize(
    ("indices", "strides"), [(2, (16, 32)), ([0, -1], (4, 32)), (None, (4, 8, 16, 32))]
)
def test_some_of_them(indices, strides):
    assert FeatureMaps(PyramidViG(**TINY), indices).strides == strides


def test_of_an_isotropic_model():
    maps = FeatureMaps(ViG(channels=8, depth=3, k=3, image_size=64), [0, 2]).eval()
    assert maps.channels == (8, 8)
    assert maps.strides == (16, 16)
    assert maps(torch.rand(1, 3, 64, 64))["1"].shape == (1, 8, 4, 4)


def test_no_parameter_is_left_without_a_gradient():
    backbone = BackboneWithFPN(PyramidViG(**TINY), 8)
    sum(m.sum() for m in backbone(torch.rand(2, 3, 64, 64)).values()).backward()
    frozen = [name for name, p in backbone.named_parameters() if p.requires_grad and p.grad is None]
    assert frozen == []


def test_a_pyramid_of_one_width():
    backbone = BackboneWithFPN(PyramidViG(**TINY), 8)
    found = backbone(torch.rand(2, 3, 64, 64))
    assert list(found) == ["0", "1", "2", "3", "pool"]
    assert {m.size(1) for m in found.values()} == {backbone.out_channels}


def test_wrong_models_and_stages():
    with pytest.raises(TypeError, match="must be a ViG or PyramidViG"):
        FeatureMaps(torch.nn.Linear(2, 2))
    with pytest.raises(ValueError, match="'indices' must be one or more of 4"):
        FeatureMaps(PyramidViG(**TINY), [4])


def test_same_as_of_torchvision():
    model = PyramidViG(**TINY).eval()
    x = torch.rand(2, 3, 64, 96)
    found = create_feature_extractor(model, {"stages.0": "0", "stages.2": "1"}).eval()(x)
    maps = FeatureMaps(model, [0, 2])(x)
    assert all(torch.equal(found[name], maps[name]) for name in ("0", "1"))
