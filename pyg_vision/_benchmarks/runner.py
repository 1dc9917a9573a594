"""Runs suites: for each case check, warm up, measure."""

from __future__ import annotations

import gc
from collections.abc import Iterable
from typing import Protocol

import torch

import pyg_vision
from pyg_vision._benchmarks import resident
from pyg_vision._benchmarks.core import Case, Contender, Difference, Options, Outputs, Suite, Trial
from pyg_vision._benchmarks.environment import OtherWork, describe_machine
from pyg_vision._benchmarks.floor import operations, product_rate
from pyg_vision._benchmarks.memory import guard, is_out_of_memory, peak_memory
from pyg_vision._benchmarks.results import CaseResult, Report, Row, SuiteResult
from pyg_vision._benchmarks.timing import interleave, plan_rounds, warm_up


class Listener(Protocol):
    """Is told of what happens, as it happens."""

    def start(self, suites: list[tuple[Suite, list[Case]]], report: Report) -> None: ...
    def suite(self, suite: Suite) -> None: ...
    def case(self, suite: Suite, case: Case) -> None: ...
    def result(self, result: CaseResult) -> None: ...


def run(suites: Iterable[Suite], options: Options, listener: Listener) -> Report:
    """Runs all cases of the suites."""
    torch.set_num_threads(options.threads)
    report = Report(describe_machine(options), options.as_dict())
    plan = [(suite, suite.plan(options)) for suite in suites]
    listener.start(plan, report)
    # What is imported is not looked through again at every collection.
    gc.freeze()
    others = OtherWork()
    try:
        # As in a deployed forward: checks that read values are off.
        with pyg_vision.set_validation(False):
            for suite, cases in plan:
                listener.suite(suite)
                results = SuiteResult(suite.name, suite.title, suite.notes)
                report.suites.append(results)
                for case in cases:
                    listener.case(suite, case)
                    results.cases.append(run_case(suite, case, options))
                    listener.result(results.cases[-1])
    finally:
        gc.unfreeze()
    report.environment["other_busy_cores"] = others.busy_cores()
    return report


def run_case(suite: Suite, case: Case, options: Options) -> CaseResult:
    """Checks that the contenders of a case agree, then measures those that fit into memory."""
    torch.manual_seed(0)
    torch.compiler.reset()
    try:
        trial = suite.trial(case, options)
    except Exception as error:  # a case that cannot be set up does not end the run
        row = Row("inputs")
        _record(row, error)
        return CaseResult(case, [row])
    rows = {contender.name: Row(contender.name) for contender in trial.contenders}
    result = CaseResult(case, list(rows.values()))

    result.differences = _check(trial, rows, options)
    for difference in result.differences:
        if not difference.agrees:
            row = rows[difference.contender]
            row.status = "disagreement"
            row.message = (
                f"{difference.what}: {difference.value:.2g} from the reference, "
                f"more than {difference.tolerance:.2g}"
            )
    if result.failed:
        return result

    rates = [product_rate(options)] if suite.has_floor else []
    _measure(trial, rows, options)
    if suite.has_floor:
        result.rate = max(*rates, product_rate(options))
        if result.rows[0].status == "ok" and not options.compile:
            result.operations = operations(trial.contenders[0].run)
    # A process of its own takes seconds for each contender.
    if suite.alone is not None and options.device == "cpu" and not options.quick:
        names = [row.contender for row in rows.values() if row.status == "ok"]
        for name, count in resident.measure(suite.name, case, names, options).items():
            rows[name].resident_bytes = count
    return result


def _check(trial: Trial, rows: dict[str, Row], options: Options) -> list[Difference]:
    reference: Outputs | None = None
    differences: list[Difference] = []
    for contender in trial.contenders:
        outputs: Outputs | None = None
        try:
            guard(contender.estimate, options.device)
            outputs = contender.outputs()
        except Exception as error:
            _record(rows[contender.name], error)
        if outputs is not None and reference is None:
            reference = outputs
        elif outputs is not None and reference is not None:
            differences += trial.compare(contender.name, outputs, reference)
        del outputs
        _release(options)
    return differences


def _measure(trial: Trial, rows: dict[str, Row], options: Options) -> None:
    ready: dict[str, Contender] = {}
    estimates: dict[str, float] = {}
    for contender in trial.contenders:
        row = rows[contender.name]
        if row.status != "ok":
            continue
        try:
            if options.compile or options.device == "cuda":
                contender.run()  # compiles, or takes buffers that stay
            peak = peak_memory(contender.run, options.device)
            row.peak_bytes = peak if contender.visible or options.device == "cuda" else None
            estimates[contender.name] = warm_up(contender.run, options.device)
            ready[contender.name] = contender
        except Exception as error:
            row.peak_bytes = None
            _record(row, error)
        _release(options)
    if not ready:
        return
    rounds = plan_rounds(
        sum(estimates.values()), options.rounds, options.least_rounds, options.seconds
    )
    runs = {name: contender.run for name, contender in ready.items()}
    for name, samples in interleave(runs, estimates, rounds, options.device).items():
        rows[name].samples = samples


def _record(row: Row, error: Exception) -> None:
    row.status = "out of memory" if is_out_of_memory(error) else "error"
    lines = str(error).strip().splitlines()
    row.message = lines[0] if lines else type(error).__name__
    if row.status == "error":
        row.message = f"{type(error).__name__}: {row.message}"


def _release(options: Options) -> None:
    gc.collect()
    if options.device == "cuda":
        torch.cuda.empty_cache()
