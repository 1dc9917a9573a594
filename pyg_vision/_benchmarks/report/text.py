"""How numbers are written, in the terminal as in Markdown."""

from __future__ import annotations

import math
from typing import Any

from pyg_vision._benchmarks.core import BEST, DENSE
from pyg_vision._benchmarks.results import CaseResult, Row
from pyg_vision._benchmarks.targets import Finding

NONE = "-"
HEADERS = (
    "case",
    "contender",
    "median ms",
    "IQR ms",
    "vs dense",
    "vs dense-best",
    "vs floor",
    "peak MiB",
    "resident MiB",
)


def cells(result: CaseResult, row: Row) -> tuple[str, ...]:
    """The line of one contender under :data:`HEADERS`."""
    case = f"{result.case.mode} {result.case.label}"
    if row.status != "ok":
        return (case, row.contender, row.status.upper(), *[NONE] * (len(HEADERS) - 3))
    return (
        case,
        row.contender,
        milliseconds(row.median),
        milliseconds(row.spread),
        times(result.speedup(row.contender, DENSE)),
        times(result.speedup(row.contender, BEST)),
        times(result.over_floor(row.contender)),
        mebibytes(row.peak_bytes),
        mebibytes(row.resident_bytes),
    )


def milliseconds(seconds: float) -> str:
    if math.isnan(seconds):
        return NONE
    value = seconds * 1e3
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def times(ratio: float) -> str:
    if math.isnan(ratio):
        return NONE
    return f"{ratio:.2f}x" if ratio < 10 else f"{ratio:.1f}x"


def mebibytes(count: int | None) -> str:
    if count is None:
        return NONE
    value = count / 2**20
    return f"{value:.0f}" if value >= 10 else f"{value:.2g}"


def as_number(value: float) -> float | None:
    """JSON knows neither NaN nor infinity."""
    return value if math.isfinite(value) else None


def agreement(result: CaseResult) -> str:
    worst = result.worst_difference
    if worst is None:
        return "nothing to compare"
    return f"{worst.contender}, {worst.what}: {worst.value:.1e} (tolerance {worst.tolerance:.0e})"


def setting(environment: dict[str, Any], options: dict[str, Any]) -> str:
    """Where and how, in one line."""
    threads = environment["threads"]
    parts = [
        environment["device"],
        *(
            [environment["instruction_sets"]["torch"]]
            if environment["device_type"] == "cpu"
            else []
        ),
        f"{threads} thread" + ("" if threads == 1 else "s"),
        options["dtype_name"],
        f"torch {environment['packages']['torch']}",
        "torch.compile" if options["compile"] else "eager",
    ]
    return " · ".join(parts)


def libraries(environment: dict[str, Any]) -> str:
    """The instruction sets that were used, and what else ran, in one line."""
    sets = environment["instruction_sets"].items()
    parts = [f"{name} {value}" for name, value in sets if value]
    if environment["load_average"] is not None:
        parts.append(f"load average at the start {environment['load_average']:.1f}")
    busy = environment.get("other_busy_cores")
    if busy is not None:
        parts.append(f"cores that other processes kept busy {busy:.1f}")
    return " · ".join(parts)


def target(finding: Finding) -> tuple[str, str, str, str]:
    """What was wanted, what was found, whether that is enough, and where it was worst."""
    sign = ">=" if finding.target.at_least else "<="
    wanted = f"{sign} {finding.target.bound:g}x"
    verdict = "reached" if finding.reached else "NOT reached"
    where = f"worst of {finding.num_cases}: {finding.case.label}" if finding.num_cases > 1 else ""
    return finding.target.text, wanted, times(finding.value), f"{verdict} {where}".strip()
