"""What the suites of image models share: inputs, statistics, contenders."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm

from pyg_vision._benchmarks.core import FUSED, SPARSE, Case, Options, Trial
from pyg_vision._benchmarks.suites import _modules
from pyg_vision._benchmarks.suites._modules import Entry, share_state
from pyg_vision.ops import NeighborTable

IMAGE_SIZE = 224
CHECKED = 2  # pictures in the check, which runs in float64


@dataclass(frozen=True)
class ImageModels:
    """The contenders of a suite.

    Args:
        build: Makes the model of a case by the name of a contender.
        names: The contenders that there are.
        size: Height and width of the images of a case.
        estimate: The bytes that a contender takes at least.
        given_graphs: Whether the contenders of a case are compared over the same graphs.
    """

    build: Callable[[Case, str], Any]
    names: Callable[[], Sequence[str]]
    size: Callable[[Case], tuple[int, int]]
    estimate: Callable[[Case, str], int]
    given_graphs: Callable[[Case], bool] = lambda case: True

    def trial(self, case: Case, options: Options) -> Trial:
        x, target = self._input(case, options)
        models = {name: self.build(case, name).to(options.device) for name in self.names()}
        ours = models[SPARSE]
        _calibrate(ours, x)
        share_state(ours, *(model for name, model in models.items() if name != SPARSE))

        checked = x[:CHECKED]

        def backward(out: Tensor) -> None:
            torch.autograd.backward(F.cross_entropy(out, target[: out.size(0)]))

        training = case.mode == "training"
        given: dict[str, Any] = {}
        if self.given_graphs(case):
            given["neighbors"] = self._graphs(case, options, ours, checked)
        entries = {
            name: Entry(model, x, checked, given, torch.clone, backward, self.estimate(case, name))
            for name, model in models.items()
        }
        if not training:
            entries[FUSED] = replace(entries[SPARSE], fused=True)
        contenders = [
            _modules.contender(name, entry, training, options) for name, entry in entries.items()
        ]
        return Trial(contenders, _modules.compare(training, options))

    def alone(self, case: Case, options: Options, name: str) -> Callable[[], object]:
        """One model. Its numbers may be anything: they do not change what memory it takes."""
        x, target = self._input(case, options)
        entry = Entry(
            self.build(case, SPARSE if name == FUSED else name).to(options.device),
            x,
            x,
            {},
            torch.clone,
            lambda out: torch.autograd.backward(F.cross_entropy(out, target)),
            fused=name == FUSED,
        )
        return _modules.contender(name, entry, case.mode == "training", options).run

    def _input(self, case: Case, options: Options) -> tuple[Tensor, Tensor]:
        x = torch.randn(case.batch, 3, *self.size(case), device=options.device)
        # Pictures of noise alone look the same to the norm in the head, which then amplifies
        # rounding.
        x += 2.0 * torch.randn(case.batch, 3, 1, 1, device=options.device)
        return x, torch.randint(1000, (case.batch,), device=options.device)

    def _graphs(self, case: Case, options: Options, model: Any, x: Tensor) -> list[NeighborTable]:
        exact = self.build(case, SPARSE).to(options.device).double()
        share_state(model, exact)
        graphs: list[NeighborTable]
        with torch.no_grad():
            _, graphs = exact.train(case.mode == "training").forward_graphs(x.double())
        return graphs


def _calibrate(model: Any, x: Tensor) -> None:
    """Sets running statistics to those of the input: with others, activations explode."""
    x = x[..., :IMAGE_SIZE, :IMAGE_SIZE]
    norms = [m for m in model.modules() if isinstance(m, _BatchNorm)]
    for norm in norms:
        norm.momentum = 1.0
    with torch.no_grad():
        model.train()(x if x.size(0) > 1 else x.repeat(2, 1, 1, 1))
    for norm in norms:
        norm.momentum = 0.1
