r"""Moving figures that are computed, not recorded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import torch
from torch_geometric.data import Data

from pyg_vision._checks import check_int
from pyg_vision.data.layouts import skeleton_layout
from pyg_vision.data.skeleton import skeleton_sequence
from pyg_vision.datasets.skeleton_dataset import SkeletonDataset

Array = np.ndarray[Any, np.dtype[np.float64]]

_SPLITS = ("train", "test")
_FPS = 15.0  # the frames of a second, in which tempo is counted
_LEFT, _RIGHT = 1.0, -1.0
_MARGIN = 0.03  # of the picture that stays free
_SWAY = 2.5  # degrees by which no joint is still
_JITTER = 0.003  # of the picture, the error of the imagined pose estimator


class SyntheticMotion(SkeletonDataset):
    r"""Figures that wave, clap, do jumping jacks, squat, march, kick and bow, on the layout
    :obj:`openpose`: **synthetic** motion for demos, examples and tests.

    It needs no download and is no benchmark: the figures are computed from joint angles, by
    forward kinematics over limbs of fixed length. Each has its own body, tempo, phase and
    amplitude; the arm or leg that acts is the left or the right one; the camera stands 15 to 45
    degrees to one side and a little above, nearer or farther. Angles sway a little and joints
    are found with a small error.

    A joint has the features :math:`(x, y, \textrm{score})`, with :math:`x` and :math:`y` in
    [0, 1], :math:`y` downwards, 15 frames a second. Classes are balanced, and sequence :math:`i`
    of a split and seed is the same for every number of sequences.

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
        split (str, optional): :obj:`"train"` or :obj:`"test"`, which are drawn apart from each
            other. (default: :obj:`"train"`)
        num_frames (tuple or int, optional): The fewest and the most frames of a sequence, or
            the frames of all. (default: :obj:`(30, 60)`)
        seed (int, optional): Of all that is random. (default: :obj:`0`)
        transform (Callable, optional): A transform from :class:`~torch_geometric.data.Data` to
            :class:`~torch_geometric.data.Data`. (default: :obj:`None`)
        two_persons (float, optional): The share of sequences in which two persons do the same,
            each in their own way, side by side. (default: :obj:`0.0`)

    Raises:
        TypeError: If a number is no integer.
        ValueError: If there is no such split, or a number is out of range.
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
            sequences.append(_draw_sequence(rng, i % len(_ACTIONS), length, persons))
        super().__init__(sequences, transform, [name.replace("_", " ") for name in _ACTIONS])


@dataclass
class _Body:
    r"""The lengths of a body, as shares of a height of one."""

    shoulders: float
    hips: float
    trunk: float
    head: float
    upper_arm: float
    forearm: float
    thigh: float
    shin: float

    @classmethod
    def draw(cls, rng: np.random.Generator) -> _Body:
        legs, arms = rng.uniform(0.93, 1.07, 2)
        size = {
            "shoulders": 0.235,
            "hips": 0.15,
            "trunk": 0.3 / legs,
            "head": 0.115,
            "upper_arm": 0.17 * arms,
            "forearm": 0.16 * arms,
            "thigh": 0.245 * legs,
            "shin": 0.24 * legs,
        }
        return cls(**{name: value * rng.uniform(0.94, 1.06) for name, value in size.items()})


@dataclass
class _Pose:
    r"""The angles of the joints over time in degrees, :math:`(2, T)` for the limb that acts and
    for the other one; all zero is a figure that stands straight, its arms hanging.
    """

    num_frames: int
    arm_out: Array = field(init=False)  # to the side
    arm_forward: Array = field(init=False)
    arm_turn: Array = field(init=False)  # about the upper arm; 90 turns the elbow's bend outwards
    elbow: Array = field(init=False)
    leg_out: Array = field(init=False)
    leg_forward: Array = field(init=False)
    knee: Array = field(init=False)
    trunk: Array = field(init=False)  # forward
    hop: Array = field(init=False)  # no angle, but a height

    def __post_init__(self) -> None:
        rest = {"arm_out": 9.0, "elbow": 14.0, "leg_out": 3.0, "knee": 3.0}
        for name in ("arm_out", "arm_forward", "arm_turn", "elbow", "leg_out", "leg_forward"):
            setattr(self, name, np.full((2, self.num_frames), rest.get(name, 0.0)))
        self.knee = np.full((2, self.num_frames), rest["knee"])
        self.trunk = np.zeros(self.num_frames)
        self.hop = np.zeros(self.num_frames)


def _wave(pose: _Pose, phase: Array, size: float, body: _Body) -> None:
    pose.arm_out[0] = 98.0
    pose.arm_turn[0] = 90.0
    pose.elbow[0] = 76.0 + 36.0 * size * np.sin(phase)


