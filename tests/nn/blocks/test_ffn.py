from functools import partial

import torch

from pyg_vision.nn import FFN
from pyg_vision.nn.layers.mlp import node_mlp


def test_is_a_residual_mlp():
    ffn = FFN(4, hidden_channels=6, act="relu").eval()
    x = torch.randn(2, 5, 4)
    assert torch.equal(ffn(x), x + ffn.fc2(ffn.fc1(x).relu()))
    assert ffn.fc1[0].out_channels == 6
    assert FFN(4).fc1[0].out_channels == 16


def test_drops_by_graph():
    ffn = FFN(4, drop_path=0.5)
    x = torch.randn(400, 4)
    batch = torch.arange(100).repeat_interleave(4)
    same = (ffn(x, batch, 100) == x).all(dim=1).view(100, 4)
    assert torch.equal(same.all(1), same.any(1))
    assert 20 < same.all(1).sum() < 80


def test_layer_scale_with_layers_of_ones_own():
    ffn = FFN(16, mlp=partial(node_mlp, bias=False), layer_scale=0.5).eval()
    x = torch.randn(1, 49, 16)
    torch.testing.assert_close(ffn(x), x + 0.5 * ffn.fc2(ffn.act(ffn.fc1(x))))
