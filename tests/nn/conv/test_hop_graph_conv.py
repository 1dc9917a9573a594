import pytest
import torch

from pyg_vision.data import hop_adjacency
from pyg_vision.nn import HopGraphConv
from tests.laws import close


@pytest.mark.parametrize("channels", [(3, 8), (8, 8), (8, 5)])
def test_products_are_messages_along_all_edges(channels):
    conv = HopGraphConv(*channels, hop_adjacency("coco", 4)).double()
    torch.nn.init.normal_(conv.adjacency)
    x = torch.randn(5, 17, channels[0], dtype=torch.double, requires_grad=True)
    out = conv(x)
    handle = conv.conv.register_message_forward_hook(lambda *_: None)
    slow = conv(x)
    handle.remove()
    close(out, slow)
    weights = conv.initial + conv.adjacency
    expected = torch.einsum("kvw,fvc,kco->fwo", weights, x, conv.conv.weight) + conv.bias
    close(out, expected)
    probe = torch.randn_like(out)
    inputs = [x, *conv.parameters()]
    found, wanted = (torch.autograd.grad((y * probe).sum(), inputs) for y in (out, expected))
    for actual, gradient in zip(found, wanted, strict=True):
        close(actual, gradient)


def test_the_residual_begins_with_almost_nothing():
    conv = HopGraphConv(3, 8, hop_adjacency("coco", 4).float())
    assert 0 < conv.adjacency.abs().max() <= 1e-6
    with pytest.raises(ValueError, match=r"\[scales, nodes, nodes\]"):
        HopGraphConv(3, 8, torch.rand(3, 4))
