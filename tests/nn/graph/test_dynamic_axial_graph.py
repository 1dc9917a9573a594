"""The threshold and the edges against the published code: shifted maps, masks, a maximum."""

import warnings

import pytest
import torch

from pyg_vision.nn import DynamicAxialGraph
from pyg_vision.ops import max_relative
from tests.nn.graph.test_axial_graph import GRIDS, nodes_of, published_shift


def published(maps, step):
    """DynamicMRConv4d: quadrants exchanged, then a mask for each shift."""
    height, width = maps.shape[2:]
    quadrants = torch.cat((maps[:, :, -height // 2 :], maps[:, :, : -height // 2]), 2)
    quadrants = torch.cat((quadrants[..., -width // 2 :], quadrants[..., : -width // 2]), 3)
    distance = (maps - quadrants).abs().sum(1, keepdim=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of one patch
        std = distance.std((2, 3), keepdim=True)
    threshold = distance.mean((2, 3), keepdim=True) - std
    out, kept = torch.zeros_like(maps), 0
    for dim, length in ((2, height), (3, width)):
        for by in range(0, length, step):
            other = published_shift(maps, by, dim)
            near = (other - maps).abs().sum(1, keepdim=True) < threshold
            out = torch.max(out, (other - maps) * near)
            kept += int(near.sum()) if by else 0
    return out, kept


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("step", [1, 2, 8])
def test_reproduces_the_published_code(grid, step):
    torch.manual_seed(0)
    maps = torch.randn(3, 16, *grid, dtype=torch.double)
    expected, kept = published(maps, step)
    table = DynamicAxialGraph(step)(nodes_of(maps), grid)
    assert torch.equal(max_relative(nodes_of(maps), table), nodes_of(expected))
    own = torch.arange(table.index.size(1)).view(1, -1, 1)
    assert int((table.index != own).sum()) == kept


def test_share_of_edges_on_noise():
    torch.manual_seed(0)
    table = DynamicAxialGraph(2)(torch.randn(4, 28 * 28, 48), (28, 28))
    own = torch.arange(28 * 28).view(1, -1, 1)
    share = (table.index[..., 1:] != own).double().mean()
    assert 0.14 < share < 0.19  # 16 to 17% of the published code


def test_images_are_independent():
    torch.manual_seed(0)
    x = torch.randn(3, 42, 8) * torch.tensor([1.0, 10.0, 0.1]).view(-1, 1, 1)
    graph = DynamicAxialGraph(2)
    together = graph(x, (6, 7)).index
    assert torch.equal(together, torch.cat([graph(x[i : i + 1], (6, 7)).index for i in range(3)]))


def test_equal_patches_have_no_edges():
    table = DynamicAxialGraph(1)(torch.ones(1, 12, 4), (3, 4))  # the threshold is zero, strict
    assert table.index.eq(torch.arange(12).view(1, -1, 1)).all()


def test_distances_of_half_precision_are_in_float32():
    torch.manual_seed(0)
    x = torch.randn(2, 49, 64).bfloat16()
    graph = DynamicAxialGraph(1)
    with torch.autocast("cpu", torch.bfloat16):
        found = graph(x, (7, 7)).index
    assert torch.equal(found, graph(x.float(), (7, 7)).index)


def test_keeps_nothing_on_the_module_and_takes_no_gradient():
    graph = DynamicAxialGraph(2)
    before = dict(vars(graph))
    x = torch.randn(2, 49, 8, requires_grad=True)
    assert not graph(x, (7, 7)).index.requires_grad
    assert vars(graph) == before


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match="'step' must be at least 1"):
        DynamicAxialGraph(0)
    with pytest.raises(ValueError, match=r"'x' must be nodes \[B, 7 \* 8, C\]"):
        DynamicAxialGraph()(torch.zeros(1, 49, 3), (7, 8))


def test_repr():
    assert str(DynamicAxialGraph(4)) == "DynamicAxialGraph(step=4)"
