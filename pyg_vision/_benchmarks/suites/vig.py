"""Whole models."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from pyg_vision._benchmarks.baselines.vig import BestViG
from pyg_vision._benchmarks.core import (
    BEST,
    DENSE,
    FUSED,
    SPARSE,
    Case,
    Options,
    Suite,
    Trial,
    extension,
)
from pyg_vision._benchmarks.suites import _modules
from pyg_vision._benchmarks.suites._modules import Entry, share_state
from pyg_vision.nn import DenseViG, ViG
from pyg_vision.ops import NeighborTable

PATCH = 16
IMAGE_SIZE = 224
CHECKED = 2  # pictures in the check, which runs in float64
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


def trial(case: Case, options: Options) -> Trial:
    x, target = _input(case, options)
    names = [DENSE, BEST, SPARSE]
    if extension("torch_cluster") is not None:
        names.append("torch_cluster")
    models = {name: _build(case, options, name) for name in names}
    ours = models[SPARSE]
    _calibrate(ours, x)
    share_state(ours, *(model for name, model in models.items() if name != SPARSE))

    checked = x[:CHECKED]
    neighbors = _graphs(case, options, ours, checked)

    def backward(out: Tensor) -> None:
        torch.autograd.backward(F.cross_entropy(out, target[: out.size(0)]))

    training = case.mode == "training"
    given = {"neighbors": neighbors}
    entries = {
        name: Entry(model, x, checked, given, torch.clone, backward, _estimate(case, name))
        for name, model in models.items()
    }
    if not training:
        entries[FUSED] = replace(entries[SPARSE], fused=True)
    contenders = [
        _modules.contender(name, entry, training, options) for name, entry in entries.items()
    ]
    return Trial(contenders, _modules.compare(training, options))


def alone(case: Case, options: Options, name: str) -> Callable[[], object]:
    """One model. Its numbers may be anything: they do not change what memory it takes."""
    x, target = _input(case, options)
    entry = Entry(
        _build(case, options, SPARSE if name == FUSED else name),
        x,
        x,
        {},
        torch.clone,
        lambda out: torch.autograd.backward(F.cross_entropy(out, target)),
        fused=name == FUSED,
    )
    return _modules.contender(name, entry, case.mode == "training", options).run


def _input(case: Case, options: Options) -> tuple[Tensor, Tensor]:
    side = _side(case)
    x = torch.randn(case.batch, 3, side, side, device=options.device)
    # Pictures of noise alone look the same to the norm in the head, which then amplifies rounding.
    x += 2.0 * torch.randn(case.batch, 3, 1, 1, device=options.device)
    return x, torch.randint(1000, (case.batch,), device=options.device)


def _build(case: Case, options: Options, name: str) -> ViG:
    kwargs: dict[str, Any] = {
        "channels": case.channels,
        "depth": DEPTHS[case.detail],
        "k": case.k,
        "image_size": _side(case),
    }
    return MODELS[name](**kwargs).to(options.device)


def _side(case: Case) -> int:
    return round(case.nodes**0.5) * PATCH


def _calibrate(model: ViG, x: Tensor) -> None:
    """Sets running statistics to those of the input: with others, activations explode."""
    x = x[..., :IMAGE_SIZE, :IMAGE_SIZE]
    norms = [m for m in model.modules() if isinstance(m, torch.nn.modules.batchnorm._BatchNorm)]
    for norm in norms:
        norm.momentum = 1.0
    with torch.no_grad():
        model.train()(x if x.size(0) > 1 else x.repeat(2, 1, 1, 1))
    for norm in norms:
        norm.momentum = 0.1


def _graphs(case: Case, options: Options, model: ViG, x: Tensor) -> list[NeighborTable]:
    exact = _build(case, options, SPARSE).double()
    share_state(model, exact)
    graphs: list[NeighborTable]
    with torch.no_grad():
        _, graphs = exact.train(case.mode == "training").forward_graphs(x.double())
    return graphs


def _estimate(case: Case, name: str) -> int:
    """The distance matrices, or in training what at least must be kept for the backward pass."""
    matrices = {DENSE: 3, BEST: 1}.get(name, 0) * 4 * case.batch * case.nodes**2
    features = 4 * case.batch * case.nodes * case.channels
    kept = DEPTHS[case.detail] * 20 * features if case.mode == "training" else 0
    return matrices + kept


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
    trial=trial,
    alone=alone,
    has_floor=True,
)
