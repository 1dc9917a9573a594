r"""Vision graph networks as first-class citizens of PyTorch Geometric."""

from pyg_vision._validation import set_validation, validation_enabled

__version__ = "0.1.0"

__all__ = ["set_validation", "validation_enabled", "__version__"]
