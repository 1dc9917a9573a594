"""Norms in place: the same numbers, and nothing overwritten that somebody else may see."""

import pytest
import torch
from torch.nn import BatchNorm1d, BatchNorm2d, Conv2d

from pyg_vision.nn import GroupedLinear
from pyg_vision.nn.layers.map_layers import MapLayers
from pyg_vision.nn.layers.mlp import node_mlp
from pyg_vision.nn.layers.owned_norm import norm_in_place


def filled(norm):
    torch.manual_seed(0)
    for value in (norm.weight, norm.bias, norm.running_mean):
        torch.nn.init.normal_(value)
    torch.nn.init.uniform_(norm.running_var, 0.5, 2.0)
    return norm.eval()


@pytest.mark.parametrize("shape", [(7, 6), (2, 5, 6), (2, 3, 4, 6)])
def test_equals_the_norm(shape):
    norm, before = filled(BatchNorm1d(6)).double(), GroupedLinear(4, 6)
    x = torch.randn(shape, dtype=torch.double)
    with torch.no_grad():
        expected = norm(x.view(-1, 6)).view(shape)
        given = x.clone()
        found = norm_in_place(before, norm, given)
    assert found is given
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)


@torch.no_grad()
def test_layers_of_nodes_and_of_maps():
    mlp = node_mlp(4, 6, norm="batch", act="gelu").double()
    filled(mlp[1])
    x = torch.randn(2, 5, 4, dtype=torch.double)
    kept = x.clone()
    expected = mlp[2](mlp[1](mlp[0](x).view(-1, 6)).view(2, 5, 6))
    torch.testing.assert_close(mlp(x), expected, rtol=1e-12, atol=1e-12)
    assert torch.equal(x, kept)
    layers = MapLayers(Conv2d(4, 6, 3), filled(BatchNorm2d(6))).double()
    for maps in (torch.randn(2, 4, 7, 5), torch.randn(1, 4, 3, 9), torch.randn(2, 4, 3, 3)):
        for memory in (torch.contiguous_format, torch.channels_last):
            given = maps.double().contiguous(memory_format=memory)
            torch.testing.assert_close(layers(given), layers[1](layers[0](given)))


def test_what_others_may_see_is_left_alone():
    norm, before = filled(BatchNorm1d(6)), GroupedLinear(4, 6)
    x = torch.randn(5, 6)
    assert norm_in_place(before, norm, x) is None  # parameters want gradients
    with torch.no_grad():
        assert norm_in_place(None, norm, x) is None
        assert norm_in_place(torch.nn.Identity(), norm, x) is None
        assert norm_in_place(before, norm.train(), x) is None
        norm.eval()
        assert norm_in_place(before, norm, x.t().contiguous().t()) is None
        assert norm_in_place(before, norm, x.double()) is None
        assert norm_in_place(before, BatchNorm1d(6, track_running_stats=False).eval(), x) is None
        assert norm_in_place(before, BatchNorm1d(6, affine=False).eval(), x) is None
        for module in (before, norm):
            handle = module.register_forward_hook(lambda *_: None)
            assert norm_in_place(before, norm, x) is None
            handle.remove()
        handle = torch.nn.modules.module.register_module_forward_hook(lambda *_: None)
        assert norm_in_place(before, norm, x) is None
        handle.remove()
        assert norm_in_place(before, norm, x) is x


def test_a_hook_sees_what_the_layer_returned():
    mlp = node_mlp(4, 6, norm="batch").eval()
    filled(mlp[1])
    seen = []
    x = torch.randn(5, 4)
    with torch.no_grad():
        expected = mlp[0](x)
        mlp[0].register_forward_hook(lambda module, inputs, out: seen.append(out))
        mlp(x)
    assert torch.equal(seen[0], expected)
