"""The runner, from the suites to the files."""

import gc
import json
import math
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from pyg_vision._benchmarks import report, resident
from pyg_vision._benchmarks.agreement import compare_tensors
from pyg_vision._benchmarks.cli import main
from pyg_vision._benchmarks.core import Case, Contender, Difference, Options, Outputs, Suite, Trial
from pyg_vision._benchmarks.environment import AVX2, OtherWork
from pyg_vision._benchmarks.floor import operations, product_rate
from pyg_vision._benchmarks.report.terminal import Terminal
from pyg_vision._benchmarks.results import CaseResult, Report, Row, SuiteResult
from pyg_vision._benchmarks.runner import run, run_case
from pyg_vision._benchmarks.suites import SUITES, pyramid_vig, vision_families
from pyg_vision._benchmarks.suites.vig import DEPTHS
from pyg_vision._benchmarks.targets import findings

CASE = Case("forward", 1, 8, 4, 2)
# Of pyramids a case counts the nodes of the first stage.
PYRAMIDS = ("pyramid_vig", "resolution", "vision_families")
GRAPHS = ((1, 1), (1, 1), (1, 1), (1, 1))
SMALL_FAMILIES = {key: {"blocks": GRAPHS} for key in vision_families.FAMILIES} | {
    "MobileViG-S": {"blocks": ((1, 0), (1, 0), (1, 0), (0, 1))},
    "MobileViGv2-S": {"blocks": ((1, 0), *GRAPHS[1:])},
    "WiGNet-Ti": {"depths": (1, 1, 2, 1)},
}
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


