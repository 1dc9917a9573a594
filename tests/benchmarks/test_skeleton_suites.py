"""The suites of skeletons: small cases of each, run as the runner does."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest
import torch
from torch import Tensor

from pyg_vision._benchmarks.cli import main
from pyg_vision._benchmarks.core import Options, SkeletonCase, Suite
from pyg_vision._benchmarks.results import CaseResult, Report, Row, SuiteResult
from pyg_vision._benchmarks.runner import run_case
from pyg_vision._benchmarks.suites import SUITES, ragged, skeleton_families
from pyg_vision._benchmarks.targets import findings
from pyg_vision.nn import STGCN

OPTIONS = Options(suites=("toy",), out=Path("unused"), quick=True, repeats=2)
SMALL = {
    "spatial_conv": [
        SkeletonCase(mode, 2, 5 * 18, 4, 3, frames=5) for mode in ("forward", "training")
    ],
    "stgcn": [
        SkeletonCase(mode, 2, 9 * 18 * 2, 0, 3, frames=9, persons=2)
        for mode in ("forward", "training")
    ],
}

NAMES = [
    pytest.param(name, marks=() if name == "ST-GCN++" else pytest.mark.slow)
    for name in skeleton_families.FAMILIES
]


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.parametrize("name", SMALL)
def test_contenders_agree(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "pyg_vision._benchmarks.resident.measure",
        lambda suite, case, names, options: dict.fromkeys(names, 7),
    )
    for case in SMALL[name]:
        result = run_case(SUITES[name], case, OPTIONS)
        assert {row.contender: row.status for row in result.rows} == {
            "dense": "ok",
            "dense-best": "ok",
            "sparse": "ok",
            **({"sparse, fused": "ok"} if (name, case.mode) == ("stgcn", "forward") else {}),
        }
        compared = {difference.what for difference in result.differences}
        assert compared == {"output", "output as timed"} | (
            {"gradients"} if case.mode == "training" else set()
        )
        assert all(difference.agrees for difference in result.differences)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("mode", ["forward", "training"])
def test_families_agree_with_their_twins(
    name: str, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "pyg_vision._benchmarks.resident.measure",
        lambda suite, case, names, options: dict.fromkeys(names, 7),
    )
    case = SkeletonCase(mode, 2, 4 * 25 * 2, 0, 3, detail=name, frames=4, persons=2)
    result = run_case(SUITES["skeleton_families"], case, OPTIONS)
    assert {row.status for row in result.rows} == {"ok"}
    assert len(result.rows) == (3 if mode == "forward" else 2)
    assert all(difference.agrees for difference in result.differences)


@pytest.mark.parametrize("name", NAMES)
def test_packed_families_equal_each_sequence_alone(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ragged, "WINDOW", (24, 2))
    monkeypatch.setattr(ragged, "LENGTHS", (5, 9, 20, 24))
    case = SkeletonCase("training", 4, 24 * 20 * 2, 0, 3, detail=name, frames=24, persons=2)
    result = run_case(SUITES["ragged_families"], case, OPTIONS)
    assert {row.contender: row.status for row in result.rows} == {"dense": "ok", "sparse": "ok"}
    assert {d.what for d in result.differences} == {"packed", "packed, as timed"}


def test_another_graph_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    features = STGCN.node_features

    def off(model: STGCN, x: Tensor, *rest: object) -> object:
        return features(model, x * 1.001, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(STGCN, "node_features", off)
    result = run_case(SUITES["stgcn"], SMALL["stgcn"][0], OPTIONS)
    assert result.failed
    assert {row.status for row in result.rows} == {"ok", "disagreement"}


def test_packed_and_padded_are_held_against_what_each_must_equal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ragged, "WINDOW", (24, 2))
    monkeypatch.setattr(ragged, "CHECKED_WINDOW", (34, 2))
    monkeypatch.setattr(ragged, "LENGTHS", (5, 9, 20, 24))
    case = SkeletonCase("forward", 4, 24 * 20 * 2, 0, 3, frames=24, persons=2)
    result = run_case(SUITES["ragged"], case, OPTIONS)
    assert {row.contender: row.status for row in result.rows} == {
        "dense": "ok",
        "sparse-padded": "ok",
        "sparse": "ok",
    }
    compared = {(d.contender, d.what) for d in result.differences}
    assert compared == {
        ("sparse-padded", "padded"),
        ("sparse-padded", "padded, as timed"),
        ("sparse", "packed"),
        ("sparse", "packed, as timed"),
    }


def test_lengths_are_those_of_the_recordings(shared: Path) -> None:
    frames = []
    for path in (shared / "data" / "nw_ucla").glob("*.json"):
        frames.append(len(json.loads(path.read_text())["skeletons"]))
    frames.sort()
    assert list(ragged.LENGTHS) == [frames[int((i + 0.5) / 64 * len(frames))] for i in range(64)]
    assert ragged.lengths_of(64) == list(ragged.LENGTHS)
    assert ragged.lengths_of(2) == [ragged.LENGTHS[16], ragged.LENGTHS[48]]


def test_quick_is_a_subset_with_the_headline_cases() -> None:
    for name in ("spatial_conv", "stgcn", "ragged"):
        quick, full = SUITES[name].cases(True), SUITES[name].cases(False)
        assert set(quick) <= set(full)
        assert len(set(full)) == len(full)
        # A case survives the way to a process of its own.
        assert {SUITES[name].case_type(**asdict(case)) for case in full} == set(full)
    headline = SkeletonCase("forward", 2, 150 * 18 * 2, 0, 3, frames=150, persons=2)
    assert headline in SUITES["stgcn"].cases(True)
    assert headline.label == "B=2 T=150 V=18 M=2"
    assert headline.joints == 18
    assert {case.batch for case in SUITES["ragged"].cases(False)} == {4, 16}


def test_a_report_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    suite = SUITES["spatial_conv"]
    cases = SMALL["spatial_conv"]
    small = Suite(
        suite.name, suite.title, suite.notes, lambda quick: list(cases), suite.trial,
        case_type=SkeletonCase,
    )  # fmt: skip
    monkeypatch.setitem(SUITES, "spatial_conv", small)
    arguments = ["--suite", "spatial_conv", "--quick", "--repeats", "2", "--out", str(tmp_path)]
    assert main(arguments) == 0
    assert "| forward B=2 T=5 V=18 M=1 C=4 | dense |" in (tmp_path / "results.md").read_text()
    assert (tmp_path / "spatial_conv.png").is_file()


@pytest.mark.parametrize(("bound", "reached"), [(0.8, True), (0.9, False)])
def test_targets_of_the_skeletons(bound: float, reached: bool) -> None:
    case = SkeletonCase("forward", 16, 12_000, 0, 3, frames=300, persons=2)
    rows = [Row("dense", samples=[6.8]), Row("sparse", samples=[bound])]
    suite = SuiteResult("ragged", "", (), [CaseResult(case, rows)])
    (found,) = findings(Report({}, OPTIONS.as_dict(), [suite]))
    assert found.reached is reached  # eight times
