import pytest
import torch

from pyg_vision.nn import ViGGINConv
from tests import laws

VIG = {"groups": 4, "norm": "batch", "act": "gelu"}


@laws.cases({}, VIG)
def test_laws(law, options):
    law(ViGGINConv(8, 12, **options).double())


@pytest.mark.parametrize("options", [{}, VIG])
def test_lazy(options):
    laws.lazy_is_eager(lambda *sizes: ViGGINConv(*sizes, **options))


def test_is_the_formula():
    conv = ViGGINConv(8, 5).double()
    torch.nn.init.constant_(conv.eps, 0.3)
    x, table = laws.example(B=1)
    x = x[0]
    laws.close(conv(x, table), conv.nn(1.3 * x + x[table.index[0]].sum(1)))
    conv.reset_parameters()
    assert conv.eps.item() == 0


def test_repr():
    assert str(ViGGINConv(8, 16)) == "ViGGINConv(8, 16)"
