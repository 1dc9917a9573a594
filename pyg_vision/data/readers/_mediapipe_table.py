r"""Tables of MediaPipe's landmarks, with a row for each frame."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import numpy as np
from torch_geometric.data import Data

from pyg_vision.data.layout import SkeletonLayout
from pyg_vision.data.layouts import skeleton_layout
from pyg_vision.data.readers._people import Person, Size, people_sequence, whole
from pyg_vision.data.readers._rows import csv_rows, read_number_text
from pyg_vision.data.readers.skeleton_file import SkeletonFileError, show, to_float32

LAYOUT_OF = {33: "mediapipe", 21: "hand"}


class Columns(NamedTuple):
    r"""Where a table has the values of each joint."""

    layout: SkeletonLayout
    columns: list[list[int]]
    scored: bool


_INDEXED = re.compile(r"([xyzv])(\d{1,3})", re.ASCII)


def read_landmark_table(path: Path, part: str | None, scale: Size) -> Data:
    r"""Reads landmarks from a table.

    Args:
        path (pathlib.Path): The file.
        part (str, optional): :obj:`"pose"` or :obj:`"hands"`, which it must hold.
        scale (tuple): What :math:`x` and :math:`y` are multiplied by.
    """
    rows = csv_rows(path, empty=True)
    if len(rows) < 2:
        raise SkeletonFileError(path, "must have a line of column names, and further ones")
    header = [name.strip() for name in rows[0][1]]
    found = columns_of(header)
    if found is None:
        raise SkeletonFileError(
            path,
            "its columns are not those of 33 or 21 landmarks (got "
            f"{len(header)}: {show(','.join(header))})",
        )
    if part is not None and (part == "pose") != (found.layout.name == "mediapipe"):
        raise SkeletonFileError(path, f"holds layout '{found.layout.name}', not the {part}")
    numbered = next((i for i, name in enumerate(header) if name.lower() == "frame"), None)
    people = []
    frames: dict[int, None] = {}  # in order, and found at once in a long table
    for t, (number, row) in enumerate(rows[1:]):
        if len(row) != len(header):
            raise SkeletonFileError(
                path, f"line {number}: expected {len(header)} columns (got {len(row)})"
            )
        frame = t
        if numbered is not None:
            value = read_number_text(path, row[numbered], number, "frame")
            frame = whole(path, value, "frame", t)
            if frame in frames:
                raise SkeletonFileError(path, f"line {number}: frame {frame} is listed twice")
        frames[frame] = None
        if not any(row[i].strip() for columns in found.columns for i in columns):
            continue  # nobody was found
        values = [
            [read_number_text(path, row[i], number, header[i]) for i in columns]
            for columns in found.columns
        ]
        people.append(Person(frame, None, to_float32(np.array(values))))
    return people_sequence(
        path, people, found.layout, list(frames), found.scored, scale, listed_only=False
    )


def columns_of(header: list[str]) -> Columns | None:
    r"""Returns where a table with those column names has its landmarks, if it has any."""
    return _by_number(header) or _by_index(header) or _by_name(header)


def _by_number(header: list[str]) -> Columns | None:
    r"""Reads the header of pandas: running numbers, after an empty cell for those of the rows."""
    skip = 1 if header[0] == "" else 0
    count = len(header) - skip
    if header[skip:] != [str(i) for i in range(count)]:
        return None
    for joints, name in LAYOUT_OF.items():
        if count in (2 * joints, 3 * joints, 4 * joints):
            each = count // joints
            dims = min(each, 3)
            scored = each == 4 and name == "mediapipe"
            columns = [
                [skip + each * v + c for c in range(dims + int(scored))] for v in range(joints)
            ]
            return Columns(skeleton_layout(name), columns, scored)
    return None


def _by_index(header: list[str]) -> Columns | None:
    r"""Reads :obj:`x1, y1, z1, v1, x2, …`."""
    places: dict[tuple[int, str], int] = {}
    for i, name in enumerate(header):
        match = _INDEXED.fullmatch(name.lower())
        if match is not None and places.setdefault((int(match[2]), match[1]), i) != i:
            return None
    joints = len({v for v, _ in places})
    # Of pose, face and hands together the first 33 are the pose.
    count = 33 if joints in (33, 501, 543) else joints
    return _complete([[(v + 1, axis) for axis in "xyzv"] for v in range(count)], places, count)


def _by_name(header: list[str]) -> Columns | None:
    r"""Reads :obj:`<joint>_x, <joint>_y, …`."""
    names = [name.lower().replace(" ", "_") for name in header]
    for count, layout in LAYOUT_OF.items():
        joints = skeleton_layout(layout).joints
        places = {
            (joints.index(joint), axis[0]): i
            for i, name in enumerate(names)
            for joint, _, axis in (name.rpartition("_"),)
            if joint in joints and axis in ("x", "y", "z", "v", "visibility")
        }
        found = _complete([[(v, axis) for axis in "xyzv"] for v in range(count)], places, count)
        if found is not None:
            return found
    return None


def _complete(
    keys: list[list[tuple[int, str]]], places: dict[tuple[int, str], int], count: int
) -> Columns | None:
    r"""Returns the columns of all joints, if each has the same ones."""
    if count not in LAYOUT_OF:
        return None
    axes = [axis for axis in "xyzv" if (keys[0]["xyzv".index(axis)]) in places]
    if axes[:2] != ["x", "y"]:
        return None
    scored = "v" in axes and LAYOUT_OF[count] == "mediapipe"
    axes = [axis for axis in axes if axis != "v" or scored]
    wanted = [[key for key in joint if key[1] in axes] for joint in keys]
    if any(key not in places for joint in wanted for key in joint):
        return None
    columns = [[places[key] for key in joint] for joint in wanted]
    return Columns(skeleton_layout(LAYOUT_OF[count]), columns, scored)
