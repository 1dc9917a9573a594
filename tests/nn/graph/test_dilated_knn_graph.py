import pytest
import torch
import torch.nn.functional as F
from torch_geometric.explain.algorithm.utils import set_masks

from pyg_vision.nn import DenseDilatedKNNGraph, DilatedKNNGraph, Grapher
from pyg_vision.ops import knn


def test_is_knn_of_unit_vectors():
    x = torch.randn(2, 30, 6) * torch.rand(2, 30, 1) * 9
    table = DilatedKNNGraph(4, dilation=3)(x)
    assert torch.equal(table.index, knn(F.normalize(x, dim=-1), 4, dilation=3).index)
    plain = DilatedKNNGraph(4, normalize=False)(x)
    assert torch.equal(plain.index, knn(x, 4).index)
    assert torch.equal(DilatedKNNGraph(4, loop=False)(x).index[..., 0], table_without_self(x))


def table_without_self(x):
    return knn(F.normalize(x, dim=-1), 2).index[..., 1]


def test_equals_the_dense_twin_with_sources_and_bias():
    x, y = torch.randn(2, 20, 6, dtype=torch.double), torch.randn(2, 12, 6, dtype=torch.double)
    bias = torch.randn(1, 20, 12, dtype=torch.double)
    table = DilatedKNNGraph(3, 2)(x, y, bias=bias)
    dense = DenseDilatedKNNGraph(3, 2)(x.mT.unsqueeze(-1), y.mT.unsqueeze(-1), bias)
    assert torch.equal(table.index, dense[0])


def test_batch_and_overrides():
    x = torch.randn(12, 6)
    batch = torch.tensor([0] * 5 + [1] * 7)
    graph = DilatedKNNGraph(4)
    table = graph(x, batch=batch, batch_size=2)
    assert torch.equal(table.index[:5], graph(x[:5]).index)
    assert graph(x, k=2, dilation=3).index.shape == (12, 2)
    assert graph(x[:3], small_graphs="self").index.shape == (3, 4)


def test_stochastic_only_in_training():
    x = torch.randn(1, 40, 6)
    graph = DilatedKNNGraph(4, 3, stochastic=True, epsilon=1.0)
    strided = DilatedKNNGraph(4, 3)(x).index
    assert torch.equal(graph.eval()(x).index, strided)
    graph.train()
    assert any(not torch.equal(graph(x).index, strided) for _ in range(5))


def test_low_precision_features_are_normalised_in_float32():
    x = torch.randn(2, 60, 32)
    half = x.bfloat16()
    assert torch.equal(DilatedKNNGraph(9)(half).index, DilatedKNNGraph(9)(half.float()).index)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(DilatedKNNGraph(9)(x).index, DilatedKNNGraph(9)(x).index)


def test_explainers_leave_it_alone():
    grapher = Grapher(8, k=3)
    set_masks(grapher, torch.ones(5), torch.zeros(2, 5).long())
    assert grapher.conv.explain is True
    assert grapher.graph.explain is False


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"k": 0}, "'k' must be at least 1"),
        ({"dilation": 0}, "'dilation' must be at least 1"),
        ({"epsilon": -0.1}, "'epsilon'"),
        ({"backend": "faiss"}, "kNN backend.*'faiss'"),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        DilatedKNNGraph(**arguments)


def test_repr():
    assert str(DilatedKNNGraph(9, 2)) == "DilatedKNNGraph(k=9, dilation=2)"
    graph = DilatedKNNGraph(stochastic=True, backend="torch")
    assert str(graph) == "DilatedKNNGraph(k=9, dilation=1, epsilon=0.2, backend='torch')"
