"""ST-GCN on a dense tensor."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn import Module

from pyg_vision._benchmarks.baselines.st_gcn import BestSTGCN
from pyg_vision._benchmarks.core import (
    BEST,
    DENSE,
    FUSED,
    SPARSE,
    Case,
    Options,
    SkeletonCase,
    Suite,
    Trial,
)
from pyg_vision._benchmarks.suites import _modules
from pyg_vision._benchmarks.suites._modules import Entry, share_state
from pyg_vision.nn import STGCN, DenseSTGCN

LAYOUTS = {18: "openpose", 25: "ntu"}
CLASSES = 60
CHECKED = 20  # frames of the check, which runs in float64
MODELS: dict[str, Callable[..., STGCN]] = {DENSE: DenseSTGCN, BEST: BestSTGCN, SPARSE: STGCN}


def case_of(mode: str, batch: int, frames: int, joints: int, persons: int) -> SkeletonCase:
    nodes = frames * joints * persons
    return SkeletonCase(mode, batch, nodes, 0, 3, frames=frames, persons=persons)


def cases(quick: bool) -> list[Case]:
    shapes = [(2, 150, 18, 2)]
    if not quick:
        shapes += [(2, frames, 18, 2) for frames in (50, 300)]
        shapes += [(2, 300, 25, 2), (16, 150, 18, 2)]
    return [case_of(mode, *shape) for mode in ("forward", "training") for shape in shapes]


def trial(case: Case, options: Options) -> Trial:
    models = {name: _build(case, options, name) for name in MODELS}
    ours = models[SPARSE]
    share_state(ours, *(model for name, model in models.items() if name != SPARSE))
    training = case.mode == "training"
    entries = {name: entry_of(model, case, options) for name, model in models.items()}
    if not training:
        entries[FUSED] = replace(entries[SPARSE], fused=True)
    contenders = [
        _modules.contender(name, entry, training, options) for name, entry in entries.items()
    ]
    return Trial(contenders, _modules.compare(training, options))


def alone(case: Case, options: Options, name: str) -> Callable[[], object]:
    """One model. Its numbers may be anything: they do not change what memory it takes."""
    model = SPARSE if name == FUSED else name
    entry = replace(entry_of(_build(case, options, model), case, options), fused=name == FUSED)
    return _modules.contender(name, entry, case.mode == "training", options).run


def _build(case: Case, options: Options, name: str) -> STGCN:
    assert isinstance(case, SkeletonCase)
    return MODELS[name](3, CLASSES, layout=LAYOUTS[case.joints]).to(options.device)


def entry_of(model: Module, case: Case, options: Options, checked: int = CHECKED) -> Entry:
    """A model of skeletons, with a random input of which so many frames are checked."""
    assert isinstance(case, SkeletonCase)
    generator = torch.Generator().manual_seed(0)  # the same input for all contenders
    shape = (case.batch, 3, case.frames, case.joints, case.persons)
    x = torch.randn(shape, generator=generator).to(options.device)
    target = torch.randint(CLASSES, (case.batch,), generator=generator).to(options.device)

    def backward(out: Tensor) -> None:
        torch.autograd.backward(F.cross_entropy(out, target))

    # The features of three relations, of which a few are alive at a time.
    bytes_of_features = 4 * case.batch * case.nodes * 64
    kept = 10 * 8 if case.mode == "training" else 4
    return Entry(model, x, x[:, :, :checked], {}, torch.clone, backward, kept * bytes_of_features)


SUITE = Suite(
    name="stgcn",
    title="ST-GCN",
    notes=(
        "forward: evaluation mode without gradients. training: zero_grad, forward, cross-entropy, "
        "backward. Ten blocks as published, spatial partition, edge importance.",
        "dense is the published sequence of operations; dense-best has channels last and "
        "multiplies every frame with one dense matrix.",
        f"{_modules.SAME_STATE}. {_modules.FUSED_NOTE}",
        "Resident memory is that of a process which runs the contender once and nothing else, "
        "torch and the model included.",
    ),
    cases=cases,
    trial=trial,
    alone=alone,
    case_type=SkeletonCase,
    has_floor=True,
)
