"""k nearest neighbours."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import cycle
from typing import Any

import torch
import torch.nn.functional as F
import torch_geometric.typing
from torch import Tensor

import pyg_vision
from pyg_vision._benchmarks.agreement import compare_neighbors
from pyg_vision._benchmarks.baselines.search import best_search, published_search
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
from pyg_vision.nn import DenseDilatedKNNGraph, DilatedKNNGraph
from pyg_vision.ops import NeighborTable, knn, knn_graph

# Relative to the largest squared norm. The published code computes distances in the type it is
# given, ours and dense-best in float32.
INPUTS, SMALL = 16, 784
TOLERANCES = {torch.float32: 1e-5, torch.float16: 1e-2, torch.bfloat16: 6e-2}


def cases(quick: bool) -> list[Case]:
    vig = [Case("search", 8, 196, 192, k, d) for k, d in ((9, 1), (18, 3))]
    if quick:
        sweep = [Case("search", 1, n, 192, 9) for n in (64, 196, 784, 3136)]
        narrow = [Case("search", 1, n, 48, 9) for n in (196, 3136)]
        return [*sweep, *narrow, *vig, Case("graph", 8, 196, 192, 9)]
    nodes = (64, 196, 784, 3136, 12544)
    return [
        *(Case("search", 1, n, c, 9) for c in (192, 96, 48) for n in nodes),
        *(Case("search", 8, 196, c, 9) for c in (48, 96, 320, 640)),
        *vig,
        Case("search", 8, 196, 192, 18),
        Case("search", 8, 784, 192, 9),
        Case("search", 32, 196, 192, 9),
        *(Case("graph", 8, n, 192, 9) for n in (64, 196, 784)),
        Case("graph", 8, 196, 192, 18, 3),
        *(Case("knn_graph", 8, n, 192, 9) for n in (64, 196, 784)),
    ]


def trial(case: Case, options: Options) -> Trial:
    # A processor learns the branches of a sort by heart if the same small input comes again and
    # again.
    count = INPUTS if case.batch * case.nodes <= SMALL else 1
    inputs = []
    for _ in range(count):
        x = torch.randn(case.batch, case.nodes, case.channels, device=options.device)
        if case.mode != "graph":
            x = F.normalize(x, dim=-1)
        inputs.append(x.to(options.dtype))
    x = inputs[0]
    make = {"search": _search, "graph": _graph, "knn_graph": _knn_graph}[case.mode]
    contenders = make(case, options, inputs)

    # Where the rows are to be normalised, it is the normalised ones whose distances count.
    judged = F.normalize(x.float(), dim=-1) if case.mode == "graph" else x

    def compare(name: str, outputs: Outputs, reference: Outputs) -> list[Difference]:
        tolerance = TOLERANCES[options.dtype]
        return compare_neighbors(name, outputs["index"], reference["index"], judged, tolerance)

    return Trial(contenders, compare)


def _search(case: Case, options: Options, inputs: list[Tensor]) -> list[Contender]:
    """The search alone, on rows of unit length."""
    k, d = case.k, case.dilation
    maps = [_as_maps(x) for x in inputs]
    published = options.compiled(partial(published_search, k=k, dilation=d))
    best = options.compiled(partial(best_search, k=k, dilation=d))
    ours = options.compiled(partial(knn, k=k, dilation=d))

    def validated(x: Tensor) -> NeighborTable:
        with pyg_vision.set_validation(True):
            return knn(x, k, dilation=d)

    contenders = [
        _contender(DENSE, published, maps, lambda edges: edges[0], _dense_bytes(case, 3)),
        _contender(BEST, best, inputs, lambda index: index, _dense_bytes(case, 1)),
        _contender(SPARSE, ours, inputs, lambda table: table.index),
    ]
    if not options.compile and case.batch > 1:
        table = _contender("sparse, checked", validated, inputs, lambda table: table.index)
        contenders.append(table)
    return contenders + _extensions(case, inputs, normalize=False)


def _graph(case: Case, options: Options, inputs: list[Tensor]) -> list[Contender]:
    """The modules that build ViG's graph: normalisation, then the search."""
    k, d = case.k, case.dilation
    maps = [_as_maps(x) for x in inputs]
    published = options.compiled(DenseDilatedKNNGraph(k, d))
    ours = options.compiled(DilatedKNNGraph(k, d))
    best = options.compiled(lambda x: best_search(F.normalize(x.float(), dim=-1), k, d))
    return [
        _contender(DENSE, published, maps, lambda edges: edges[0], _dense_bytes(case, 3)),
        _contender(BEST, best, inputs, lambda index: index, _dense_bytes(case, 1)),
        _contender(SPARSE, ours, inputs, lambda table: table.index),
        *_extensions(case, inputs, normalize=True),
    ]


