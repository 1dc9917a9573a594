"""A linear map is the same by whichever library it is computed."""

import pytest
import torch
import torch.nn.functional as F

from pyg_vision.nn.layers import linear_map as module
from pyg_vision.nn.layers.linear_map import node_linear


@pytest.fixture
def convolutions(monkeypatch):
    """Counts the linear maps that become convolutions, whatever is faster on this machine."""
    seen = []
    conv2d = F.conv2d
    monkeypatch.setattr(module, "convolves_products", lambda: True)
    monkeypatch.setattr(
        module.F, "conv2d", lambda x, *rest: seen.append(x.shape) or conv2d(x, *rest)
    )
    return seen


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(
    ("shape", "images"),
    [((600, 18, 8), 16), ((8, 196, 8), 16), ((57, 3, 8), 19), ((68, 8), 17), ((49, 8), 0),
     ((34, 8), 0), ((2, 3, 20, 8), 20), ((15, 8), 0), ((131, 8), 0), ((0, 18, 8), 0), ((8,), 0)],
)  # fmt: skip
def test_equals_linear_in_value_and_gradient(shape, images, bias, convolutions):
    x = torch.randn(shape, requires_grad=True)
    weight = torch.randn(5, 8, requires_grad=True)
    inputs = [x, weight]
    if bias:
        inputs.append(torch.randn(5, requires_grad=True))
    expected = F.linear(*inputs)
    probe = torch.randn_like(expected)
    wanted = torch.autograd.grad((expected * probe).sum(), inputs)
    out = node_linear(*inputs)
    assert [shape[0] for shape in convolutions] == ([images] if images else [])
    torch.testing.assert_close(out, expected, rtol=1e-4, atol=1e-5)
    for actual, grad in zip(torch.autograd.grad((out * probe).sum(), inputs), wanted, strict=True):
        torch.testing.assert_close(actual, grad, rtol=1e-4, atol=1e-4)


def test_other_types_and_layouts_stay_with_linear(convolutions):
    weight = torch.randn(5, 8)
    for x in (torch.randn(8, 64).t(), torch.randn(64, 8).double(), torch.randn(64, 8).bfloat16()):
        assert torch.equal(node_linear(x, weight.to(x.dtype)), F.linear(x, weight.to(x.dtype)))
    assert convolutions == []


def test_where_products_are_faster_it_is_linear(convolutions, monkeypatch):
    monkeypatch.setattr(module, "convolves_products", lambda: False)
    x, weight = torch.randn(64, 72), torch.randn(5, 72)
    assert torch.equal(node_linear(x, weight), F.linear(x, weight))
    narrow = torch.randn(64, 8), torch.randn(5, 8, requires_grad=True)
    assert torch.equal(node_linear(*narrow), F.linear(*narrow))
    assert convolutions == []


def test_few_channels_without_gradients_are_convolved(convolutions, monkeypatch):
    monkeypatch.setattr(module, "convolves_products", lambda: False)
    monkeypatch.setattr(module, "convolves_narrow_products", lambda: True)
    x, weight = torch.randn(64, 8), torch.randn(5, 8, requires_grad=True)
    with torch.no_grad():
        torch.testing.assert_close(node_linear(x, weight), F.linear(x, weight))
    assert len(convolutions) == 1
    monkeypatch.setattr(module, "convolves_narrow_products", lambda: False)
    with torch.no_grad():
        assert torch.equal(node_linear(x, weight), F.linear(x, weight))
