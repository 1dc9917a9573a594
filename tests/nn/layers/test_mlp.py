import torch

from pyg_vision.nn.layers.mlp import node_mlp, reset_mlp


def test_mlp_order_and_reset():
    mlp = node_mlp(4, 8, norm="batch", act="relu")
    kinds = [type(layer).__name__ for layer in mlp]
    assert kinds == ["GroupedLinear", "BatchNorm1d", "ReLU"]
    mlp[1].bias.data.fill_(1.0)
    reset_mlp(mlp)
    assert torch.equal(mlp[1].bias, torch.zeros(8))
