"""Input that does not fit a convolution is named in one short line."""

import pytest
import torch

from pyg_vision.nn import (
    FFN,
    GroupedLinear,
    MRConv,
    SpatialGraphConv,
    ViGEdgeConv,
    ViGGINConv,
    ViGSAGEConv,
)

CONVS = [MRConv, ViGEdgeConv, ViGSAGEConv, ViGGINConv]
EDGES = torch.tensor([[0, 1, 2], [1, 2, 0]])


def raised(error, call, *arguments):
    with pytest.raises(error) as caught:
        call(*arguments)
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 250
    return message


@pytest.mark.parametrize("lazy", [True, False])
@pytest.mark.parametrize("conv", CONVS)
def test_other_widths(conv, lazy):
    layer = conv(-1 if lazy else 8, 4)
    layer(torch.rand(3, 8), EDGES)
    assert layer.in_channels == 8
    message = raised(ValueError, layer, torch.rand(3, 5), EDGES)
    assert message == "'x' must have in_channels=8 features (got shape [3, 5])"
    assert "'x[1]'" in raised(ValueError, layer, (torch.rand(3, 8), torch.rand(3, 5)), EDGES)
    assert "agree" in raised(ValueError, layer, (torch.rand(2, 3, 8), torch.rand(3, 8)), EDGES)
    assert "[nodes, channels]" in raised(ValueError, layer, torch.rand(8), EDGES)
    assert "floating-point" in raised(TypeError, layer, torch.ones(3, 8).long(), EDGES)
    assert "pair of tensors" in raised(TypeError, layer, "x", EDGES)
    assert "[2, num_edges]" in raised(ValueError, layer, torch.rand(3, 8), EDGES.t())
    assert "must be a NeighborTable" in raised(TypeError, layer, torch.rand(3, 8), [[0], [1]])


@pytest.mark.parametrize("conv", CONVS)
def test_edge_weights_in_place_of_the_size(conv):
    layer = conv(8, 4)
    message = raised(TypeError, layer, torch.rand(3, 8), EDGES, torch.rand(5000))
    assert f"{conv.__name__} takes no edge weights (got a tensor of shape [5000])" in message
    assert "'size' must be (3, 3)" in raised(ValueError, layer, torch.rand(3, 8), EDGES, (3, 4))


def test_other_layers():
    assert "8 channels (got shape [3, 5])" in raised(
        ValueError, GroupedLinear(8, 4), torch.rand(3, 5)
    )
    assert "8 channels" in raised(ValueError, FFN(8), torch.rand(2, 3, 5))


@pytest.mark.parametrize("conv", CONVS)
def test_another_aggregation_shows(conv):
    assert str(conv(8, 4)).endswith("Conv(8, 4)")
    assert str(conv(8, 4, aggr="mean")).endswith("Conv(8, 4, aggr=mean)")


def test_lazy_spatial_graph_conv():
    lazy, types = SpatialGraphConv(-1, 4, 2), torch.tensor([0, 1, 0])
    assert str(lazy) == "SpatialGraphConv(-1, 4, num_relations=2)"
    state = lazy.state_dict()
    x = torch.rand(3, 8)
    assert lazy(x, EDGES, types).shape == (3, 4)
    assert str(lazy) == "SpatialGraphConv(8, 4, num_relations=2)"
    assert lazy.weight.shape == (2, 8, 4)
    assert lazy.weight.abs().max() <= 8**-0.5
    other = SpatialGraphConv(-1, 4, 2)
    other.load_state_dict(state)  # lazily
    other.load_state_dict(lazy.state_dict())
    assert torch.equal(other(x, EDGES, types), lazy(x, EDGES, types))
    pair = SpatialGraphConv(-1, 4, 2)
    assert pair((x, None), EDGES, types, size=(3, 3)).shape == (3, 4)
    assert str(SpatialGraphConv(8, 4, 2, aggr="mean")).endswith("num_relations=2, aggr=mean)")
    for wrong in (0, -2, True, 1.0):
        with pytest.raises((TypeError, ValueError), match="'in_channels' must be a[nt] "):
            SpatialGraphConv(wrong, 4, 2)
