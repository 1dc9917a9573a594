r"""Training of skeleton models."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import Module

from pyg_vision.prediction import run_model
from pyg_vision.training._classifier import Classifier


class SkeletonClassifier(Classifier):
    r"""Trains a model that classifies sequences of skeletons.

    A sequence of which several clips are taken, as
    :class:`~pyg_vision.transforms.UniformSampleFrames` does, gets the mean of their probabilities.

    Args:
        model (str): See :class:`Classifier`, which has all further arguments.
        **kwargs (optional): Arguments of :class:`Classifier`.

    Raises:
        ValueError: If there is no such model, optimiser or schedule.

    Example:
        >>> from pyg_vision.training import SkeletonClassifier
        >>> module = SkeletonClassifier("stgcn", options={"in_channels": 3, "layout": "kinect"})
        >>> module.build(["sit down", "stand up"])
        >>> module.evaluated.num_classes
        2
    """

    unit = "clips"

    def __init__(self, model: str, **kwargs: Any) -> None:
        super().__init__(model, **kwargs)

    def run(self, model: Module, batch: Any) -> tuple[Tensor, Tensor, Tensor]:
        r"""Returns logits, labels and the numbers of the sequences of a batch."""
        clips = batch if isinstance(batch, list) else [batch]
        logits = [run_model(model, clip) for clip in clips]
        if len(logits) == 1:
            return logits[0], clips[0].y, clips[0].sample_number
        mean = torch.stack(logits).softmax(-1).mean(0).log()
        return mean, clips[0].y, clips[0].sample_number
