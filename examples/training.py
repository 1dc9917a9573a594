"""What all examples share: small backbones, the loop that trains, and what it prints."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn import Module

from pyg_vision.nn import AdaptViG, GreedyViG, MobileViG, MobileViGv2, PyramidViG, WiGNet

CHANNELS = (32, 64, 96, 128)
BLOCKS = ((1, 1), (1, 1), (1, 2), (1, 1))  # local and graph blocks of each stage
BACKBONES: dict[str, Callable[..., Any]] = {
    # Of 128 pixels, the last stage has 16 patches.
    "pvig": partial(PyramidViG, depths=(1, 1, 2, 1), use_dilation=False),
    "mobilevig": partial(MobileViG, blocks=((1, 0), (1, 0), (2, 0), (0, 2))),
    "mobilevigv2": partial(MobileViGv2, blocks=((1, 0), *BLOCKS[1:])),
    "greedyvig": partial(GreedyViG, blocks=BLOCKS),
    "adaptvig": partial(AdaptViG, blocks=BLOCKS),
    "wignet": partial(WiGNet, depths=(1, 1, 2, 1)),
}


def small_pyramid(image_size: int, backbone: str = "pvig") -> Any:
    """Returns a pyramid of a few channels, without a head, by one of `BACKBONES`."""
    if backbone not in BACKBONES:
        raise ValueError(f"the backbone must be one of {', '.join(BACKBONES)} (got {backbone!r})")
    return BACKBONES[backbone](channels=CHANNELS, num_classes=0, image_size=image_size)


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
