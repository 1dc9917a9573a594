"""Measures how long an image takes in each Vision GNN, for the table of docs/models.md.

Run as ``python -m benchmarks.model_times FILE`` on a quiet machine; it writes JSON. Evaluation mode
without gradients, float32, one thread, images of 224 pixels in batches of four; the contenders of a
model share its weights and are timed in turns.
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

from pyg_vision._benchmarks.core import Options
from pyg_vision._benchmarks.environment import describe_machine
from pyg_vision.nn import DensePyramidViG, DenseViG, get_model
from pyg_vision.nn.models.pyramid_vig import SIZES as PYRAMIDS
from pyg_vision.nn.models.vig import SIZES

BATCH, ROUNDS = 4, 5


def measure(name: str, batch: int = BATCH, rounds: int = ROUNDS) -> dict[str, float]:
    """Returns the milliseconds of an image: of the model, of what `fuse` makes of it, and of the
    published sequence of operations.
    """
    torch.manual_seed(0)
    model: Any = get_model(name).eval()
    dense = DenseViG(**SIZES[name]) if name in SIZES else DensePyramidViG(**PYRAMIDS[name])
    dense.eval()
    dense.load_state_dict(model.state_dict())
    contenders: dict[str, Module] = {"sparse": model, "fused": model.fuse(), "dense": dense}
    x = torch.randn(batch, 3, 224, 224)
    seconds: dict[str, list[float]] = {label: [] for label in contenders}
    with torch.inference_mode():
        for number in range(rounds + 1):
            for label, contender in contenders.items():
                start = time.perf_counter()
                contender(x)
                if number:  # the first round warms up
                    seconds[label].append(time.perf_counter() - start)
    return {label: 1e3 * statistics.median(found) / batch for label, found in seconds.items()}


def main() -> None:
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    path = Path(sys.argv[1])
    torch.set_num_threads(1)
    times = {name: measure(name) for name in (*SIZES, *PYRAMIDS)}
    found = {"environment": describe_machine(Options((), path)), "milliseconds": times}
    path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
