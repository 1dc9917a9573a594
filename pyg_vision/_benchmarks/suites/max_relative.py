"""The aggregation max over neighbours of (x_j - x_i)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from pyg_vision._benchmarks.agreement import compare_tensors, untied
from pyg_vision._benchmarks.baselines.max_relative import (
    best_max_relative,
    published_max_relative,
    to_columns,
)
from pyg_vision._benchmarks.core import (
    BEST,
    DENSE,
    SPARSE,
    Case,
    Contender,
    Difference,
    Options,
    Outputs,
    Suite,
    Trial,
    extension,
)
from pyg_vision.ops import NeighborTable, knn, max_relative

# Every contender rounds one subtraction; sums of gradients are taken in different orders, by the
# dense code in the type given.
OUTPUT = {torch.float32: 1e-6, torch.float16: 1e-3, torch.bfloat16: 8e-3}
GRADIENT = {torch.float32: 1e-5, torch.float16: 2e-2, torch.bfloat16: 1e-1}


def cases(quick: bool) -> list[Case]:
    nodes = (64, 196, 784) if quick else (64, 196, 784, 3136, 12544)
    shapes = [(8, n, 192, 12) for n in nodes]
    if not quick:
        shapes += [(8, 196, c, 12) for c in (48, 96, 320, 640)]
        shapes += [(8, 196, 192, k) for k in (9, 18)]
        shapes += [(1, 196, 192, 12), (32, 196, 192, 12)]
    return [Case(mode, *shape) for mode in ("forward", "training") for shape in shapes]


def trial(case: Case, options: Options) -> Trial:
    size = (case.batch, case.nodes, case.channels)
    x = torch.randn(size, device=options.device).to(options.dtype)
    index = knn(x, case.k).index
    grad = torch.randn(size, device=options.device).to(options.dtype) * untied(x, index)

    offset = torch.arange(case.batch, device=x.device).view(-1, 1, 1) * case.nodes
    source = (index + offset).flatten()
    node = torch.arange(case.batch * case.nodes, device=x.device)
    target = node.repeat_interleave(case.k)
    center = torch.arange(case.nodes, device=x.device).view(1, -1, 1).expand_as(index)
    edge_index = torch.stack((index, center))
    columns = to_columns(index, case.nodes)
    table = NeighborTable(index, case.nodes)

    def contender(
        name: str,
        function: Callable[[Tensor], Tensor],
        to_layout: Callable[[Tensor], Tensor],
        from_layout: Callable[[Tensor], Tensor],
        tensors: float,
    ) -> Contender:
        own = to_layout(x)
        if case.mode == "forward":
            return _forward(name, function, own, from_layout, int(tensors * own.nbytes))
        own_grad = to_layout(grad)
        return _training(name, function, own, own_grad, from_layout, int(tensors * own.nbytes))

    def scattered(scatter_max: Callable[..., tuple[Tensor, Tensor]]) -> Callable[[Tensor], Tensor]:
        def function(x: Tensor) -> Tensor:
            message = x[source] - x[target]
            return scatter_max(message, target, dim=0, dim_size=x.size(0))[0]

        return function

    compiled = options.compiled
    dense = compiled(lambda x: published_max_relative(x, edge_index))
    best = compiled(lambda x: best_max_relative(x, columns))
    ours = compiled(lambda x: max_relative(x, table))
    contenders = [
        contender(DENSE, dense, _to_maps, _from_maps, 3 * case.k),
        contender(BEST, best, torch.clone, torch.clone, 2),
        contender(SPARSE, ours, torch.clone, torch.clone, 2),
    ]
    for name, module in (("torch_scatter", "torch_scatter"), ("pyg_lib", "pyg_lib.ops")):
        scatter_max = getattr(extension(module), "scatter_max", None)
        if scatter_max is not None:
            contenders.append(
                contender(
                    name,
                    scattered(scatter_max),
                    lambda x: x.flatten(0, 1).clone(),
                    lambda x: x.view(size),
                    3 * case.k,
                )
            )

    tolerances = {"output": OUTPUT[options.dtype], "gradient": GRADIENT[options.dtype]}

    def compare(name: str, outputs: Outputs, reference: Outputs) -> list[Difference]:
        return compare_tensors(name, outputs, reference, tolerances)

    return Trial(contenders, compare)


def _forward(
    name: str,
    function: Callable[[Tensor], Tensor],
    x: Tensor,
    from_layout: Callable[[Tensor], Tensor],
    estimate: int,
) -> Contender:
    @torch.no_grad()
    def run() -> Tensor:
        return function(x)

    return Contender(name, run, lambda: {"output": from_layout(run())}, estimate)


def _training(
    name: str,
    function: Callable[[Tensor], Tensor],
    x: Tensor,
    grad: Tensor,
    from_layout: Callable[[Tensor], Tensor],
    estimate: int,
) -> Contender:
    x.requires_grad_()

    def run() -> None:
        torch.autograd.backward(function(x), grad)
        x.grad = None  # at the end: a call starts from nothing and leaves nothing

    def outputs() -> Outputs:
        out = function(x)
        (x_grad,) = torch.autograd.grad(out, x, grad)
        return {"output": from_layout(out.detach()), "gradient": from_layout(x_grad)}

    return Contender(name, run, outputs, estimate)


def _to_maps(x: Tensor) -> Tensor:
    return x.transpose(1, 2).unsqueeze(-1).contiguous()


def _from_maps(x: Tensor) -> Tensor:
    return x.squeeze(-1).transpose(1, 2)


SUITE = Suite(
    name="max_relative",
    title="max-relative aggregation",
    notes=(
        "forward: without gradients. training: forward and backward. The graph is given: k nearest "
        "neighbours of Gaussian features.",
        "dense gathers both ends of every edge, as published; dense-best gathers neighbours alone, "
        "column by column on a CPU. Contenders are given features in their own layout.",
        "Gradients are compared where the maximum is clear of the next value by more than "
        "rounding.",
    ),
    cases=cases,
    trial=trial,
)
