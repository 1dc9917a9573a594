import torch

from pyg_vision.data import Tracks
from pyg_vision.nn import TemporalConv
from pyg_vision.nn.layers.temporal_unit import TemporalUnit
from tests.laws import close


def test_a_convolution_and_its_norm():
    unit, tracks = TemporalUnit(4, 5, stride=2).double().eval(), Tracks.of([(2, 7, 3)])
    x = torch.randn(42, 4, dtype=torch.double)
    conv, norm, _ = unit.layers
    assert isinstance(conv, TemporalConv)
    close(unit(x, tracks), norm(conv(x, tracks)))
    assert unit(x, tracks).shape == (2 * 4 * 3, 4)
