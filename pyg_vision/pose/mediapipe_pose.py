r"""Poses and hands by MediaPipe."""

from __future__ import annotations

import os
from typing import Any, Literal, get_args

import numpy as np

from pyg_vision._checks import check_int
from pyg_vision.data import skeleton_layout
from pyg_vision.pose.pose_source import FoundPeople, PoseSource
from pyg_vision.pose.video import Frame

Landmarks = Literal["image", "world"]


class _Solution(PoseSource):
    r"""What the solutions of MediaPipe have in common."""

    _solution: Any

    def __init__(self, landmarks: Landmarks) -> None:
        if landmarks not in get_args(Landmarks):
            raise ValueError(f"'landmarks' must be 'image' or 'world' (got {landmarks!r})")
        self.landmarks = landmarks

    def _read(self, shown: Any, world: Any, score: Any, frame: Frame) -> FoundPeople:
        r"""Returns the people of a result: lists of landmarks, one for each."""
        height, width, _ = frame.image.shape
        joints = self.layout.num_joints
        pixels = np.array(
            [[(mark.x * width, mark.y * height) for mark in one.landmark] for one in shown or ()],
            dtype=np.float32,
        ).reshape(-1, joints, 2)
        scores = np.asarray(score, dtype=np.float32).reshape(-1, joints)
        if self.landmarks == "image":
            return FoundPeople(pixels, scores)
        metres = np.array(
            [[(mark.x, mark.y, mark.z) for mark in one.landmark] for one in world or ()],
            dtype=np.float32,
        ).reshape(-1, joints, 3)
        return FoundPeople(metres, scores, pixels)

    def reset(self) -> None:
        r"""Forgets the pictures before, as another video begins."""
        self._solution.reset()

    def close(self) -> None:
        r"""Frees the models."""
        self._solution.close()


class MediaPipePose(_Solution):
    r"""The pose model of `MediaPipe <https://ai.google.dev/edge/mediapipe>`_, which its wheel
    carries: one person of 33 joints, in pixels or in metres.

    The score of a joint is its visibility. A person is followed from picture to picture, so that
    what is found depends on those before.

    Args:
        landmarks (str, optional): :obj:`"image"`, pixels; or :obj:`"world"`, metres around the hip,
            :math:`y` downwards. (default: :obj:`"image"`)
        video (bool, optional): Whether pictures are those of a video; else each is searched anew.
            (default: :obj:`True`)
        min_score (float, optional): How sure the detection and the tracking of a person must be.
            (default: :obj:`0.5`)

    Raises:
        ImportError: If MediaPipe is not installed.
        ValueError: If there are no such landmarks.

    Example:
        >>> from pyg_vision.pose import MediaPipePose, estimate_pose
        >>> with MediaPipePose() as source:
        ...     data = estimate_pose("walk.mkv", source)
        >>> data.layout
        SkeletonLayout('mediapipe', 33 joints)
    """

    layout = skeleton_layout("mediapipe")

    def __init__(
        self, landmarks: Landmarks = "image", video: bool = True, min_score: float = 0.5
    ) -> None:
        super().__init__(landmarks)
        self._solution = _import_solutions().pose.Pose(
            static_image_mode=not video,
            model_complexity=1,
            min_detection_confidence=min_score,
            min_tracking_confidence=min_score,
        )

    def find(self, frame: Frame) -> FoundPeople:
        r"""Finds the person of a picture.

        Args:
            frame (Frame): The picture.
        """
        result = self._solution.process(frame.image)
        shown = [result.pose_landmarks] if result.pose_landmarks else []
        world = [result.pose_world_landmarks] if result.pose_world_landmarks else []
        score = [[mark.visibility for mark in one.landmark] for one in shown]
        return self._read(shown, world, score, frame)


class MediaPipeHands(_Solution):
    r"""The hand model of `MediaPipe <https://ai.google.dev/edge/mediapipe>`_, which its wheel
    carries: hands of 21 joints, in pixels or in metres, each a person of its own.

    The score of all joints of a hand is how sure it is a left or a right one.

    Args:
        num_hands (int, optional): The most hands of a picture. (default: :obj:`2`)
        landmarks (str, optional): :obj:`"image"`, pixels; or :obj:`"world"`, metres.
            (default: :obj:`"image"`)
        video (bool, optional): Whether pictures are those of a video; else each is searched anew.
            (default: :obj:`True`)
        min_score (float, optional): How sure the detection and the tracking of a hand must be.
            (default: :obj:`0.5`)

    Raises:
        ImportError: If MediaPipe is not installed.
        ValueError: If there are no such landmarks, or the number is not positive.

    Example:
        >>> from pyg_vision.pose import MediaPipeHands, estimate_pose
        >>> with MediaPipeHands() as source:
        ...     data = estimate_pose("walk.mkv", source)
        >>> data.layout
        SkeletonLayout('hand', 21 joints)
    """

    layout = skeleton_layout("hand")

    def __init__(
        self,
        num_hands: int = 2,
        landmarks: Landmarks = "image",
        video: bool = True,
        min_score: float = 0.5,
    ) -> None:
        super().__init__(landmarks)
        self._solution = _import_solutions().hands.Hands(
            static_image_mode=not video,
            max_num_hands=check_int("num_hands", num_hands),
            min_detection_confidence=min_score,
            min_tracking_confidence=min_score,
        )

    def find(self, frame: Frame) -> FoundPeople:
        r"""Finds the hands of a picture.

        Args:
            frame (Frame): The picture.
        """
        result = self._solution.process(frame.image)
        sides = [side.classification[0].score for side in result.multi_handedness or ()]
        score = np.repeat(np.array(sides, dtype=np.float32), self.layout.num_joints)
        return self._read(
            result.multi_hand_landmarks, result.multi_hand_world_landmarks, score, frame
        )


def _import_solutions() -> Any:
    os.environ.setdefault("GLOG_minloglevel", "2")  # its notes of how it computes
    try:
        import mediapipe
    except ImportError as error:
        raise ImportError(
            "this pose model needs mediapipe: pip install pyg-vision[pose]"
        ) from error
    return mediapipe.solutions
