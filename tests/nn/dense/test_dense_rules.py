"""Each dense convolution against the layer and the graph that it is the twin of."""

import pytest
import torch

from pyg_vision.nn import (
    AxialGraph,
    CompleteGraph,
    DenseAxialConv,
    DenseDynamicAxialConv,
    DenseGatedAxialConv,
    DenseGraphMixer,
    DenseRelativeAttention,
    DynamicAxialGraph,
    GatedMRConv,
    GraphMixer,
    MRConv,
    RelativeAttention,
)
from pyg_vision.nn.dense.dense_rules import dense_shift

GRIDS = [(7, 7), (6, 9), (5, 3), (1, 1), (14, 20)]


def nodes_of(maps):
    return maps.flatten(2).transpose(1, 2).contiguous()


def equal(layer, twin, run, grid):
    twin.load_state_dict(layer.state_dict())
    layer, twin = layer.double(), twin.double()
    torch.manual_seed(0)
    maps = torch.randn(3, 8, *grid, dtype=torch.double, requires_grad=True)
    x = nodes_of(maps.detach()).requires_grad_()
    found, expected = run(layer, x), nodes_of(twin(maps))
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-10)
    weight = torch.linspace(-1, 1, found.numel(), dtype=torch.double).view_as(found)
    grads = [
        torch.autograd.grad((out * weight).sum(), [v, *net.parameters()], materialize_grads=True)
        for out, v, net in ((found, x, layer), (expected, maps, twin))
    ]
    grads[1] = [nodes_of(grads[1][0]), *grads[1][1:]]
    for one, other in zip(*grads, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize(("rule", "step"), [("svga", 2), ("mgc", 4), ("lsgc", 2)])
@pytest.mark.parametrize("reverse", [False, True])
def test_axial(grid, rule, step, reverse):
    options = {"norm": "batch", "act": "gelu", "reverse": reverse}
    graph = AxialGraph(rule, step)
    equal(
        MRConv(8, 6, **options),
        DenseAxialConv(8, 6, rule, step, reverse),
        lambda conv, x: conv(x, graph(x, grid)),
        grid,
    )


@pytest.mark.parametrize("grid", GRIDS)
def test_dynamic(grid):
    graph = DynamicAxialGraph(1)
    equal(
        MRConv(8, 6, norm="batch", act="gelu"),
        DenseDynamicAxialConv(8, 6, 1),
        lambda conv, x: conv(x, graph(x, grid)),
        grid,
    )


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("step", [1, 4])
def test_gated(grid, step):
    graph = AxialGraph("powers", step)
    conv, twin = GatedMRConv(8, 6, norm="batch", act="gelu"), DenseGatedAxialConv(8, 6, step)
    torch.nn.init.constant_(conv.temperature, 4.0)

    def run(conv, x):
        return conv(x, graph(x, grid), graph.first_of_axes(grid, x.device))

    equal(conv, twin, run, grid)


@pytest.mark.parametrize("grid", GRIDS)
def test_attention(grid):
    equal(
        RelativeAttention(8, 6, norm="batch", act="gelu"),
        DenseRelativeAttention(8, 6),
        lambda conv, x: conv(x, CompleteGraph()(x, grid)),
        grid,
    )


def test_mixer():
    graph = AxialGraph("svga", 2)
    equal(
        GraphMixer(8, graph, MRConv(8, 8, norm="batch", act="gelu"), 8, True, 0.5),
        DenseGraphMixer(8, DenseAxialConv(8, 8), 8, True, 0.5),
        lambda mixer, x: mixer(x, grid_size=(6, 9)),
        (6, 9),
    )


def test_a_shift_of_the_whole_length_is_none():
    x = torch.arange(6.0).view(1, 1, 2, 3)
    assert torch.equal(dense_shift(x, 3, 3), x)
    assert torch.equal(dense_shift(x, -2, 3), torch.roll(x, -2, 3))
