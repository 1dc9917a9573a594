r"""Published checkpoints, and the enums of published weights."""

from pyg_vision.weights._load_published import LoadReport, load_published
from pyg_vision.weights._load_weights import load_weights, read_weights
from pyg_vision.weights._weights import Weights, WeightsEnum

__all__ = ["LoadReport", "Weights", "WeightsEnum", "load_published", "load_weights", "read_weights"]