def _clap(pose: _Pose, phase: Array, size: float, body: _Body) -> None:
    pose.arm_forward[:] = 42.0
    pose.elbow[:] = 80.0
    # Turned so far inwards, the hands meet before the breast.
    reach = body.forearm * np.sin(np.radians(80.0)) * 1.02
    inwards = -np.degrees(np.arcsin(min(0.5 * body.shoulders / reach, 0.95)))
    pose.arm_out[:] = 0.0
    pose.arm_turn[:] = inwards + 75.0 * size * _there_and_back(phase)


def _jumping_jack(pose: _Pose, phase: Array, size: float, body: _Body) -> None:
    apart = _there_and_back(phase)
    pose.arm_out[:] = 12.0 + 148.0 * size * apart
    pose.leg_out[:] = 3.0 + 24.0 * size * apart
    pose.hop[:] = 0.05 * size * np.sin(phase) ** 2


def _squat(pose: _Pose, phase: Array, size: float, body: _Body) -> None:
    down = _there_and_back(phase)
    pose.leg_forward[:] = 68.0 * size * down
    pose.knee[:] = 3.0 + 125.0 * size * down
    pose.leg_out[:] = 8.0 + 10.0 * down
    pose.trunk[:] = 32.0 * size * down
    pose.arm_forward[:] = 10.0 + 85.0 * size * down


def _march(pose: _Pose, phase: Array, size: float, body: _Body) -> None:
    swing = np.stack((np.sin(phase), -np.sin(phase)))
    pose.leg_forward[:] = 74.0 * size * swing.clip(min=0.0)
    pose.knee[:] = 3.0 + 88.0 * size * swing.clip(min=0.0)
    pose.arm_forward[:] = -38.0 * size * swing
    pose.elbow[:] = 62.0


def _kick(pose: _Pose, phase: Array, size: float, body: _Body) -> None:
    swing = np.sin(phase)
    front, back = swing.clip(min=0.0), (-swing).clip(min=0.0)
    pose.leg_forward[0] = 82.0 * size * front - 28.0 * back
    pose.knee[0] = 6.0 + 62.0 * back
    pose.knee[1] = 8.0
    pose.arm_forward[:] = np.stack((-30.0 * size * swing, 40.0 * size * swing))
    pose.arm_out[:] = 22.0
    pose.trunk[:] = -8.0 * front


def _bow(pose: _Pose, phase: Array, size: float, body: _Body) -> None:
    down = _there_and_back(phase)
    pose.trunk[:] = 78.0 * size * down
    pose.arm_forward[:] = 20.0 * size * down
    pose.leg_forward[:] = -4.0 * down


# How an action moves, and how often in a second.
_Action = tuple[Callable[[_Pose, Array, float, _Body], None], float]
_ACTIONS: dict[str, _Action] = {
    "wave": (_wave, 1.2),
    "clap": (_clap, 1.1),
    "jumping_jack": (_jumping_jack, 0.75),
    "squat": (_squat, 0.5),
    "march": (_march, 0.75),
    "kick": (_kick, 0.65),
    "bow": (_bow, 0.45),
}


def _draw_sequence(rng: np.random.Generator, label: int, num_frames: int, persons: int) -> Data:
    action = list(_ACTIONS)[label]
    height = rng.uniform(0.5, 1.0)
    films = []
    for person in range(persons):
        left, right = person / persons, (person + 1) / persons
        films.append(_film(rng, _draw_motion(rng, action, num_frames), left, right, height))
    keypoints = np.stack(films)
    score = (0.88 + 0.06 * rng.standard_normal(keypoints.shape[:3])).clip(0.3, 1.0)
    return skeleton_sequence(
        torch.from_numpy(keypoints).float(), "openpose", label, torch.from_numpy(score).float()
    )


def _draw_motion(rng: np.random.Generator, action: str, num_frames: int) -> Array:
    r"""Returns the motion :math:`(T, V, 3)` of a body of about one in height that stands on the
    ground: :math:`x` to its left, :math:`y` upwards, :math:`z` forward.
    """
    body = _Body.draw(rng)
    pose = _Pose(num_frames)
    move, tempo = _ACTIONS[action]
    seconds = np.arange(num_frames) / _FPS
    phase = 2.0 * np.pi * (rng.random() + tempo * rng.uniform(0.8, 1.25) * seconds)
    move(pose, phase, rng.uniform(0.8, 1.1), body)
    for name, angle in vars(pose).items():
        if name not in ("num_frames", "hop"):
            angle += _sway(rng, seconds, angle.shape)
    sides = (_LEFT, _RIGHT) if rng.random() < 0.5 else (_RIGHT, _LEFT)
    return _move_body(body, pose, sides)


