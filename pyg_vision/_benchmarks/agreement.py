"""Whether contenders compute the same, checked before any of them is timed."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from pyg_vision._benchmarks.core import Difference, Outputs

# Elements of a temporary when distances are recomputed.
BLOCK_ELEMENTS = 2**24


def relative_difference(value: Tensor, reference: Tensor) -> float:
    """max|a - b| / max|b|; infinite where shapes differ or a value is not finite."""
    if value.shape != reference.shape:
        return math.inf
    if value.numel() == 0:
        return 0.0
    # Not all in float64: the largest cases would need twice the memory of what they check.
    scale = float(reference.abs().max())
    gap = float((value.double() - reference.double()).abs().max())
    if not math.isfinite(scale) or not math.isfinite(gap):
        return math.inf
    return gap / scale if scale > 0.0 else (0.0 if gap == 0.0 else math.inf)


def compare_tensors(
    contender: str, outputs: Outputs, reference: Outputs, tolerances: Mapping[str, float]
) -> list[Difference]:
    """Compares outputs by name, each with its own tolerance."""
    return [
        Difference(contender, what, relative_difference(outputs[what], expected), tolerances[what])
        for what, expected in reference.items()
    ]


def compare_neighbors(
    contender: str, index: Tensor, reference: Tensor, x: Tensor, tolerance: float
) -> list[Difference]:
    """Compares neighbours ``[B, N, k]`` of the rows of ``x``, each set sorted by distance.

    Distances must agree at every rank, so indices may differ only where distances do not, up to
    the tolerance relative to the largest squared norm. No neighbour may appear twice.
    """
    what = "neighbour distances"
    if index.shape != reference.shape:
        return [Difference(contender, what, math.inf, tolerance)]
    if int(index.min()) < 0 or int(index.max()) >= x.size(1):
        return [Difference(contender, "index out of range", math.inf, 0.0)]
    scale = float(x.double().square().sum(-1).max())
    gap = 0.0
    step = max(1, BLOCK_ELEMENTS // (index.size(2) * x.size(2)))
    for item in range(x.size(0)):
        for start in range(0, x.size(1), step):
            rows = slice(start, start + step)
            mine = _distances(x[item], rows, index[item, rows])
            theirs = _distances(x[item], rows, reference[item, rows])
            gap = max(gap, float((mine - theirs).abs().max()))
    ordered = index.sort(dim=-1).values
    repeated = int((ordered[..., 1:] == ordered[..., :-1]).sum())
    differing = float((ordered != reference.sort(dim=-1).values).double().mean())
    return [
        Difference(contender, what, gap / scale if scale > 0.0 else gap, tolerance),
        Difference(contender, "repeated neighbours", float(repeated), 0.5),
        # Said for information: where distances agree, which of equals is taken is free.
        Difference(contender, "share of differing indices", differing, 1.0),
    ]


def _distances(x: Tensor, rows: slice, index: Tensor) -> Tensor:
    difference = x[index].double() - x[rows].double().unsqueeze(1)
    return difference.square().sum(-1).sort(dim=-1).values


def untied(x: Tensor, index: Tensor) -> Tensor:
    """Marks the maxima over neighbours ``[B, N, C]`` that are clear of the next value.

    Where the two largest neighbours of a node are equal up to rounding, contenders may rightly
    send the gradient to either; a gradient that is zero there can be compared everywhere else.
    """
    offset = torch.arange(x.size(0), device=x.device).view(-1, 1, 1) * x.size(1)
    columns = (index + offset).flatten(0, 1).t().contiguous()
    rows = x.flatten(0, 1)
    first = rows[columns[0]]
    second = torch.full_like(first, -math.inf)
    for column in columns[1:]:
        value = rows[column]
        second = torch.maximum(second, torch.minimum(first, value))
        first = torch.maximum(first, value)
    # The difference to the node, of up to twice the largest value, is rounded once more.
    gap = 4 * torch.finfo(x.dtype).eps * float(x.abs().max())
    return (first - second > gap).view_as(x)
