"""Runs the GPU kernels in Triton's interpreter and compares them with the CPU operators.

A script of its own, since Triton reads TRITON_INTERPRET when it is imported. Prints one line for
each case; any disagreement raises.
"""

import os

os.environ["TRITON_INTERPRET"] = "1"

import torch

from pyg_vision.ops import _neighbor_max as cpu
from pyg_vision.ops import _neighbor_max_triton as gpu


def make_graph(kind: str) -> tuple[torch.Tensor, torch.Tensor | None]:
    if kind == "table":
        return torch.randint(0, 13, (11, 4)), None
    if kind == "wide table":  # positions beyond what a byte holds
        return torch.randint(0, 13, (3, 300)), None
    degree = torch.tensor([3, 0, 1, 7, 0, 2])
    index = torch.randint(0, 13, (int(degree.sum()),))
    return index, torch.cat([torch.zeros(1, dtype=torch.long), degree.cumsum(0)])


def check(kind: str, dtype: torch.dtype, ties: bool, deterministic: bool) -> None:
    torch.use_deterministic_algorithms(deterministic)
    index, rowptr = make_graph(kind)
    x = torch.randn(13, 10, dtype=torch.double)
    x = (x.round() if ties else x).to(dtype)
    expected = cpu._max_cpu(x, index, rowptr)
    out, arg = gpu.forward(x, index, rowptr, True)
    torch.testing.assert_close(out, expected, rtol=0, atol=0)
    assert gpu.forward(x, index, rowptr, False)[1].numel() == 0

    grad = torch.randn(out.shape, dtype=torch.double).to(dtype)
    none = torch.empty(0, dtype=torch.uint8)
    expected = cpu.neighbor_max_backward(grad, x, out, none, index, rowptr)
    actual = gpu.backward(grad, arg, index, rowptr, x.size(0))
    tolerance = {torch.double: 1e-12, torch.float: 1e-5}.get(dtype, 5e-2)
    torch.testing.assert_close(actual, expected, rtol=tolerance, atol=tolerance)
    assert actual.abs().sum() > 0
    print("agrees:", kind, dtype, "ties" if ties else "no ties", f"{deterministic=}")


if __name__ == "__main__":
    torch.manual_seed(0)
    for kind in ("table", "wide table", "ragged"):
        for dtype in (torch.double, torch.float, torch.float16)[: 1 if "wide" in kind else 3]:
            for ties in (False, True):
                for deterministic in (False, True):
                    check(kind, dtype, ties, deterministic)
