"""A norm folded into the layer before it changes no output."""

import copy

import pytest
import torch
from torch.nn import BatchNorm1d, BatchNorm2d, Conv2d, Identity, Linear, Sequential

from pyg_vision.nn import GroupedLinear, TemporalConv
from pyg_vision.nn.layers.fold_norms import ChannelAffine, fold_all_norms
from tests.laws import close


def settled(norm):
    """A norm as after training: no statistic or parameter has its first value."""
    with torch.no_grad():
        norm.running_mean.normal_()
        norm.running_var.uniform_(0.1, 3.0)
        if norm.affine:
            norm.weight.normal_()
            norm.bias.normal_()
    return norm


CASES = {
    "linear": (lambda b: Linear(4, 6, bias=b), BatchNorm1d, (7, 4)),
    "grouped": (lambda b: GroupedLinear(4, 6, 2, bias=b), BatchNorm1d, (7, 4)),
    "convolution": (lambda b: Conv2d(4, 6, 3, bias=b), BatchNorm2d, (2, 4, 5, 5)),
    "grouped convolution": (lambda b: Conv2d(4, 6, 3, groups=2, bias=b), BatchNorm2d, (2, 4, 5, 5)),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("affine", [True, False])
def test_equals_the_norm(name, bias, affine):
    make, norm, shape = CASES[name]
    layers = Sequential(make(bias), settled(norm(6, affine=affine)), torch.nn.ReLU())
    layers = layers.double().eval()
    x = torch.randn(shape, dtype=torch.double)
    expected = layers(x)
    folded = copy.deepcopy(layers)
    fold_all_norms(folded)
    assert isinstance(folded[1], Identity)
    close(folded(x), expected)


def test_a_temporal_convolution():
    conv, norm = TemporalConv(4, 6, 3, bias=False), settled(BatchNorm1d(6))
    x, tracks = torch.randn(10, 4, dtype=torch.double), [(1, 5, 2)]
    layers = Sequential(conv, norm).double().eval()
    expected = norm(conv(x, tracks))
    fold_all_norms(layers)
    close(conv(x, tracks), expected)


@pytest.mark.parametrize("act", [torch.nn.GELU(), torch.nn.ReLU(), torch.nn.GELU("tanh")])
def test_an_activation_overwrites_a_layer_but_no_input(act):
    layers = Sequential(Linear(4, 6), settled(BatchNorm1d(6)), act, Linear(6, 2)).double().eval()
    x = torch.randn(5, 4, dtype=torch.double, requires_grad=True)
    (expected,) = torch.autograd.grad(layers(x).sum(), x)
    fused = copy.deepcopy(layers)
    fold_all_norms(fused)
    before = x.detach().clone()
    with torch.no_grad():
        close(fused(x), layers(x))
        hidden = fused[1](fused[0](x))
        overwritten = fused[2](hidden).data_ptr() == hidden.data_ptr()
    assert overwritten == (not isinstance(act, torch.nn.GELU) or act.approximate == "none")
    assert torch.equal(x, before)
    close(torch.autograd.grad(fused(x).sum(), x)[0], expected)
    close(torch.func.vmap(fused)(torch.stack((x, x)).detach())[1], layers(x))


@pytest.mark.parametrize("shape", [(5, 4), (5, 4, 3), (5, 4, 3, 2)])
def test_a_norm_with_nothing_before_it(shape):
    norm = {2: BatchNorm1d, 3: BatchNorm1d, 4: BatchNorm2d}[len(shape)](4)
    layers = Sequential(torch.nn.ReLU(), settled(norm)).double().eval()
    x = torch.randn(shape, dtype=torch.double)
    expected = layers(x)
    fold_all_norms(layers)
    assert isinstance(layers[1], ChannelAffine)
    close(layers(x), expected)


def test_statistics_of_a_batch_cannot_be_folded():
    layers = Sequential(Linear(4, 6), BatchNorm1d(6, track_running_stats=False)).eval()
    fold_all_norms(layers)
    assert isinstance(layers[1], BatchNorm1d)


def test_a_layer_in_two_places_stays():
    linear = Linear(4, 4)
    layers = Sequential(linear, settled(BatchNorm1d(4)), linear, settled(BatchNorm1d(4)))
    layers = layers.double().eval()
    x = torch.randn(5, 4, dtype=torch.double)
    expected = layers(x)
    fold_all_norms(layers)
    assert isinstance(layers[1], ChannelAffine)
    close(layers(x), expected)


def test_a_parametrized_weight_stays():
    linear = torch.nn.utils.parametrizations.weight_norm(Linear(4, 6))
    layers = Sequential(linear, settled(BatchNorm1d(6))).double().eval()
    x = torch.randn(5, 4, dtype=torch.double)
    expected = layers(x)
    fold_all_norms(layers)
    close(layers(x), expected)
