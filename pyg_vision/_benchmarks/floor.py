"""The time that no code can beat: operations over the best rate of the processor."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch.utils.flop_counter import FlopCounterMode

from pyg_vision._benchmarks.core import Options
from pyg_vision._benchmarks.timing import elapsed

# Rows, input and output channels of linear maps in ViG-Ti, ViG-S and ST-GCN.
SHAPES = ((1568, 192, 192), (1568, 192, 768), (784, 320, 1280), (10800, 64, 64), (2700, 256, 256))
IMAGES = 16  # from so many on, torch gives a convolution to oneDNN on one thread, too
SECONDS = 0.02


def operations(run: Callable[[], object]) -> int:
    """Returns the floating-point operations of the products and convolutions of a call.

    In training those of the gradients of weights and inputs are counted, none for an image, which
    needs no gradient.
    """
    mapping = {torch.ops.aten.convolution_backward: _backward_operations}
    with FlopCounterMode(display=False, custom_mapping=mapping) as counter:
        run()
    return int(counter.get_total_flops())


def _backward_operations(
    grad: Sequence[int], x: Sequence[int], weight: Sequence[int], *args: Any, **kwargs: Any
) -> int:
    """Returns the operations of the gradients of a convolution, in groups or not: those of torch
    are not divided by the number of groups.
    """
    transposed, mask = args[4], args[7]
    outputs = math.prod(x if transposed else grad)
    return 2 * outputs * math.prod(weight[1:]) * sum(mask[:2])


def product_rate(options: Options) -> float:
    """Returns the best rate of a product in operations per second.

    It is the better of :func:`torch.nn.functional.linear` and a 1x1 convolution (on a CPU: MKL and
    oneDNN), over the shapes of the models.
    """
    best = 0.0
    for rows, inputs, outputs in SHAPES:
        x = torch.randn(rows, inputs, device=options.device)
        weight = torch.randn(outputs, inputs, device=options.device)
        images = next(count for count in range(IMAGES, rows + 1) if rows % count == 0)
        maps = x.view(images, -1, 1, inputs).permute(0, 3, 1, 2)
        count = 2 * rows * inputs * outputs
        calls = (
            partial(F.linear, x, weight),
            partial(F.conv2d, maps, weight[:, :, None, None]),
        )
        best = max(best, *(count / _fastest(call, options) for call in calls))
    return best


@torch.no_grad()
def _fastest(run: Callable[[], object], options: Options) -> float:
    def call() -> object:
        with options.autocast():
            return run()

    fastest, spent = math.inf, 0.0
    while spent < SECONDS:
        seconds = elapsed(call, 1, options.device)
        fastest, spent = min(fastest, seconds), spent + max(seconds, 1e-6)
    return fastest
