"""The rules against the published code: maps shifted by joining slices."""

import pytest
import torch

from pyg_vision.nn import AxialGraph
from pyg_vision.ops import max_relative

GRIDS = [(7, 7), (6, 9), (5, 3), (28, 28), (14, 20), (1, 1), (1, 4)]


def published_shift(x, by, dim):
    """Two slices; where the shift is longer than the map, they degenerate to the map itself."""
    length = x.size(dim)
    if abs(by) >= length:
        return x
    by %= length
    return torch.cat((x.narrow(dim, length - by, by), x.narrow(dim, 0, length - by)), dim)


def nodes_of(maps):
    return maps.flatten(2).transpose(1, 2).contiguous()


def published_shifts(rule, step, length):
    if rule == "svga":
        return [s for s in range(step, length, step)]
    if rule == "mgc":
        return [step, -step]
    exponents = range(1, len(bin(length)) - 2)
    if rule == "lsgc":
        return [sign * (step**i - 1) for i in exponents for sign in (1, -1)]
    return [step, *(2**i for i in exponents)]


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize(
    ("rule", "step"), [("svga", 2), ("svga", 8), ("mgc", 8), ("mgc", 2), ("lsgc", 2), ("lsgc", 3),
                       ("powers", 8)]
)  # fmt: skip
def test_maximum_over_shifted_maps(grid, rule, step):
    torch.manual_seed(0)
    maps = torch.randn(3, 16, *grid)
    expected = torch.zeros_like(maps)
    for dim, length in ((2, grid[0]), (3, grid[1])):
        for by in published_shifts(rule, step, length):
            expected = torch.max(expected, published_shift(maps, by, dim) - maps)
    graph = AxialGraph(rule, step)
    table = graph(nodes_of(maps), grid)
    assert table.k == 1 + sum(map(len, graph.shifts(grid)))
    assert torch.equal(max_relative(nodes_of(maps), table), nodes_of(expected))


def test_a_shift_as_long_as_the_map_is_the_patch_itself():
    table = AxialGraph("mgc", 8)(torch.zeros(1, 49, 1), (7, 7))
    assert table.index.eq(torch.arange(49).view(1, -1, 1)).all()
    table = AxialGraph("mgc", 3)(torch.zeros(1, 12, 1), (3, 4))
    assert table.index[0, 0].tolist() == [0, 0, 0, 1, 3]  # only along the longer axis


def test_without_itself():
    table = AxialGraph("svga", 2, loop=False)(torch.zeros(2, 49, 1), (7, 7))
    assert table.index.shape == (2, 49, 6)
    assert table.index[1, 0].tolist() == [35, 21, 7, 5, 3, 1]
    with pytest.raises(ValueError, match="grid of 2 x 1 have no neighbour by this rule"):
        AxialGraph("svga", 2, loop=False)(torch.zeros(1, 2, 1), (2, 1))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("rings",), "'rule' must be one of svga, mgc, lsgc, powers.*'rings'"),
        (("svga", 0), "'step' must be at least 1"),
        (("lsgc", 1), "'step' must be at least 2"),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        AxialGraph(*arguments)


@pytest.mark.parametrize(("shape", "grid"), [((2, 49, 3), (7, 8)), ((49, 3), (7, 7))])
def test_wrong_grid(shape, grid):
    with pytest.raises(ValueError, match=r"'x' must be nodes \[B, 7 \* .*got shape"):
        AxialGraph()(torch.zeros(shape), grid)


def test_repr():
    assert str(AxialGraph("mgc", 4)) == "AxialGraph(rule='mgc', step=4)"
