"""The search kernel: in Triton's interpreter here, and on a GPU where there is one."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from pyg_vision.ops import RowBias, knn

pytest.importorskip("triton")


@pytest.mark.parametrize(
    ("options", "cases"), [((), 7), pytest.param(("--all",), 38, marks=pytest.mark.slow)]
)
def test_it_is_right_in_the_interpreter(options, cases):
    probe = Path(__file__).with_name("triton_knn_probe.py")
    command = [sys.executable, "-W", "ignore", str(probe), *options]
    run = subprocess.run(command, capture_output=True, text=True, cwd=probe.parents[2])
    assert run.returncode == 0, run.stderr
    assert run.stdout.count("agrees:") == cases
    assert run.stdout.count("stays in range") == 1
    assert run.stdout.count("leaves the rest") == 1


CASES = {
    "patches": lambda: ((8, 196, 192), 9, {}),
    "dilated": lambda: ((8, 196, 192), 18, {"dilation": 3}),
    "without loops": lambda: ((1, 3136, 48), 9, {"loop": False}),
    "128 neighbours": lambda: ((2, 300, 640), 128, {}),
    "bias": lambda: ((2, 196, 48), 9, {"bias": torch.randn(196, 196)}),
    "rows of a bias": lambda: (
        (2, 196, 48),
        9,
        {"bias": RowBias(torch.randn(49, 196), torch.randint(49, (196, 4)), torch.randn(196, 4))},
    ),
    "mask": lambda: ((2, 196, 48), 9, {"mask": torch.rand(2, 196, 196) < 0.5}),
    "graphs of one size": lambda: ((500, 48), 9, {"batch": torch.arange(500) // 125}),
    "graphs of two sizes": lambda: ((500, 48), 9, {"batch": (torch.arange(500) > 30).long()}),
}


@pytest.mark.cuda
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("name", CASES)
def test_gpu_equals_cpu(name, dtype):
    torch.manual_seed(0)
    shape, k, options = CASES[name]()
    x = torch.randn(shape, dtype=torch.double).to(dtype)
    expected = knn(x, k, **options).index
    moved = {
        name: RowBias(*(part.cuda() for part in value))
        if isinstance(value, RowBias)
        else value.cuda()
        if isinstance(value, torch.Tensor)
        else value
        for name, value in options.items()
    }
    found = knn(x.cuda(), k, **moved).index.cpu()
    assert (found != expected).double().mean() < 1e-3  # where a millionth part lies between


@pytest.mark.cuda
def test_no_matrix_of_distances_and_no_wait():
    x = torch.randn(1, 20_000, 32, device="cuda")
    knn(x[:, :100], 9)
    torch.cuda.synchronize()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    torch.cuda.set_sync_debug_mode("error")
    try:
        knn(x, 9)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert torch.cuda.max_memory_allocated() - before < 20_000 * 20_000
