r"""The maximum over neighbours, without a tensor of edges: forward and backward.

Two regular forms share every operator: a table :math:`(N, k)` with :obj:`rowptr=None`, and a CSR
graph, :obj:`index` :math:`(E)` with :obj:`rowptr` :math:`(N + 1)`.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Iterator
from typing import Any, Optional

import torch
from torch import Tensor

# Elements of a temporary of the backward pass: few enough to stay in cache.
BLOCK_ELEMENTS = 2**19


@torch.library.custom_op("pyg_vision::neighbor_max", mutates_args=())
def neighbor_max(
    x: Tensor, index: Tensor, rowptr: Optional[Tensor], with_arg: bool
) -> tuple[Tensor, Tensor]:
    r"""Returns :math:`\max_j \mathbf{x}_j` for each row, 0 for a row without neighbours.

    The second result is the position of the maximum in its row where the device yields it at no
    cost (a GPU, asked for by :obj:`with_arg`), and is empty elsewhere: on a CPU the backward pass
    recomputes it more cheaply than the forward pass would record it.
    """
    return maximum(x, index, rowptr, with_arg)


@neighbor_max.register_fake
def _(x: Tensor, index: Tensor, rowptr: Optional[Tensor], with_arg: bool) -> tuple[Tensor, Tensor]:
    out = x.new_empty(_num_rows(index, rowptr), x.size(1))
    if x.device.type == "cuda" and with_arg:
        return out, torch.empty_like(out, dtype=arg_dtype(index, rowptr))
    return out, _no_arg(x)


@torch.library.custom_op("pyg_vision::neighbor_max_backward", mutates_args=())
def neighbor_max_backward(
    grad: Tensor, x: Tensor, out: Tensor, arg: Tensor, index: Tensor, rowptr: Optional[Tensor]
) -> Tensor:
    r"""Sends the gradient of each maximum to the row of :obj:`x` that gave it.

    That is the first in its row among equal ones. Only finite gradients are routed: an infinite
    one makes those of all neighbours NaN.
    """
    return scatter(grad, x, out, arg, index, rowptr)


@neighbor_max_backward.register_fake
def _(
    grad: Tensor, x: Tensor, out: Tensor, arg: Tensor, index: Tensor, rowptr: Optional[Tensor]
) -> Tensor:
    return x.new_empty(x.shape)


@torch.library.custom_op("pyg_vision::neighbor_max_gather", mutates_args=())
def neighbor_max_gather(
    value: Tensor, x: Tensor, out: Tensor, index: Tensor, rowptr: Optional[Tensor]
) -> Tensor:
    r"""Gathers from :obj:`value` the rows that gave each maximum: the transposed backward."""
    return gather(value, x, out, index, rowptr)


@neighbor_max_gather.register_fake
def _(value: Tensor, x: Tensor, out: Tensor, index: Tensor, rowptr: Optional[Tensor]) -> Tensor:
    return out.new_empty(out.shape)


def _setup(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
    x, index, rowptr, _ = inputs
    ctx.save_for_backward(x, output[0], output[1], index, rowptr)
    ctx.mark_non_differentiable(output[1])
    ctx.set_materialize_grads(False)


def _backward(
    ctx: Any, grad: Tensor | None, _: Tensor | None
) -> tuple[Tensor | None, None, None, None]:
    if grad is None:
        return None, None, None, None
    x, out, arg, index, rowptr = ctx.saved_tensors
    return neighbor_max_backward(grad, x, out, arg, index, rowptr), None, None, None


def _setup_second(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    ctx.save_for_backward(*inputs[1:3], *inputs[4:])


def _backward_second(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None, None, None, None]:
    x, out, index, rowptr = ctx.saved_tensors
    return neighbor_max_gather(grad, x, out, index, rowptr), None, None, None, None, None


neighbor_max.register_autograd(_backward, setup_context=_setup)
neighbor_max_backward.register_autograd(_backward_second, setup_context=_setup_second)


def maximum(
    x: Tensor, index: Tensor, rowptr: Optional[Tensor], with_arg: bool
) -> tuple[Tensor, Tensor]:
    r"""Computes :func:`neighbor_max`."""
    if x.device.type == "cuda":
        from pyg_vision.ops import _neighbor_max_triton as gpu

        return gpu.forward(x, index, rowptr, arg_dtype(index, rowptr) if with_arg else None)
    return _max_cpu(x, index, rowptr), _no_arg(x)


def scatter(
    grad: Tensor, x: Tensor, out: Tensor, arg: Tensor, index: Tensor, rowptr: Optional[Tensor]
) -> Tensor:
    r"""Computes :func:`neighbor_max_backward`."""
    if arg.numel() > 0:
        from pyg_vision.ops import _neighbor_max_triton as gpu

        return gpu.backward(grad, arg, index, rowptr, x.size(0))
    dtype = torch.promote_types(x.dtype, torch.float32)  # sums of many gradients
    total = x.new_zeros(x.shape, dtype=dtype)
    for _, column, taken in _matches(x.to(dtype), out.to(dtype), grad.to(dtype), index, rowptr):
        total.index_add_(0, column, taken)
    return total.to(x.dtype)


def gather(
    value: Tensor, x: Tensor, out: Tensor, index: Tensor, rowptr: Optional[Tensor]
) -> Tensor:
    r"""Computes :func:`neighbor_max_gather`."""
    result = out.new_zeros(out.shape)
    for rows, column, taken in _matches(x, out, torch.ones_like(out), index, rowptr):
        result[rows] += taken * value.index_select(0, column)
    return result


def arg_dtype(index: Tensor, rowptr: Optional[Tensor]) -> torch.dtype:
    r"""The smallest type that holds a position in a row."""
    return torch.uint8 if rowptr is None and index.size(1) <= 256 else torch.int32


def _no_arg(x: Tensor) -> Tensor:
    return torch.empty(0, dtype=torch.uint8, device=x.device)


def _num_rows(index: Tensor, rowptr: Optional[Tensor]) -> int:
    return index.size(0) if rowptr is None else rowptr.size(0) - 1


def _max_cpu(x: Tensor, index: Tensor, rowptr: Optional[Tensor]) -> Tensor:
    if rowptr is None:
        rowptr = torch.arange(0, index.numel() + 1, index.size(1), device=index.device)
    if index.numel() == 0:
        return x.new_zeros(rowptr.size(0) - 1, x.size(1))
    _accept_csr()
    # torch.sparse.mm does not check the indices; the caller has, or has clamped them.
    ones = torch.ones(1, dtype=x.dtype, device=x.device).expand(index.numel()).contiguous()
    graph = torch.sparse_csr_tensor(
        rowptr,
        index.reshape(-1),
        ones,
        (rowptr.size(0) - 1, x.size(0)),
        check_invariants=False,
    )
    return torch.sparse.mm(graph, x.contiguous(), reduce="amax")


@functools.cache
def _accept_csr() -> None:
    r"""Takes torch's one warning that CSR tensors are in beta, which would puzzle a user."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Sparse CSR tensor support is in beta", UserWarning)
        zero = torch.zeros(2, dtype=torch.long, device="cpu")
        torch.sparse_csr_tensor(zero, zero[:0], zero[:0], (1, 1), check_invariants=False)


