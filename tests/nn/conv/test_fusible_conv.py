import pytest
import torch

from pyg_vision.nn import MRConv, SpatialGraphConv
from pyg_vision.nn.conv.fusible_conv import FusibleConv


def test_hooks_explainers_and_flow_make_messages_explicit():
    conv = SpatialGraphConv(2, 2, 1)
    assert conv.fusible
    for register in (
        conv.register_propagate_forward_pre_hook,
        conv.register_message_forward_hook,
        conv.register_aggregate_forward_hook,
        conv.register_message_and_aggregate_forward_hook,
    ):
        handle = register(lambda *_: None)
        assert not conv.fusible
        handle.remove()
        assert conv.fusible
    conv.explain = True
    assert not conv.fusible
    assert not MRConv(2, 2, flow="target_to_source").fusible
    assert not SpatialGraphConv(2, 2, 1, aggr="mean").fusible


def test_a_subclass_of_a_user_means_its_own_messages():
    class Louder(SpatialGraphConv):
        def message(self, x_j, edge_weight):
            return 2 * x_j

    conv, edges = Louder(2, 2, 1).double(), torch.tensor([[0, 1], [1, 0]])
    plain = SpatialGraphConv(2, 2, 1).double()
    plain.load_state_dict(conv.state_dict())
    x, kind = torch.randn(2, 2, dtype=torch.double), torch.zeros(2, dtype=torch.long)
    assert not conv.fusible
    torch.testing.assert_close(conv(x, edges, kind), 2 * plain(x, edges, kind))

    class Renamed(SpatialGraphConv):
        pass

    assert Renamed(2, 2, 1).fusible


@pytest.mark.parametrize(
    "make", [lambda **k: SpatialGraphConv(2, 2, 1, **k), lambda **k: MRConv(2, 2, **k)]
)
def test_settings_that_no_path_could_keep_are_refused(make):
    with pytest.raises(ValueError, match="one aggregation by name"):
        make(aggr=["add", "max"])
    with pytest.raises(ValueError, match=r"node_dim=-2 \(got 0\)"):
        make(node_dim=0)
    with pytest.raises(ValueError, match="cannot be decomposed"):
        make(decomposed_layers=2)


def test_without_a_fused_aggregation_there_is_no_fast_path():
    class Plain(FusibleConv):
        pass

    assert not Plain(aggr="add").fusible
