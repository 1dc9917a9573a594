"""Trains a model of graphs and its dense twin on the same batches, in turn: times and losses.

Run as: python -m benchmarks.training_twins images --root IMAGENETTE --out curves.png, or
skeletons --root NW_UCLA. The model and its augmentation are those of the recipes
vig_imagenette_small and stgcn_nw_ucla_joint; float32, one thread, from the same weights. Prints the
ratio of the times of a step, and how far apart the losses are.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
import yaml

from pyg_vision import training
from pyg_vision._benchmarks.environment import cpu_model
from pyg_vision.recipes import recipe_path

RECIPES = {"images": "vig_imagenette_small", "skeletons": "stgcn_nw_ucla_joint"}
MODELS = {
    training.ImageClassifier: {"sparse": "pyg_vision.nn.ViG", "dense": "pyg_vision.nn.DenseViG"},
    training.SkeletonClassifier: {
        "sparse": "pyg_vision.nn.STGCN", "dense": "pyg_vision.nn.DenseSTGCN",
    },
}  # fmt: skip


def make_data(recipe: dict[str, Any], root: Path) -> Any:
    """The data of a recipe."""
    kind = getattr(training, recipe["data"]["class_path"].rpartition(".")[2])
    data = kind(root=str(root), **recipe["data"]["init_args"])
    data.setup("fit")
    return data


def make_module(recipe: dict[str, Any], name: str, data: Any) -> Any:
    """The recipe's model, or its dense twin."""
    kind = getattr(training, recipe["model"]["class_path"].rpartition(".")[2])
    module = kind(**recipe["model"]["init_args"] | {"model": MODELS[kind][name]})
    module.build(data.classes)
    return module


def batches(data: Any) -> Iterator[Any]:
    """The batches of one epoch after another."""
    for epoch in itertools.count():
        data.start = (epoch, 0)
        yield from data.train_dataloader()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=RECIPES)
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--out", type=Path)
    values = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    recipe = yaml.safe_load(recipe_path(RECIPES[values.kind]).read_text())
    data = make_data(recipe, values.root)
    modules = {name: make_module(recipe, name, data) for name in ("sparse", "dense")}
    models = {name: module.model.train() for name, module in modules.items()}
    models["dense"].load_state_dict(models["sparse"].state_dict())
    optimizers = {
        name: torch.optim.SGD(model.parameters(), 0.02, 0.9, nesterov=True)
        for name, model in models.items()
    }
    losses: dict[str, list[float]] = {name: [] for name in models}
    seconds: dict[str, list[float]] = {name: [] for name in models}
    for step, batch in enumerate(itertools.islice(batches(data), values.steps)):
        for name in sorted(models, reverse=bool(step % 2)):
            torch.manual_seed(step)  # the same blocks are dropped
            start = time.perf_counter()
            logits, labels, _ = modules[name].run(models[name], batch)
            loss = F.cross_entropy(logits, labels)
            optimizers[name].zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizers[name].step()
            seconds[name].append(time.perf_counter() - start)
            losses[name].append(loss.item())
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    apart = [abs(a - b) for a, b in zip(losses["sparse"], losses["dense"], strict=True)]
    print(f"{cpu_model()}, {torch.backends.cpu.get_cpu_capability()}, one thread")
    print(
        f"{values.kind}, {values.steps} steps: sparse {1e3 * medians['sparse']:.0f} ms, dense "
        f"{1e3 * medians['dense']:.0f} ms, dense / sparse "
        f"{medians['dense'] / medians['sparse']:.2f}"
    )
    print(
        f"losses apart: at most {max(apart[:10]):.1e} in the first 10 steps, {max(apart):.1e} in "
        f"all; mean of the last 20: sparse {statistics.mean(losses['sparse'][-20:]):.4f}, dense "
        f"{statistics.mean(losses['dense'][-20:]):.4f}"
    )
    if values.out:
        draw(losses, apart, values.out)


def draw(losses: dict[str, list[float]], apart: list[float], path: Path) -> None:
    """Draws both curves, and below how far apart they are."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.0, 4.6), layout="constrained")
    top, below = figure.subplots(2, 1, sharex=True, height_ratios=(2, 1))
    top.plot(losses["dense"], color="#E69F00", lw=3.0, label="dense")
    top.plot(losses["sparse"], color="#0072B2", lw=1.0, label="sparse")
    top.set_ylabel("training loss")
    top.legend(frameon=False)
    below.semilogy(apart, color="#3A3F47", lw=1.0)
    below.set_ylabel("|difference|")
    below.set_xlabel("step")
    for axes in (top, below):
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=150)


if __name__ == "__main__":
    main()
