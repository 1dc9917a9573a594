import torch

from pyg_vision.nn import LayerScale
from pyg_vision.nn.layers.layer_scale import fold_scale


def test_scales_channels_of_nodes_and_of_maps():
    x = torch.randn(2, 5, 3)
    scale = LayerScale(3, init=2.0)
    torch.nn.init.normal_(scale.weight)
    assert torch.equal(scale(x), x * scale.weight)
    maps = LayerScale(3, maps=True)
    maps.load_state_dict(scale.state_dict())
    assert torch.equal(maps(x.transpose(1, 2)[..., None]), scale(x).transpose(1, 2)[..., None])
    scale.reset_parameters()
    assert scale.weight.eq(2.0).all()
    assert str(scale) == "LayerScale(3, init=2.0)"


def test_is_folded_into_a_norm():
    torch.manual_seed(0)
    norm, scale = torch.nn.BatchNorm1d(3).eval(), LayerScale(3, init=0.3)
    torch.nn.init.normal_(norm.weight)
    torch.nn.init.normal_(norm.bias)
    x = torch.randn(7, 3)
    expected = scale(norm(x))
    assert fold_scale(scale, norm) is None
    torch.testing.assert_close(norm(x), expected)
    assert fold_scale(scale, torch.nn.Identity()) is scale
    assert fold_scale(None, norm) is None
