r"""Sequences of NTU RGB+D."""

from __future__ import annotations

import re
from os import PathLike
from pathlib import Path
from typing import NamedTuple

import numpy as np
from torch_geometric.data import Data

from pyg_vision.data.layouts import skeleton_layout
from pyg_vision.data.readers.skeleton_file import (
    Array,
    SkeletonFileError,
    check_size,
    file_sequence,
    read_name,
    read_text,
    show,
)

_NAME = re.compile(r"S(\d{3})C(\d{3})P(\d{3})R(\d{3})A(\d{3})")
_NUM_ACTIONS = 120
_BODY_VALUES = 10  # the tracking ID, six integers, lean x and y, and the tracking state
_JOINT_VALUES = 12  # x, y, z, two pairs of pixels, a quaternion, and the tracking state


class NTUName(NamedTuple):
    r"""The numbers in the name of a file of NTU RGB+D.

    Args:
        setup (int): The setup of the cameras, 1 to 17, or to 32 in NTU RGB+D 120.
        camera (int): The camera, 1 to 3.
        subject (int): The person, 1 to 40, or to 106 in NTU RGB+D 120.
        repetition (int): The repetition, 1 or 2.
        action (int): The number of the action, 1 to 60, or to 120 in NTU RGB+D 120.

    Example:
        >>> from pyg_vision.data.readers import ntu_name
        >>> name = ntu_name("S001C001P002R001A050.skeleton")
        >>> name.subject, name.action
        (2, 50)
    """

    setup: int
    camera: int
    subject: int
    repetition: int
    action: int


def ntu_name(path: str | PathLike[str]) -> NTUName:
    r"""Reads the name of a file, :obj:`SxxxCxxxPxxxRxxxAxxx.skeleton`.

    Args:
        path (str or path): The file.

    Raises:
        ValueError: If the name has another form, or the data set does not have the action.

    Example:
        >>> from pyg_vision.data.readers import ntu_name
        >>> ntu_name("data/ntu/S001C001P002R001A050.skeleton")
        NTUName(setup=1, camera=1, subject=2, repetition=1, action=50)
    """
    path = Path(path)
    name = read_name(path, _NAME, "SxxxCxxxPxxxRxxxAxxx.skeleton", NTUName)
    if not 1 <= name.action <= _NUM_ACTIONS:
        raise SkeletonFileError(
            Path(path), f"the action must be 1 to {_NUM_ACTIONS} (got {name.action})"
        )
    return name


def read_ntu(path: str | PathLike[str]) -> Data:
    r"""Reads a sequence of NTU RGB+D from a text file :obj:`.skeleton`.

    Bodies with the same tracking ID of Kinect are one person; frames in which it was not seen are
    zeros. Persons are sorted by their motion, the largest first: by the sum of the standard
    deviations of :math:`x`, :math:`y` and :math:`z` over their joints and frames, as in 2s-AGCN.
    All are kept, including objects that Kinect detected as bodies;
    :class:`~pyg_vision.transforms.TopPersons` keeps two, as the published models do.

    Args:
        path (str or path): The file :obj:`SxxxCxxxPxxxRxxxAxxx.skeleton`.

    Returns:
        torch_geometric.data.Data: The sequence in metres, of the layout :obj:`"ntu"`, with the
        action, counted from zero, as :obj:`y`; see :func:`~pyg_vision.data.skeleton_sequence`.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is malformed, or without frames or bodies; the error names file,
            frame and person, where persons are counted within the frame.

    Example:
        >>> from pyg_vision.data.readers import read_ntu
        >>> data = read_ntu("data/ntu/S001C001P002R001A050.skeleton")
        >>> data.skeleton_shape
        SkeletonShape(num_persons=2, num_frames=4, num_joints=25)
        >>> data.y
        tensor([49])
    """
    path = Path(path)
    name = ntu_name(path)
    layout = skeleton_layout("ntu")
    lines = _Lines(path)
    num_frames = lines.integer("the number of frames")
    if num_frames < 1:
        raise SkeletonFileError(path, "holds no frames")
    if num_frames > lines.left:
        raise SkeletonFileError(
            path, f"declares {show(num_frames)} frames, but has only {lines.left} more lines"
        )
    bodies: dict[str, dict[int, Array]] = {}
    for t in range(num_frames):
        for m in range(lines.integer("the number of bodies", t)):
            body, joints = _read_body(lines, layout.num_joints, t, m)
            seen = bodies.setdefault(body, {})
            if t in seen:
                raise SkeletonFileError(path, f"body {body} is there twice", t, m)
            seen[t] = joints
    lines.end(num_frames)
    if not bodies:
        raise SkeletonFileError(path, f"there is no body in any of {num_frames} frames")
    check_size(path, (len(bodies), num_frames, layout.num_joints, 3))
    keypoints = np.zeros((len(bodies), num_frames, layout.num_joints, 3), dtype=np.float32)
    for m, frames in enumerate(sorted(bodies.values(), key=_motion, reverse=True)):
        keypoints[m, list(frames)] = np.stack(list(frames.values()))
    return file_sequence(path, keypoints, layout, y=name.action - 1)


