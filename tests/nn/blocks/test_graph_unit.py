import pytest
import torch

from pyg_vision.data import Tracks
from pyg_vision.nn import GraphUnit, LearnedGraphConv, MultiScaleTemporalConv, SpaceTimeBlock
from tests.laws import close


def unit(channels):
    return GraphUnit(LearnedGraphConv(*channels, torch.rand(2, 3, 3)), *channels)


def block(channels, stride, residual=True):
    tcn = MultiScaleTemporalConv(channels[1], channels[1], stride)
    made = SpaceTimeBlock(unit(channels), tcn, *channels, stride, residual)
    return made.double().eval()


@pytest.mark.parametrize("channels", [(8, 8), (4, 8)])
def test_a_unit_adds_its_input(channels):
    made = unit(channels).double().eval()
    x = torch.randn(10 * 3, channels[0], dtype=torch.double)
    out = made(x, Tracks.of([(1, 10, 3)]))
    down = x if made.down is None else x @ made.down[0].weight.flatten(1).t() + made.down[0].bias
    if made.down is not None:
        down = made.down[1](down)
    conv = made.conv(x.view(10, 3, -1)).flatten(0, 1)
    close(out, (made.bn(conv) + down).relu())


@pytest.mark.parametrize("residual", [True, False])
@pytest.mark.parametrize(("channels", "stride"), [((8, 8), 1), ((4, 8), 2), ((4, 8), 1)])
def test_packed_sequences_are_one_by_one(channels, stride, residual):
    made = block(channels, stride, residual)
    shapes = [(1, 5, 3), (2, 8, 3), (1, 1, 3)]
    parts = [torch.randn(m * t * v, channels[0]).double() for m, t, v in shapes]
    alone = [made(part, [shape]) for part, shape in zip(parts, shapes, strict=True)]
    close(made(torch.cat(parts), shapes), torch.cat(alone))


def test_the_residual_is_beside_space_and_time():
    made, x, shape = block((8, 8), 1), torch.randn(30, 8).double(), [(1, 10, 3)]
    tracks = Tracks.of(shape)
    close(made(x, shape), (made.tcn(made.gcn(x, tracks), tracks) + x).relu())


def test_wrong_number_of_nodes_is_named():
    with pytest.raises(ValueError, match=r"\[6 nodes, channels\] for 2 frames of 3 joints"):
        block((4, 8), 1)(torch.zeros(5, 4).double(), [(1, 2, 3)])
