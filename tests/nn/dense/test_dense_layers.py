import pytest
import torch

from pyg_vision.nn.dense.dense_layers import Conv1x1, dense_mlp
from pyg_vision.nn.layers.grouped_linear import GroupedLinear
from pyg_vision.nn.layers.mlp import node_mlp


@pytest.mark.parametrize("channels", [8, -1])
def test_conv1x1_is_a_convolution_with_the_parameters_of_a_linear_map(channels):
    conv, linear = Conv1x1(channels, 12, groups=4), GroupedLinear(8, 12, groups=4)
    conv.load_state_dict(linear.state_dict())
    assert {k: v.shape for k, v in conv.named_parameters()} == {"weight": (12, 2), "bias": (12,)}
    x = torch.randn(3, 8, 5, 7)
    torch.testing.assert_close(conv(x), linear(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2))
    assert Conv1x1(-1, 12, groups=4)(x).shape == (3, 12, 5, 7)


@pytest.mark.parametrize("norm", [None, "batch", "instance"])
@pytest.mark.parametrize("act", [None, "gelu", "prelu"])
def test_dense_mlp_is_the_twin_of_the_node_mlp(norm, act):
    node = node_mlp(8, 12, 4, norm=norm, act=act).double()
    dense = dense_mlp(8, 12, 4, norm=norm, act=act).double()
    dense.load_state_dict(node.state_dict())
    x = torch.randn(3, 7, 8, dtype=torch.double)
    torch.testing.assert_close(dense(x.mT.unsqueeze(-1)).squeeze(-1).mT, node(x))


def test_unknown_norm_is_named():
    with pytest.raises(ValueError, match="'norm'.*'layer'"):
        dense_mlp(4, 4, norm="layer")
