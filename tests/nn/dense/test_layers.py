import pytest
import torch

from pyg_vision.nn.dense.layers import Conv1x1, dense_mlp
from pyg_vision.nn.layers import node_mlp


def test_conv1x1_saves_and_loads_the_state_of_a_linear_map():
    conv = Conv1x1(8, 12, groups=4)
    state = conv.state_dict()
    assert state["weight"].shape == (12, 2)
    other = Conv1x1(8, 12, groups=4)
    before = dict(state)
    other.load_state_dict(state)
    assert torch.equal(other.weight, conv.weight)
    assert state.keys() == before.keys()
    assert state["weight"].shape == (12, 2)  # the dictionary is the caller's
    published = {"weight": torch.randn(12, 2, 1, 1), "bias": torch.randn(12)}
    other.load_state_dict(published)
    assert torch.equal(other.weight, published["weight"])


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
