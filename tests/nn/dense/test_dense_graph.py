import pytest
import torch

from pyg_vision.nn import DenseDilatedKNNGraph, DilatedKNNGraph
from pyg_vision.nn.dense import dense_graph


@pytest.mark.parametrize("dilation", [1, 3])
def test_neighbours_and_centres(dilation):
    x = torch.randn(2, 30, 6, dtype=torch.double)
    edge_index = DenseDilatedKNNGraph(4, dilation)(x.mT.unsqueeze(-1))
    assert edge_index.shape == (2, 2, 30, 4)
    assert torch.equal(edge_index[0], DilatedKNNGraph(4, dilation)(x).index)
    assert torch.equal(edge_index[1], torch.arange(30).view(1, -1, 1).expand(2, 30, 4))


def test_large_graphs_are_searched_in_parts(monkeypatch):
    x = torch.randn(1, 6, 50, 1, dtype=torch.double)
    bias = torch.randn(1, 50, 50, dtype=torch.double)
    whole = DenseDilatedKNNGraph(4)(x, None, bias)
    monkeypatch.setattr(dense_graph, "PART", 20)
    assert torch.equal(DenseDilatedKNNGraph(4)(x, None, bias), whole)


def test_stochastic_dilation_in_training_only():
    x = torch.randn(1, 6, 40, 1)
    graph = DenseDilatedKNNGraph(4, 3, stochastic=True, epsilon=1.0)
    strided = graph.eval()(x)
    assert torch.equal(strided, DenseDilatedKNNGraph(4, 3)(x))
    graph.train()
    assert any(not torch.equal(graph(x), strided) for _ in range(5))


def test_takes_no_gradient():
    x = torch.randn(1, 6, 10, 1, requires_grad=True)
    assert not DenseDilatedKNNGraph(3)(x).requires_grad
