"""ST-GCN on sequences of different lengths: padded to the published fixed size, or packed."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch_geometric.data import Batch

from pyg_vision._benchmarks.agreement import compare_tensors
from pyg_vision._benchmarks.core import (
    DENSE,
    PADDED,
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
from pyg_vision._benchmarks.suites._modules import EXACT, OUTPUT, share_state
from pyg_vision.data import skeleton_sequence, skeletons_to_dense
from pyg_vision.nn import STGCN, DenseSTGCN

CLASSES, LAYOUT, JOINTS = 10, "kinect", 20
WINDOW = (300, 2)
CHECKED_WINDOW = (64, 2)
# The frames of NW-UCLA's 1,484 sequences, of one person each: the middles of 64 equal shares.
LENGTHS = (
    *(11, 11, 13, 15, 16, 16, 16, 17, 18, 19, 20, 21, 21, 21, 21, 21, 21, 21, 21, 22, 23, 24, 25),
    *(26, 26, 26, 27, 28, 28, 29, 30, 31, 31, 31, 32, 33, 34, 35, 36, 36, 37, 38, 39, 40, 41, 43),
    *(45, 46, 48, 50, 51, 54, 56, 59, 61, 66, 70, 76, 83, 86, 97, 109, 124, 150),
)


def cases(quick: bool) -> list[Case]:
    batches = (4,) if quick else (16, 4)
    frames, persons = WINDOW
    return [
        SkeletonCase(
            "forward", batch, frames * JOINTS * persons, 0, 3, frames=frames, persons=persons
        )
        for batch in batches
    ]


def lengths_of(batch: int) -> list[int]:
    """Evenly spaced shares of the lengths."""
    step = len(LENGTHS) / batch
    return [LENGTHS[int((i + 0.5) * step)] for i in range(batch)]


def trial(case: Case, options: Options) -> Trial:
    device = options.device
    packed = STGCN(3, CLASSES, LAYOUT)
    dense = DenseSTGCN(3, CLASSES, LAYOUT)
    padded = STGCN(3, CLASSES, LAYOUT, padding="published", window=WINDOW)
    small = STGCN(3, CLASSES, LAYOUT, padding="published", window=CHECKED_WINDOW)
    share_state(packed, dense, padded, small)
    models = [model.to(device).eval() for model in (packed, dense, padded, small)]
    packed, padded, small = models[0], models[2], models[3]
    batch = sequences(lengths_of(case.batch)).to(device)
    checked = sequences([11, 31]).to(device)
    x = skeletons_to_dense(batch, *WINDOW)
    features = 4 * case.batch * case.nodes * 64

    def contender(
        name: str,
        model: STGCN,
        given: Tensor | Batch,
        outputs: Mapping[str, Callable[[STGCN, Batch], Tensor]],
        estimate: int = 0,
    ) -> Contender:
        forward = options.compiled(model) if isinstance(given, Tensor) else model

        @torch.no_grad()
        def run() -> Tensor:
            with options.autocast():
                out: Tensor = forward(given)
            return out

        @torch.no_grad()
        def compared() -> Outputs:
            checking = small if name == PADDED else model
            exact = _exact(checking)
            return {
                **{f"{key}, as timed": run(checking, checked) for key, run in outputs.items()},
                **{key: run(exact, _double(checked)) for key, run in outputs.items()},
            }

        return Contender(name, run, compared, estimate)

    direct = {"packed": lambda model, batch: model(batch)}
    contenders = [
        contender(
            DENSE,
            models[1],
            x,
            {"padded": _dense_padded, "packed": _dense_one_by_one},
            4 * features,
        ),
        contender(PADDED, padded, batch, {"padded": direct["packed"]}, 4 * features),
        contender(SPARSE, packed, batch, direct),
    ]
    tolerances = {
        f"{key}{suffix}": tolerance
        for key in ("padded", "packed")
        for suffix, tolerance in (("", EXACT), (", as timed", OUTPUT[torch.float32]))
    }

    def compare(name: str, outputs: Outputs, reference: Outputs) -> list[Difference]:
        expected = {key: reference[key] for key in outputs}
        return compare_tensors(name, outputs, expected, tolerances)

    return Trial(contenders, compare)


def _dense_padded(model: STGCN, batch: Batch) -> Tensor:
    out: Tensor = model(skeletons_to_dense(batch, *CHECKED_WINDOW))
    return out


def _dense_one_by_one(model: STGCN, batch: Batch) -> Tensor:
    """What packing must equal: each sequence by itself, with the frames and persons it has."""
    return torch.cat([model(skeletons_to_dense(one)) for one in batch.to_data_list()])


def sequences(lengths: list[int], persons: int = 1) -> Batch:
    """Random sequences of as many frames each."""
    generator = torch.Generator().manual_seed(0)
    return Batch.from_data_list(
        [
            skeleton_sequence(torch.randn(persons, frames, JOINTS, 3, generator=generator), LAYOUT)
            for frames in lengths
        ]
    )


def _exact(model: STGCN) -> STGCN:
    exact: STGCN
    if model.padding is None:
        exact = type(model)(3, CLASSES, LAYOUT)
    else:
        exact = STGCN(3, CLASSES, LAYOUT, padding=model.padding, window=model.window)
    share_state(model, exact)
    return exact.to(next(model.parameters()).device).double().eval()


def _double(batch: Batch) -> Batch:
    return batch.clone().apply(Tensor.double, "x")


SUITE = Suite(
    name="ragged",
    title="ST-GCN on sequences of different lengths",
    notes=(
        "forward: evaluation mode without gradients, on sequences as long as those of NW-UCLA "
        "(median 31 frames, mean 39, one person), T=300 and M=2 being the published fixed size.",
        "dense pads them to it, as the published code must; sparse-padded is our model doing the "
        "same; sparse packs them, and computes no padding at all.",
        "Padding is part of the published function: sparse-padded must equal dense on padded "
        "sequences, sparse must equal dense on each sequence alone, with its own frames and "
        "persons.",
    ),
    cases=cases,
    trial=trial,
    case_type=SkeletonCase,
)
