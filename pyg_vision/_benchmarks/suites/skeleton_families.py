"""The skeleton models after ST-GCN: against their dense twins, and packed against padded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn import Module
from torch_geometric.data import Batch

from pyg_vision import nn
from pyg_vision._benchmarks.agreement import compare_tensors
from pyg_vision._benchmarks.core import (
    DENSE,
    FUSED,
    SPARSE,
    Case,
    Contender,
    Difference,
    Options,
    Outputs,
    SkeletonCase,
    Suite,
    Trial,
)
from pyg_vision._benchmarks.suites import _modules, ragged, stgcn
from pyg_vision._benchmarks.suites._modules import EXACT, OUTPUT, Entry, share_state
from pyg_vision.data import skeletons_to_dense

CHECKED = 8  # frames of the check, which runs in float64
QUICK = "CTR-GCN"


@dataclass(frozen=True)
class Family:
    sparse: type[Module]
    dense: type[Module]


FAMILIES = {
    "ST-GCN++": Family(nn.STGCNPP, nn.DenseSTGCNPP),
    "2s-AGCN": Family(nn.AGCN, nn.DenseAGCN),
    "AAGCN": Family(nn.AAGCN, nn.DenseAAGCN),
    "CTR-GCN": Family(nn.CTRGCN, nn.DenseCTRGCN),
    "MS-G3D": Family(nn.MSG3D, nn.DenseMSG3D),
    "DG-STGCN": Family(nn.DGSTGCN, nn.DenseDGSTGCN),
}


def _case(mode: str, name: str, batch: int, frames: int, joints: int, persons: int) -> SkeletonCase:
    nodes = frames * joints * persons
    return SkeletonCase(mode, batch, nodes, 0, 3, detail=name, frames=frames, persons=persons)


def cases(quick: bool) -> list[Case]:
    modes = ("forward",) if quick else ("forward", "training")
    names = (QUICK,) if quick else FAMILIES
    return [_case(mode, name, 2, 100, 25, 2) for mode in modes for name in names]


def trial(case: Case, options: Options) -> Trial:
    family = FAMILIES[case.detail]
    models = {DENSE: _build(family.dense, "ntu"), SPARSE: _build(family.sparse, "ntu")}
    share_state(models[SPARSE], models[DENSE])
    training = case.mode == "training"
    entries = {name: _entry(model, case, options) for name, model in models.items()}
    if not training:
        entries[FUSED] = replace(entries[SPARSE], fused=True)
    contenders = [
        _modules.contender(name, entry, training, options) for name, entry in entries.items()
    ]
    return Trial(contenders, _modules.compare(training, options))


def alone(case: Case, options: Options, name: str) -> Callable[[], object]:
    """One model. Its numbers may be anything: they do not change what memory it takes."""
    family = FAMILIES[case.detail]
    model = _build(family.dense if name == DENSE else family.sparse, "ntu")
    entry = replace(_entry(model, case, options), fused=name == FUSED)
    return _modules.contender(name, entry, case.mode == "training", options).run


def _build(kind: type[Module], layout: str, num_classes: int = stgcn.CLASSES) -> Module:
    torch.manual_seed(0)
    model = kind(3, num_classes, layout=layout)
    for value in model.parameters():
        if not bool(value.any()):  # which would hide what comes before it
            torch.nn.init.normal_(value, std=0.02)
    return model


def _entry(model: Module, case: Case, options: Options) -> Entry:
    return stgcn.entry_of(model.to(options.device), case, options, CHECKED)


def packed_cases(quick: bool) -> list[Case]:
    modes = ("forward",) if quick else ("forward", "training")
    names = (QUICK,) if quick else FAMILIES
    frames, persons = ragged.WINDOW
    return [
        _case(mode, name, 4, frames, ragged.JOINTS, persons) for mode in modes for name in names
    ]


def packed_trial(case: Case, options: Options) -> Trial:
    """Padded to the published fixed size in a dense twin, or packed."""
    family = FAMILIES[case.detail]
    models = {
        DENSE: _build(family.dense, ragged.LAYOUT, ragged.CLASSES),
        SPARSE: _build(family.sparse, ragged.LAYOUT, ragged.CLASSES),
    }
    share_state(models[SPARSE], models[DENSE])
    training = case.mode == "training"
    batch = ragged.sequences(ragged.lengths_of(case.batch)).to(options.device)
    inputs = {DENSE: skeletons_to_dense(batch, *ragged.WINDOW), SPARSE: batch}
    # Of two persons, since an absent one counts in a dense tensor.
    checked = ragged.sequences([11, 31], persons=2).to(options.device)
    target = torch.arange(case.batch, device=options.device) % ragged.CLASSES

    def contender(name: str) -> Contender:
        model = models[name].to(options.device).train(training)
        given = inputs[name]
        forward = options.compiled(model) if isinstance(given, Tensor) else model

        @torch.set_grad_enabled(training)
        def run() -> object:
            with options.autocast():
                out: Tensor = forward(given)
            if training:
                torch.autograd.backward(F.cross_entropy(out, target))
                model.zero_grad(set_to_none=True)
            return out.detach()

        @torch.no_grad()
        def compared() -> Outputs:
            model.eval()
            exact = _build(type(model), ragged.LAYOUT, ragged.CLASSES)
            share_state(model, exact)
            exact = exact.to(options.device).double().eval()
            found = {
                "packed, as timed": _alone(model, checked, name),
                "packed": _alone(exact, checked.clone().apply(Tensor.double, "x"), name),
            }
            model.train(training)
            return found

        features = 4 * case.batch * case.nodes * 64
        kept = (80 if training else 4) * features
        return Contender(name, run, compared, kept if name == DENSE else 0)

    tolerances = {"packed": EXACT, "packed, as timed": OUTPUT[torch.float32]}

    def compare(name: str, outputs: Outputs, reference: Outputs) -> list[Difference]:
        return compare_tensors(name, outputs, reference, tolerances)

    return Trial([contender(DENSE), contender(SPARSE)], compare)


def _alone(model: Module, batch: Batch, name: str) -> Tensor:
    """What packing must equal: each sequence by itself, with the frames that it has."""
    if name == SPARSE:
        out: Tensor = model(batch)
        return out
    return torch.cat([model(skeletons_to_dense(one)) for one in batch.to_data_list()])


NOTES = (
    "dense is the published sequence of operations; sparse is ours, on the same dense tensor.",
    f"{_modules.SAME_STATE}. {_modules.FUSED_NOTE}",
)

SUITE = Suite(
    name="skeleton_families",
    title="The skeleton models after ST-GCN",
    notes=(
        "forward: evaluation mode without gradients. training: zero_grad, forward, cross-entropy, "
        "backward. Models as published for NTU RGB+D.",
        *NOTES,
    ),
    cases=cases,
    trial=trial,
    alone=alone,
    case_type=SkeletonCase,
    has_floor=True,
)
PACKED = Suite(
    name="ragged_families",
    title="The skeleton models after ST-GCN on sequences of different lengths",
    notes=(
        "Sequences as long as those of NW-UCLA (median 31 frames, mean 39, one person). dense pads "
        "them to the published fixed size, T=300 and M=2, as the published code must; sparse packs "
        "them, and computes no padding at all.",
        "Packed must equal dense on each sequence alone, with its own frames and persons, in "
        "evaluation.",
    ),
    cases=packed_cases,
    trial=packed_trial,
    case_type=SkeletonCase,
)
