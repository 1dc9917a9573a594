import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pyg_vision.ops import RowBias, knn


def make(num_nodes, num_sources, rows=5, taps=3, dtype=torch.double):
    table = torch.randn(rows, num_sources, dtype=dtype)
    index = torch.randint(0, rows, (num_nodes, taps))
    return RowBias(table, index, torch.randn(num_nodes, taps, dtype=dtype))


def matrix(bias):
    return torch.einsum("nt,ntm->nm", bias.weight, bias.table[bias.index])


@given(st.integers(1, 4), st.sampled_from([1, 2, 9]), st.booleans(), st.integers(10, 20))
def test_equals_the_matrix_that_it_stands_for(taps, dilation, other, budget):
    torch.manual_seed(taps + budget)
    x = torch.randn(2, 40, 6, dtype=torch.double)
    sources = torch.randn(2, 30, 6, dtype=torch.double) if other else None
    bias = make(40, 30 if other else 40, taps=taps)
    expected = knn(x, 3, sources, bias=matrix(bias), dilation=dilation)
    for again in (bias, bias.__call__):  # as it is, and by rows as any function
        found = knn(x, 3, sources, bias=again, dilation=dilation, memory_budget=2**budget)
        assert torch.equal(found.index, expected.index)


def test_rows():
    bias = make(12, 7)
    assert torch.allclose(bias(0, 12), matrix(bias), rtol=0, atol=1e-12)
    assert torch.equal(bias(3, 5), bias(0, 12)[3:5])


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_float32_is_ranked_as_its_own_rows_say(scale):
    """Where bias and distance cancel, the order is that of the rounded rows."""
    torch.manual_seed(0)
    x = torch.randn(3, 50, 4)
    bias = make(50, 50, taps=4, dtype=torch.float32)
    bias = bias._replace(table=scale * bias.table)
    expected = knn(x.double(), 9, bias=bias(0, 50).double()).index
    assert torch.equal(knn(x, 9, bias=bias).index, expected)


def test_with_masks_and_batches_of_graphs():
    torch.manual_seed(0)
    bias = make(20, 20)
    mask = torch.rand(20, 20) < 0.7
    x = torch.randn(33, 4, dtype=torch.double)
    batch = torch.tensor([0] * 20 + [1] * 13)
    full = matrix(bias)
    for options in ({"mask": mask}, {}):
        expected = knn(x, 4, bias=full, batch=batch, small_graphs="self", **options)
        found = knn(x, 4, bias=bias, batch=batch, small_graphs="self", **options)
        assert torch.equal(found.index, expected.index)


def test_compiled_exported_and_mapped():
    bias = make(20, 20)
    x = torch.randn(3, 20, 4, dtype=torch.double)
    expected = knn(x, 4, bias=bias).index
    search = torch.compile(lambda v: knn(v, 4, bias=bias).index, backend="eager", fullgraph=True)
    assert torch.equal(search(x), expected)
    mapped = torch.vmap(lambda v: knn(v, 4, bias=bias).index)(torch.stack((x, x)))
    assert torch.equal(mapped, torch.stack((expected, expected)))


def change(bias, **changes):
    return bias._replace(**changes)


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        (lambda b: change(b, table=b.table.long()), TypeError, "'bias.table'.*floating-point"),
        (lambda b: change(b, weight=b.weight.long()), TypeError, "'bias.weight'.*floating-point"),
        (lambda b: change(b, index=b.index.int()), TypeError, "'bias.index' must be torch.long"),
        (lambda b: change(b, table=b.table[:, 1:]), ValueError, r"a table \[P, 20\]"),
        (lambda b: change(b, weight=b.weight[:, 1:]), ValueError, r"\[20, T\]"),
        (lambda b: change(b, index=b.index + 3), ValueError, "must be of 5 rows"),
        (lambda b: change(b, index=b.index - 9), ValueError, "must be of 5 rows"),
        (lambda b: change(b, table=b.table / 0), ValueError, "'bias.table' must be finite"),
        (lambda b: change(b, weight=b.weight * math.nan), ValueError, "'bias.weight' must be fin"),
        (lambda b: change(b, table=b.table.to("meta")), ValueError, "'bias.table' must be on cpu"),
    ],
)
def test_what_is_no_bias_is_refused(wrong, error, message):
    with pytest.raises(error, match=message):
        knn(torch.randn(20, 3), 2, bias=wrong(make(20, 20)))
    with pytest.raises(ValueError, match="a table"):
        knn(torch.randn(19, 3), 2, bias=make(20, 20))
