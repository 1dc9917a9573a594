"""The check must catch a contender that is wrong, and let rounding pass."""

import math

import pytest
import torch
import torch.nn.functional as F

from pyg_vision._benchmarks.agreement import (
    compare_neighbors,
    compare_tensors,
    relative_difference,
    untied,
)
from pyg_vision._benchmarks.baselines.max_relative import best_max_relative, to_columns
from pyg_vision._benchmarks.baselines.search import best_search, published_search
from pyg_vision.nn import DenseDilatedKNNGraph


def agrees(index: torch.Tensor, reference: torch.Tensor, x: torch.Tensor) -> bool:
    return all(d.agrees for d in compare_neighbors("other", index, reference, x, 1e-5))


def test_relative_difference() -> None:
    b = torch.tensor([1.0, -4.0])
    assert relative_difference(b, b) == 0.0
    assert relative_difference(b + 0.5, b) == 0.125
    assert relative_difference(b[:1], b) == math.inf
    assert relative_difference(torch.full_like(b, math.nan), b) == math.inf
    assert relative_difference(torch.zeros(2), torch.zeros(2)) == 0.0
    assert relative_difference(b, torch.zeros(2)) == math.inf


def test_each_output_has_its_tolerance() -> None:
    reference = {"output": torch.ones(3), "gradient": torch.ones(3)}
    other = {"output": torch.ones(3) + 1e-3, "gradient": torch.ones(3) + 1e-3}
    found = compare_tensors("other", other, reference, {"output": 1e-2, "gradient": 1e-4})
    assert [(d.what, d.agrees) for d in found] == [("output", True), ("gradient", False)]


def test_wrong_neighbours_are_caught() -> None:
    x = torch.randn(2, 30, 8)
    index = best_search(x, 5, 1)
    assert agrees(index, index, x)
    assert agrees(index.flip(-1), index, x)  # a set, whatever its order
    wrong = index.clone()
    wrong[1, 7, 2] = torch.cdist(x[1, 7:8], x[1]).argmax()
    assert not agrees(wrong, index, x)
    assert not agrees(index[..., :4], index, x)
    assert not agrees(index + 30, index, x)


def test_a_neighbour_twice_is_caught() -> None:
    x = torch.zeros(1, 4, 2)  # all distances are equal
    index = torch.tensor([[[0, 1]] * 4])
    assert agrees(torch.tensor([[[2, 3]] * 4]), index, x)
    assert not agrees(torch.tensor([[[2, 2]] * 4]), index, x)


def test_indices_may_differ_where_distances_do_not() -> None:
    x = torch.randn(1, 10, 3)
    x = torch.cat([x, x], dim=1)  # every node has a duplicate
    index = best_search(x, 1, 1)
    assert agrees((index + 10) % 20, index, x)


@pytest.mark.parametrize("dilation", [1, 3])
def test_published_search_is_that_of_the_package(dilation: int) -> None:
    maps = F.normalize(torch.randn(2, 6, 40, 1), dim=1)
    expected = DenseDilatedKNNGraph(4, dilation)(maps)
    assert torch.equal(published_search(maps, 4, dilation), expected)


def test_published_search_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    maps = F.normalize(torch.randn(1, 6, 40, 1), dim=1)
    whole = published_search(maps, 4, 1)
    monkeypatch.setattr("pyg_vision._benchmarks.baselines.search.PART", 16)
    assert torch.equal(published_search(maps, 4, 1), whole)


def test_untied_marks_maxima_that_are_clear() -> None:
    x = torch.tensor([[[5.0, 1.0], [5.0, 2.0], [0.0, 3.0]]])
    index = torch.tensor([[[0, 1], [0, 2], [1, 2]]])
    assert untied(x, index).tolist() == [[[False, True], [True, True], [True, True]]]


def test_best_max_relative() -> None:
    x = torch.randn(2, 9, 3, dtype=torch.float64, requires_grad=True)
    index = torch.rand(2, 9, 9).argsort(dim=-1)[..., :4]
    columns = to_columns(index, 9)
    out = best_max_relative(x, columns)
    gathered = x[torch.arange(2).view(-1, 1, 1), index]
    assert torch.equal(out, (gathered - x.unsqueeze(2)).amax(2))
    assert torch.equal(best_max_relative(x.detach(), columns), out)
    assert torch.autograd.gradcheck(lambda x: best_max_relative(x, columns), (x,))


def test_best_max_relative_gives_one_of_equals_the_gradient() -> None:
    x = torch.zeros(1, 3, 1, requires_grad=True)
    columns = to_columns(torch.tensor([[[2, 1], [1, 2], [1, 2]]]), 3)
    torch.autograd.backward(best_max_relative(x, columns), torch.ones(1, 3, 1))
    assert x.grad is not None
    assert x.grad.flatten().tolist() == [-1.0, 1.0, 0.0]
