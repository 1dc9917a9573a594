r"""Synthetic skeleton sequences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
import torch
from torch_geometric.data import Data

from pyg_vision._checks import check_int
from pyg_vision.data.skeleton import skeleton_sequence
from pyg_vision.datasets._figure import ACTIONS, Array, about_x, about_y, draw_motion
from pyg_vision.datasets.skeleton_dataset import SkeletonDataset

_SPLITS = ("train", "test")
_MARGIN = 0.03  # of the picture that stays free
_JITTER = 0.003  # of the picture, the error of the imagined pose estimator


class SyntheticMotion(SkeletonDataset):
    r"""**Synthetic** skeleton sequences for demos, examples and tests: figures that wave, clap, do
    jumping jacks, squat, march, kick and bow, with the layout :obj:`"openpose"`.

    It needs no download and is not a benchmark: the motion is computed from joint angles, by
    forward kinematics over limbs of fixed length. Body size, tempo, phase, amplitude, the active
    side (left or right) and the distance of the camera are random; the camera stands 15 to 45
    degrees to one side and a little above. Small noise is added to the angles and to the joints.

    A joint has the features :math:`(x, y, \textrm{score})`, with :math:`x` and :math:`y` in
    [0, 1], :math:`y` downwards, at 15 frames per second. Classes are balanced, and sequence
    :math:`i` of a split and seed does not depend on the number of sequences.

    .. list-table::
        :header-rows: 1

        * - split
          - #sequences
          - #frames
          - #joints
          - #features
          - #classes
        * - each
          - 210
          - 30 to 60
          - 18
          - 3
          - 7

    Args:
        num_sequences (int, optional): The number of sequences. (default: :obj:`210`)
        split (str, optional): :obj:`"train"` or :obj:`"test"`, which are drawn independently.
            (default: :obj:`"train"`)
        num_frames (tuple or int, optional): The smallest and the largest number of frames of a
            sequence, or one number for all sequences. (default: :obj:`(30, 60)`)
        seed (int, optional): The seed of the random numbers. (default: :obj:`0`)
        transform (Callable, optional): A transform from :class:`~torch_geometric.data.Data` to
            :class:`~torch_geometric.data.Data`. (default: :obj:`None`)
        two_persons (float, optional): The share of sequences with two persons, side by side, who
            perform the same action independently. (default: :obj:`0.0`)

    Raises:
        TypeError: If a number is not an integer.
        ValueError: If there is no such split, or a number is out of range.

    Example:
        >>> from pyg_vision.datasets import SyntheticMotion
        >>> dataset = SyntheticMotion(num_sequences=14, num_frames=30)
        >>> dataset.classes[:3]
        ['wave', 'clap', 'jumping jack']
        >>> dataset[0].skeleton_shape
        SkeletonShape(num_persons=1, num_frames=30, num_joints=18)
    """

    def __init__(
        self,
        num_sequences: int = 210,
        split: Literal["train", "test"] = "train",
        num_frames: tuple[int, int] | int = (30, 60),
        seed: int = 0,
        transform: Callable[[Data], Data] | None = None,
        two_persons: float = 0.0,
    ) -> None:
        if split not in _SPLITS:
            raise ValueError(f"'split' must be one of {', '.join(_SPLITS)} (got {split!r})")
        check_int("num_sequences", num_sequences, 1)
        check_int("seed", seed, 0)
        low, high = _read_range(num_frames)
        check_int("num_frames", low, 1)
        check_int("num_frames", high, low)
        if not 0.0 <= two_persons <= 1.0:
            raise ValueError(f"'two_persons' must lie in [0, 1] (got {two_persons})")
        self.split = split
        sequences = []
        for i in range(num_sequences):
            rng = np.random.default_rng([seed, _SPLITS.index(split), i])
            length = int(rng.integers(low, high, endpoint=True))
            persons = 2 if rng.random() < two_persons else 1
            sequences.append(_draw_sequence(rng, i % len(ACTIONS), length, persons))
        super().__init__(sequences, transform, [name.replace("_", " ") for name in ACTIONS])


def _draw_sequence(rng: np.random.Generator, label: int, num_frames: int, persons: int) -> Data:
    action = list(ACTIONS)[label]
    height = rng.uniform(0.5, 1.0)
    films = []
    for person in range(persons):
        left, right = person / persons, (person + 1) / persons
        films.append(_film(rng, draw_motion(rng, action, num_frames), left, right, height))
    keypoints = np.stack(films)
    score = (0.88 + 0.06 * rng.standard_normal(keypoints.shape[:3])).clip(0.3, 1.0)
    return skeleton_sequence(
        torch.from_numpy(keypoints).float(), "openpose", label, torch.from_numpy(score).float()
    )


def _film(
    rng: np.random.Generator, motion: Array, left: float, right: float, height: float
) -> Array:
    r"""Projects a motion to :math:`(T, V, 2)`, into the picture between two values of
    :math:`x`, as high in it as a share of the free room says: 0 is at the top, 1 at the bottom.
    """
    yaw = rng.choice((-1.0, 1.0)) * rng.uniform(15.0, 45.0)
    camera = about_x(np.array(rng.uniform(0.0, 12.0))) @ about_y(np.array(yaw))
    middle = np.array((0.0, 0.5, 0.0))
    seen = (motion - middle) @ camera.T
    distance = rng.uniform(4.0, 7.0)
    flat = seen[..., :2] * (distance / (distance - seen[..., 2:])) * (1.0, -1.0)
    low, high = flat.min(axis=(0, 1)), flat.max(axis=(0, 1))
    room = np.array((right - left, 1.0)) - 2.0 * _MARGIN
    scale = min(rng.uniform(0.5, 0.75), *(room / (high - low)))
    free = room - scale * (high - low)
    offset = np.array((left, 0.0)) + _MARGIN + free * (rng.random(), height) - scale * low
    error = _JITTER * rng.standard_normal(flat.shape)
    return (scale * flat + offset + error).clip(0.0, 1.0)


def _read_range(num_frames: tuple[int, int] | int) -> tuple[int, int]:
    if isinstance(num_frames, int):
        return num_frames, num_frames
    if not isinstance(num_frames, (tuple, list)) or len(num_frames) != 2:
        raise ValueError(
            f"'num_frames' must be the fewest and the most frames, or one number (got "
            f"{num_frames!r})"
        )
    return num_frames[0], num_frames[1]
