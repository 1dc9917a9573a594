"""Measures how long an image takes in each image model, for the tables of docs/models.md.

Run as ``python -m benchmarks.model_times FILE`` on a quiet machine; it writes JSON. Evaluation mode
without gradients, float32, one thread, one image of the size of the model. The contenders of a
model share its weights and are timed in turns; models of timm of the same size are timed beside
them. What `torch.compile` makes is timed for the smaller models of each family: each takes minutes
to compile.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import torch
from torch.nn import Module

from pyg_vision import nn
from pyg_vision._benchmarks.core import Options
from pyg_vision._benchmarks.environment import describe_machine
from pyg_vision._benchmarks.floor import operations, product_rate
from pyg_vision.nn import get_model
from pyg_vision.nn.models import (
    adaptvig,
    greedyvig,
    mobilevig,
    mobilevigv2,
    pyramid_vig,
    vig,
    wignet,
)

ROUNDS = 7
FAMILIES: list[tuple[type[Module], dict[str, dict[str, Any]]]] = [
    (nn.DenseViG, vig.SIZES),
    (nn.DensePyramidViG, pyramid_vig.SIZES),
    (nn.DenseMobileViG, mobilevig.SIZES),
    (nn.DenseMobileViGv2, mobilevigv2.SIZES),
    (nn.DenseGreedyViG, greedyvig.SIZES),
    (nn.DenseAdaptViG, adaptvig.SIZES),
    (nn.DenseWiGNet, wignet.SIZES),
]
DENSE = {name: (dense, options) for dense, sizes in FAMILIES for name, options in sizes.items()}
COMPILED = ("vig_ti", "pvig_ti", "mobilevig_ti", "mobilevig_s", "mobilevigv2_ti", "greedyvig_s",
            "adaptvig_s", "wignet_ti")  # fmt: skip
# Of 5.5, 5.3 and 5.7 M parameters.
OF_TIMM = ("mobilenetv3_large_100", "efficientnet_b0", "vit_tiny_patch16_224")


def contenders_of(name: str, compiled: bool) -> dict[str, Module]:
    """Returns a model, what `fuse` and `torch.compile` make of it, and the published sequence of
    operations.
    """
    torch.manual_seed(0)
    if name in OF_TIMM:
        import timm

        found: dict[str, Module] = {"eager": timm.create_model(name).eval()}
    else:
        model: Any = get_model(name).eval()
        cls, options = DENSE[name]
        dense = cls(**options).eval()
        dense.load_state_dict(model.state_dict())
        found = {"eager": model, "fused": model.fuse(), "dense": dense}
    if compiled:
        found["compiled"] = torch.compile(found.get("fused", found["eager"]))  # type: ignore[assignment]
    return found


def measure(name: str, compiled: bool = False, rounds: int = ROUNDS) -> dict[str, float]:
    """Returns the milliseconds of an image of each contender, and the billions of multiplications
    and additions of its products and convolutions.
    """
    contenders = contenders_of(name, compiled)
    x = torch.randn(1, 3, 224, 224)
    seconds: dict[str, list[float]] = {label: [] for label in contenders}
    with torch.inference_mode():
        for number in range(rounds + 1):
            for label, contender in contenders.items():
                start = time.perf_counter()
                contender(x)
                if number:  # the first round warms up and compiles
                    seconds[label].append(time.perf_counter() - start)
        count = operations(lambda: contenders["eager"](x))
    times = {label: 1e3 * statistics.median(found) for label, found in seconds.items()}
    return times | {"gmacs": count / 2e9}


def main() -> None:
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    path = Path(sys.argv[1])
    torch.set_num_threads(1)
    options = Options((), path)
    names = (*DENSE, *OF_TIMM)
    times = {name: measure(name, name in COMPILED or name in OF_TIMM) for name in names}
    rate = product_rate(options)
    for row in times.values():
        row["floor"] = 1e3 * 2e9 * row["gmacs"] / rate
    found = {"environment": describe_machine(options), "milliseconds": times}
    path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
