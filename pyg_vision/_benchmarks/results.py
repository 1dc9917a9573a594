"""What a run found."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from pyg_vision._benchmarks.core import Case, Difference

Status = Literal["ok", "out of memory", "disagreement", "error"]


def interquartile_range(samples: Sequence[float]) -> float:
    if len(samples) < 2:
        return math.nan
    first, _, third = statistics.quantiles(samples, n=4, method="inclusive")
    return third - first


@dataclass
class Row:
    """One contender in one case. Times are seconds for one call."""

    contender: str
    status: Status = "ok"
    message: str = ""
    samples: list[float] = field(default_factory=list)
    peak_bytes: int | None = None
    resident_bytes: int | None = None

    @property
    def median(self) -> float:
        return statistics.median(self.samples) if self.samples else math.nan

    @property
    def spread(self) -> float:
        return interquartile_range(self.samples)

    def as_dict(self) -> dict[str, Any]:
        timed = bool(self.samples)
        return {
            "contender": self.contender,
            "status": self.status,
            "message": self.message,
            "median_s": self.median if timed else None,
            "iqr_s": self.spread if len(self.samples) > 1 else None,
            "samples_s": self.samples,
            "peak_bytes": self.peak_bytes,
            "resident_bytes": self.resident_bytes,
        }


@dataclass
class CaseResult:
    case: Case
    rows: list[Row]
    differences: list[Difference] = field(default_factory=list)
    # The operations of products and convolutions of the published model, and the rate of the best
    # product beside this case.
    operations: int | None = None
    rate: float | None = None

    @property
    def floor(self) -> float:
        """The seconds that the operations take at that rate; NaN where they are not known."""
        return self.operations / self.rate if self.operations and self.rate else math.nan

    def over_floor(self, contender: str) -> float:
        """The time as a multiple of the floor."""
        row = self.row(contender)
        return math.nan if row is None else row.median / self.floor

    def row(self, contender: str) -> Row | None:
        return next((row for row in self.rows if row.contender == contender), None)

    def speedup(self, contender: str, baseline: str) -> float:
        """How many times faster than the baseline; NaN where one of them has no time."""
        row, base = self.row(contender), self.row(baseline)
        return math.nan if row is None or base is None else base.median / row.median

    def memory_share(self, contender: str, baseline: str) -> float:
        """The peak memory over that of the baseline."""
        row, base = self.row(contender), self.row(baseline)
        if row is None or base is None or row.peak_bytes is None or not base.peak_bytes:
            return math.nan
        return row.peak_bytes / base.peak_bytes

    @property
    def failed(self) -> bool:
        """Running out of memory is a finding; disagreeing or raising is a failure."""
        return any(row.status in ("disagreement", "error") for row in self.rows)

    @property
    def worst_difference(self) -> Difference | None:
        """The one nearest to its tolerance, or farthest beyond it."""
        return max(
            self.differences,
            key=lambda d: math.inf if math.isnan(d.value) else d.value / d.tolerance,
            default=None,
        )


@dataclass
class SuiteResult:
    name: str
    title: str
    notes: tuple[str, ...]
    cases: list[CaseResult] = field(default_factory=list)


@dataclass
class Report:
    environment: dict[str, Any]
    options: dict[str, Any]
    suites: list[SuiteResult] = field(default_factory=list)

    @property
    def busy(self) -> float | None:
        """The cores that other processes kept busy meanwhile."""
        return self.environment.get("other_busy_cores")

    @property
    def failed(self) -> bool:
        return any(case.failed for suite in self.suites for case in suite.cases)
