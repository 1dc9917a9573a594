"""What a suite is made of: cases, and for each case the contenders and how to compare them."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

DENSE = "dense"
BEST = "dense-best"
SPARSE = "sparse"
FUSED = "sparse, fused"
PADDED = "sparse-padded"
BASELINES = (DENSE, BEST)

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}

Outputs = dict[str, Tensor]


@dataclass(frozen=True)
class Options:
    """What the user asked for."""

    suites: tuple[str, ...]
    out: Path
    quick: bool = False
    device: str = "cpu"
    dtype_name: str = "fp32"
    threads: int = 1
    compile: bool = False
    repeats: int | None = None
    max_nodes: int | None = None
    targets: bool = False

    @property
    def dtype(self) -> torch.dtype:
        return DTYPES[self.dtype_name]

    @property
    def rounds(self) -> int:
        """The most samples of a contender."""
        return self.repeats or (10 if self.quick else 30)

    @property
    def least_rounds(self) -> int:
        """Slow cases stop here when their time is up; a number that was asked for is kept."""
        return self.repeats or 3

    @property
    def seconds(self) -> float:
        """After which a case takes no more samples than it must."""
        return 0.5 if self.quick else 5.0

    def autocast(self) -> AbstractContextManager[None]:
        """Reduced precision as models are run in it: by autocast, not by cast parameters."""
        enabled = self.dtype != torch.float32
        return torch.autocast(self.device, self.dtype if enabled else None, enabled=enabled)

    def compiled(self, function: Callable[..., Any]) -> Callable[..., Any]:
        return torch.compile(function, dynamic=False) if self.compile else function

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "out": str(self.out)}


@dataclass(frozen=True)
class Case:
    """One row of a sweep."""

    mode: str
    batch: int
    nodes: int
    channels: int
    k: int
    dilation: int = 1
    detail: str = ""

    @property
    def label(self) -> str:
        text = f"B={self.batch} N={self.nodes} C={self.channels} k={self.k}"
        text += f" d={self.dilation}" if self.dilation > 1 else ""
        return f"{self.detail} {text}" if self.detail else text

    @property
    def constants(self) -> str:
        """What the cases of one curve share: all but the number of nodes."""
        text = f"batch {self.batch}, {self.channels} channels, k={self.k}"
        text += f", dilation {self.dilation}" if self.dilation > 1 else ""
        return f"{self.detail}, {text}" if self.detail else text


@dataclass(frozen=True)
class SkeletonCase(Case):
    """A row of a sweep over sequences of skeletons. ``k`` is the number of relations."""

    frames: int = 1
    persons: int = 1

    @property
    def joints(self) -> int:
        return self.nodes // (self.frames * self.persons)

    @property
    def label(self) -> str:
        text = f"B={self.batch} T={self.frames} V={self.joints} M={self.persons}"
        text += f" C={self.channels}" if self.channels else ""
        return f"{self.detail} {text}" if self.detail else text

    @property
    def constants(self) -> str:
        text = f"batch {self.batch}, {self.joints} joints, {self.persons} person(s)"
        text += f", {self.channels} channels" if self.channels else ""
        return f"{self.detail}, {text}" if self.detail else text


@dataclass(frozen=True)
class Contender:
    """A way to compute the result of a case.

    ``run`` is what is timed; it leaves no tensor behind. ``outputs`` returns what must agree, in
    one layout for all. ``estimate`` is a lower bound of the bytes that ``run`` takes. ``visible``
    says whether a CPU's memory meter sees all that it takes.
    """

    name: str
    run: Callable[[], object]
    outputs: Callable[[], Outputs]
    estimate: int = 0
    visible: bool = True


@dataclass(frozen=True)
class Difference:
    """By how much a contender differs from the reference in one respect."""

    contender: str
    what: str
    value: float
    tolerance: float

    @property
    def agrees(self) -> bool:
        return self.value <= self.tolerance  # False for NaN


@dataclass(frozen=True)
class Trial:
    """The contenders of a case over the same input. The first one is the reference."""

    contenders: list[Contender]
    compare: Callable[[str, Outputs, Outputs], list[Difference]]


@dataclass(frozen=True)
class Suite:
    """A family of cases."""

    name: str
    title: str
    notes: tuple[str, ...]
    cases: Callable[[bool], list[Case]]
    trial: Callable[[Case, Options], Trial]
    # Builds one contender alone, for the resident memory of a process that has nothing else.
    alone: Callable[[Case, Options, str], Callable[[], object]] | None = None
    case_type: type[Case] = Case
    # Whether cases are held against the time that their products alone would take.
    has_floor: bool = False

    def plan(self, options: Options) -> list[Case]:
        """The cases that are asked for."""
        most = options.max_nodes if self.case_type is Case else None
        return [c for c in self.cases(options.quick) if most is None or c.nodes <= most]


def extension(name: str) -> ModuleType | None:
    """Returns a compiled extension where it can be imported."""
    try:
        return importlib.import_module(name)
    except (ImportError, OSError):  # OSError: built for another torch
        return None
