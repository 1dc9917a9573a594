r"""Poses of several people by torchvision's Keypoint R-CNN."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import torch
from torch.nn import Module
from torchvision.models.detection import (
    KeypointRCNN_ResNet50_FPN_Weights,
    keypointrcnn_resnet50_fpn,
)

from pyg_vision._checks import check_int, check_rate
from pyg_vision.data import skeleton_layout
from pyg_vision.pose.pose_source import FoundPeople, PoseSource
from pyg_vision.pose.video import Frame
from pyg_vision.weights import read_weights


class KeypointRCNN(PoseSource):
    r"""Torchvision's Keypoint R-CNN of the `"Mask R-CNN" <https://arxiv.org/abs/1703.06870>`_
    paper: any number of people of COCO's 17 joints, in pixels.

    The score of a joint is the sigmoid of its logit, times the score of its person.

    Args:
        weights (str, path or torch.nn.Module, optional): Torchvision's name of weights, which are
            downloaded; a file of a state dict; or a detector of keypoints itself.
            (default: :obj:`"DEFAULT"`)
        min_score (float, optional): The score that a person must have. (default: :obj:`0.7`)
        num_persons (int, optional): The most persons of a picture, the surest. (default: all)
        device (torch.device, optional): Where the detector runs. (default: the CPU)

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is none of these weights, or a number is out of range.

    Example:
        >>> import numpy as np
        >>> from torchvision.models.detection import keypointrcnn_resnet50_fpn
        >>> from pyg_vision.pose import Frame, KeypointRCNN
        >>> random = keypointrcnn_resnet50_fpn(weights=None, weights_backbone=None, min_size=64)
        >>> source = KeypointRCNN(random)  # one that has learned nothing
        >>> source.find(Frame(np.zeros((64, 64, 3), np.uint8), 0.0)).joints.shape[1:]
        (17, 2)
    """

    layout = skeleton_layout("coco")

    def __init__(
        self,
        weights: str | os.PathLike[str] | Module = "DEFAULT",
        min_score: float = 0.7,
        num_persons: int | None = None,
        device: torch.device | str = "cpu",
    ) -> None:
        self.min_score = check_rate("min_score", min_score)
        self.num_persons = None if num_persons is None else check_int("num_persons", num_persons)
        self.device = torch.device(device)
        self.model = _make(weights).to(self.device).eval()

    @torch.inference_mode()
    def find(self, frame: Frame) -> FoundPeople:
        r"""Finds the people of a picture.

        Args:
            frame (Frame): The picture.
        """
        image = torch.from_numpy(frame.image).to(self.device).permute(2, 0, 1) / 255
        (found,) = self.model([image])
        chosen = (found["scores"] >= self.min_score).nonzero().flatten()[: self.num_persons]
        joints = found["keypoints"][chosen][..., :2]
        score = found["keypoints_scores"][chosen].sigmoid() * found["scores"][chosen, None]
        return FoundPeople(_to_numpy(joints), _to_numpy(score))


def _make(weights: str | os.PathLike[str] | Module) -> Module:
    if isinstance(weights, Module):
        return weights
    names = [*KeypointRCNN_ResNet50_FPN_Weights.__members__, "DEFAULT"]
    if isinstance(weights, str) and weights in names:
        model: Module = keypointrcnn_resnet50_fpn(weights=weights)
        return model
    made: Module = keypointrcnn_resnet50_fpn(weights=None, weights_backbone=None)
    state = read_weights(weights)
    try:
        made.load_state_dict(state)
    except RuntimeError as error:
        reason = str(error).split("\n")[1].strip() if "\n" in str(error) else str(error)
        raise ValueError(
            f"'{weights}' is no state dict of keypointrcnn_resnet50_fpn ({reason[:200]})"
        ) from error
    return made


def _to_numpy(value: Any) -> np.ndarray[Any, np.dtype[np.float32]]:
    array: np.ndarray[Any, np.dtype[np.float32]] = value.float().cpu().numpy()
    return array