@pytest.mark.parametrize(("mode", "quick"), [("forward", True), ("training", False)])
def test_vig(mode: str, quick: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(DEPTHS, "ViG-Ti", 2)
    asked: list[tuple[str, ...]] = []

    def measure(
        suite: str, case: Case, contenders: Sequence[str], options: Options
    ) -> dict[str, int]:
        asked.append((suite, *contenders))
        return dict.fromkeys(contenders, 7)

    monkeypatch.setattr("pyg_vision._benchmarks.resident.measure", measure)
    case = Case(mode, 2, 64, 192, 9, detail="ViG-Ti")
    result = run_case(SUITES["vig"], case, replace(OPTIONS, quick=quick))
    assert set(statuses(result).values()) == {"ok"}
    assert [d for d in result.differences if not d.agrees] == []
    names = [row.contender for row in result.rows]
    assert names[:3] == ["dense", "dense-best", "sparse"]
    assert asked == ([] if quick else [("vig", *names)])


@pytest.mark.parametrize("mode", ["forward", pytest.param("training", marks=pytest.mark.slow)])
@pytest.mark.parametrize("nodes", [256, pytest.param(320, marks=pytest.mark.slow)])
@pytest.mark.filterwarnings("ignore:an image of")
def test_pyramid_vig(mode: str, nodes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pyramid_vig, "SIZES", {256: (64, 64), 320: (64, 80)})
    monkeypatch.setitem(pyramid_vig.CHANNELS, "PyramidViG-Ti", (8, 16, 24, 32))
    case = Case(mode, 2, nodes, 8, 9, detail="PyramidViG-Ti")
    for name in ("pyramid_vig", "resolution"):
        result = run_case(SUITES[name], case, replace(OPTIONS, quick=True))
        assert set(statuses(result).values()) == {"ok"}
        assert [d for d in result.differences if not d.agrees] == []
        assert [row.contender for row in result.rows][:3] == ["dense", "dense-best", "sparse"]


@pytest.mark.parametrize("mode", ["forward", "training"])
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[] if name == "WiGNet-Ti" else pytest.mark.slow)
        for name in vision_families.FAMILIES
    ],
)
def test_vision_families(mode: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    family = vision_families.FAMILIES[name]
    small = {"channels": (8, 12, 16, 24)} | SMALL_FAMILIES[name]
    monkeypatch.setitem(vision_families.FAMILIES, name, replace(family, options=small))
    case = Case(mode, 2, 3136, 8, 0, detail=name)
    result = run_case(SUITES["vision_families"], case, replace(OPTIONS, quick=True))
    assert set(statuses(result).values()) == {"ok"}
    assert [d for d in result.differences if not d.agrees] == []
    assert [row.contender for row in result.rows][:2] == ["dense", "sparse"]


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
    for option in ("--suite", "--quick", "--device", "--dtype", "--threads", "--compile", "--isa",
                   "--repeats", "--targets", "--out"):  # fmt: skip
        entry = re.search(rf"^  {option}\b(.*?)(?=^  --|\Z)", printed, re.MULTILINE | re.DOTALL)
        assert entry, option
        explained = re.sub(r"\{.*?\}|\(default.*?\)|[A-Z]{1,4}\b|\[.*?\]", "", entry[1])
        assert len(explained.split()) >= 3, f"{option} is not explained"


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
        if suite.case_type is Case and suite.name not in PYRAMIDS:
            assert {case.nodes for case in full} >= {64, 196, 784, 3136, 12544}
    for mode in ("forward", "training"):
        assert Case(mode, 8, 196, 192, 12) in SUITES["max_relative"].cases(True)
        assert Case(mode, 8, 196, 192, 9, detail="ViG-Ti") in SUITES["vig"].cases(True)


def test_larger_graphs_are_left_out_when_asked_for() -> None:
    options = replace(OPTIONS, quick=False, max_nodes=784)
    assert max(case.nodes for case in SUITES["vig"].plan(options)) == 784
    assert SUITES["stgcn"].plan(options) == SUITES["stgcn"].cases(False)  # those are joints


def test_targets_are_printed_when_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    functions = {name: lambda: torch.ones(4) for name in ("dense", "dense-best", "sparse")}
    suite = replace(toy(functions), name="ragged", cases=lambda quick: [Case("", 16, 8, 4, 2)])
    monkeypatch.setitem(SUITES, "ragged", suite)
    for extra in ([], ["--targets"]):
        assert main(["--suite", "ragged", "--quick", "--out", str(tmp_path), *extra]) == 0
        printed = capsys.readouterr().out + (tmp_path / "results.md").read_text()
        assert ("wanted" in printed) == bool(extra)


def test_another_process_is_noticed(capsys: pytest.CaptureFixture[str]) -> None:
    work = OtherWork()
    code = "import time\nend = time.monotonic() + 1.5\nwhile time.monotonic() < end: pass"
    process = subprocess.Popen([sys.executable, "-c", code])
    end = time.monotonic() + 1.0
    while time.monotonic() < end:
        pass
    found = work.busy_cores()  # not yet waited for, it counts as somebody else's
    process.wait()
    assert found is not None
    assert found > 0.2
    result = run([toy({"dense": lambda: torch.ones(4)})], OPTIONS, Terminal())
    assert result.busy is not None
    result.environment["other_busy_cores"] = 0.8
    Terminal().finish(result, [])
    assert "WARNING: other processes kept 0.8 cores busy" in capsys.readouterr().out


def test_floor_of_a_model() -> None:
    weight = torch.ones(3, 5, requires_grad=True)
    x = torch.ones(7, 5)
    assert operations(lambda: x @ weight.t()) == 2 * 7 * 5 * 3
    # No gradient of the input, which needs none.
    assert operations(lambda: (x @ weight.t()).sum().backward()) == 2 * 2 * 7 * 5 * 3
    maps = torch.randn(2, 8, 6, 6, requires_grad=True)
    for groups in (1, 4, 8):
        conv = torch.nn.Conv2d(8, 16, 3, padding=1, groups=groups)
        once = 2 * (2 * 16 * 36) * (8 // groups * 9)
        assert operations(lambda c=conv: c(maps)) == once
        assert operations(lambda c=conv: c(maps).sum().backward()) == 3 * once
        assert operations(lambda c=conv: c(maps.detach()).sum().backward()) == 2 * once
    rate = product_rate(OPTIONS)
    wide, kernel = torch.ones(1568, 192), torch.ones(768, 192)
    torch.nn.functional.linear(wide, kernel)
    start = time.perf_counter()
    for _ in range(10):
        torch.nn.functional.linear(wide, kernel)
    mine = 10 * 2 * 1568 * 192 * 768 / (time.perf_counter() - start)
    assert 0.2 * mine < rate < 100 * mine

    suite = replace(toy({"dense": lambda: x @ weight.t()}), has_floor=True)
    result = run_case(suite, CASE, OPTIONS)
    assert result.operations == 2 * 7 * 5 * 3
    assert result.rate is not None
    assert result.floor == result.operations / result.rate
    assert result.over_floor("dense") == pytest.approx(result.rows[0].median / result.floor)
    assert math.isnan(replace(result, operations=None).over_floor("dense"))


def test_a_restart_without_avx512(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[list[str], dict[str, str]]] = []

    def restart(command: list[str], env: dict[str, str], check: bool) -> Any:
        seen.append((command, env))
        return subprocess.CompletedProcess(command, 3)

    monkeypatch.setattr(subprocess, "run", restart)
    for name in AVX2:
        monkeypatch.delenv(name, raising=False)
    assert main(["--isa", "avx2", "--suite", "knn", "--quick", "--threads", "2"]) == 3
    ((command, env),) = seen
    assert AVX2.items() <= env.items()
    assert command[1:5] == ["-m", "pyg_vision.cli", "benchmark", "--suite"]
    assert command[5:] == ["knn", "--device", "cpu", "--dtype", "fp32", "--threads", "2", "--isa",
                           "avx2", "--out", "benchmarks/results", "--quick"]  # fmt: skip


def test_every_library_obeys() -> None:
    code = "from pyg_vision._benchmarks.environment import *; print(instruction_sets())"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        env={**os.environ, **AVX2},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "512" not in done.stdout
    if torch.backends.cpu.get_cpu_capability() in ("AVX2", "AVX512"):
        assert "'torch': 'AVX2', 'oneDNN': 'AVX2'" in done.stdout


def test_targets_are_held_against_the_worst_case() -> None:
    def result(nodes: int, sparse: float) -> CaseResult:
        case = Case("search", 1, nodes, 192, 9)
        rows = [Row("dense-best", samples=[0.010]), Row("sparse", samples=[sparse])]
        return CaseResult(case, rows)

    measured = [result(196, 0.012), result(784, 0.010), result(64, 0.0004)]
    suite = SuiteResult("knn", "", (), measured)
    (found,) = findings(Report({}, OPTIONS.as_dict(), [suite]))
    assert found.value == pytest.approx(1.2)
    assert found.case.nodes == 196
    assert found.num_cases == 2  # below half a millisecond it does not count
    assert not found.reached
    two_threads = {**OPTIONS.as_dict(), "threads": 2}
    assert findings(Report({}, two_threads, [suite])) == []
