"""Layers and models under torch.func, against plain autograd and one by one."""

import pytest
import torch
from torch.func import functional_call, grad, jvp, vmap

from pyg_vision.data import skeleton_graph
from pyg_vision.nn import (
    STGCN,
    DenseSTGCN,
    DenseViG,
    Grapher,
    GroupedLinear,
    MRConv,
    SpatialGraphConv,
    TemporalConv,
    ViG,
    ViGEdgeConv,
    ViGGINConv,
    ViGSAGEConv,
)
from pyg_vision.ops import knn

CONVS = [MRConv, ViGEdgeConv, ViGSAGEConv, ViGGINConv]


def example(*size):
    return torch.randn(*size, dtype=torch.double)


def conv_on_table(conv, norm):
    layer = conv(8, 4, norm=norm).double().eval()
    x = example(2, 9, 8)
    table = knn(x, 3)
    return (lambda x: layer(x, table)), x


def conv_on_edges(conv):
    layer = conv(8, 4).double()
    x = example(9, 8)
    edge_index = knn(x, 3).edge_index
    return (lambda x: layer(x, edge_index)), x


def spatial(out_channels):
    graph = skeleton_graph("openpose", "stgcn")
    layer = SpatialGraphConv(8, out_channels, 3).double()
    edges = (graph.edge_index, graph.edge_type, graph.edge_weight.double())
    return (lambda x: layer(x, *edges)), example(5, 18, 8)


def temporal(frames):
    layer = TemporalConv(8, 4).double()
    return (lambda x: layer(x, [(1, frames, 2), (2, 4, 2)])), example(2 * (frames + 8), 8)


CASES = {
    **{f"{c.__name__} on a table": lambda c=c: conv_on_table(c, None) for c in CONVS},
    **{f"{c.__name__} with norm": lambda c=c: conv_on_table(c, "batch") for c in CONVS},
    **{f"{c.__name__} on edges": lambda c=c: conv_on_edges(c) for c in CONVS},
    "SpatialGraphConv, fewer channels": lambda: spatial(4),
    "SpatialGraphConv, more channels": lambda: spatial(16),
    "TemporalConv of equal tracks": lambda: temporal(4),
    "TemporalConv of unequal tracks": lambda: temporal(6),
    "GroupedLinear": lambda: (GroupedLinear(8, 4, 2).double(), example(3, 5, 8)),
    "Grapher": lambda: (Grapher(8, 3).double().eval(), example(2, 9, 8)),
    "ViG": lambda: (
        ViG(16, 2, k=3, image_size=32, patch_size=8, num_classes=5).double().eval(),
        example(2, 3, 32, 32),
    ),
    "STGCN": lambda: (STGCN(3, 5).double().eval(), example(1, 3, 8, 18, 1)),
}


@pytest.mark.parametrize("name", CASES)
def test_transforms(name):
    torch.manual_seed(0)
    f, x = CASES[name]()
    tangent = torch.randn_like(x)
    leaf = x.clone().requires_grad_()
    out = f(leaf)
    weight = torch.randn_like(out)
    (expected,) = torch.autograd.grad((out * weight).sum(), leaf)

    def weighted(x):
        return (f(x) * weight).sum()

    torch.testing.assert_close(grad(weighted)(x), expected)
    value, slope = jvp(f, (x,), (tangent,))
    torch.testing.assert_close(value, out.detach())
    torch.testing.assert_close((slope * weight).sum(), (expected * tangent).sum())
    both = torch.stack((x, 0.5 * x))
    torch.testing.assert_close(vmap(f)(both), torch.stack([f(x), f(0.5 * x)]).detach())
    torch.testing.assert_close(vmap(grad(weighted))(both)[0], expected)
    slopes = vmap(lambda x, v: jvp(f, (x,), (v,))[1])(both, torch.stack((tangent, tangent)))
    torch.testing.assert_close(slopes[0], slope)


def test_gradients_of_each_sample():
    """The usual reason for vmap(grad): per-sample gradients of the parameters."""
    model = ViG(16, 1, k=3, image_size=16, patch_size=8, num_classes=3).double().eval()
    images, state = example(3, 3, 16, 16), dict(model.named_parameters())

    def loss(state, image):
        return functional_call(model, state, (image.unsqueeze(0),)).square().sum()

    found = vmap(grad(loss), in_dims=(None, 0))(state, images)
    for i, image in enumerate(images):
        expected = torch.autograd.grad(loss(state, image), list(state.values()))
        for name, value in zip(state, expected, strict=True):
            torch.testing.assert_close(found[name][i], value)


@pytest.mark.parametrize("cls", [ViG, DenseViG, STGCN, DenseSTGCN])
def test_a_state_dict_is_the_parameters(cls):
    """A model and its dense twin run on each other's state dicts, which nothing has to convert."""
    if cls in (ViG, DenseViG):
        options = {"channels": 16, "depth": 2, "k": 3, "num_classes": 5, "patch_size": 4}
        model, twin = (c(**options, image_size=16).double().eval() for c in (ViG, DenseViG))
        x = example(2, 3, 16, 16)
    else:
        model, twin = (c(3, 5, layout="openpose").double().eval() for c in (STGCN, DenseSTGCN))
        x = example(2, 3, 8, 18, 1)
    model, twin = (model, twin) if type(model) is cls else (twin, model)
    out = functional_call(model, twin.state_dict(), (x,))
    torch.testing.assert_close(out, twin(x), rtol=1e-6, atol=1e-6 * out.abs().max().item())
    torch.testing.assert_close(functional_call(model, model.state_dict(), (x,)), model(x))
