"""How numbers are written, in the terminal as in Markdown."""

from __future__ import annotations

import math
from typing import Any

from benchmarks.core import BEST, DENSE
from benchmarks.results import CaseResult, Row
from benchmarks.targets import Finding

NONE = "-"
HEADERS = (
    "case",
    "contender",
    "median ms",
    "IQR ms",
    "vs dense",
    "vs dense-best",
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
        f"{threads} thread" + ("" if threads == 1 else "s"),
        options["dtype_name"],
        f"torch {environment['packages']['torch']}",
        "torch.compile" if options["compile"] else "eager",
    ]
    return " · ".join(parts)


def target(finding: Finding) -> tuple[str, str, str, str]:
    """What was wanted, what was found, whether that is enough, and where it was worst."""
    sign = ">=" if finding.target.at_least else "<="
    wanted = f"{sign} {finding.target.bound:g}x"
    verdict = "reached" if finding.reached else "NOT reached"
    where = f"worst of {finding.num_cases}: {finding.case.label}" if finding.num_cases > 1 else ""
    return finding.target.text, wanted, times(finding.value), f"{verdict} {where}".strip()
