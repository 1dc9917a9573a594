"""The runner, from the suites to the files."""

import gc
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
import torch
from torch import Tensor

from benchmarks import report, resident
from benchmarks.agreement import compare_tensors
from benchmarks.cli import main
from benchmarks.core import Case, Contender, Difference, Options, Outputs, Suite, Trial
from benchmarks.report.terminal import Terminal
from benchmarks.results import CaseResult, Report, Row, SuiteResult
from benchmarks.runner import run, run_case
from benchmarks.suites import SUITES
from benchmarks.suites.vig import DEPTHS
from benchmarks.targets import findings

CASE = Case("forward", 1, 8, 4, 2)
OPTIONS = Options(suites=("toy",), out=Path("unused"), quick=True, repeats=3)
# One small case of every kind that the suites have.
TINY = {
    "knn": [Case(mode, 2, 16, 4, 3, 2) for mode in ("search", "graph")]
    + [Case("knn_graph", 2, 16, 4, 3)],
    "max_relative": [Case(mode, 2, 16, 4, 3) for mode in ("forward", "training")],
    "grapher": [Case(mode, 2, 16, 8, 3) for mode in ("forward", "training")],
}


def toy(functions: dict[str, Callable[[], Tensor]], estimate: int = 0) -> Suite:
    def compare(name: str, outputs: Outputs, reference: Outputs) -> list[Difference]:
        return compare_tensors(name, outputs, reference, {"output": 1e-6})

    def trial(case: Case, options: Options) -> Trial:
        return Trial(
            [
                Contender(
                    name,
                    function,
                    lambda function=function: {"output": function()},
                    estimate if name == "dense" else 0,
                )
                for name, function in functions.items()
            ],
            compare,
        )

    return Suite("toy", "Toy", ("a note",), lambda quick: [CASE], trial)


def out_of_memory() -> Tensor:
    return torch.empty(2**60)


def broken() -> Tensor:
    raise ValueError("shapes do not match")


def statuses(result: CaseResult) -> dict[str, str]:
    return {row.contender: row.status for row in result.rows}


@pytest.fixture(autouse=True)
def as_in_a_run() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    gc.freeze()
    yield
    gc.unfreeze()
    torch.set_num_threads(threads)


def test_wrong_contender_is_reported_and_nothing_timed() -> None:
    suite = toy({"dense": lambda: torch.ones(4), "sparse": lambda: torch.ones(4) * 1.01})
    result = run_case(suite, CASE, OPTIONS)
    assert statuses(result) == {"dense": "ok", "sparse": "disagreement"}
    assert "0.01" in result.rows[1].message
    assert result.failed
    assert not any(row.samples for row in result.rows)


@pytest.mark.parametrize("how", ["raised", "guarded"])
def test_out_of_memory_is_a_finding(how: str) -> None:
    ones = torch.ones
    dense = out_of_memory if how == "raised" else lambda: ones(4)
    suite = toy(
        {"dense": dense, "dense-best": lambda: ones(4), "sparse": lambda: ones(4)},
        estimate=0 if how == "raised" else 2**60,
    )
    result = run_case(suite, CASE, OPTIONS)
    assert statuses(result) == {"dense": "out of memory", "dense-best": "ok", "sparse": "ok"}
    assert not result.failed
    assert [len(row.samples) for row in result.rows] == [0, 3, 3]


def test_out_of_memory_while_measuring() -> None:
    calls = iter(range(10))
    suite = toy(
        {
            "dense": lambda: torch.ones(4) if next(calls) == 0 else out_of_memory(),
            "sparse": lambda: torch.ones(4),
        }
    )
    result = run_case(suite, CASE, OPTIONS)
    assert statuses(result) == {"dense": "out of memory", "sparse": "ok"}
    assert result.rows[0].peak_bytes is None


def test_other_errors_are_failures_of_their_contender() -> None:
    result = run_case(toy({"dense": lambda: torch.ones(4), "sparse": broken}), CASE, OPTIONS)
    assert statuses(result) == {"dense": "ok", "sparse": "error"}
    assert result.rows[1].message == "ValueError: shapes do not match"
    assert result.failed


def test_a_case_that_cannot_be_set_up_does_not_end_the_run() -> None:
    def trial(case: Case, options: Options) -> Trial:
        raise ValueError("no such case")

    suite = Suite("toy", "Toy", (), lambda quick: [CASE], trial)
    result = run_case(suite, CASE, OPTIONS)
    assert [(row.status, row.message) for row in result.rows] == [
        ("error", "ValueError: no such case")
    ]


