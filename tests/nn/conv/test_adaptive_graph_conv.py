import pytest
import torch

from pyg_vision.nn import AdaptiveGraphConv
from tests.nn import frame_convs as laws

FORMS = [{}, {"score": "softmax"}]


@pytest.mark.parametrize("options", FORMS)
@pytest.mark.parametrize(
    "law",
    [laws.check_products, laws.check_tracks, laws.check_edges, laws.check_errors, laws.check_reset],
)
def test_laws(law, options):
    law(AdaptiveGraphConv, **options)


def test_it_begins_as_published():
    start = torch.rand(3, 4, 4)
    conv = AdaptiveGraphConv(5, 8, start)
    assert torch.equal(conv.adjacency, start)
    assert conv.alpha.tolist() == [0.0]
    other = AdaptiveGraphConv(5, 8, start, score="softmax")
    assert torch.equal(other.adjacency, torch.full((3, 4, 4), 1e-6))
    assert other.alpha is None


@pytest.mark.parametrize(
    ("options", "message"),
    [({"score": "relu"}, "'score' must be one of tanh, softmax"), ({"out_channels": 6}, "of 4")],
)
def test_wrong_arguments(options, message):
    with pytest.raises(ValueError, match=message):
        AdaptiveGraphConv(
            **{"in_channels": 5, "out_channels": 8, "adjacency": torch.rand(3, 4, 4), **options}
        )
