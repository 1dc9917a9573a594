r"""The maximum over neighbours on a GPU. Imported only when a CUDA tensor is met."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any, Optional

import torch
import triton
import triton.language as tl
from torch import Tensor

# mypy: disable-error-code="untyped-decorator"


@triton.jit
def _forward_kernel(  # type: ignore[no-untyped-def]
    x,
    index,
    rowptr,
    out,
    arg,
    num_sources,
    channels,
    K: tl.constexpr,
    RAGGED: tl.constexpr,
    WITH_ARG: tl.constexpr,
    ACCUMULATE: tl.constexpr,
    BLOCK: tl.constexpr,
):
    row = tl.program_id(0).to(tl.int64)
    channel = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    inside = channel < channels
    if RAGGED:
        start = tl.load(rowptr + row)
        degree = (tl.load(rowptr + row + 1) - start).to(tl.int32)
    else:
        start = row * K
        degree = K
    # Comparing 16-bit floats as 32-bit ones is exact, and every GPU can.
    best = tl.zeros((BLOCK,), dtype=ACCUMULATE)
    first = tl.zeros((BLOCK,), dtype=tl.int32)
    for position in range(degree):
        source = tl.load(index + start + position).to(tl.int64)
        source = tl.minimum(tl.maximum(source, 0), num_sources - 1)
        value = tl.load(x + source * channels + channel, mask=inside, other=0.0).to(ACCUMULATE)
        # Strictly greater: among equal values the first stays. NaN wins, as in torch.
        better = (value > best) | ((value != value) & (best == best)) | (position == 0)
        best = tl.where(better, value, best)
        first = tl.where(better, position, first)
    tl.store(out + row * channels + channel, best.to(out.dtype.element_ty), mask=inside)
    if WITH_ARG:
        tl.store(arg + row * channels + channel, first.to(arg.dtype.element_ty), mask=inside)


@triton.jit
def _backward_kernel(  # type: ignore[no-untyped-def]
    grad,
    arg,
    index,
    rowptr,
    out,
    num_sources,
    channels,
    K: tl.constexpr,
    RAGGED: tl.constexpr,
    BLOCK: tl.constexpr,
):
    row = tl.program_id(0).to(tl.int64)
    channel = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    inside = channel < channels
    start = row * K
    if RAGGED:
        start = tl.load(rowptr + row)
        inside = inside & (tl.load(rowptr + row + 1) > start)
    position = tl.load(arg + row * channels + channel, mask=inside, other=0).to(tl.int64)
    value = tl.load(grad + row * channels + channel, mask=inside, other=0.0)
    source = tl.load(index + start + position, mask=inside, other=0).to(tl.int64)
    source = tl.minimum(tl.maximum(source, 0), num_sources - 1)
    tl.atomic_add(out + source * channels + channel, value.to(out.dtype.element_ty), mask=inside)


@triton.jit
def _backward_deterministic_kernel(  # type: ignore[no-untyped-def]
    grad, arg, edge_row, edge_position, source_ptr, out, channels, BLOCK: tl.constexpr
):
    r"""Each source sums over its own edges in a fixed order, without atomics."""
    source = tl.program_id(0).to(tl.int64)
    channel = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    inside = channel < channels
    total = tl.zeros((BLOCK,), dtype=out.dtype.element_ty)
    start = tl.load(source_ptr + source)
    for edge in range((tl.load(source_ptr + source + 1) - start).to(tl.int32)):
        row = tl.load(edge_row + start + edge).to(tl.int64)
        position = tl.load(edge_position + start + edge).to(tl.int32)
        chosen = tl.load(arg + row * channels + channel, mask=inside, other=0).to(tl.int32)
        value = tl.load(grad + row * channels + channel, mask=inside, other=0.0)
        total += tl.where(chosen == position, value, 0.0).to(out.dtype.element_ty)
    tl.store(out + source * channels + channel, total, mask=inside)


def forward(
    x: Tensor, index: Tensor, rowptr: Optional[Tensor], arg_dtype: Optional[torch.dtype]
) -> tuple[Tensor, Tensor]:
    r"""Returns the maxima and, if a data type is given for them, their positions."""
    x, index = x.contiguous(), index.contiguous()
    num_rows = index.size(0) if rowptr is None else rowptr.size(0) - 1
    out = x.new_empty(num_rows, x.size(1))
    arg_shape = (0,) if arg_dtype is None else out.shape
    arg = torch.empty(arg_shape, dtype=arg_dtype or torch.uint8, device=x.device)
    grid, block = _grid(num_rows, x.size(1))
    if out.numel() == 0:
        return out, arg
    with on_device(x):
        _forward_kernel[grid](
            x, index, index if rowptr is None else rowptr, out, arg, x.size(0), x.size(1),
            K=index.size(1) if rowptr is None else 0, RAGGED=rowptr is not None,
            WITH_ARG=arg_dtype is not None, BLOCK=block,
            ACCUMULATE=tl.float64 if x.dtype == torch.float64 else tl.float32,
        )  # fmt: skip
    return out, arg


def backward(
    grad: Tensor, arg: Tensor, index: Tensor, rowptr: Optional[Tensor], num_sources: int
) -> Tensor:
    r"""Returns the gradient of the sources."""
    grad, index = grad.contiguous(), index.contiguous()
    # Sums in half precision would lose small gradients, and not every GPU has such atomics.
    dtype = torch.promote_types(grad.dtype, torch.float32)
    out = torch.zeros(num_sources, grad.size(1), dtype=dtype, device=grad.device)
    if grad.numel() == 0 or index.numel() == 0:
        return out.to(grad.dtype)
    if torch.are_deterministic_algorithms_enabled():
        _launch_deterministic(grad, arg, index, rowptr, out)
        return out.to(grad.dtype)
    grid, block = _grid(grad.size(0), grad.size(1))
    with on_device(grad):
        _backward_kernel[grid](
            grad, arg, index, index if rowptr is None else rowptr, out, num_sources, grad.size(1),
            K=index.size(1) if rowptr is None else 0, RAGGED=rowptr is not None, BLOCK=block,
        )  # fmt: skip
    return out.to(grad.dtype)


def _launch_deterministic(
    grad: Tensor, arg: Tensor, index: Tensor, rowptr: Optional[Tensor], out: Tensor
) -> None:
    flat = index.reshape(-1).clamp(0, out.size(0) - 1)
    edge = torch.arange(flat.numel(), device=flat.device)
    if rowptr is None:
        row, position = edge // index.size(1), edge % index.size(1)
    else:
        row = torch.searchsorted(rowptr[1:].contiguous(), edge, right=True)
        position = edge - rowptr[row]
    source, order = flat.sort(stable=True)
    node = torch.arange(out.size(0) + 1, device=flat.device, dtype=source.dtype)
    grid, block = _grid(out.size(0), grad.size(1))
    with on_device(grad):
        _backward_deterministic_kernel[grid](
            grad, arg, row[order], position[order], torch.searchsorted(source, node), out,
            grad.size(1), BLOCK=block,
        )  # fmt: skip


def on_device(x: Tensor) -> AbstractContextManager[Any]:
    r"""Triton launches on the current device, which need not be that of the tensor.

    Args:
        x (torch.Tensor): The tensor.
    """
    return torch.cuda.device(x.device) if x.is_cuda else nullcontext()


def _grid(rows: int, channels: int) -> tuple[tuple[int, int], Any]:
    block = min(1024, triton.next_power_of_2(channels))
    return (rows, triton.cdiv(channels, block)), block
