"""What all examples share: a small Pyramid ViG, the loop that trains, and what it prints."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch
from torch import Tensor
from torch.nn import Module

from pyg_vision.nn import PyramidViG


def small_pyramid(image_size: int) -> PyramidViG:
    """Returns a Pyramid ViG of a few channels, without a head."""
    return PyramidViG(
        channels=(32, 64, 96, 128),
        depths=(1, 1, 2, 1),
        use_dilation=False,  # of 128 pixels, the last stage has 16 patches
        num_classes=0,
        image_size=image_size,
    )


def train(
    model: Module,
    loader: Iterable[Any],
    steps: int,
    losses: Callable[[Any], dict[str, Tensor]],
    lr: float,
    clip: float | None = None,
) -> Iterator[dict[str, float]]:
    """Trains a model and yields the losses of each step.

    Args:
        model: The model.
        loader: Batches, which are read again and again.
        steps: How many of them.
        losses: Returns the losses of a batch by name; their sum is minimised.
        lr: The largest learning rate.
        clip: The largest norm of the gradients.
    """
    optimizer = torch.optim.AdamW(model.parameters(), lr=lr, weight_decay=0.01, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, lr, total_steps=max(steps, 2))
    model.train()
    batches = itertools.chain.from_iterable(itertools.repeat(loader))
    for batch in itertools.islice(batches, steps):
        found = losses(batch)
        optimizer.zero_grad()
        torch.autograd.backward(torch.stack([value.float() for value in found.values()]).sum())
        if clip is not None:
            torch.nn.utils.clip_grad_norm_(model.parameters(), clip)
        optimizer.step()
        schedule.step()
        yield {name: float(value.detach()) for name, value in found.items()}


def show(steps: Iterable[dict[str, float]], every: int = 50) -> None:
    """Prints the losses of every so many steps."""
    start = time.perf_counter()
    for step, losses in enumerate(steps, 1):
        if step % every == 0:
            print(
                f"step {step}, {time.perf_counter() - start:.0f} s: {as_text(losses)}", flush=True
            )


def as_text(values: dict[str, float]) -> str:
    """Returns names and values as a line."""
    return ", ".join(f"{name} {value:.3f}" for name, value in values.items())
