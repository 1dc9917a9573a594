"""The image models after ViG, whose graphs are rules or lie in windows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch.nn import Module

from pyg_vision import nn
from pyg_vision._benchmarks.core import DENSE, SPARSE, Case, Suite
from pyg_vision._benchmarks.suites import _modules
from pyg_vision._benchmarks.suites._images import IMAGE_SIZE, ImageModels
from pyg_vision.nn.models import adaptvig, greedyvig, mobilevig, mobilevigv2, wignet

STEM = 4  # the stride of the first stage, whose nodes a case counts
NODES = (IMAGE_SIZE // STEM) ** 2
QUICK = "MobileViG-S"
SEARCHING = "WiGNet"  # its blocks rank neighbours, which rounding may exchange


@dataclass(frozen=True)
class Family:
    sparse: Callable[..., Module]
    dense: Callable[..., Module]
    options: dict[str, Any]


FAMILIES = {
    "MobileViG-S": Family(nn.MobileViG, nn.DenseMobileViG, mobilevig.SIZES["mobilevig_s"]),
    "MobileViGv2-S": Family(
        nn.MobileViGv2, nn.DenseMobileViGv2, mobilevigv2.SIZES["mobilevigv2_s"]
    ),
    "GreedyViG-S": Family(nn.GreedyViG, nn.DenseGreedyViG, greedyvig.SIZES["greedyvig_s"]),
    "AdaptViG-S": Family(nn.AdaptViG, nn.DenseAdaptViG, adaptvig.SIZES["adaptvig_s"]),
    "WiGNet-Ti": Family(nn.WiGNet, nn.DenseWiGNet, wignet.SIZES["wignet_ti"]),
}


def cases(quick: bool) -> list[Case]:
    modes = ("forward",) if quick else ("forward", "training")
    names = (QUICK,) if quick else tuple(FAMILIES)
    return [
        Case(
            mode,
            8,
            NODES,
            FAMILIES[name].options["channels"][0],
            9 if name.startswith(SEARCHING) else 0,
            detail=name,
        )
        for mode in modes
        for name in names
    ]


def _build(case: Case, name: str) -> Module:
    family = FAMILIES[case.detail]
    return (family.dense if name == DENSE else family.sparse)(**family.options)


CONTENDERS = ImageModels(
    _build,
    lambda: [DENSE, SPARSE],
    lambda case: (IMAGE_SIZE, IMAGE_SIZE),
    lambda case, name: 0,
    given_graphs=lambda case: case.detail.startswith(SEARCHING),
)

SUITE = Suite(
    name="vision_families",
    title="Image models after ViG",
    notes=(
        "Images of 224 pixels. forward: evaluation mode without gradients. training: zero_grad, "
        "forward, cross-entropy, backward. N counts the nodes of the first stage, C its channels; "
        "k is that of a search, 0 where the graph is a rule.",
        "dense: the published sequence of operations, whole maps shifted, masked and compared, or "
        "divided into windows.",
        f"{_modules.SAME_STATE}, each with its own graphs but for WiGNet, whose are given. "
        f"{_modules.FUSED_NOTE}",
        "Resident memory is that of a process which runs the contender once and nothing else, "
        "torch and the model included.",
    ),
    cases=cases,
    trial=CONTENDERS.trial,
    alone=CONTENDERS.alone,
    has_floor=True,
)
