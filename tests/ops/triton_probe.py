"""Runs the GPU kernels in Triton's interpreter and compares them with the CPU operators.

A script of its own, since Triton reads TRITON_INTERPRET when it is imported. Prints one line for
each case; any disagreement raises. Every third case, or with --all each of them.
"""

import os

os.environ["TRITON_INTERPRET"] = "1"

import itertools
import sys

import torch

from pyg_vision.ops import _neighbor_max as cpu
from pyg_vision.ops import _neighbor_max_triton as gpu
from pyg_vision.ops._neighbor_max import arg_dtype


def make_graph(kind: str) -> tuple[torch.Tensor, torch.Tensor | None]:
    if kind == "table":
        return torch.randint(0, 13, (11, 4)), None
    if kind == "wide table":  # positions beyond what a byte holds
        index = torch.arange(299).repeat(3, 1)
        return torch.cat([index, torch.full((3, 1), 299)], dim=1), None
    degree = torch.tensor([3, 0, 1, 7, 0, 2])
    index = torch.randint(0, 13, (int(degree.sum()),))
    return index, torch.cat([torch.zeros(1, dtype=torch.long), degree.cumsum(0)])


def check(kind: str, dtype: torch.dtype, ties: bool, deterministic: bool) -> None:
    torch.use_deterministic_algorithms(deterministic)
    index, rowptr = make_graph(kind)
    x = torch.randn(300 if "wide" in kind else 13, 10, dtype=torch.double)
    x = (x.round() if ties else x).to(dtype)
    if "wide" in kind:
        x[299] = 9.0
    expected = cpu._max_cpu(x, index, rowptr)
    out, arg = gpu.forward(x, index, rowptr, arg_dtype(index, rowptr))
    torch.testing.assert_close(out, expected, rtol=0, atol=0)
    assert gpu.forward(x, index, rowptr, None)[1].numel() == 0

    grad = torch.randn(out.shape, dtype=torch.double).to(dtype)
    none = torch.empty(0, dtype=torch.uint8)
    expected = cpu.neighbor_max_backward(grad, x, out, none, index, rowptr)
    launched.clear()
    actual = gpu.backward(grad, arg, index, rowptr, x.size(0))
    assert launched == ["deterministic"] * deterministic
    tolerance = {torch.double: 1e-12, torch.float: 1e-5}.get(dtype, 5e-2)
    torch.testing.assert_close(actual, expected, rtol=tolerance, atol=tolerance)
    assert actual.abs().sum() > 0
    print("agrees:", kind, dtype, "ties" if ties else "no ties", f"{deterministic=}")


def check_bounds() -> None:
    """Indices out of range are confined and NaN wins, as on a CPU."""
    x = torch.randn(5, 4)
    x[2, 1] = float("nan")
    bad = torch.tensor([[-3, 1, 2], [4, 10**9, 0]])
    out, arg = gpu.forward(x, bad, None, arg_dtype(bad, None))
    expected = x[bad.clamp(0, 4)].amax(1)
    torch.testing.assert_close(out, expected, rtol=0, atol=0, equal_nan=True)
    for deterministic in (False, True):
        torch.use_deterministic_algorithms(deterministic)
        grad = gpu.backward(torch.ones_like(out), arg, bad, None, 5)
        assert grad.sum() == out.numel()
        assert grad[2, 1] == 1
    print("stays in range")


if __name__ == "__main__":
    torch.manual_seed(0)
    launched: list[str] = []
    launch = gpu._launch_deterministic
    gpu._launch_deterministic = lambda *a: (launched.append("deterministic"), launch(*a))
    check_bounds()
    kinds = ("table", "wide table", "ragged")
    dtypes = (torch.double, torch.float, torch.float16, torch.bfloat16)
    cases = [
        case
        for case in itertools.product(kinds, dtypes, (False, True), (False, True))
        if case[0] != "wide table" or case[1] == torch.double
    ]
    for case in cases if "--all" in sys.argv else cases[::3]:
        check(*case)
