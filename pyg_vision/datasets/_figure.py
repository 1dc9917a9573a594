r"""A figure of limbs of fixed length, moved by the angles of its joints."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pyg_vision.data.layouts import skeleton_layout

Array = np.ndarray[Any, np.dtype[np.float64]]

_FPS = 15.0  # the frames of a second, in which tempo is counted
_LEFT, _RIGHT = 1.0, -1.0
_SWAY = 2.5  # degrees by which no joint is still


@dataclass
class Body:
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
    def draw(cls, rng: np.random.Generator) -> Body:
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
class Pose:
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


def _wave(pose: Pose, phase: Array, size: float, body: Body) -> None:
    pose.arm_out[0] = 98.0
    pose.arm_turn[0] = 90.0
    pose.elbow[0] = 76.0 + 36.0 * size * np.sin(phase)


def _clap(pose: Pose, phase: Array, size: float, body: Body) -> None:
    pose.arm_forward[:] = 42.0
    pose.elbow[:] = 80.0
    # Turned so far inwards, the hands meet before the breast.
    reach = body.forearm * np.sin(np.radians(80.0)) * 1.02
    inwards = -np.degrees(np.arcsin(min(0.5 * body.shoulders / reach, 0.95)))
    pose.arm_out[:] = 0.0
    pose.arm_turn[:] = inwards + 75.0 * size * _there_and_back(phase)


def _jumping_jack(pose: Pose, phase: Array, size: float, body: Body) -> None:
    apart = _there_and_back(phase)
    pose.arm_out[:] = 12.0 + 148.0 * size * apart
    pose.leg_out[:] = 3.0 + 24.0 * size * apart
    pose.hop[:] = 0.05 * size * np.sin(phase) ** 2


def _squat(pose: Pose, phase: Array, size: float, body: Body) -> None:
    down = _there_and_back(phase)
    pose.leg_forward[:] = 68.0 * size * down
    pose.knee[:] = 3.0 + 125.0 * size * down
    pose.leg_out[:] = 8.0 + 10.0 * down
    pose.trunk[:] = 32.0 * size * down
    pose.arm_forward[:] = 10.0 + 85.0 * size * down


def _march(pose: Pose, phase: Array, size: float, body: Body) -> None:
    swing = np.stack((np.sin(phase), -np.sin(phase)))
    pose.leg_forward[:] = 74.0 * size * swing.clip(min=0.0)
    pose.knee[:] = 3.0 + 88.0 * size * swing.clip(min=0.0)
    pose.arm_forward[:] = -38.0 * size * swing
    pose.elbow[:] = 62.0


def _kick(pose: Pose, phase: Array, size: float, body: Body) -> None:
    swing = np.sin(phase)
    front, back = swing.clip(min=0.0), (-swing).clip(min=0.0)
    pose.leg_forward[0] = 82.0 * size * front - 28.0 * back
    pose.knee[0] = 6.0 + 62.0 * back
    pose.knee[1] = 8.0
    pose.arm_forward[:] = np.stack((-30.0 * size * swing, 40.0 * size * swing))
    pose.arm_out[:] = 22.0
    pose.trunk[:] = -8.0 * front


def _bow(pose: Pose, phase: Array, size: float, body: Body) -> None:
    down = _there_and_back(phase)
    pose.trunk[:] = 78.0 * size * down
    pose.arm_forward[:] = 20.0 * size * down
    pose.leg_forward[:] = -4.0 * down


# How an action moves, and how often in a second.
_Action = tuple[Callable[[Pose, Array, float, Body], None], float]
ACTIONS: dict[str, _Action] = {
    "wave": (_wave, 1.2),
    "clap": (_clap, 1.1),
    "jumping_jack": (_jumping_jack, 0.75),
    "squat": (_squat, 0.5),
    "march": (_march, 0.75),
    "kick": (_kick, 0.65),
    "bow": (_bow, 0.45),
}


def draw_motion(rng: np.random.Generator, action: str, num_frames: int) -> Array:
    r"""Returns the motion :math:`(T, V, 3)` of a body of about one in height that stands on the
    ground: :math:`x` to its left, :math:`y` upwards, :math:`z` forward.
    """
    body = Body.draw(rng)
    pose = Pose(num_frames)
    move, tempo = ACTIONS[action]
    seconds = np.arange(num_frames) / _FPS
    phase = 2.0 * np.pi * (rng.random() + tempo * rng.uniform(0.8, 1.25) * seconds)
    move(pose, phase, rng.uniform(0.8, 1.1), body)
    for name, angle in vars(pose).items():
        if name not in ("num_frames", "hop"):
            angle += _sway(rng, seconds, angle.shape)
    sides = (_LEFT, _RIGHT) if rng.random() < 0.5 else (_RIGHT, _LEFT)
    return _move_body(body, pose, sides)


def _move_body(body: Body, pose: Pose, sides: tuple[float, float]) -> Array:
    r"""Computes the joints :math:`(T, V, 3)` from the angles, from the hips outwards."""
    layout = skeleton_layout("openpose")
    joints = np.zeros((pose.num_frames, layout.num_joints, 3))

    def put(name: str, side: float, value: Array) -> None:
        prefix = {_LEFT: "left_", _RIGHT: "right_"}[side] if side else ""
        joints[:, layout.joint(prefix + name)] = value

    # The trunk is rigid and bends at the hips.
    trunk = about_x(pose.trunk)
    neck = trunk @ np.array((0.0, body.trunk, 0.0))
    nose = neck + trunk @ (body.head * np.array((0.0, 0.9, 0.44)))
    put("neck", 0.0, neck)
    put("nose", 0.0, nose)
    for i, side in enumerate(sides):
        out = np.array((side, 1.0, 1.0))  # mirrors a left limb for the right one
        eye = nose + trunk @ (body.head * out * np.array((0.21, 0.23, -0.09)))
        put("eye", side, eye)
        put("ear", side, eye + trunk @ (body.head * out * np.array((0.34, -0.06, -0.55))))
        arm = _about_z(pose.arm_out[i]) @ about_x(-pose.arm_forward[i]) @ about_y(pose.arm_turn[i])
        shoulder = neck + trunk @ (out * np.array((0.5 * body.shoulders, -0.06 * body.trunk, 0.0)))
        elbow = shoulder + _turn(trunk, out * (arm @ _down(body.upper_arm)))
        forearm = arm @ about_x(-pose.elbow[i])
        put("shoulder", side, shoulder)
        put("elbow", side, elbow)
        put("wrist", side, elbow + _turn(trunk, out * (forearm @ _down(body.forearm))))
        leg = _about_z(pose.leg_out[i]) @ about_x(-pose.leg_forward[i])
        hip = np.array((0.5 * side * body.hips, 0.0, 0.0))
        knee = hip + out * (leg @ _down(body.thigh))
        put("hip", side, hip)
        put("knee", side, knee)
        put("ankle", side, knee + out * (leg @ about_x(pose.knee[i]) @ _down(body.shin)))
    ankles = [layout.joint("left_ankle"), layout.joint("right_ankle")]
    lowest = joints[:, ankles, 1].min(axis=1)
    joints[..., 1] += (pose.hop - lowest)[:, None]
    return joints


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


def about_x(degrees: Array) -> Array:
    r"""Returns rotations about the first axis."""
    return _rotation(degrees, 1, 2)


def about_y(degrees: Array) -> Array:
    r"""Returns rotations about the second axis."""
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
