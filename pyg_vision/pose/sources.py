r"""Sources of poses by their names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pyg_vision.pose.keypoint_rcnn import KeypointRCNN
from pyg_vision.pose.mediapipe_pose import MediaPipeHands, MediaPipePose
from pyg_vision.pose.pose_source import PoseSource

POSE_SOURCES: dict[str, Callable[..., PoseSource]] = {
    "mediapipe": MediaPipePose,
    "mediapipe-hands": MediaPipeHands,
    "keypoint-rcnn": KeypointRCNN,
}


def open_pose_source(name: str, **options: Any) -> PoseSource:
    r"""Makes a source of poses.

    Args:
        name (str): :obj:`"mediapipe"`, :obj:`"mediapipe-hands"` or :obj:`"keypoint-rcnn"`, the last
            also with a file of its weights, as :obj:`"keypoint-rcnn:weights.pth"`.
        **options (optional): Arguments of the source.

    Raises:
        ImportError: If what it needs is not installed.
        ValueError: If there is no such source.

    Example:
        >>> from pyg_vision.pose import open_pose_source
        >>> open_pose_source("openpose")
        Traceback (most recent call last):
        ...
        ValueError: the source of poses must be one of mediapipe, mediapipe-hands, ...
    """
    kind, _, file = name.partition(":")
    if kind not in POSE_SOURCES or (file and kind != "keypoint-rcnn"):
        raise ValueError(
            f"the source of poses must be one of {', '.join(POSE_SOURCES)}, or "
            f"keypoint-rcnn:FILE (got {name!r})"
        )
    given = {"weights": file} if file else {}
    return POSE_SOURCES[kind](**given | options)
