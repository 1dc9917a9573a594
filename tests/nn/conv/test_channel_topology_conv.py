import pytest
import torch

from pyg_vision.nn import ChannelTopologyConv
from tests.nn import frame_convs as laws

FORMS = [{}]


@pytest.mark.parametrize("options", FORMS)
@pytest.mark.parametrize(
    "law",
    [laws.check_products, laws.check_tracks, laws.check_edges, laws.check_errors, laws.check_reset],
)
def test_laws(law, options):
    law(ChannelTopologyConv, **options)


def test_widths_of_what_is_compared():
    start = torch.rand(3, 4, 4)
    for channels, expected in ((3, 8), (16, 8), (64, 8), (128, 16), (256, 32)):
        assert ChannelTopologyConv(channels, 8, start).mid_channels == expected
    assert ChannelTopologyConv(16, 8, start, mid_channels=2).mid_channels == 2
