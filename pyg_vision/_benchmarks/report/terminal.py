"""The table in the terminal, written above a progress bar."""

from __future__ import annotations

import sys
from typing import Any

from tqdm import tqdm

from pyg_vision._benchmarks import targets
from pyg_vision._benchmarks.core import Case, Suite
from pyg_vision._benchmarks.report.text import HEADERS, cells, libraries, setting, target
from pyg_vision._benchmarks.results import CaseResult, Report

WIDTHS = (44, 16, 13, 9, 9, 13, 9, 9, 12)
BUSY_CORES = 0.3  # of other processes, from which a warning is due


class Terminal:
    """Shows results as they come."""

    def __init__(self) -> None:
        self.bar: tqdm[Any] | None = None

    def start(self, suites: list[tuple[Suite, list[Case]]], report: Report) -> None:
        total = sum(len(cases) for _, cases in suites)
        # disable=None: no bar where there is no terminal, as in a log.
        self.bar = tqdm(total=total, unit="case", file=sys.stderr, leave=False, disable=None)
        self.write(setting(report.environment, report.options))
        self.write(libraries(report.environment))
        self.write(
            "median of interleaved samples; IQR: interquartile range; vs dense 2x: twice as fast; "
            "vs floor 2x: twice the time of its products"
        )

    def suite(self, suite: Suite) -> None:
        self.write(f"\n{suite.title} ({suite.name})")
        for note in suite.notes:
            self.write(f"  {note}")
        line = _line(HEADERS)
        self.write(f"{line}\n{'-' * len(line)}")

    def case(self, suite: Suite, case: Case) -> None:
        if self.bar is not None:
            self.bar.set_description(f"{suite.name} {case.mode} {case.label}")

    def result(self, result: CaseResult) -> None:
        for number, row in enumerate(result.rows):
            texts = cells(result, row)
            self.write(_line(texts if number == 0 else ("", *texts[1:])))
        for row in result.rows:
            if row.message:
                self.write(f"  ! {row.contender}: {row.message}")
        if self.bar is not None:
            self.bar.update()

    def finish(self, report: Report, files: list[str]) -> None:
        if self.bar is not None:
            self.bar.close()
            self.bar = None
        found = targets.findings(report) if report.options["targets"] else []
        if found:
            self.write("\ntargets")
        for finding in found:
            text, wanted, value, verdict = target(finding)
            self.write(f"  {text:<74} {value:>7}  wanted {wanted:<8} {verdict}")
        self.write("\nwritten: " + " ".join(files))
        if not any(name.endswith(".png") for name in files):
            self.write("plots need matplotlib: pip install 'pyg-vision[bench]'")
        if (report.busy or 0.0) > BUSY_CORES:
            self.write(
                f"WARNING: other processes kept {report.busy:.1f} cores busy; "
                f"times are not reliable"
            )
        if report.failed:
            self.write("FAILED: contenders disagree or raised an error, see above")

    def write(self, text: str) -> None:
        tqdm.write(text, file=sys.stdout)


def _line(texts: tuple[str, ...]) -> str:
    padded = [
        text.ljust(width) if column < 2 else text.rjust(width)
        for column, (text, width) in enumerate(zip(texts, WIDTHS, strict=True))
    ]
    return " ".join(padded).rstrip()
