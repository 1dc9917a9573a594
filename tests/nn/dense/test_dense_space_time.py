import pytest
import torch
from torch import nn

from pyg_vision.nn import (
    DenseGraphUnit,
    DenseLearnedGraphConv,
    DenseMultiScaleTemporalConv,
    DenseSpaceTimeBlock,
)
from pyg_vision.nn.dense.dense_space_time import point_conv
from tests.laws import close


def test_learned_matrices_lead_from_row_to_column():
    conv = DenseLearnedGraphConv(1, 1, torch.zeros(2, 3, 3))
    with torch.no_grad():
        conv.conv.weight.fill_(1)
        conv.conv.bias.zero_()
        conv.adjacency[1, 0, 2] = 2.0  # of joint 0, twice to joint 2
    x = torch.tensor([5.0, 7.0, 11.0]).view(1, 1, 1, 3)
    assert conv(x).flatten().tolist() == [0, 0, 10]


@pytest.mark.parametrize(("channels", "stride"), [((8, 8), 1), ((4, 8), 2)])
def test_a_block_is_space_then_time_beside_a_residual(channels, stride):
    unit = DenseGraphUnit(DenseLearnedGraphConv(*channels, torch.rand(2, 3, 3)), *channels)
    tcn = DenseMultiScaleTemporalConv(channels[1], channels[1], stride)
    block = DenseSpaceTimeBlock(unit, tcn, *channels, stride).double().eval()
    x = torch.randn(2, channels[0], 9, 3, dtype=torch.double)
    down = x if unit.down is None else unit.down(x)
    inner = (unit.bn(unit.conv(x)) + down).relu()
    residual = x if block.residual is None else block.residual(x)
    close(block(x), (block.tcn(inner) + residual).relu())
    alone = DenseSpaceTimeBlock(unit, tcn, *channels, stride, residual=False).double().eval()
    close(alone(x), tcn(inner).relu())


def test_the_mean_of_joints_is_one_more_joint():
    conv = DenseMultiScaleTemporalConv(4, 12, num_joints=3).double().eval()
    x = torch.randn(2, 4, 9, 3, dtype=torch.double)
    plain = DenseMultiScaleTemporalConv(4, 12).double().eval()
    plain.load_state_dict(conv.state_dict(), strict=False)
    close(conv(x), plain(x))  # the factors begin with zero
    nn.init.ones_(conv.add_coeff)
    assert not torch.allclose(conv(x), plain(x))
    assert point_conv(4, 8, 2).stride == (2, 1)
