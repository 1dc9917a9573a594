"""What the developers want to reach, held against what a run measured."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from pyg_vision._benchmarks.core import BEST, DENSE, FUSED, SPARSE, Case
from pyg_vision._benchmarks.results import CaseResult, Report
from pyg_vision._benchmarks.suites.stgcn import case_of

# Below this time an operator may be slower than the best dense code.
SHORT = 0.5e-3


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


def _over_floor(contender: str) -> Callable[[CaseResult], float]:
    return lambda result: result.over_floor(contender)


def _slowdown(result: CaseResult) -> float:
    row = result.row(SPARSE)
    return 1.0 / result.speedup(SPARSE, BEST) if row and row.median > SHORT else math.nan


def _memory(result: CaseResult) -> float:
    return result.memory_share(SPARSE, DENSE)


def _vig_ti(mode: str) -> Callable[[Case], bool]:
    return lambda case: case == Case(mode, 8, 196, 192, 9, detail="ViG-Ti")


def _stgcn(mode: str) -> Callable[[Case], bool]:
    return lambda case: case == case_of(mode, 2, 150, 18, 2)


def _aggregation(mode: str) -> Callable[[Case], bool]:
    return lambda case: case == Case(mode, 8, 196, 192, 12)


# Of a whole model: its case, then in each mode the bounds over dense with AVX2 and AVX-512, over
# dense-best, and over the floor.
MODELS = (
    ("ViG-Ti 224, batch 8", "vig", _vig_ti, "forward", (2.5, 3.7, 1.15, 1.85)),
    ("ViG-Ti 224, batch 8", "vig", _vig_ti, "training", (1.8, 2.35, 1.1, 1.9)),
    ("ST-GCN B=2 T=150 V=18 M=2", "stgcn", _stgcn, "forward", (1.4, 1.39, 1.15, 1.3)),
    ("ST-GCN B=2 T=150 V=18 M=2", "stgcn", _stgcn, "training", (1.2, 1.22, 1.1, 1.6)),
)
FUSED_FLOOR = {"vig": 1.6, "stgcn": 1.2}


def _models(avx512: bool) -> Iterator[Target]:
    for name, suite, case, mode, (narrow, wide, best, floor) in MODELS:
        text, about = f"{name}, {mode}", case(mode)
        dense = wide if avx512 else narrow
        yield Target(f"{text}, over dense", suite, about, _speedup(DENSE), dense)
        yield Target(f"{text}, over dense-best", suite, about, _speedup(BEST), best)
        yield Target(f"{text}, times its floor", suite, about, _over_floor(SPARSE), floor, False)
        if mode == "forward":
            value, bound = _over_floor(FUSED), FUSED_FLOOR[suite]
            yield Target(f"{text}, fused, times its floor", suite, about, value, bound, False)


def _operators() -> Iterator[Target]:
    for suite in ("knn", "max_relative", "spatial_conv"):
        text = f"{suite} above 0.5 ms: time over dense-best"
        yield Target(text, suite, lambda case: case.mode != "knn_graph", _slowdown, 1.1, False)
    for mode, bound in (("forward", 20.0), ("training", 8.0)):
        text, about = f"max_relative B=8 N=196 C=192 k=12, {mode}", _aggregation(mode)
        yield Target(f"{text}, over dense", "max_relative", about, _speedup(DENSE), bound)
        text = f"{text}: peak memory over dense"
        yield Target(text, "max_relative", about, _memory, 0.2, False)
    yield Target(
        "knn search, N from 784: peak memory over dense",
        "knn",
        lambda case: case.mode == "search" and case.nodes >= 784,
        _memory,
        1.0,
        False,
    )
    yield Target(
        "knn search, N 196 to 3136, C 48 to 192, over torch_cluster",
        "knn",
        lambda case: (
            case.mode == "search" and 196 <= case.nodes <= 3136 and 48 <= case.channels <= 192
        ),
        _speedup("torch_cluster"),
        4.0,
    )
    yield Target(
        "ST-GCN on lengths of NW-UCLA, batch 16, packed over padded",
        "ragged",
        lambda case: case.batch == 16,
        _speedup(DENSE),
        8.0,
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
    sets = report.environment.get("instruction_sets", {})
    for target in (*_models(sets.get("torch") == "AVX512"), *_operators()):
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
