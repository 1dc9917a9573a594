import pytest
import torch

from pyg_vision.nn import DenseGreedyViG, MobileViG
from pyg_vision.nn.models.dense_axial_vision_gnns import bound
from pyg_vision.ops import NeighborTable

SMALL = {"channels": (8, 12), "blocks": ((1, 1), (1, 1)), "steps": (2, 1), "num_classes": 5}


def test_takes_the_arguments_of_its_model():
    twin = DenseGreedyViG((8, 12), ((1, 1), (1, 1)), (2, 1), 32, "relu", num_classes=5)
    assert (twin.embed_channels, twin.act, twin.num_classes) == (32, "relu", 5)
    assert twin.eval()(torch.rand(2, 3, 64, 48)).shape == (2, 5)


def test_takes_no_parts_and_no_graphs():
    with pytest.raises(TypeError, match="made of published parts"):
        bound(MobileViG, (), {"mixer": print})
    table = NeighborTable(torch.zeros(1, 64, 1, dtype=torch.long), 64)
    twin = DenseGreedyViG(**SMALL).eval()
    with pytest.raises(TypeError, match="takes no 'neighbors'"):
        twin(torch.rand(1, 3, 32, 32), neighbors=[table, table])


def test_pools_as_its_model():
    twin = DenseGreedyViG(**SMALL).eval()
    features = twin.forward_features(torch.rand(2, 3, 64, 48))
    assert twin.forward_head(features, pre_logits=True).shape == (2, 12)
    assert twin.forward_head(features).shape == (2, 5)
