r"""Published checkpoints."""

from pyg_vision.weights._load_published import LoadReport, load_published

__all__ = ["LoadReport", "load_published"]
