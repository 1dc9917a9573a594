"""Benchmarks of tests measure nothing that counts: they need not take long."""

import pytest

from pyg_vision._benchmarks import floor, timing


@pytest.fixture(autouse=True)
def short_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timing, "WARM_UP_SECONDS", 1e-3)
    monkeypatch.setattr(floor, "SECONDS", 1e-3)
