"""What a run leaves behind: JSON with everything, Markdown with tables, plots."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

from pyg_vision._benchmarks import targets
from pyg_vision._benchmarks.report import markdown, plots
from pyg_vision._benchmarks.report.text import as_number
from pyg_vision._benchmarks.results import CaseResult, Report


def write(report: Report, out: Path) -> list[Path]:
    """Writes all files of a report into a folder; returns their paths."""
    out.mkdir(parents=True, exist_ok=True)
    pictures = {}
    for suite in report.suites:
        figure = plots.draw(suite, report) if find_spec("matplotlib") else None
        if figure is not None:
            pictures[suite.name] = out / f"{suite.name}.png"
            figure.savefig(pictures[suite.name], dpi=130)
    data, text = out / "results.json", out / "results.md"
    data.write_text(json.dumps(as_dict(report), indent=2, allow_nan=False) + "\n")
    text.write_text(markdown.render(report, {name: p.name for name, p in pictures.items()}))
    return [data, text, *pictures.values()]


def as_dict(report: Report) -> dict[str, object]:
    return {
        "environment": report.environment,
        "options": report.options,
        "suites": [
            {
                "name": suite.name,
                "title": suite.title,
                "notes": list(suite.notes),
                "cases": [_case(result) for result in suite.cases],
            }
            for suite in report.suites
        ],
        "targets": [
            {
                "text": finding.target.text,
                "bound": finding.target.bound,
                "at_least": finding.target.at_least,
                "worst": finding.value,
                "worst_case": vars(finding.case),
                "num_cases": finding.num_cases,
                "reached": finding.reached,
            }
            for finding in targets.findings(report)
        ],
    }


def _case(result: CaseResult) -> dict[str, object]:
    rows = []
    for row in result.rows:
        speedups = {
            f"speedup_over_{name.replace('-', '_')}": as_number(result.speedup(row.contender, name))
            for name in ("dense", "dense-best")
        }
        over = {"over_floor": as_number(result.over_floor(row.contender))}
        rows.append({**row.as_dict(), **speedups, **over})
    differences = [
        {**vars(d), "value": as_number(d.value), "agrees": d.agrees} for d in result.differences
    ]
    return {
        **vars(result.case),
        "agreement": differences,
        "operations": result.operations,
        "product_rate": result.rate,
        "contenders": rows,
    }
