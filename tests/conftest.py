"""What all tests share: seeds, the recorded numbers, and the rule of what may be skipped.

A test may skip only because ``../shared``, a GPU or the compiled extensions are absent. Any other
reason fails the session, and so do these, one by one, where the environment says that the thing is
there: ``PYG_VISION_REQUIRE_SHARED=1`` and ``PYG_VISION_REQUIRE_EXT=1``.
"""

import importlib.util
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from hypothesis import settings
from safetensors import safe_open
from torch import Tensor

ROOT = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("PYG_VISION_SHARED", ROOT.parent / "shared"))
EXTENSIONS = ("torch_cluster", "torch_scatter")

NO_SHARED = "../shared is absent"
NO_GPU = "needs a GPU"
NO_EXT = "needs extensions"

settings.register_profile("ci", derandomize=True, deadline=None, max_examples=25)
settings.register_profile("deep", deadline=None, max_examples=500)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))

forbidden_skips: list[str] = []

Golden = tuple[dict, dict[str, Tensor]]


def required(what: str) -> bool:
    return os.environ.get(f"PYG_VISION_REQUIRE_{what}", "0") not in ("", "0")


def allowed_reasons() -> set[str]:
    reasons = {NO_GPU}
    if not required("SHARED"):
        reasons.add(NO_SHARED)
    if not required("EXT"):
        reasons.add(NO_EXT)
    return reasons


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    has_gpu = torch.cuda.is_available()
    has_ext = all(importlib.util.find_spec(name) for name in EXTENSIONS)
    for item in items:
        if not has_gpu and item.get_closest_marker("cuda"):
            item.add_marker(pytest.mark.skip(reason=NO_GPU))
        if not has_ext and item.get_closest_marker("ext"):
            item.add_marker(pytest.mark.skip(reason=NO_EXT))


def record_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    if not report.skipped or hasattr(report, "wasxfail"):
        return
    reason = str(report.longrepr)
    if isinstance(report.longrepr, tuple):
        reason = report.longrepr[2].removeprefix("Skipped: ")
    if reason not in allowed_reasons():
        forbidden_skips.append(f"{report.nodeid}: {reason}")


pytest_runtest_logreport = record_skip
pytest_collectreport = record_skip


def pytest_sessionfinish(session: pytest.Session) -> None:
    if forbidden_skips and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for skip in forbidden_skips:
        terminalreporter.write_line(f"skipped against the rule of conftest.py: {skip}", red=True)


@pytest.fixture(autouse=True)
def seed() -> None:
    """Every test starts from the same random state, whatever ran before it."""
    torch.manual_seed(0)


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is read from or written to the user's cache folder."""
    monkeypatch.setenv("PYG_VISION_CACHE", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of the project's reference data, beside the repository."""
    if not SHARED.is_dir():
        if required("SHARED"):
            pytest.fail(f"PYG_VISION_REQUIRE_SHARED is set, but {SHARED} is no folder")
        pytest.skip(NO_SHARED)
    return SHARED


@pytest.fixture(scope="session")
def load_golden(request: pytest.FixtureRequest) -> Callable[[str], Golden]:
    """Returns ``load(name)``, which reads a file of recorded numbers: its config and tensors."""

    def load(name: str) -> Golden:
        path = ROOT / "tests" / "golden" / f"{name}.safetensors"
        if not path.is_file():
            path = request.getfixturevalue("shared") / "golden" / f"{name}.safetensors"
        with safe_open(path, framework="pt") as file:
            config = json.loads((file.metadata() or {}).get("config", "{}"))
            return config, {key: file.get_tensor(key) for key in file.keys()}

    return load