def _matches(
    x: Tensor, out: Tensor, weight: Tensor, index: Tensor, rowptr: Optional[Tensor]
) -> Iterator[tuple[Any, Tensor, Tensor]]:
    r"""Yields rows, one neighbour of each, and the weight where it is the first maximum.

    What a neighbour has taken is no longer left for the next. All of it is floating-point
    arithmetic in place, which is vectorised where comparing into a boolean tensor is not.
    """
    if rowptr is None:
        columns = index.t().contiguous()
        size = max(1, BLOCK_ELEMENTS // max(1, out.size(1)))
        for start in range(0, out.size(0), size):
            rows = slice(start, start + size)
            left = weight[rows].clone(memory_format=torch.contiguous_format)
            taken, best = torch.empty_like(left), out[rows]
            for column in columns[:, rows]:
                torch.index_select(x, 0, column, out=taken)
                left.sub_(taken.eq_(best).mul_(left))
                yield rows, column, taken
        return
    for nodes, table in _buckets(index, rowptr):
        for part, column, taken in _matches(x, out[nodes], weight[nodes], table, None):
            yield nodes[part], column, taken


def _buckets(index: Tensor, rowptr: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    r"""Yields rows of similar degree as tables, at most twice as wide as their rows are long."""
    degree = rowptr.diff()
    longest = int(degree.max()) if degree.numel() > 0 else 0
    low = 0
    while low < longest:
        high = max(1, 2 * low)
        rows = ((degree > low) & (degree <= high)).nonzero().view(-1)
        low = high
        if rows.numel() > 0:
            # Repeating the last neighbour of a shorter row does not change which one is first.
            column = torch.arange(min(high, longest), device=index.device)
            step = torch.minimum(column, degree[rows].view(-1, 1) - 1)
            yield rows, index[rowptr[rows].view(-1, 1) + step]
