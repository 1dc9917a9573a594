"""Derivatives of the maximum over neighbours under every transform, against gathering."""

import pytest
import torch
from torch.autograd import forward_ad
from torch.func import grad, hessian, jacfwd, jacrev, jvp, vmap

from pyg_vision.ops import NeighborTable, knn, max_relative
from pyg_vision.ops._maximum import maximum_as_graph, neighbor_maximum

SIZES = torch.tensor([3, 0, 1, 2, 5, 1, 2])


def by_table(x, index):
    return (x[index] - x.unsqueeze(-2)).max(dim=-2).values


def by_edges(x, edge_index):
    rows = []
    for node in range(len(x)):
        near = edge_index[0, edge_index[1] == node]
        rows.append((x[near] - x[node]).max(dim=0).values if len(near) else torch.zeros_like(x[0]))
    return torch.stack(rows)


def graphs():
    x = torch.randn(7, 3, dtype=torch.double)
    table = knn(x, 3)
    edge_index = torch.stack((torch.randint(7, (14,)), torch.arange(7).repeat_interleave(SIZES)))
    return [
        (x, lambda x: max_relative(x, table), lambda x: by_table(x, table.index)),
        (x, lambda x: max_relative(x, edge_index), lambda x: by_edges(x, edge_index)),
    ]


def cubed(f):
    return lambda x: (f(x) ** 3).sum()


TRANSFORMS = {
    "grad": lambda f, x: grad(cubed(f))(x),
    "jacrev": lambda f, x: jacrev(f)(x),
    "jacfwd": lambda f, x: jacfwd(f)(x),
    "hessian": lambda f, x: hessian(cubed(f))(x),
    "jvp": lambda f, x: jvp(f, (x,), (x.square(),))[1],
    "jvp of ones": lambda f, x: jvp(f, (x,), (torch.ones_like(x),))[1],
    "vmap": lambda f, x: vmap(f)(torch.stack((x, -x))),
    "vmap of grad": lambda f, x: vmap(grad(cubed(f)))(torch.stack((x, -x))),
    "vmap of jvp": lambda f, x: vmap(lambda x, v: jvp(f, (x,), (v,))[1])(
        torch.stack((x, -x)), torch.stack((x.square(), x))
    ),
    "grad of grad": lambda f, x: grad(lambda x: grad(cubed(f))(x).square().sum())(x),
    "jvp of grad of vmap": lambda f, x: jvp(
        grad(lambda x: vmap(cubed(f))(torch.stack((x, -x))).sum()), (x,), (x.cos(),)
    )[1],
}


@pytest.mark.parametrize("name", TRANSFORMS)
def test_transforms(name):
    torch.manual_seed(0)
    for x, ours, expected in graphs():
        transform = TRANSFORMS[name]
        torch.testing.assert_close(transform(ours, x), transform(expected, x))


def test_tangent_of_a_common_offset_is_zero():
    for x, ours, _ in graphs():
        assert (jvp(ours, (x,), (torch.ones_like(x),))[1] == 0).all()
        with forward_ad.dual_level():
            out = ours(forward_ad.make_dual(x, torch.ones_like(x)))
            assert (forward_ad.unpack_dual(out).tangent == 0).all()


@pytest.mark.parametrize("signals", [1, 2])
def test_vmap_over_features_and_tables(signals):
    """A graph each: as arguments of their own, and as a table."""
    x = torch.randn(4, signals, 7, 3, dtype=torch.double)
    index = torch.stack([knn(v, 3).index for v in x])
    expected = torch.stack(
        [torch.stack([by_table(*pair) for pair in zip(*both, strict=True)])
         for both in zip(x, index, strict=True)]
    )  # fmt: skip

    def run(x, index):
        return max_relative(x, NeighborTable(index, 7))

    assert torch.equal(vmap(run)(x, index), expected)
    mapped = vmap(max_relative, in_dims=(0, NeighborTable(0, None)))
    assert torch.equal(mapped(x, NeighborTable(index, 7)), expected)
    assert torch.equal(vmap(run, in_dims=(None, 0))(x[0], index[:1]), expected[:1])
    slopes = vmap(grad(lambda x, index: (run(x, index) ** 3).sum()))(x, index)
    for i in range(4):
        wanted = grad(cubed(lambda x, i=i: run(x, index[i])))(x[i])
        torch.testing.assert_close(slopes[i], wanted)


def test_vmap_over_edges():
    x = torch.randn(3, 7, 2, dtype=torch.double)
    sources = torch.randint(7, (3, 14))
    targets = torch.arange(7).repeat_interleave(SIZES).expand(3, -1)
    edge_index = torch.stack((sources, targets), dim=1)
    expected = torch.stack([by_edges(*pair) for pair in zip(x, edge_index, strict=True)])
    assert torch.equal(vmap(max_relative)(x, edge_index), expected)
    assert torch.equal(vmap(max_relative, in_dims=(None, 0))(x[0], edge_index)[0], expected[0])


def test_positions_of_maxima_are_mapped_as_well(monkeypatch):
    """On a GPU the forward pass tells where each maximum was; here it is made to."""
    from pyg_vision.ops import _neighbor_max as fast

    def with_positions(x, index, rowptr, with_arg):
        near = x[index]
        return near.max(dim=1).values, near.max(dim=1).indices.to(torch.uint8)

    def by_position(grad, x, out, arg, index, rowptr):
        source = index.gather(1, arg.long())
        return torch.zeros_like(x).scatter_add(0, source, grad)

    x = torch.randn(4, 7, 3, dtype=torch.double)
    index = torch.stack([knn(v, 3).index for v in x])
    shared = grad(lambda x, index: (neighbor_maximum(x, index, None) ** 3).sum())
    expected = vmap(shared)(x, index), vmap(shared, in_dims=(0, None))(x, index[0])
    monkeypatch.setattr(fast, "maximum", with_positions)
    monkeypatch.setattr(fast, "scatter", by_position)
    torch.testing.assert_close(vmap(shared)(x, index), expected[0])
    torch.testing.assert_close(vmap(shared, in_dims=(0, None))(x, index[0]), expected[1])


def test_the_form_that_is_exported():
    x, index = torch.randn(9, 4), torch.randint(9, (5, 3))
    assert torch.equal(maximum_as_graph(x, index, None), neighbor_maximum(x, index, None))
    rowptr = torch.tensor([0, 3, 3, 4, 9])
    index = torch.randint(9, (9,))
    assert torch.equal(maximum_as_graph(x, index, rowptr), neighbor_maximum(x, index, rowptr))
