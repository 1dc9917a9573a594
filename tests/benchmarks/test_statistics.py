"""Medians, spreads and ratios."""

import math

import pytest

from pyg_vision._benchmarks.core import Case, Difference
from pyg_vision._benchmarks.report.text import mebibytes, milliseconds, times
from pyg_vision._benchmarks.results import CaseResult, Row, interquartile_range
from pyg_vision._benchmarks.timing import interleave, plan_rounds, rotated

CASE = Case("forward", 1, 4, 2, 2)


def test_median_and_interquartile_range() -> None:
    row = Row("dense", samples=[1.0, 2.0, 3.0, 4.0, 100.0])
    assert row.median == 3.0
    assert row.spread == 2.0  # 4 - 2: one outlier does not count
    assert math.isnan(interquartile_range([1.0]))
    assert math.isnan(Row("dense").median)


def test_ratios_name_what_is_faster() -> None:
    dense = Row("dense", samples=[6.0, 6.0], peak_bytes=100)
    sparse = Row("sparse", samples=[2.0, 2.0], peak_bytes=20)
    result = CaseResult(CASE, [dense, sparse])
    assert result.speedup("sparse", "dense") == 3.0
    assert result.speedup("dense", "sparse") == pytest.approx(1 / 3)
    assert result.memory_share("sparse", "dense") == 0.2
    assert math.isnan(result.speedup("sparse", "dense-best"))
    assert math.isnan(result.memory_share("dense-best", "dense"))


def test_ratio_without_a_time_is_unknown() -> None:
    full = Row("dense", "out of memory")
    result = CaseResult(CASE, [full, Row("sparse", samples=[1.0])])
    assert math.isnan(result.speedup("sparse", "dense"))
    assert not result.failed


@pytest.mark.parametrize(("status", "failed"), [("ok", False), ("disagreement", True)])
def test_failure(status: str, failed: bool) -> None:
    assert CaseResult(CASE, [Row("sparse", status)]).failed is failed  # type: ignore[arg-type]


def test_worst_difference_is_relative_to_its_tolerance() -> None:
    near = Difference("sparse", "output", 0.9, 1.0)
    far = Difference("sparse", "gradient", 2e-9, 1e-9)
    assert CaseResult(CASE, [], [near, far]).worst_difference is far
    lost = Difference("sparse", "output", math.nan, 1.0)
    assert CaseResult(CASE, [], [far, lost]).worst_difference is lost
    assert not lost.agrees


def test_written_numbers() -> None:
    assert times(0.054) == "0.05x"
    assert times(73.94) == "73.9x"
    assert times(math.nan) == "-"
    assert milliseconds(0.00051234) == "0.512"
    assert milliseconds(2.1774) == "2177"
    assert mebibytes(3 * 2**20) == "3"
    assert mebibytes(None) == "-"


def test_rounds_fit_into_the_budget() -> None:
    assert plan_rounds(0.1, most=30, least=5, budget=1.0) == 10
    assert plan_rounds(10.0, most=30, least=5, budget=1.0) == 5
    assert plan_rounds(1e-6, most=30, least=5, budget=1.0) == 30
    assert plan_rounds(10.0, most=2, least=5, budget=1.0) == 2


def test_order_rotates() -> None:
    assert rotated("abc", 0) == ["a", "b", "c"]
    assert rotated("abc", 4) == ["b", "c", "a"]


def test_contenders_take_turns() -> None:
    calls: list[str] = []
    runs = {name: lambda name=name: calls.append(name) for name in "ab"}
    samples = interleave(runs, dict.fromkeys("ab", 1.0), rounds=3, device="cpu")
    assert calls == ["a", "b", "b", "a", "a", "b"]
    assert {name: len(times) for name, times in samples.items()} == {"a": 3, "b": 3}


def test_short_calls_are_repeated() -> None:
    calls: list[int] = []
    interleave({"a": lambda: calls.append(0)}, {"a": 1e-3}, rounds=1, device="cpu")
    assert len(calls) == 2
