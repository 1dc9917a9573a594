"""The accuracy of ST-GCN on NW-UCLA: run as ``python -m benchmarks.nw_ucla --root FOLDER``.

One plain joint stream, trained on views 1 and 2, tested on view 3. The accuracy is that after the
last epoch: there is no validation split, and picking an epoch by the test set would flatter.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch.nn import Module
from torch_geometric.loader import DataLoader
from torch_geometric.transforms import Compose

from pyg_vision._benchmarks.environment import git_commit
from pyg_vision.data import skeletons_to_dense
from pyg_vision.datasets import NWUCLA
from pyg_vision.nn import STGCN, DenseSTGCN
from pyg_vision.transforms import (
    CenterSkeleton,
    RandomRotateSkeleton,
    RandomScaleSkeleton,
    SampleFrames,
    ScaleSkeleton,
)

FRAMES = 52
CENTER = "spine"  # the second joint of the first frame
RATE = 0.05
WARM_UP = 3
WEIGHT_DECAY = 1e-4
BATCH = 16
MODELS = {"sparse": STGCN, "dense": DenseSTGCN}


def transforms(train: bool) -> Compose:
    views = [RandomRotateSkeleton((60, 60, 0)), RandomScaleSkeleton(0.5, 1.5)] if train else []
    return Compose(
        [CenterSkeleton(CENTER), *views, ScaleSkeleton("min_max"), SampleFrames(FRAMES, train)]
    )


def learning_rate(epoch: float, epochs: int) -> float:
    """Rises linearly over the warm-up, then falls along a cosine to zero."""
    if epoch < WARM_UP:
        return RATE * (epoch + 1) / (WARM_UP + 1)
    return RATE * 0.5 * (1 + math.cos(math.pi * (epoch - WARM_UP) / max(epochs - WARM_UP, 1)))


def train(root: Path, seed: int, epochs: int, model_name: str = "sparse") -> dict[str, Any]:
    """Trains one model and returns what became of it."""
    begun_at = git_commit()
    torch.manual_seed(seed)
    model = MODELS[model_name](3, 10, layout="kinect")
    data = NWUCLA(root, "train", transforms(train=True))
    loader = DataLoader(data, batch_size=BATCH, shuffle=True)
    optimizer = torch.optim.SGD(
        model.parameters(), lr=RATE, momentum=0.9, nesterov=True, weight_decay=WEIGHT_DECAY
    )
    history = []
    begin = time.perf_counter()
    for epoch in range(epochs):
        model.train()
        total = 0.0
        for step, batch in enumerate(loader):
            optimizer.param_groups[0]["lr"] = learning_rate(epoch + step / len(loader), epochs)
            loss = F.cross_entropy(run(model, batch), batch.y)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            total += float(loss.detach()) * batch.num_graphs
        history.append(total / len(data))
        print(f"seed {seed} epoch {epoch + 1}/{epochs}: loss {history[-1]:.3f}", flush=True)
    seconds = time.perf_counter() - begin
    return {
        "model": model_name,
        "seed": seed,
        "epochs": epochs,
        "accuracy": accuracy(model, root),
        "loss": history,
        "training_seconds": seconds,
        "threads": torch.get_num_threads(),
        "commit": begun_at,
        "torch": torch.__version__,
    }


@torch.no_grad()
def accuracy(model: Module, root: Path) -> float:
    """The share of the test sequences that are named rightly."""
    model.eval()
    data = NWUCLA(root, "test", transforms(train=False))
    loader = DataLoader(data, batch_size=64)
    right = sum(int((run(model, batch).argmax(dim=1) == batch.y).sum()) for batch in loader)
    return right / len(data)


def run(model: Module, batch: Any) -> torch.Tensor:
    out: torch.Tensor = model(skeletons_to_dense(batch) if type(model) is DenseSTGCN else batch)
    return out


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, required=True, help="the folder of the JSON files")
    parser.add_argument("--seed", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--model", choices=list(MODELS), default="sparse")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results"), metavar="DIR")
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    options.out.mkdir(parents=True, exist_ok=True)
    for seed in options.seed:
        result = train(options.root, seed, options.epochs, options.model)
        path = options.out / f"nw_ucla_{options.model}_seed{seed}.json"
        path.write_text(json.dumps(result, indent=1), encoding="utf-8")
        print(f"seed {seed}: {100 * result['accuracy']:.2f}% after the last epoch -> {path}")


if __name__ == "__main__":
    main()
