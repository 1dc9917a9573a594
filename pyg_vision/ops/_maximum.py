r"""The maximum over neighbours with all its derivatives, and under the transforms of torch."""

from __future__ import annotations

from typing import Any, Optional

import torch
from torch import Tensor
from torch.autograd import Function

from pyg_vision._validation import is_traced
from pyg_vision.ops import _neighbor_max as fast


def neighbor_maximum(x: Tensor, index: Tensor, rowptr: Optional[Tensor]) -> Tensor:
    r"""Returns :math:`\max_j \mathbf{x}_j` for each row, 0 for a row without neighbours.

    Args:
        x (torch.Tensor): The features of the sources :math:`(M, C)`.
        index (torch.Tensor): The neighbours :math:`(N, k)`, or :math:`(E)` with :obj:`rowptr`.
        rowptr (torch.Tensor, optional): The first neighbour of each row and their number.
    """
    if torch.onnx.is_in_onnx_export():
        return maximum_as_graph(x, index, rowptr)
    # A trace serves with gradients and without, however it was made.
    tracing = torch._C._get_tracing_state() is not None
    with_arg = tracing or (torch.is_grad_enabled() and x.requires_grad)
    # Compilers and tracers take operators as they are, but do not know what a Function knows.
    if is_traced(x):
        out: Tensor = fast.neighbor_max(x.contiguous(), index, rowptr, with_arg)[0]
    else:
        out = Maximum.apply(x, index, rowptr, with_arg)[0]
    return out


def maximum_as_graph(x: Tensor, index: Tensor, rowptr: Optional[Tensor]) -> Tensor:
    r"""Computes :func:`neighbor_maximum` in operators that every format of exchange has."""
    if rowptr is None:
        return x[index].amax(dim=1)
    edge = torch.arange(index.size(0), device=index.device)
    row = (torch.searchsorted(rowptr, edge, right=True) - 1).view(-1, 1).expand(-1, x.size(1))
    out = x.new_zeros(rowptr.size(0) - 1, x.size(1))
    return out.scatter_reduce(0, row, x[index], "amax", include_self=False)


class Maximum(Function):
    r"""Returns the maxima and, where the device tells them, their positions."""

    source = 0  # which argument has a row for each source

    @staticmethod
    def forward(
        x: Tensor, index: Tensor, rowptr: Optional[Tensor], with_arg: bool
    ) -> tuple[Tensor, Tensor]:
        return fast.maximum(x.contiguous(), index, rowptr, with_arg)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
        x, index, rowptr, _ = inputs
        ctx.mark_non_differentiable(output[1])
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(x, *output, index, rowptr)
        ctx.save_for_forward(x, *output, index, rowptr)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        grad = None if grads[0] is None else Scatter.apply(grads[0], *ctx.saved_tensors)
        return grad, None, None, None

    @staticmethod
    def jvp(ctx: Any, *tangents: Any) -> Any:
        if tangents[0] is None:
            return None, None
        return Gather.apply(tangents[0], *ctx.saved_tensors), None

    @staticmethod
    def vmap(info: Any, in_dims: Any, *args: Any) -> Any:
        return _mapped(Maximum, info.batch_size, in_dims, args, graph=1)


class _Routed(Function):
    r"""Routes rows along the edges that gave the maxima; linear in the first argument, which is
    the only one with a derivative.
    """

    source = 1

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(*inputs[1:])
        ctx.save_for_forward(*inputs[1:])


class Scatter(_Routed):
    r"""From each maximum to the source that gave it: the backward pass of the maximum."""

    @staticmethod
    def forward(*args: Any) -> Tensor:
        grad, x, out, arg, index, rowptr = args
        return fast.scatter(grad, x, out, arg, index, rowptr)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        grad = None if grads[0] is None else Gather.apply(grads[0], *ctx.saved_tensors)
        return grad, None, None, None, None, None

    @staticmethod
    def jvp(ctx: Any, *tangents: Any) -> Any:
        return None if tangents[0] is None else Scatter.apply(tangents[0], *ctx.saved_tensors)

    @staticmethod
    def vmap(info: Any, in_dims: Any, *args: Any) -> Any:
        return _mapped(Scatter, info.batch_size, in_dims, args, graph=4)


class Gather(_Routed):
    r"""From each source to the maxima that it gave: the forward derivative of the maximum."""

    @staticmethod
    def forward(*args: Any) -> Tensor:
        value, x, out, _, index, rowptr = args
        return fast.gather(value, x, out, index, rowptr)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        grad = None if grads[0] is None else Scatter.apply(grads[0], *ctx.saved_tensors)
        return grad, None, None, None, None, None

    @staticmethod
    def jvp(ctx: Any, *tangents: Any) -> Any:
        return None if tangents[0] is None else Gather.apply(tangents[0], *ctx.saved_tensors)

    @staticmethod
    def vmap(info: Any, in_dims: Any, *args: Any) -> Any:
        return _mapped(Gather, info.batch_size, in_dims, args, graph=4)


def _mapped(function: Any, size: int, in_dims: Any, args: Any, graph: int) -> Any:
    r"""Applies a function to what :func:`torch.vmap` maps over: on one graph, as more channels; on
    a graph each, as one graph of many parts.

    Args:
        function (type): The function.
        size (int): How many there are.
        in_dims (tuple): Where they are in each argument.
        args (tuple): Features, then :obj:`index` and :obj:`rowptr`, then options.
        graph (int): The number of features.
    """
    features = [_leading(v, d, size) for v, d in zip(args[:graph], in_dims[:graph], strict=True)]
    index, rowptr = args[graph : graph + 2]
    shared = in_dims[graph] is None and in_dims[graph + 1] is None
    if shared:
        rows = [v.transpose(0, 1).flatten(1) if v.dim() == 3 else v for v in features]
    else:
        rows = [v.flatten(0, 1) if v.dim() == 3 else v for v in features]
        num_sources = features[function.source].size(1)
        index = _leading(index, in_dims[graph], size)
        number = torch.arange(size, device=index.device)
        if rowptr is not None:
            start = _leading(rowptr, in_dims[graph + 1], size) + number.view(-1, 1) * index.size(1)
            rowptr = torch.cat((start[:, :-1].flatten(), start[-1, -1:]))
        index = index + (number * num_sources).view(-1, *(1,) * (index.dim() - 1))
        index = index.flatten(0, 1)
    out = function.apply(*rows, index, rowptr, *args[graph + 2 :])

    def split(value: Tensor) -> tuple[Tensor, int | None]:
        if value.dim() < 2:  # positions that the device does not tell
            return value, None
        parts = torch.unflatten(value, int(shared), (size, -1))
        return parts, int(shared)

    if isinstance(out, Tensor):
        return split(out)
    return tuple(zip(*map(split, out), strict=True))


def _leading(value: Tensor, dim: int | None, size: int) -> Tensor:
    if dim is not None:
        return value.movedim(dim, 0)
    return value if value.numel() == 0 and value.dim() == 1 else value.expand(size, *value.shape)
