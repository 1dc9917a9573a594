import pytest
import torch
import torch.nn.functional as F

from pyg_vision.nn.layers.mlp import NodeMLP
from pyg_vision.nn.layers.norms import NodeInstanceNorm, make_norm


def test_batch_norm_is_over_all_leading_dimensions():
    norm, lazy = NodeMLP(make_norm("batch", 4)), NodeMLP(make_norm("batch", -1))
    x = torch.randn(3, 5, 4)
    expected = F.batch_norm(x.flatten(0, 1), None, None, training=True).view_as(x)
    torch.testing.assert_close(norm(x), expected)
    torch.testing.assert_close(lazy(x), expected)
    assert type(lazy[0]) is type(norm[0]) is torch.nn.BatchNorm1d
    torch.testing.assert_close(lazy[0].running_mean, norm[0].running_mean)
    torch.testing.assert_close(lazy(x[0]), norm(x[0]))


def test_instance_norm_is_torchs():
    x = torch.randn(3, 5, 7, 4, dtype=torch.double)
    expected = F.instance_norm(x.movedim(-1, 1)).movedim(1, -1)
    torch.testing.assert_close(NodeInstanceNorm()(x), expected)
    single = NodeInstanceNorm()(x[0, 0])
    torch.testing.assert_close(single, F.instance_norm(x[:1, 0].mT).mT[0])


def test_an_unknown_norm_is_named():
    with pytest.raises(ValueError, match="'norm' must be one of batch.*'layer'"):
        make_norm("layer", 4)
