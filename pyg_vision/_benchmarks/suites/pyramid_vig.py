"""Pyramid models: whole ones at the published size, and one at sizes up to those of detection."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from pyg_vision._benchmarks.baselines.vig import BestPyramidViG
from pyg_vision._benchmarks.core import BEST, DENSE, SPARSE, Case, Suite
from pyg_vision._benchmarks.suites import _modules
from pyg_vision._benchmarks.suites._images import ImageModels
from pyg_vision.nn import DensePyramidViG, PyramidViG
from pyg_vision.nn.models.pyramid_vig import SIZES as PUBLISHED

STRIDE = 4  # of the first stage, whose nodes a case counts
BUILDERS = {"PyramidViG-Ti": "pvig_ti", "PyramidViG-S": "pvig_s"}
CHANNELS = {name: PUBLISHED[builder]["channels"] for name, builder in BUILDERS.items()}
MODELS: dict[str, Callable[..., PyramidViG]] = {
    DENSE: DensePyramidViG,
    BEST: BestPyramidViG,
    SPARSE: PyramidViG,
}
# Height and width by the number of nodes in the first stage; the last is usual in detection.
SIZES = {3136: (224, 224), 12544: (448, 448), 25600: (640, 640), 50176: (896, 896),
         67200: (800, 1344), 112896: (1344, 1344)}  # fmt: skip


def cases(quick: bool) -> list[Case]:
    rows = [(2, "PyramidViG-Ti")]
    if not quick:
        rows += [(8, "PyramidViG-Ti"), (4, "PyramidViG-S")]
    return [
        Case(mode, batch, 3136, CHANNELS[name][0], 9, detail=name)
        for mode in (("forward",) if quick else ("forward", "training"))
        for batch, name in rows
    ]


def resolutions(quick: bool) -> list[Case]:
    nodes = list(SIZES)[:1] if quick else list(SIZES)
    name = "PyramidViG-Ti"
    return [Case("forward", 1, n, CHANNELS[name][0], 9, detail=name) for n in nodes]


def _build(case: Case, name: str) -> PyramidViG:
    kwargs: dict[str, Any] = {"channels": CHANNELS[case.detail], "k": case.k}
    return MODELS[name](**kwargs)


def _estimate(case: Case, name: str) -> int:
    """The distances and biases of the first two stages, of all pairs."""
    if name == SPARSE:
        return 0
    height, width = (math.ceil(side / STRIDE) for side in SIZES[case.nodes])
    sources = (height // 4) * (width // 4)
    matrix = 4 * case.nodes * sources
    return matrix * (3 * case.batch + 2 if name == DENSE else case.batch + 1)


CONTENDERS = ImageModels(_build, lambda: list(MODELS), lambda case: SIZES[case.nodes], _estimate)
NOTES = (
    "forward: evaluation mode without gradients. training: zero_grad, forward, cross-entropy, "
    "backward. N counts the nodes of the first stage, C its channels.",
    f"{_modules.AGREEMENT_NOTE} {_modules.FUSED_NOTE}",
    "Resident memory is that of a process which runs the contender once and nothing else, torch "
    "and the model included.",
)

SUITE = Suite(
    name="pyramid_vig",
    title="Pyramid Vision GNN",
    notes=NOTES,
    cases=cases,
    trial=CONTENDERS.trial,
    alone=CONTENDERS.alone,
    has_floor=True,
)
RESOLUTION = Suite(
    name="resolution",
    title="PyramidViG-Ti from 224 to 1344 pixels",
    notes=(
        *NOTES,
        "The sizes are 224, 448, 640 and 896 pixels square, 800 x 1344, and 1344 square. The "
        "position parameters of the weights are those for 224 pixels, and resampled.",
    ),
    cases=resolutions,
    trial=CONTENDERS.trial,
    alone=CONTENDERS.alone,
    has_floor=True,
)
