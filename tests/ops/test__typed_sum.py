import pytest
import torch

from pyg_vision.ops import _typed_sum as module
from pyg_vision.ops import relation_sum, typed_sum

R, M, N, C, E = 3, 5, 4, 2, 14


def example():
    edge_index = torch.stack([torch.randint(M, (E,)), torch.randint(N, (E,))])
    return edge_index, torch.randint(R, (E,)), torch.randn(E, dtype=torch.double)


def by_hand(x, edge_index, edge_type, edge_weight):
    out = torch.zeros(*x.shape[:-2], N, R, C, dtype=torch.double)
    for (j, i), r, w in zip(edge_index.t().tolist(), edge_type, edge_weight, strict=True):
        out[..., i, r, :] += w * x[..., j, :]
    return out


@pytest.mark.parametrize("shape", [(M, C), (6, M, C), (2, 3, M, C)])
@pytest.mark.parametrize("rows", [0, 512])
def test_relation_sum_is_the_formula(shape, rows, monkeypatch):
    monkeypatch.setattr(module, "DENSE_ROWS", rows)  # matrix of edges, or edge by edge
    x, edges = torch.randn(*shape, dtype=torch.double), example()
    expected = by_hand(x, *edges)
    torch.testing.assert_close(relation_sum(x, *edges, R, N), expected)
    ones = relation_sum(x, edges[0], edges[1], None, R, N)
    torch.testing.assert_close(ones, by_hand(x, edges[0], edges[1], torch.ones(E)))


@pytest.mark.parametrize("shape", [(M, R, C), (6, M, R, C)])
@pytest.mark.parametrize("rows", [0, 512])
def test_typed_sum_takes_the_row_of_each_edge(shape, rows, monkeypatch):
    monkeypatch.setattr(module, "DENSE_ROWS", rows)
    h, (edge_index, edge_type, weight) = torch.randn(*shape, dtype=torch.double), example()
    column, target = edge_index[0] * R + edge_type, edge_index[1]
    flat = h.flatten(-3, -2)
    expected = sum(
        by_hand(h[..., r, :], edge_index, edge_type, weight)[..., r, :] for r in range(R)
    )
    total = torch.randn_like(expected)
    torch.testing.assert_close(typed_sum(flat, column, target, weight, N), expected)
    more = typed_sum(flat, column, target, weight, N, total)
    torch.testing.assert_close(more, expected + total)


@pytest.mark.parametrize("shape", [(M, C), (3, M, C)])
def test_gradients(shape):
    x = torch.randn(*shape, dtype=torch.double, requires_grad=True)
    edge_index, edge_type, weight = example()
    weight.requires_grad_()
    assert torch.autograd.gradcheck(
        lambda x, w: relation_sum(x, edge_index, edge_type, w, R, N), (x, weight)
    )


def test_no_edges_are_zeros():
    none = torch.zeros(2, 0, dtype=torch.long)
    out = relation_sum(torch.randn(2, M, C), none, none[0], None, R, N)
    assert torch.equal(out, torch.zeros(2, N, R, C))


def test_half_precision_weights_follow_the_features():
    edge_index, edge_type, weight = example()
    out = relation_sum(torch.randn(2, M, C).bfloat16(), edge_index, edge_type, weight, R, N)
    assert out.dtype == torch.bfloat16