@pytest.mark.parametrize("name", list(TINY))
def test_suites_end_to_end(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    suite = SUITES[name]
    tiny = Suite(suite.name, suite.title, suite.notes, lambda quick: TINY[name], suite.trial)
    monkeypatch.setitem(SUITES, name, tiny)
    arguments = ["--suite", name, "--quick", "--repeats", "2", "--out", str(tmp_path)]
    assert main(arguments) == 0

    data = json.loads((tmp_path / "results.json").read_text())
    environment = data["environment"]
    assert environment["threads"] == 1
    assert environment["packages"]["torch"] == torch.__version__
    assert {"date", "commit", "python", "cpu", "device"} <= set(environment)
    (found,) = data["suites"]
    assert len(found["cases"]) == len(TINY[name])
    for case in found["cases"]:
        assert all(difference["agrees"] for difference in case["agreement"])
        rows = {row["contender"]: row for row in case["contenders"]}
        assert {"dense", "dense-best", "sparse"} <= set(rows)
        assert rows["sparse"]["peak_bytes"] is not None
        for row in rows.values():
            assert row["status"] == "ok"
            assert len(row["samples_s"]) == 2
            assert row["peak_bytes"] is None or row["peak_bytes"] > 0
            for baseline in ("dense", "dense-best"):
                ratio = rows[baseline]["median_s"] / row["median_s"]
                key = f"speedup_over_{baseline.replace('-', '_')}"
                assert row[key] == pytest.approx(ratio)

    text = (tmp_path / "results.md").read_text()
    assert "1 thread " in text
    assert "vs dense-best" in text
    assert f"]({name}.png)" in text
    assert (tmp_path / f"{name}.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("mode", ["forward", "training"])
def test_vig(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(DEPTHS, "ViG-Ti", 2)
    asked: list[tuple[str, ...]] = []

    def measure(
        suite: str, case: Case, contenders: Sequence[str], options: Options
    ) -> dict[str, int]:
        asked.append((suite, *contenders))
        return dict.fromkeys(contenders, 7)

    monkeypatch.setattr("benchmarks.resident.measure", measure)
    case = Case(mode, 2, 64, 192, 9, detail="ViG-Ti")
    result = run_case(SUITES["vig"], case, OPTIONS)
    assert set(statuses(result).values()) == {"ok"}
    assert [d for d in result.differences if not d.agrees] == []
    names = [row.contender for row in result.rows]
    assert names[:3] == ["dense", "dense-best", "sparse"]
    assert asked == ([("vig", *names)] if mode == "training" else [])  # quick: once for a model


def test_resident_memory_of_a_process_of_its_own() -> None:
    case = Case("forward", 1, 64, 192, 9, detail="ViG-Ti")
    found = resident.measure("vig", case, ["sparse"], OPTIONS)
    assert 2**27 < (found["sparse"] or 0) < 2**32  # torch alone takes more than the lower bound


def test_failure_sets_the_exit_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    suite = toy({"dense": lambda: torch.ones(4), "sparse": lambda: torch.zeros(4)})
    monkeypatch.setitem(SUITES, "knn", suite)
    assert main(["--suite", "knn", "--quick", "--out", str(tmp_path)]) == 1
    printed = capsys.readouterr().out
    assert "DISAGREEMENT" in printed
    assert "FAILED" in printed
    assert "DISAGREEMENT" in (tmp_path / "results.md").read_text()


def test_out_of_memory_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    suite = toy({"dense": out_of_memory, "sparse": lambda: torch.ones(4)})
    terminal = Terminal()
    result = run([suite], OPTIONS, terminal)
    files = report.write(result, tmp_path)
    terminal.finish(result, [str(path) for path in files])
    assert "OUT OF MEMORY" in capsys.readouterr().out
    assert "OUT OF MEMORY" in (tmp_path / "results.md").read_text()


def test_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as leave:
        main(["--help"])
    assert leave.value.code == 0
    printed = capsys.readouterr().out
    for option in ("--suite", "--quick", "--device", "--dtype", "--threads", "--compile", "--out"):
        assert option in printed


@pytest.mark.parametrize("arguments", [["--suite", "nothing"], ["--threads", "0"]])
def test_wrong_arguments(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as leave:
        main(arguments)
    assert leave.value.code == 2


def test_quick_is_a_subset_with_the_headline_cases() -> None:
    for suite in SUITES.values():
        quick, full = suite.cases(True), suite.cases(False)
        assert set(quick) <= set(full)
        assert len(set(full)) == len(full)
        if suite.case_type is Case:
            assert {case.nodes for case in full} >= {64, 196, 784, 3136, 12544}
    for mode in ("forward", "training"):
        assert Case(mode, 8, 196, 192, 12) in SUITES["max_relative"].cases(True)
        assert Case(mode, 8, 196, 192, 9, detail="ViG-Ti") in SUITES["vig"].cases(True)


def test_targets_are_held_against_the_worst_case() -> None:
    def result(nodes: int, sparse: float) -> CaseResult:
        case = Case("search", 1, nodes, 192, 9)
        rows = [Row("dense-best", samples=[0.010]), Row("sparse", samples=[sparse])]
        return CaseResult(case, rows)

    measured = [result(196, 0.012), result(784, 0.010), result(64, 0.0005)]
    suite = SuiteResult("knn", "", (), measured)
    (found,) = findings(Report({}, OPTIONS.as_dict(), [suite]))
    assert found.value == pytest.approx(1.2)
    assert found.case.nodes == 196
    assert found.num_cases == 2  # below 1 ms it does not count
    assert not found.reached
    two_threads = {**OPTIONS.as_dict(), "threads": 2}
    assert findings(Report({}, two_threads, [suite])) == []