def _knn_graph(case: Case, options: Options, inputs: list[Tensor]) -> list[Contender]:
    """torch_cluster's function and its replacement, on a PyG batch; all return edges."""
    x = inputs[0]
    size, k = x.shape[:2], case.k
    flat, batch = [x.flatten(0, 1) for x in inputs], _batch_vector(case, x)
    offset = torch.arange(size[0], device=x.device).view(-1, 1, 1) * size[1]
    node = torch.arange(size.numel(), device=x.device)

    def edges(index: Tensor) -> Tensor:
        return NeighborTable(index, size[1]).edge_index

    def local(edge_index: Tensor) -> Tensor:
        if edge_index.size(1) != size.numel() * k:
            raise ValueError(f"{edge_index.size(1)} edges instead of {size.numel() * k}")
        if not torch.equal(edge_index[1], node.repeat_interleave(k)):
            raise ValueError("edges are not sorted by their node")
        return edge_index[0].view(*size, k) - offset

    maps = [_as_maps(x) for x in inputs]
    published = options.compiled(lambda maps: edges(published_search(maps, k, 1)[0]))
    best = options.compiled(lambda x: edges(best_search(x, k, 1)))
    arguments: dict[str, Any] = {"batch": batch, "loop": True, "batch_size": size[0]}
    contenders = [
        _contender(DENSE, published, maps, local, _dense_bytes(case, 3)),
        _contender(BEST, best, inputs, local, _dense_bytes(case, 1)),
        _contender(SPARSE, partial(knn_graph, k=k, **arguments), flat, local),
    ]
    if (torch_cluster := extension("torch_cluster")) is not None:
        theirs = partial(torch_cluster.knn_graph, k=k, **arguments)
        floats = [value.float() for value in flat]
        contenders.append(_contender("torch_cluster", theirs, floats, local, visible=False))
    return contenders


def _extensions(case: Case, inputs: list[Tensor], normalize: bool) -> list[Contender]:
    """The compiled searches, which take a PyG batch and return a list of edges."""
    x = inputs[0]
    batch = _batch_vector(case, x)
    num = case.k * case.dilation - case.dilation + 1
    offset = torch.arange(case.batch, device=x.device).view(-1, 1, 1) * case.nodes

    def local(edges: Tensor) -> Tensor:
        index = edges[1].view(case.batch, case.nodes, num)[..., :: case.dilation]
        return index - offset

    def contender(name: str, search: Callable[..., Tensor]) -> Contender:
        def run(x: Tensor) -> Tensor:
            # They know no bfloat16 on a GPU, and would add up distances in half precision.
            rows = x.flatten(0, 1).float()
            rows = F.normalize(rows, dim=-1) if normalize else rows
            return search(rows, rows, num, batch, batch, batch_size=case.batch)

        return _contender(name, run, inputs, local, visible=False)

    contenders = []
    if (torch_cluster := extension("torch_cluster")) is not None:
        contenders.append(contender("torch_cluster", torch_cluster.knn))
    if torch_geometric.typing.WITH_KNN:  # where pyg_lib is installed
        contenders.append(contender("pyg_lib", torch_geometric.nn.knn))
    return contenders


def _contender(
    name: str,
    function: Callable[[Tensor], Any],
    inputs: list[Tensor],
    index: Callable[[Any], Tensor],
    estimate: int = 0,
    visible: bool = True,
) -> Contender:
    """The check is of the first input; what is timed takes them in turn."""
    turn = cycle(inputs)

    def outputs() -> Outputs:
        return {"index": index(function(inputs[0]))}

    return Contender(name, lambda: function(next(turn)), outputs, estimate, visible)


def _as_maps(x: Tensor) -> Tensor:
    return x.transpose(1, 2).unsqueeze(-1).contiguous()


def _batch_vector(case: Case, x: Tensor) -> Tensor:
    return torch.arange(case.batch, device=x.device).repeat_interleave(case.nodes)


def _dense_bytes(case: Case, matrices: int) -> int:
    return matrices * 4 * case.batch * case.nodes**2


SUITE = Suite(
    name="knn",
    title="k nearest neighbours",
    notes=(
        "search: the neighbours of rows of unit length, Gaussian before (k: neighbours, d: "
        "dilation by rank). graph: the modules of ViG, which normalise the rows first. knn_graph: "
        "torch_cluster's function on a PyG batch, returning edges.",
        "Small graphs are timed on 16 inputs in turn.",
        "dense is the published sequence; dense-best is float32 baddbmm and topk. Ours runs with "
        "pyg_vision.set_validation(False), as deployed; 'sparse, checked' has the checks on.",
        "On a CPU torch_cluster and pyg_lib keep copies and trees outside torch's allocator, "
        "which cannot be measured; their memory is left open.",
    ),
    cases=cases,
    trial=trial,
)
