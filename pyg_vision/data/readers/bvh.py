r"""Motion capture in Biovision files."""

from __future__ import annotations

import math
from collections.abc import Iterator
from os import PathLike
from pathlib import Path
from typing import NoReturn

import numpy as np
from torch_geometric.data import Data

from pyg_vision.data.layout import SkeletonLayout
from pyg_vision.data.readers._rows import read_number_text, text_rows
from pyg_vision.data.readers.skeleton_file import (
    SkeletonFileError,
    check_size,
    file_sequence,
    show,
    to_float32,
)

_AXES = "XYZ"
_CHANNELS = {
    f"{axis}{kind}": (kind == "rotation", i)
    for kind in ("position", "rotation")
    for i, axis in enumerate(_AXES)
}
_MOST_JOINTS = 2000
_LONGEST = 200  # characters of a name
Matrices = np.ndarray[tuple[int, int, int], np.dtype[np.float64]]


def read_bvh(path: str | PathLike[str]) -> Data:
    r"""Reads a sequence from a Biovision file :obj:`.bvh`.

    Joints are those of the hierarchy, ends of limbs included, in the order of the file. The place
    of a joint in the world is the last column of

    .. math::
        \mathbf{G}_v = \mathbf{G}_{\textrm{parent}(v)} \, \mathbf{T}_v \, \mathbf{R}_v,

    where :math:`\mathbf{T}_v` moves by the offset of the joint and :math:`\mathbf{R}_v` is the
    product of its rotations, in degrees, in the order of its channels. Positions of the root are
    added to its offset, those of other joints take the place of theirs. Units and axes are those of
    the file, often centimetres with :math:`y` up.

    Args:
        path (str or path): The file.

    Returns:
        torch_geometric.data.Data: The sequence in three coordinates, see
        :func:`~pyg_vision.data.skeleton_sequence`. Its :obj:`layout` is the hierarchy with the root
        as centre; joints whose names differ in "Left" and "Right" are pairs. Its
        :obj:`frame_time` is the time between two frames in seconds.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is malformed; the error names the line.

    Example:
        >>> from pyg_vision.data.readers import read_bvh
        >>> data = read_bvh("data/formats/walk.bvh")
        >>> data.layout.joints
        ('Hips', 'LeftLeg', 'LeftLeg_end', 'RightLeg', 'RightLeg_end')
        >>> data.pos[1]  # of the left leg in the first frame
        tensor([10., 90.,  0.])
    """
    path = Path(path)
    tree = _Hierarchy(path)
    rows = iter(text_rows(path))
    tree.read(rows)
    motion, frame_time = _read_motion(path, rows, sum(map(len, tree.channels)))
    check_size(path, (1, len(motion), len(tree.names), 12))  # a place and a rotation
    data = file_sequence(path, to_float32(tree.places(motion))[None], tree.layout())
    data.frame_time = frame_time
    return data


