import torch

from pyg_vision.nn import InvertedResidual
from pyg_vision.nn.dense.dense_layers import dense_mlp


def test_twin_and_formula():
    torch.manual_seed(0)
    ours = InvertedResidual(4, layer_scale=0.5).double()
    twin = InvertedResidual(4, layer_scale=0.5, mlp=dense_mlp).double()
    twin.load_state_dict(ours.state_dict())
    x = torch.randn(2, 4, 5, 7, dtype=torch.double)
    for mode in (True, False):
        ours.train(mode), twin.train(mode)
        torch.testing.assert_close(ours(x), twin(x))
    torch.testing.assert_close(ours(x), x + 0.5 * ours.pw2(ours.dw(ours.pw1(x))))
    ours.fuse_layers()
    assert ours.scale is None
    torch.testing.assert_close(ours(x), twin(x))


def test_gradients_of_maps_of_one_row_or_image():
    torch.manual_seed(0)
    for shape in ((1, 4, 1, 6), (1, 4, 6, 1), (3, 4, 1, 1), (1, 4, 5, 5)):
        ours = InvertedResidual(4, layer_scale=0.5).double()
        twin = InvertedResidual(4, layer_scale=0.5, mlp=dense_mlp).double()
        twin.load_state_dict(ours.state_dict())
        x = torch.randn(shape, dtype=torch.double)
        last = x.contiguous(memory_format=torch.channels_last)
        grads = []
        for block, given in ((ours, last), (twin, x)):
            given.requires_grad_()
            grads.append(
                torch.autograd.grad(block(given).pow(3).sum(), [given, *block.parameters()])
            )
        for found, expected in zip(*grads, strict=True):
            torch.testing.assert_close(found, expected, rtol=1e-8, atol=1e-10)
