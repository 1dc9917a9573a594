import pytest
import torch

from pyg_vision.nn import ViGSAGEConv
from tests import laws

VIG = {"groups": 4, "norm": "batch", "act": "gelu"}


@laws.cases({}, VIG)
def test_laws(law, options):
    law(ViGSAGEConv(8, 12, **options).double())


@pytest.mark.parametrize("options", [{}, VIG])
def test_lazy(options):
    laws.lazy_is_eager(lambda *sizes: ViGSAGEConv(*sizes, **options))


def test_is_the_formula():
    conv = ViGSAGEConv(8, 5, act="relu").double()
    x, table = laws.example(B=1)
    x = x[0]
    m = conv.nn1(x)[table.index[0]].amax(1)
    laws.close(conv(x, table), conv.nn2(torch.cat([x, m], dim=-1)))


def test_batch_statistics_are_over_edges():
    conv = ViGSAGEConv(8, 12, norm="batch").double()
    x, table = laws.example()
    conv(x, table)
    edges = conv.nn1[0](x.flatten(0, 1)[table.edge_index[0]])
    laws.close(conv.nn1[1].running_mean, 0.1 * edges.mean(0))


def test_repr():
    assert str(ViGSAGEConv(8, 16)) == "ViGSAGEConv(8, 16)"
