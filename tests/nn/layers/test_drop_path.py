import pytest
import torch

from pyg_vision.nn import DropPath
from pyg_vision.nn.layers.drop_path import drop_path_rates


def test_drops_whole_graphs_and_keeps_the_mean():
    x = torch.ones(2000, 3, 2)
    out = DropPath(0.25)(x)
    assert out.unique().tolist() == pytest.approx([0.0, 1 / 0.75])
    assert torch.equal(out, out[:, :1, :1].expand_as(out))
    assert out.mean().item() == pytest.approx(1.0, abs=0.05)


def test_nodes_of_a_batch_fall_together():
    batch = torch.arange(500).repeat_interleave(3)
    for size in (None, 500):
        out = DropPath(0.5)(torch.ones(1500, 2), batch, size).view(500, 3, 2)
        assert torch.equal(out, out[:, :1, :1].expand_as(out))
        assert 0.3 < (out[:, 0, 0] == 0).float().mean() < 0.7
    assert DropPath(0.5)(torch.ones(7, 2)).unique().numel() == 1


def test_identity_in_evaluation_and_without_probability():
    x = torch.randn(4, 3, 2)
    assert DropPath(0.5).eval()(x) is x
    assert DropPath(0.0)(x) is x


def test_rates_rise_linearly():
    assert drop_path_rates(0.3, 4) == pytest.approx([0.0, 0.1, 0.2, 0.3])
    assert drop_path_rates(0.3, 1) == [0.0]


def test_wrong_probability_is_named():
    with pytest.raises(ValueError, match="1.0"):
        DropPath(1.0)
    assert str(DropPath(0.1)) == "DropPath(p=0.1)"
