import pytest
import torch

from pyg_vision.nn import ViGEdgeConv
from tests import laws

VIG = {"groups": 4, "norm": "batch", "act": "gelu"}


@laws.cases({}, VIG)
def test_laws(law, options):
    law(ViGEdgeConv(8, 12, **options).double())


@pytest.mark.parametrize("options", [{}, VIG])
def test_lazy(options):
    laws.lazy_is_eager(lambda *sizes: ViGEdgeConv(*sizes, **options))


def test_is_the_formula():
    conv = ViGEdgeConv(8, 5, act="relu").double()
    x, table = laws.example(B=1)
    x = x[0]
    for node in range(x.size(0)):
        x_j = x[table.index[0, node]]
        edges = torch.cat([x[node].expand_as(x_j), x_j - x[node]], dim=-1)
        laws.close(conv(x, table.edge_index)[node], conv.nn(edges).amax(0))


def test_batch_statistics_are_over_edges():
    conv = ViGEdgeConv(8, 12, norm="batch").double()
    x, table = laws.example()
    conv(x, table)
    source, target = table.edge_index
    flat = x.flatten(0, 1)
    edges = conv.nn[0](torch.cat([flat[target], flat[source] - flat[target]], dim=-1))
    laws.close(conv.nn[1].running_mean, 0.1 * edges.mean(0))


def test_repr():
    assert str(ViGEdgeConv(8, 16)) == "ViGEdgeConv(8, 16)"
