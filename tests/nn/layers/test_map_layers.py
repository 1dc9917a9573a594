import torch

from pyg_vision.nn.dense.dense_layers import dense_mlp
from pyg_vision.nn.layers.map_layers import map_mlp


def test_is_a_1x1_convolution():
    torch.manual_seed(0)
    ours = map_mlp(6, 8, norm="batch", act="gelu").double()
    twin = dense_mlp(6, 8, norm="batch", act="gelu").double()
    twin.load_state_dict(ours.state_dict())
    x = torch.randn(2, 6, 5, 3, dtype=torch.double)
    for mode in (True, False):
        ours.train(mode), twin.train(mode)
        torch.testing.assert_close(ours(x), twin(x))
        last = x.contiguous(memory_format=torch.channels_last)
        torch.testing.assert_close(ours(last), twin(x))
    assert ours(last).is_contiguous(memory_format=torch.channels_last)
