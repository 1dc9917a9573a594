"""The report as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from pyg_vision._benchmarks import targets
from pyg_vision._benchmarks.report.text import HEADERS, agreement, cells, libraries, setting, target
from pyg_vision._benchmarks.results import Report, SuiteResult


def render(report: Report, pictures: Mapping[str, str]) -> str:
    """Returns the whole report; ``pictures`` are file names by suite."""
    environment = report.environment
    lines = [
        "# Benchmarks",
        "",
        f"{setting(environment, report.options)}, measured {environment['date']} "
        f"at commit {environment['commit'] or 'unknown'}.",
        "",
        f"{libraries(environment)}.",
        "",
        "Medians of interleaved samples; IQR is their interquartile range; vs dense 2x is twice as "
        "fast. The floor of a model is the time of the floating-point operations of its published "
        "products and convolutions at the best rate of a product measured beside it; vs floor 2x "
        "is twice that time. "
        "Peak: bytes of tensors alive above the inputs, what is saved for the backward pass "
        "included. Every case was timed only after its contenders had been found to agree.",
        "",
    ]
    found = targets.findings(report) if report.options["targets"] else []
    if found:
        lines += ["## Targets", ""]
        lines += [*_table(("", "wanted", "measured", ""), [target(f) for f in found]), ""]
    for suite in report.suites:
        lines += _suite(suite, pictures.get(suite.name))
    return "\n".join(lines)


def _suite(suite: SuiteResult, picture: str | None) -> list[str]:
    lines = [f"## {suite.title}", ""]
    for note in suite.notes:
        lines += [note, ""]
    if picture is not None:
        lines += [f"![{suite.title}: time and memory against nodes]({picture})", ""]
    rows = [cells(result, row) for result in suite.cases for row in result.rows]
    lines += [*_table(HEADERS, rows), ""]
    messages = [
        f"- {result.case.mode} {result.case.label}, {row.contender}: {row.message}"
        for result in suite.cases
        for row in result.rows
        if row.message
    ]
    lines += [*messages, ""] if messages else []
    lines += ["Agreement, the worst of each case:", ""]
    lines += [f"- {r.case.mode} {r.case.label}: {agreement(r)}" for r in suite.cases]
    return [*lines, ""]


def _table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [headers, ["---"] * len(headers), *rows]
    return ["| " + " | ".join(line) + " |" for line in lines]
