"""Whole models."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pyg_vision._benchmarks.baselines.vig import BestViG
from pyg_vision._benchmarks.core import BEST, DENSE, SPARSE, Case, Suite, extension
from pyg_vision._benchmarks.suites import _modules
from pyg_vision._benchmarks.suites._images import ImageModels
from pyg_vision.nn import DenseViG, ViG

PATCH = 16
DEPTHS = {"ViG-Ti": 12, "ViG-S": 16}
MODELS: dict[str, Callable[..., ViG]] = {
    DENSE: DenseViG,
    BEST: BestViG,
    SPARSE: ViG,
    "torch_cluster": lambda **kwargs: ViG(**kwargs, knn_backend="torch_cluster"),
}


def cases(quick: bool) -> list[Case]:
    modes = ("forward", "training")
    if quick:
        return [Case(mode, 8, 196, 192, 9, detail="ViG-Ti") for mode in modes]
    shapes = [(8, 196, 192, "ViG-Ti"), (4, 196, 320, "ViG-S")]
    found = [Case(mode, b, n, c, 9, detail=name) for mode in modes for b, n, c, name in shapes]
    # To train, the norm in the head needs two pictures. One step of the largest takes minutes.
    sweeps = {"forward": (1, (64, 196, 784, 3136, 12544)), "training": (2, (64, 196, 784, 3136))}
    return found + [
        Case(mode, batch, n, 192, 9, detail="ViG-Ti")
        for mode, (batch, nodes) in sweeps.items()
        for n in nodes
    ]


def _names() -> list[str]:
    names = [DENSE, BEST, SPARSE]
    if extension("torch_cluster") is not None:
        names.append("torch_cluster")
    return names


def _build(case: Case, name: str) -> ViG:
    kwargs: dict[str, Any] = {
        "channels": case.channels,
        "depth": DEPTHS[case.detail],
        "k": case.k,
        "image_size": _side(case),
    }
    return MODELS[name](**kwargs)


def _side(case: Case) -> int:
    return round(case.nodes**0.5) * PATCH


def _estimate(case: Case, name: str) -> int:
    """The distance matrices, or in training what at least must be kept for the backward pass."""
    matrices = {DENSE: 3, BEST: 1}.get(name, 0) * 4 * case.batch * case.nodes**2
    features = 4 * case.batch * case.nodes * case.channels
    kept = DEPTHS[case.detail] * 20 * features if case.mode == "training" else 0
    return matrices + kept


CONTENDERS = ImageModels(_build, _names, lambda case: (_side(case), _side(case)), _estimate)

SUITE = Suite(
    name="vig",
    title="Vision GNN",
    notes=(
        "forward: evaluation mode without gradients. training: zero_grad, forward, cross-entropy, "
        "backward. k rises from the value given to twice that, dilation from 1 to 3 or 4.",
        f"{_modules.AGREEMENT_NOTE} {_modules.FUSED_NOTE}",
        "Resident memory is that of a process which runs the contender once and nothing else, "
        "torch and the model included.",
    ),
    cases=cases,
    trial=CONTENDERS.trial,
    alone=CONTENDERS.alone,
    has_floor=True,
)
