"""Norms and GELU in place: the same numbers, and nothing overwritten that another may see."""

import pytest
import torch
from torch.autograd import forward_ad
from torch.nn import GELU, BatchNorm1d, BatchNorm2d, Conv2d, SyncBatchNorm

from pyg_vision.nn import FFN, GroupedLinear
from pyg_vision.nn.layers.map_layers import MapLayers
from pyg_vision.nn.layers.mlp import node_mlp
from pyg_vision.nn.layers.overwriting import act_in_place, norm_in_place


class Louder(BatchNorm1d):
    """A norm of another kind."""

    def forward(self, x):
        return 2 * super().forward(x)


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
        assert norm_in_place(before, SyncBatchNorm(6).eval(), x) is None
        assert norm_in_place(before, Louder(6).eval(), x) is None
        half = filled(BatchNorm1d(6)).bfloat16()
        assert norm_in_place(before.bfloat16(), half, x.bfloat16()) is None
        with forward_ad.dual_level():
            assert norm_in_place(before, norm, x) is None
        for module in (before, norm):
            handle = module.register_forward_hook(lambda *_: None)
            assert norm_in_place(before, norm, x) is None
            handle.remove()
        handle = torch.nn.modules.module.register_module_forward_hook(lambda *_: None)
        assert norm_in_place(before, norm, x) is None
        handle.remove()
        assert norm_in_place(before, norm, x) is x


def test_trainable_biases_alone_have_gradients():
    mlp = node_mlp(4, 6, norm="batch").eval().requires_grad_(False)
    mlp[1].bias.requires_grad_(True)
    mlp(torch.randn(5, 4)).sum().backward()
    torch.testing.assert_close(mlp[1].bias.grad, torch.full((6,), 5.0))


@torch.no_grad()
def test_gelu_of_a_norm():
    norm, act = filled(BatchNorm1d(6)), GELU()
    x = torch.randn(5, 6)
    expected = act(x)
    given = x.clone()
    assert act_in_place(norm, act, given) is given
    torch.testing.assert_close(given, expected)
    assert act_in_place(None, act, x) is None
    assert act_in_place(norm, torch.nn.ReLU(), x) is None
    assert act_in_place(norm, GELU(approximate="tanh"), x) is None
    handle = norm.register_forward_hook(lambda *_: None)
    assert act_in_place(norm, act, x) is None
    handle.remove()


@torch.no_grad()
@pytest.mark.parametrize("place", ["fc1", "fc1.0", "fc1.1", "act"])
def test_hooks_of_a_feed_forward_block_see_what_was_returned(place):
    torch.manual_seed(0)
    ffn = FFN(4).eval()
    filled(ffn.fc1[1])
    x, seen = torch.randn(2, 5, 4), []
    expected = ffn(x)
    wanted = {"fc1.0": ffn.fc1[0](x), "fc1": ffn.fc1(x)}
    wanted["fc1.1"] = wanted["fc1"].view(-1, 16)
    wanted["act"] = ffn.act(wanted["fc1"])
    ffn.get_submodule(place).register_forward_hook(lambda module, inputs, out: seen.append(out))
    torch.testing.assert_close(ffn(x), expected)
    torch.testing.assert_close(seen[0], wanted[place])


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
