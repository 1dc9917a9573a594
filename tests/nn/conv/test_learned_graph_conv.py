import pytest
import torch

from pyg_vision.data import adjacency_stack, skeleton_graph
from pyg_vision.nn import DenseLearnedGraphConv, LearnedGraphConv, SpatialGraphConv
from tests.laws import close


def stack(layout="coco", joints=17):
    return adjacency_stack(skeleton_graph(layout, "inward_outward"), 3, joints)


@pytest.mark.parametrize("channels", [(3, 8), (8, 8), (8, 5)])
def test_products_are_messages_along_all_edges(channels):
    """The fast path, plain message passing, and the dense twin: values and gradients."""
    conv = LearnedGraphConv(*channels, torch.rand(3, 5, 5).double()).double()
    dense = DenseLearnedGraphConv(*channels, torch.rand(3, 5, 5)).double()
    dense.load_state_dict(conv.state_dict())
    x = torch.randn(4, 5, channels[0], dtype=torch.double, requires_grad=True)
    out = conv(x)
    probe = torch.randn_like(out)
    inputs = [x, conv.adjacency]
    found = torch.autograd.grad((out * probe).sum(), [*inputs, *conv.conv.parameters()])
    handle = conv.conv.register_message_forward_hook(lambda *_: None)
    assert not conv.conv.fusible
    slow = conv(x)
    handle.remove()
    close(out, slow)
    wanted = torch.autograd.grad((slow * probe).sum(), [*inputs, *conv.conv.parameters()])
    for actual, gradient in zip(found, wanted, strict=True):
        close(actual, gradient)
    twin = dense(x.permute(2, 0, 1).unsqueeze(0))[0].permute(1, 2, 0)
    close(out, twin)
    others = torch.autograd.grad((twin * probe).sum(), [x, dense.adjacency])
    for actual, gradient in zip(found[:2], others, strict=True):
        close(actual, gradient)


def test_it_begins_as_the_convolution_over_the_skeleton():
    graph = skeleton_graph("coco", "inward_outward")
    conv = LearnedGraphConv(3, 8, stack()).double()
    fixed = SpatialGraphConv(3, 8, 3).double()
    fixed.load_state_dict(conv.conv.state_dict())
    x = torch.randn(2, 17, 3, dtype=torch.double)
    close(conv(x), fixed(x, graph.edge_index, graph.edge_type, graph.edge_weight))
    torch.nn.init.zeros_(conv.adjacency)
    conv.reset_parameters()
    assert torch.equal(conv.adjacency, stack())
    assert "initial" not in conv.state_dict()


def test_wrong_matrices():
    with pytest.raises(ValueError, match=r"\[relations, nodes, nodes\] \(got \[3, 4\]\)"):
        LearnedGraphConv(3, 8, torch.rand(3, 4))
    with pytest.raises(ValueError, match="in_channels=3"):
        LearnedGraphConv(3, 8, stack())(torch.randn(2, 17, 4).double())
