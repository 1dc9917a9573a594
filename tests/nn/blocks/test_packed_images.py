import pytest
import torch
from torch.nn import GELU, BatchNorm2d, Conv2d, Sequential

from pyg_vision.nn.blocks.packed_images import PackedImages, join_tables, pack, run_on_maps
from pyg_vision.ops import NeighborTable


def maps():
    torch.manual_seed(0)
    return [
        torch.randn(2, 3, 4, 5, dtype=torch.double),
        torch.randn(1, 3, 2, 7, dtype=torch.double),
    ]


def test_packing_is_undone():
    found = maps()
    nodes, packed = pack(found)
    assert packed == PackedImages([2, 1], [(4, 5), (2, 7)])
    assert nodes.shape == (54, 3)
    assert packed.num_images == 3
    assert packed.sizes == [40, 14]
    for a, b in zip(packed.maps(nodes), found, strict=True):
        assert torch.equal(a, b)
    assert [tuple(g.shape) for g in packed.graphs(nodes)] == [(2, 20, 3), (1, 14, 3)]
    assert packed.batch(nodes.device).tolist() == [0] * 20 + [1] * 20 + [2] * 14


@pytest.mark.parametrize("training", [False, True])
def test_layers_see_all_sizes(training):
    layers = Sequential(Conv2d(3, 8, 3, padding=1), BatchNorm2d(8), GELU()).double()
    layers.train(training)
    first, *others = (m.requires_grad_() for m in maps())
    out = run_on_maps(layers, [first, *others])
    weights = [torch.randn_like(m) for m in out]
    sum((m * w).sum() for m, w in zip(out, weights, strict=True)).backward()
    found = [m.grad.clone() for m in (first, *others)]
    # The specification: the convolution of each, then one norm of all pixels, with autograd's help.
    for m in (first, *others):
        m.grad = None
    features = [layers[0](m) for m in (first, *others)]
    pixels = torch.cat([f.permute(0, 2, 3, 1).reshape(-1, 8) for f in features])
    norm = layers[1]
    mean, var = norm.running_mean.clone(), norm.running_var.clone()
    if training:
        mean, var = pixels.mean(0), pixels.var(0, correction=0)
    total = 0.0
    for f, o, w in zip(features, out, weights, strict=True):
        scaled = (f - mean.view(-1, 1, 1)) / (var.view(-1, 1, 1) + norm.eps).sqrt()
        expected = layers[2](scaled * norm.weight.view(-1, 1, 1) + norm.bias.view(-1, 1, 1))
        torch.testing.assert_close(o, expected, rtol=1e-9, atol=1e-9)
        total = total + (expected * w).sum()
    total.backward()
    for m, grad in zip((first, *others), found, strict=True):
        torch.testing.assert_close(grad, m.grad, rtol=1e-9, atol=1e-9)


def test_one_graph_of_several():
    a = NeighborTable(torch.tensor([[[0, 1], [1, 0]], [[1, 1], [0, 0]]]), 2)
    b = NeighborTable(torch.tensor([[[2, 0], [1, 2], [0, 1]]]), 3)
    table = join_tables([a, b])
    assert table.num_sources == 7
    assert table.index.tolist() == [[0, 1], [1, 0], [3, 3], [2, 2], [6, 4], [5, 6], [4, 5]]
    edges = join_tables([a, NeighborTable(torch.tensor([[[2], [1], [0]]]), 3)])
    assert edges.tolist() == [
        [0, 1, 1, 0, 3, 3, 2, 2, 6, 5, 4],
        [0, 0, 1, 1, 2, 2, 3, 3, 4, 5, 6],
    ]
