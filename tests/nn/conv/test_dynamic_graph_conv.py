import pytest
import torch

from pyg_vision.nn import DynamicGraphConv
from tests.nn import frame_convs as laws

FORMS = [{}]


@pytest.mark.parametrize("options", FORMS)
@pytest.mark.parametrize(
    "law",
    [laws.check_products, laws.check_tracks, laws.check_edges, laws.check_errors, laws.check_reset],
)
def test_laws(law, options):
    law(DynamicGraphConv, **options)


def test_the_published_start_is_random():
    start = DynamicGraphConv.random_adjacency(8, 50)
    assert start.shape == (8, 50, 50)
    assert abs(float(start.mean()) - 0.04) < 1e-3
    assert abs(float(start.std()) - 0.02) < 1e-3


def test_only_the_first_factor_counts():
    conv, x = laws.make(DynamicGraphConv), torch.randn(2, 4, 5).double()
    before = conv(x)
    with torch.no_grad():
        conv.alpha[1:] = 9.0
        conv.beta[1:] = 9.0
    assert torch.equal(conv(x), before)
