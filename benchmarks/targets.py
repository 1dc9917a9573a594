"""What the project set out to reach, held against what a run measured."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmarks.core import BEST, DENSE, SPARSE, Case
from benchmarks.results import CaseResult, Report
from benchmarks.suites.stgcn import case_of


@dataclass(frozen=True)
class Target:
    """A bound on the worst of all cases that it is about."""

    text: str
    suite: str
    about: Callable[[Case], bool]
    value: Callable[[CaseResult], float]
    bound: float
    at_least: bool = True


@dataclass(frozen=True)
class Finding:
    target: Target
    value: float
    case: Case
    num_cases: int

    @property
    def reached(self) -> bool:
        bound = self.target.bound
        return self.value >= bound if self.target.at_least else self.value <= bound


def _speedup(over: str) -> Callable[[CaseResult], float]:
    return lambda result: result.speedup(SPARSE, over)


def _slowdown_above_1ms(result: CaseResult) -> float:
    row = result.row(SPARSE)
    if row is None or not row.median > 1e-3:
        return math.nan
    return 1.0 / result.speedup(SPARSE, BEST)


def _vig_ti(mode: str) -> Callable[[Case], bool]:
    return lambda case: case == Case(mode, 8, 196, 192, 9, detail="ViG-Ti")


def _stgcn(mode: str) -> Callable[[Case], bool]:
    return lambda case: case == case_of(mode, 2, 150, 18, 2)


def _aggregation(mode: str) -> Callable[[Case], bool]:
    return lambda case: case == Case(mode, 8, 196, 192, 12)


TARGETS = (
    Target("ViG-Ti 224, batch 8, forward", "vig", _vig_ti("forward"), _speedup(DENSE), 2.5),
    Target("ViG-Ti 224, batch 8, training", "vig", _vig_ti("training"), _speedup(DENSE), 2.0),
    Target(
        "max_relative B=8 N=196 C=192 k=12, forward",
        "max_relative",
        _aggregation("forward"),
        _speedup(DENSE),
        20.0,
    ),
    Target(
        "max_relative B=8 N=196 C=192 k=12, training",
        "max_relative",
        _aggregation("training"),
        _speedup(DENSE),
        8.0,
    ),
    *(
        Target(
            f"max_relative B=8 N=196 C=192 k=12, {mode}: peak memory over dense",
            "max_relative",
            _aggregation(mode),
            lambda result: result.memory_share(SPARSE, DENSE),
            0.2,
            at_least=False,
        )
        for mode in ("forward", "training")
    ),
    Target(
        "knn search above 1 ms: time over dense-best (float32 baddbmm + topk)",
        "knn",
        lambda case: case.mode == "search",
        _slowdown_above_1ms,
        1.1,
        at_least=False,
    ),
    Target(
        "knn search, N 196 to 3136, C 48 to 192, against torch_cluster",
        "knn",
        lambda case: (
            case.mode == "search" and 196 <= case.nodes <= 3136 and 48 <= case.channels <= 192
        ),
        _speedup("torch_cluster"),
        4.0,
    ),
    Target("ST-GCN B=2 T=150 V=18 M=2, forward", "stgcn", _stgcn("forward"), _speedup(DENSE), 1.4),
    Target(
        "ST-GCN B=2 T=150 V=18 M=2, training", "stgcn", _stgcn("training"), _speedup(DENSE), 1.3
    ),
    Target(
        "ST-GCN on lengths of NW-UCLA, batch 64, packed against padded",
        "ragged",
        lambda case: case.batch == 64,
        _speedup(DENSE),
        8.0,
    ),
)


def applies(options: dict[str, Any]) -> bool:
    """The targets are for one thread of a CPU, in float32 and eager mode."""
    wanted = {"device": "cpu", "dtype_name": "fp32", "threads": 1, "compile": False}
    return all(options[name] == value for name, value in wanted.items())


def findings(report: Report) -> list[Finding]:
    """Returns the worst case of every target of which the run measured a case."""
    found = []
    if not applies(report.options):
        return []
    for target in TARGETS:
        measured = [
            (target.value(result), result.case)
            for suite in report.suites
            if suite.name == target.suite
            for result in suite.cases
            if target.about(result.case)
        ]
        measured = [(value, case) for value, case in measured if not math.isnan(value)]
        if measured:
            pick = min if target.at_least else max
            value, case = pick(measured, key=lambda pair: pair[0])
            found.append(Finding(target, value, case, len(measured)))
    return found
