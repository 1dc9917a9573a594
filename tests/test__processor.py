"""The rules by which a backend is chosen: the same in every run, obedient to the user's limits."""

import os
import subprocess
import sys

import numpy as np
import pytest
import torch

from pyg_vision import _processor
from pyg_vision._processor import has_avx512

RULES = ("has_avx512", "convolves_products", "multiplies_shifted", "sorts_vectorised")
PROBE = f"from pyg_vision import _processor as p; print(*(getattr(p, n)() for n in {RULES}))"


def ask(**environment):
    command = [sys.executable, "-W", "ignore", "-c", PROBE]
    run = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return [word == "True" for word in run.stdout.split()]


def test_every_run_chooses_the_same():
    mine = [getattr(_processor, name)() for name in RULES]
    assert ask() == mine


def test_without_avx512():
    found = ask(ATEN_CPU_CAPABILITY="avx2", ONEDNN_MAX_CPU_ISA="AVX2")
    assert found[:3] == [False, False, True]


@pytest.mark.parametrize(
    ("capability", "limit", "expected"),
    [
        ("AVX512", None, True),
        ("AVX512", "ALL", True),
        ("AVX512", "AVX512_CORE", True),
        ("AVX512", "avx2", False),
        ("AVX2", None, False),
        ("DEFAULT", None, False),
    ],
)
def test_both_libraries_must_have_it(capability, limit, expected, monkeypatch):
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: capability)
    monkeypatch.delenv("DNNL_MAX_CPU_ISA", raising=False)
    monkeypatch.delenv("ONEDNN_MAX_CPU_ISA", raising=False)
    if limit is not None:
        monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", limit)
    assert has_avx512.__wrapped__() is expected


@pytest.mark.parametrize(
    ("version", "features", "expected"),
    [
        ("2.3.0", ["X86_V3"], True),
        ("1.26.4", ["AVX2"], False),
        ("1.26.4", ["AVX512_SKX"], True),
        ("2.3.0", [], False),
    ],
)
def test_which_numpy_sorts_fast(version, features, expected, monkeypatch):
    found = {"SIMD Extensions": {"found": features}}
    monkeypatch.setattr(np, "show_config", lambda mode: found)
    monkeypatch.setattr(np, "__version__", version)
    assert _processor.sorts_vectorised.__wrapped__() is (expected and sys.byteorder == "little")