def _move_body(body: _Body, pose: _Pose, sides: tuple[float, float]) -> Array:
    r"""Computes the joints :math:`(T, V, 3)` from the angles, from the hips outwards."""
    layout = skeleton_layout("openpose")
    joints = np.zeros((pose.num_frames, layout.num_joints, 3))

    def put(name: str, side: float, value: Array) -> None:
        prefix = {_LEFT: "left_", _RIGHT: "right_"}[side] if side else ""
        joints[:, layout.joint(prefix + name)] = value

    # The trunk is rigid and bends at the hips.
    trunk = _about_x(pose.trunk)
    neck = trunk @ np.array((0.0, body.trunk, 0.0))
    nose = neck + trunk @ (body.head * np.array((0.0, 0.9, 0.44)))
    put("neck", 0.0, neck)
    put("nose", 0.0, nose)
    for i, side in enumerate(sides):
        out = np.array((side, 1.0, 1.0))  # mirrors a left limb for the right one
        eye = nose + trunk @ (body.head * out * np.array((0.21, 0.23, -0.09)))
        put("eye", side, eye)
        put("ear", side, eye + trunk @ (body.head * out * np.array((0.34, -0.06, -0.55))))
        arm = (
            _about_z(pose.arm_out[i]) @ _about_x(-pose.arm_forward[i]) @ _about_y(pose.arm_turn[i])
        )
        shoulder = neck + trunk @ (out * np.array((0.5 * body.shoulders, -0.06 * body.trunk, 0.0)))
        elbow = shoulder + _turn(trunk, out * (arm @ _down(body.upper_arm)))
        forearm = arm @ _about_x(-pose.elbow[i])
        put("shoulder", side, shoulder)
        put("elbow", side, elbow)
        put("wrist", side, elbow + _turn(trunk, out * (forearm @ _down(body.forearm))))
        leg = _about_z(pose.leg_out[i]) @ _about_x(-pose.leg_forward[i])
        hip = np.array((0.5 * side * body.hips, 0.0, 0.0))
        knee = hip + out * (leg @ _down(body.thigh))
        put("hip", side, hip)
        put("knee", side, knee)
        put("ankle", side, knee + out * (leg @ _about_x(pose.knee[i]) @ _down(body.shin)))
    ankles = [layout.joint("left_ankle"), layout.joint("right_ankle")]
    lowest = joints[:, ankles, 1].min(axis=1)
    joints[..., 1] += (pose.hop - lowest)[:, None]
    return joints


def _film(
    rng: np.random.Generator, motion: Array, left: float, right: float, height: float
) -> Array:
    r"""Projects a motion to :math:`(T, V, 2)`, into the picture between two values of
    :math:`x`, as high in it as a share of the free room says: 0 is at the top, 1 at the bottom.
    """
    yaw = rng.choice((-1.0, 1.0)) * rng.uniform(15.0, 45.0)
    camera = _about_x(np.array(rng.uniform(0.0, 12.0))) @ _about_y(np.array(yaw))
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


def _sway(rng: np.random.Generator, seconds: Array, shape: tuple[int, ...]) -> Array:
    r"""Returns slow, smooth noise in degrees."""
    rate, start = rng.uniform(0.15, 0.7, (2, *shape[:-1])), rng.random((2, *shape[:-1]))
    waves = np.sin(2.0 * np.pi * (rate[..., None] * seconds + start[..., None]))
    return _SWAY * (waves.sum(axis=0) + rng.standard_normal((*shape[:-1], 1)))


def _there_and_back(phase: Array) -> Array:
    return 0.5 - 0.5 * np.cos(phase)


def _down(length: float) -> Array:
    return np.array((0.0, -length, 0.0))


def _turn(rotation: Array, vector: Array) -> Array:
    r"""Turns one vector by one rotation in each frame."""
    return np.einsum("tij,tj->ti", rotation, vector)


def _about_x(degrees: Array) -> Array:
    return _rotation(degrees, 1, 2)


def _about_y(degrees: Array) -> Array:
    return _rotation(degrees, 2, 0)


def _about_z(degrees: Array) -> Array:
    return _rotation(degrees, 0, 1)


def _rotation(degrees: Array, a: int, b: int) -> Array:
    r"""Returns rotations from axis :math:`a` towards axis :math:`b`."""
    angle = np.radians(degrees)
    matrix = np.zeros((*angle.shape, 3, 3))
    matrix[...] = np.eye(3)
    matrix[..., a, a] = matrix[..., b, b] = np.cos(angle)
    matrix[..., b, a] = np.sin(angle)
    matrix[..., a, b] = -np.sin(angle)
    return matrix


def _read_range(num_frames: tuple[int, int] | int) -> tuple[int, int]:
    if isinstance(num_frames, int):
        return num_frames, num_frames
    if not isinstance(num_frames, (tuple, list)) or len(num_frames) != 2:
        raise ValueError(
            f"'num_frames' must be the fewest and the most frames, or one number (got "
            f"{num_frames!r})"
        )
    return num_frames[0], num_frames[1]
