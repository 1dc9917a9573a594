import copy

import pytest
import torch

from pyg_vision.nn import GroupedLinear, SpatialGraphConv
from pyg_vision.nn.layers.lazy_weight import LazyWeight


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


def test_a_subclass_says_of_how_many_channels_a_weight_is():
    with pytest.raises(NotImplementedError):
        LazyWeight().channels_of(torch.zeros(2, 3))
    assert GroupedLinear(-1, 4, groups=2).channels_of(torch.zeros(4, 3)) == 6
    assert SpatialGraphConv(-1, 4, 2).channels_of(torch.zeros(2, 5, 4)) == 5


def test_a_layer_with_a_size_waits_for_nothing():
    linear = GroupedLinear(-1, 4)
    assert len(linear._forward_pre_hooks) == 1
    linear(torch.randn(2, 3))
    assert len(linear._forward_pre_hooks) == 0