def _motion(frames: dict[int, Array]) -> float:
    joints = np.stack(list(frames.values())).astype(np.float64)
    return float(joints.std(axis=(0, 1)).sum())


def _read_body(lines: _Lines, num_joints: int, t: int, m: int) -> tuple[str, Array]:
    body = lines.words("of a body", _BODY_VALUES, t, m)[0]
    if not re.fullmatch(r"[0-9]{1,20}", body):
        raise SkeletonFileError(
            lines.path, f"the ID of a body must be an integer (got {show(body)})", t, m
        )
    declared = lines.integer("the number of joints", t, m)
    if declared != num_joints:
        raise SkeletonFileError(
            lines.path, f"a body has {num_joints} joints (got {show(declared)})", t, m
        )
    # Only the coordinates are looked at: pixels that Kinect could not compute are no numbers.
    rows = [lines.words("of a joint", _JOINT_VALUES, t, m)[:3] for _ in range(num_joints)]
    try:
        joints = np.array([[float(word) for word in row] for row in rows])
    except ValueError as error:
        raise SkeletonFileError(lines.path, f"a coordinate is no number ({error})", t, m) from error
    if not (np.abs(joints) <= np.finfo(np.float32).max).all():
        raise SkeletonFileError(lines.path, "a coordinate is NaN or infinite", t, m)
    return body, joints.astype(np.float32)


class _Lines:
    r"""The lines of a file, one after the other; errors tell where it is cut off."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lines = read_text(path).rstrip().split("\n")
        self._next = 0

    @property
    def left(self) -> int:
        return len(self._lines) - self._next

    def line(self, what: str, t: int | None = None, m: int | None = None) -> str:
        if self.left == 0:
            raise SkeletonFileError(self.path, f"ends where {what} should be", t, m)
        self._next += 1
        return self._lines[self._next - 1]

    def words(self, what: str, count: int, t: int, m: int) -> list[str]:
        words = self.line(f"the {count} values {what}", t, m).split()
        if len(words) != count:
            raise SkeletonFileError(
                self.path, f"expected the {count} values {what} (got {len(words)})", t, m
            )
        return words

    def integer(self, what: str, t: int | None = None, m: int | None = None) -> int:
        text = self.line(what, t, m).strip()
        if not re.fullmatch(r"[0-9]{1,20}", text):
            raise SkeletonFileError(self.path, f"expected {what} (got {show(text)})", t, m)
        return int(text)

    def end(self, num_frames: int) -> None:
        if self.left:
            raise SkeletonFileError(
                self.path, f"has {self.left} more lines behind its {num_frames} frames"
            )
