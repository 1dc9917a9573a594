import pytest
import torch

from pyg_vision.nn import CompleteGraph, RelativeAttention
from pyg_vision.ops import NeighborTable


def formula(layer, x, allowed):
    q, k = layer.q_norm(layer.q(x)), layer.k_norm(layer.k(x))
    scores = (q @ k.mT) / (x.size(-1) // 4) ** 0.5
    weights = scores.masked_fill(~allowed, -torch.inf).softmax(-1)
    m = (weights @ layer.v(x) - x).clamp(min=0)
    return layer.nn(torch.cat([x, m], -1))


def test_is_the_formula():
    torch.manual_seed(0)
    layer = RelativeAttention(8, 12, norm="batch", act="gelu").double()
    x = torch.randn(2, 12, 8, dtype=torch.double)
    every = torch.ones(2, 12, 12, dtype=torch.bool)
    torch.testing.assert_close(layer(x), formula(layer, x, every))
    table = CompleteGraph()(x, (3, 4))
    torch.testing.assert_close(layer(x, table), layer(x))
    index = torch.randint(12, (2, 12, 3))
    allowed = torch.zeros_like(every).scatter(2, index, True)
    torch.testing.assert_close(layer(x, NeighborTable(index, 12)), formula(layer, x, allowed))
    shared = NeighborTable(index[0], 12)  # one graph for all
    allowed = allowed[:1].expand(2, -1, -1)
    torch.testing.assert_close(layer(x, shared), formula(layer, x, allowed))


def test_derivatives():
    layer = RelativeAttention(4, 3).double()
    x = torch.randn(1, 5, 4, dtype=torch.double, requires_grad=True)
    assert torch.autograd.gradcheck(layer, x)
    assert torch.autograd.gradgradcheck(layer, x)


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match=r"'channels' must be divisible by 4 \(got 6\)"):
        RelativeAttention(6, 8)
    assert str(RelativeAttention(8, 12)) == "RelativeAttention(8, 12)"


@pytest.mark.parametrize("shape", [(49, 8), (2, 3, 4, 8), (2, 49, 6)])
def test_nodes_of_another_shape(shape):
    layer = RelativeAttention(8, 12)
    for run in (layer, layer.weights):
        with pytest.raises(ValueError, match=r"'x' must be nodes \[graphs, nodes, 8\]"):
            run(torch.randn(shape))
