"""Each way to rank distances, against torch.topk."""

import pytest
import torch

from pyg_vision.ops import _rank
from pyg_vision.ops._rank import SORT_COLUMNS


@pytest.fixture(params=["as it is", "many threads", "no vectorised sort"])
def way(request, monkeypatch):
    if request.param == "many threads":
        monkeypatch.setattr(_rank, "PARALLEL_ENTRIES", 10)
        monkeypatch.setattr(torch, "get_num_threads", lambda: 3)
    if request.param == "no vectorised sort":
        monkeypatch.setattr(_rank, "sorts_vectorised", lambda: False)
    return request.param


# On both sides of every threshold: few columns, selection, groups, groups of groups.
COLUMNS = [1, 7, 32, 33, 127, 128, SORT_COLUMNS, SORT_COLUMNS + 1, 1000, SORT_COLUMNS**2 // 4]


@pytest.mark.parametrize("columns", COLUMNS)
@pytest.mark.parametrize("num", [1, 9, 32, 64, 65, 300])
def test_ranking_is_topk(columns, num, way):
    dist = torch.randn(21, columns)
    dist[:, ::5] *= 1e-38  # subnormal numbers too
    num = min(columns, num)
    value, index = _rank.rank(dist, num, False)
    expected = dist.topk(num, largest=False)
    assert torch.equal(value, expected.values)
    assert torch.equal(index, expected.indices)


@pytest.mark.parametrize("columns", COLUMNS)
@pytest.mark.parametrize("num", [1, 9, 65])
def test_ranking_of_what_is_partly_forbidden(columns, num, way):
    dist = torch.randn(3, 7, columns)
    dist[..., columns // 2 :] = float("inf")
    dist[1, 3, 0] = float("-inf")
    num = min(columns, num)
    value, index = _rank.rank(dist, num, True)
    expected = dist.topk(num, largest=False)
    assert torch.equal(value, expected.values)
    assert torch.equal(index, torch.where(value == float("inf"), -1, expected.indices))


@pytest.mark.parametrize("columns", COLUMNS)
def test_distances_that_differ_in_their_last_digits(columns, way):
    """Nothing that stands for a distance in part may decide."""
    dist = 1.0 + torch.stack([torch.randperm(columns) for _ in range(11)]) * 2.0**-23
    for sign in (1.0, -1.0):
        num = min(9, columns)
        value, index = _rank.rank(sign * dist, num, False)
        expected = (sign * dist).topk(num, largest=False)
        assert torch.equal(value, expected.values)
        assert torch.equal(index, expected.indices)


@pytest.mark.parametrize("columns", COLUMNS)
def test_equal_distances_are_different_columns(columns, way):
    dist = torch.zeros(5, columns)
    dist[:, columns // 2 :] = -1.0
    num = min(9, columns)
    value, index = _rank.rank(dist, num, False)
    assert torch.equal(value, dist.topk(num, largest=False).values)
    assert torch.equal(dist.gather(1, index), value)
    assert all(len(set(row)) == num for row in index.tolist())


def test_memory_of_a_ranking(monkeypatch):
    """What is said to be taken for each row grows with the keys that a way needs."""
    x = torch.randn(1)
    monkeypatch.setattr(_rank, "sorts_vectorised", lambda: True)
    whole, selected, groups = (_rank.bytes_per_row(x, n, 9) for n in (100, 200, 784))
    assert (whole, selected) == (16 * 100, 4 * 200)
    assert groups == 16 * (784 // 4 + 4 * 9)
    assert _rank.bytes_per_row(x.double(), 100, 9) == 0
    monkeypatch.setattr(_rank, "sorts_vectorised", lambda: False)
    assert _rank.bytes_per_row(x, 100, 9) == 0
