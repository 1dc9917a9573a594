r"""Vision graph networks as first-class citizens of PyTorch Geometric."""

import importlib
from types import ModuleType

from pyg_vision._validation import set_validation, validation_enabled

__version__ = "0.1.0"

__all__ = ["set_validation", "validation_enabled", "__version__"]

_PACKAGES = (
    "data",
    "datasets",
    "explain",
    "nn",
    "ops",
    "pose",
    "prediction",
    "recipes",
    "training",
    "transforms",
    "visualization",
    "weights",
)


def __getattr__(name: str) -> ModuleType:
    r"""Imports a package when it is first asked for."""
    if name in _PACKAGES:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted([*globals(), *_PACKAGES])