class _Hierarchy:
    r"""The tree of the joints, with offset and channels of each."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.names: list[str] = []
        self.parents: list[int] = []
        self.offsets: list[list[float]] = []
        self.channels: list[list[tuple[bool, int]]] = []

    def read(self, rows: Iterator[tuple[int, list[str]]]) -> None:
        r"""Takes the lines up to :obj:`MOTION`, with a stack rather than by recursion."""
        number, words = next(rows, (1, []))
        if [word.upper() for word in words] != ["HIERARCHY"]:
            raise SkeletonFileError(self.path, "must begin with 'HIERARCHY'")
        open_joints: list[int] = []
        pending = -1  # a joint whose brace has not come yet
        told: set[tuple[int, str]] = set()
        for number, words in rows:
            key = words[0].upper()
            if pending >= 0:
                if words != ["{"]:
                    self._refuse(number, f"expected '{{' (got {show(' '.join(words))})")
                open_joints.append(pending)
                pending = -1
                continue
            if key in ("ROOT", "JOINT", "END") and len(words) >= 2:
                if (key == "ROOT") != (not self.names) or (key != "ROOT" and not open_joints):
                    self._refuse(number, f"'{words[0]}' in a wrong place")
                pending = self._add(key, words, open_joints, number)
                if words[-1] == "{" and len(words) > 2:
                    open_joints.append(pending)
                    pending = -1
            elif key in ("OFFSET", "CHANNELS") and open_joints:
                joint = open_joints[-1]
                if (joint, key) in told:
                    self._refuse(number, f"'{words[0]}' of {show(self.names[joint])} comes twice")
                told.add((joint, key))
                self._describe(key, words[1:], joint, number)
            elif words == ["}"] and open_joints:
                joint = open_joints.pop()
                if (joint, "OFFSET") not in told:
                    self._refuse(number, f"'OFFSET' of {show(self.names[joint])} is missing")
            elif key == "MOTION" and self.names and not open_joints:
                return
            else:
                self._refuse(number, f"unexpected {show(' '.join(words))}")
        raise SkeletonFileError(self.path, "has no 'MOTION'")

    def _add(self, key: str, words: list[str], open_joints: list[int], number: int) -> int:
        if len(self.names) >= _MOST_JOINTS:
            self._refuse(number, f"has more than {_MOST_JOINTS} joints")
        if key == "END":
            name = f"{self.names[open_joints[-1]]}_end"
        else:
            name = " ".join(words[1:-1] if words[-1] == "{" and len(words) > 2 else words[1:])
        if len(name) > _LONGEST:
            self._refuse(number, f"a name has more than {_LONGEST} characters")
        self.names.append(name)
        self.parents.append(open_joints[-1] if open_joints else -1)
        self.offsets.append([0.0, 0.0, 0.0])
        self.channels.append([])
        return len(self.names) - 1

    def _describe(self, key: str, values: list[str], joint: int, number: int) -> None:
        if key == "OFFSET":
            if len(values) != 3:
                self._refuse(number, f"'OFFSET' must have 3 numbers (got {len(values)})")
            self.offsets[joint] = [read_number_text(self.path, v, number) for v in values]
            return
        names = values[1:]
        known = {name.lower(): channel for name, channel in _CHANNELS.items()}
        if not values or values[0] != str(len(names)) or any(n.lower() not in known for n in names):
            self._refuse(number, f"'CHANNELS' is malformed (got {show(' '.join(values))})")
        found = [known[name.lower()] for name in names]
        if len(set(found)) < len(found):
            self._refuse(number, "a channel comes twice")
        self.channels[joint] = found

    def places(self, motion: np.ndarray[tuple[int, int], np.dtype[np.float64]]) -> Matrices:
        r"""Returns where each joint is in each frame, :math:`(T, V, 3)`."""
        frames, column = len(motion), 0
        rotations: list[Matrices] = []
        points: list[np.ndarray[tuple[int, int], np.dtype[np.float64]]] = []
        for joint, channels in enumerate(self.channels):
            shift = np.broadcast_to(np.array(self.offsets[joint]), (frames, 3)).copy()
            turn = np.broadcast_to(np.eye(3), (frames, 3, 3))
            moved = shift.copy()
            placed = False
            for rotates, axis in channels:
                values = motion[:, column]
                column += 1
                if rotates:
                    turn = turn @ _rotation(axis, np.radians(values))
                else:
                    moved[:, axis] = values + (shift[:, axis] if joint == 0 else 0.0)
                    placed = True
            shift = moved if placed else shift
            parent = self.parents[joint]
            if parent < 0:
                points.append(shift)
                rotations.append(turn)
                continue
            points.append(points[parent] + (rotations[parent] @ shift[:, :, None])[:, :, 0])
            rotations.append(rotations[parent] @ turn)
        return np.stack(points, axis=1)

    def layout(self) -> SkeletonLayout:
        r"""Returns the tree as a layout, whose names are made unique."""
        names: list[str] = []
        taken: set[str] = set()
        last: dict[str, int] = {}
        for name in self.names:
            unique = name
            while unique in taken:
                last[name] = last.get(name, 1) + 1
                unique = f"{name}_{last[name]}"
            taken.add(unique)
            names.append(unique)
        index = {name: i for i, name in enumerate(names)}
        pairs: list[tuple[int, int]] = []
        paired: set[int] = set()
        for name, i in index.items():
            for left, right in (("Left", "Right"), ("left", "right")):
                other = index.get(name.replace(left, right))
                if left in name and other is not None and not {i, other} & paired:
                    pairs.append((i, other))
                    paired |= {i, other}
                    break
        return SkeletonLayout(
            name="bvh",
            joints=tuple(names),
            bones=tuple((i, parent) for i, parent in enumerate(self.parents) if parent >= 0),
            center=0,
            pairs=tuple(pairs),
        )

    def _refuse(self, number: int, problem: str) -> NoReturn:
        raise SkeletonFileError(self.path, f"line {number}: {problem}")


def _read_motion(
    path: Path, rows: Iterator[tuple[int, list[str]]], width: int
) -> tuple[np.ndarray[tuple[int, int], np.dtype[np.float64]], float]:
    number, words = next(rows, (0, []))
    count = words[1] if len(words) == 2 and words[0].lower() == "frames:" else ""
    if not (count.isascii() and count.isdigit()) or len(count) > 9 or int(count) < 1:
        raise SkeletonFileError(path, f"line {number}: expected 'Frames: ' and their number")
    number, words = next(rows, (number + 1, []))
    if len(words) != 3 or [w.lower() for w in words[:2]] != ["frame", "time:"]:
        raise SkeletonFileError(path, f"line {number}: expected 'Frame Time: ' and seconds")
    frame_time = read_number_text(path, words[2], number, "Frame Time")
    if not frame_time >= 0 or not math.isfinite(frame_time):
        raise SkeletonFileError(path, f"line {number}: 'Frame Time' must not be negative")
    values = []
    for number, words in rows:
        if len(words) != width:
            raise SkeletonFileError(
                path, f"line {number}: expected {width} numbers (got {len(words)})"
            )
        values.append([read_number_text(path, word, number) for word in words])
    if len(values) != int(count):
        raise SkeletonFileError(path, f"'Frames' is {count}, but there are {len(values)}")
    return np.array(values, dtype=np.float64).reshape(len(values), width), frame_time


def _rotation(axis: int, angles: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Matrices:
    r"""Returns the rotations about an axis by angles in radians, :math:`(T, 3, 3)`."""
    c, s = np.cos(angles), np.sin(angles)
    matrices = np.zeros((len(angles), 3, 3))
    matrices[:, axis, axis] = 1.0
    i, j = (axis + 1) % 3, (axis + 2) % 3
    matrices[:, i, i] = matrices[:, j, j] = c
    matrices[:, i, j], matrices[:, j, i] = -s, s
    return matrices
