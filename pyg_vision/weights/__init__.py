r"""Published checkpoints, and the enums of published weights."""

from pyg_vision.weights._families import (
    CheckpointInfo,
    Described,
    describe_checkpoint,
    register_family,
)
from pyg_vision.weights._image_transform import image_transform, to_normalized
from pyg_vision.weights._load_published import LoadReport, load_published
from pyg_vision.weights._load_weights import load_weights, read_weights
from pyg_vision.weights._pretrained import convert, from_pretrained, from_published
from pyg_vision.weights._weights import Weights, WeightsEnum

__all__ = [
    "CheckpointInfo",
    "Described",
    "LoadReport",
    "Weights",
    "WeightsEnum",
    "convert",
    "describe_checkpoint",
    "from_pretrained",
    "from_published",
    "image_transform",
    "load_published",
    "load_weights",
    "read_weights",
    "register_family",
    "to_normalized",
]
