r"""Trained models and what they say."""

from pyg_vision.prediction._checkpoint import (
    LAST_CHECKPOINT,
    PREVIOUS_CHECKPOINT,
    CheckpointError,
    latest_checkpoint,
    read_checkpoint,
    write_checkpoint,
)
from pyg_vision.prediction._prediction import Prediction
from pyg_vision.prediction._preprocess import make_transforms
from pyg_vision.prediction.drawing import (
    draw_blocks,
    draw_class,
    draw_prediction,
    joint_response,
)
from pyg_vision.prediction.ensemble import ensemble_accuracy
from pyg_vision.prediction.export import ExportError, export_model
from pyg_vision.prediction.inputs import Sample, find_images, find_skeletons
from pyg_vision.prediction.live import LivePrediction
from pyg_vision.prediction.predictor import InputOptions, Predictor
from pyg_vision.prediction.scores import average_precision
from pyg_vision.prediction.segments import frame_probabilities, merge_windows
from pyg_vision.prediction.trained_model import (
    TrainedModel,
    check_classes,
    load_trained,
    node_scores,
    open_model,
    run_model,
)
from pyg_vision.prediction.video_drawing import draw_video

__all__ = [
    "LAST_CHECKPOINT",
    "PREVIOUS_CHECKPOINT",
    "CheckpointError",
    "ExportError",
    "InputOptions",
    "LivePrediction",
    "Prediction",
    "frame_probabilities",
    "merge_windows",
    "Predictor",
    "Sample",
    "TrainedModel",
    "average_precision",
    "check_classes",
    "draw_blocks",
    "draw_class",
    "draw_prediction",
    "draw_video",
    "ensemble_accuracy",
    "export_model",
    "find_images",
    "find_skeletons",
    "joint_response",
    "latest_checkpoint",
    "load_trained",
    "make_transforms",
    "node_scores",
    "open_model",
    "read_checkpoint",
    "run_model",
    "write_checkpoint",
]
