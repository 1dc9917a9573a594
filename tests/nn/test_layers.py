import copy

import pytest
import torch
import torch.nn.functional as F

from pyg_vision.nn import GroupedLinear
from pyg_vision.nn.layers import (
    NodeInstanceNorm,
    NodeMLP,
    make_act,
    make_norm,
    node_mlp,
    reset_mlp,
)


@pytest.mark.parametrize("groups", [1, 2, 4])
@pytest.mark.parametrize("bias", [True, False])
def test_grouped_linear_is_a_grouped_convolution(groups, bias):
    linear = GroupedLinear(8, 12, groups, bias).double()
    x = torch.randn(2, 5, 8, dtype=torch.double)
    weight = linear.weight[:, :, None]
    expected = F.conv1d(x.mT, weight, linear.bias, groups=groups).mT
    torch.testing.assert_close(linear(x), expected)
    torch.testing.assert_close(linear(x[0]), expected[0])
    x.requires_grad_()
    assert torch.autograd.gradcheck(linear, x)


def test_grouped_linear_is_initialised_as_published():
    linear = GroupedLinear(400, 200, groups=4)
    assert torch.equal(linear.bias, torch.zeros(200))
    assert linear.weight.std().item() == pytest.approx((2 / 100) ** 0.5, rel=0.05)
    assert str(linear) == "GroupedLinear(400, 200, groups=4, bias=True)"


def test_lazy_grouped_linear_of_the_size_of_its_input():
    linear = GroupedLinear(-1, -1, groups=2)
    assert linear(torch.randn(3, 6)).shape == (3, 6)
    assert (linear.in_channels, linear.out_channels) == (6, 6)
    other = GroupedLinear(-1, -1, groups=2)
    other.load_state_dict(linear.state_dict())
    x = torch.randn(4, 6)
    assert torch.equal(other(x), linear(x))


def test_a_lazy_state_can_be_loaded_lazily():
    linear, other = GroupedLinear(-1, 4), GroupedLinear(-1, 4)
    other.load_state_dict(linear.state_dict())
    assert copy.deepcopy(other)(torch.randn(2, 3)).shape == (2, 4)


def test_groups_that_do_not_divide_are_named():
    with pytest.raises(ValueError, match="groups=3, 8 and 12"):
        GroupedLinear(8, 12, groups=3)
    with pytest.raises(ValueError, match="groups=4, 6 and 8"):
        GroupedLinear(-1, 8, groups=4)(torch.randn(2, 6))


def test_batch_norm_is_over_all_leading_dimensions():
    norm, lazy = NodeMLP(make_norm("batch", 4)), NodeMLP(make_norm("batch", -1))
    x = torch.randn(3, 5, 4)
    expected = F.batch_norm(x.flatten(0, 1), None, None, training=True).view_as(x)
    torch.testing.assert_close(norm(x), expected)
    torch.testing.assert_close(lazy(x), expected)
    assert type(lazy[0]) is type(norm[0]) is torch.nn.BatchNorm1d
    torch.testing.assert_close(lazy[0].running_mean, norm[0].running_mean)
    torch.testing.assert_close(lazy(x[0]), norm(x[0]))


def test_instance_norm_is_torchs():
    x = torch.randn(3, 5, 7, 4, dtype=torch.double)
    expected = F.instance_norm(x.movedim(-1, 1)).movedim(1, -1)
    torch.testing.assert_close(NodeInstanceNorm()(x), expected)
    single = NodeInstanceNorm()(x[0, 0])
    torch.testing.assert_close(single, F.instance_norm(x[:1, 0].mT).mT[0])


@pytest.mark.parametrize("name", ["relu", "leakyrelu", "prelu", "gelu", "hswish", "GELU"])
def test_activations(name):
    assert make_act(name)(torch.tensor([2.0])).item() == pytest.approx(2.0, rel=0.2)


def test_unknown_names_are_named():
    with pytest.raises(ValueError, match="'act' must be one of relu.*'tanh'"):
        make_act("tanh")
    with pytest.raises(ValueError, match="'norm' must be one of batch.*'layer'"):
        make_norm("layer", 4)


def test_mlp_order_and_reset():
    mlp = node_mlp(4, 8, norm="batch", act="relu")
    kinds = [type(layer).__name__ for layer in mlp]
    assert kinds == ["GroupedLinear", "BatchNorm1d", "ReLU"]
    mlp[1].bias.data.fill_(1.0)
    reset_mlp(mlp)
    assert torch.equal(mlp[1].bias, torch.zeros(8))
