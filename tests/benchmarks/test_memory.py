"""The memory meter against peaks that are known to the byte."""

import subprocess
import sys

import pytest
import torch

from pyg_vision._benchmarks.environment import ROOT
from pyg_vision._benchmarks.memory import (
    OutOfMemoryError,
    guard,
    is_out_of_memory,
    peak_memory,
    peak_of,
)
from pyg_vision._benchmarks.resident import peak_resident

KIB = 1024


def test_running_sum() -> None:
    assert peak_of([]) == 0
    assert peak_of([4, 8, -4, 2, -10]) == 12
    assert peak_of([-4, 2]) == 0


def test_three_buffers_of_which_one_is_freed() -> None:
    def run() -> None:
        first = torch.empty(100 * KIB, dtype=torch.uint8)
        second = torch.empty(200 * KIB, dtype=torch.uint8)
        del first  # 300 KiB at most until here, then 200 + 50
        third = torch.empty(50 * KIB, dtype=torch.uint8)
        del second, third

    assert peak_memory(run, "cpu") == 300 * KIB


def test_a_returned_tensor_counts_and_inputs_do_not() -> None:
    x = torch.ones(64 * KIB, dtype=torch.uint8)
    assert peak_memory(lambda: x.clone(), "cpu") == 64 * KIB
    assert peak_memory(lambda: x.zero_(), "cpu") == 0


def test_saved_tensors_count() -> None:
    x = torch.zeros(256 * KIB, requires_grad=True)
    size = x.nbytes

    def run() -> None:
        y = x.exp().exp()  # each exp keeps its result
        torch.autograd.backward(y, x)  # two gradients, one after the other, beside them
        x.grad = None

    # Both results, and at the end of the backward pass two gradients.
    assert peak_memory(run, "cpu") == 4 * size
    with torch.no_grad():
        assert peak_memory(run_forward := lambda: x.exp().exp(), "cpu") == 2 * size
    assert peak_memory(run_forward, "cpu") == 2 * size


def test_guard_refuses_what_the_machine_has_not() -> None:
    guard(KIB, "cpu")
    guard(2**60, "cuda")  # refuses by itself
    with pytest.raises(OutOfMemoryError, match="GiB"):
        guard(2**60, "cpu")


def test_out_of_memory_is_told_from_other_errors() -> None:
    with pytest.raises(RuntimeError) as error:
        torch.empty(2**60)
    assert is_out_of_memory(error.value)
    assert is_out_of_memory(MemoryError())
    assert is_out_of_memory(torch.OutOfMemoryError("CUDA out of memory"))
    assert not is_out_of_memory(RuntimeError("shapes do not match"))
    assert not is_out_of_memory(ValueError("out of memory"))


def test_resident_memory_is_not_that_of_the_parent() -> None:
    if not sys.platform.startswith("linux"):
        return
    ballast = torch.ones(400 * 2**20, dtype=torch.uint8)
    assert peak_resident() > ballast.nbytes
    # Loaded by its path, the module brings neither torch nor the package with it.
    code = (
        "import pathlib, re, sys\n"
        "source = pathlib.Path('pyg_vision/_benchmarks/resident.py').read_text()\n"
        "function = re.search(r'^def peak_resident.*?(?=^def )', source, re.M | re.S)[0]\n"
        "import resource\n"
        "names = {'Path': pathlib.Path, 'sys': sys, 'resource': resource}\n"
        "exec(function, names)\n"
        "print(names['peak_resident']())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert 2**20 < int(done.stdout) < 100 * 2**20
