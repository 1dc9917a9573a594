r"""CSV files of Kinect v2."""

from __future__ import annotations

import re
from os import PathLike
from pathlib import Path

import numpy as np
from torch_geometric.data import Data

from pyg_vision.data.layouts import skeleton_layout
from pyg_vision.data.readers._rows import csv_rows, read_number_text
from pyg_vision.data.readers.skeleton_file import (
    SkeletonFileError,
    check_size,
    file_sequence,
    show,
    to_float32,
)

# As the SDK calls the joints, in the order of the layout "ntu".
KINECT_JOINTS = (
    "SpineBase", "SpineMid", "Neck", "Head", "ShoulderLeft", "ElbowLeft", "WristLeft", "HandLeft",
    "ShoulderRight", "ElbowRight", "WristRight", "HandRight", "HipLeft", "KneeLeft", "AnkleLeft",
    "FootLeft", "HipRight", "KneeRight", "AnkleRight", "FootRight", "SpineShoulder", "HandTipLeft",
    "ThumbLeft", "HandTipRight", "ThumbRight",
)  # fmt: skip
_TELLING = 10
_PLACE = {name.lower(): i for i, name in enumerate(KINECT_JOINTS)}
_STATES = {"nottracked": 0.0, "inferred": 1.0, "tracked": 2.0}
_COLUMN = re.compile(r"([a-z]+)[_. ]?(x|y|z|state|trackingstate)", re.IGNORECASE)


def read_kinect_csv(path: str | PathLike[str]) -> Data:
    r"""Reads a sequence of Kinect v2 from a CSV file.

    Coordinates are metres, :math:`y` up and :math:`z` away from the camera. There is no one format;
    these are read:

    * a row for each frame, without header: 100 numbers, :math:`(x, y, z, \textrm{state})` of 25
      joints in the order of the SDK, or 75 without states;
    * a row for each joint, without header: :obj:`SpineBase,-0.32,-0.41,2.55,TRACKED`; a frame ends
      where its first joint comes again;
    * a row for each frame with named columns :obj:`<Joint>_x`, :obj:`<Joint>_y`, :obj:`<Joint>_z`,
      and :obj:`<Joint>_state` where there are such; columns of other names are not read.

    The score of a joint is its tracking state: 0 not tracked, 1 inferred, 2 tracked. Joints keep
    the coordinates that the file has.

    Args:
        path (str or path): The file.

    Returns:
        torch_geometric.data.Data: The sequence, of layout :obj:`"ntu"`, see
        :func:`~pyg_vision.data.skeleton_sequence`.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is malformed or of another form; the error names the line.

    Example:
        >>> from pyg_vision.data.readers import read_kinect_csv
        >>> read_kinect_csv("data/formats/kinect.csv").skeleton_shape
        SkeletonShape(num_persons=1, num_frames=2, num_joints=25)
    """
    path = Path(path)
    rows = csv_rows(path, empty=True)
    first = [cell.strip() for cell in rows[0][1]] if rows else []
    if first == [str(i) for i in range(len(first))]:  # which pandas writes
        rows = rows[1:]
    if not rows:
        raise SkeletonFileError(path, "holds no rows")
    check_size(path, (1, len(rows), len(rows[0][1])))
    if first[0].lower() in _PLACE and len(first) in (4, 5):
        return _read_joints(path, rows)
    columns = _named(path, first)
    if columns is None:
        if len(first) not in (75, 100):
            raise SkeletonFileError(
                path,
                "its columns are not those of the 25 joints of Kinect v2 (got "
                f"{len(first)}: {show(','.join(first))})",
            )
        each = len(first) // 25
        columns = [[each * v + c for c in range(each)] for v in range(25)]
    else:
        rows = rows[1:]
    values = []
    for number, row in rows:
        if len(row) != len(first):
            raise SkeletonFileError(
                path, f"line {number}: expected {len(first)} columns (got {len(row)})"
            )
        if not any(cell.strip() for cell in row):  # nobody was seen
            values.append([[0.0] * len(joint) for joint in columns])
            continue
        values.append(
            [
                [_value(path, row[i], number, c == 3) for c, i in enumerate(joint)]
                for joint in columns
            ]
        )
    if not values:
        raise SkeletonFileError(path, "holds no rows of values")
    return _sequence(path, values)


def is_kinect(row: list[str]) -> bool:
    r"""Whether the first row of a table is that of a file of Kinect v2."""
    if row[0].lower() in _PLACE and len(row) in (4, 5):
        return True
    named = {found[0] for name in row if (found := _joint_of(name)) is not None}
    # Some joints have names that others use as well, such as the neck and the head.
    if len(named) >= _TELLING:
        return True
    return len(row) in (75, 100) and all(_is_number(cell) for cell in row)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _joint_of(name: str) -> tuple[int, str] | None:
    match = _COLUMN.fullmatch(name)
    if match is None or match[1].lower() not in _PLACE:
        return None
    return _PLACE[match[1].lower()], match[2].lower()[:1]


def _read_joints(path: Path, rows: list[tuple[int, list[str]]]) -> Data:
    start = rows[0][1][0].strip().lower()
    width = len(rows[0][1])
    frames: list[dict[int, list[float]]] = []
    for number, row in rows:
        name = row[0].strip().lower()
        if name not in _PLACE or len(row) != width:
            raise SkeletonFileError(
                path,
                f"line {number}: expected a joint of Kinect v2 and {width - 1} values (got "
                f"{show(','.join(row))})",
            )
        if name == start:
            frames.append({})
        if _PLACE[name] in frames[-1]:
            raise SkeletonFileError(path, f"line {number}: '{row[0].strip()}' is listed twice")
        frames[-1][_PLACE[name]] = [
            _value(path, cell, number, c == 3) for c, cell in enumerate(row[1:])
        ]
    for t, frame in enumerate(frames):
        missing = next((joint for v, joint in enumerate(KINECT_JOINTS) if v not in frame), None)
        if missing is not None:
            raise SkeletonFileError(path, f"'{missing}' is missing", t)
    return _sequence(path, [[frame[v] for v in range(25)] for frame in frames])


def _named(path: Path, header: list[str]) -> list[list[int]] | None:
    r"""Returns the columns of each joint, :obj:`None` if the first line names none."""
    places: dict[tuple[int, str], int] = {}
    for i, name in enumerate(header):
        key = _joint_of(name)
        if key is not None and places.setdefault(key, i) != i:
            raise SkeletonFileError(path, f"the column {show(name)} is listed twice")
    if not places:
        return None
    state = next((s for s in "st" if (0, s) in places), None)
    axes = ["x", "y", "z", *([] if state is None else [state])]
    for v, joint in enumerate(KINECT_JOINTS):
        for axis in axes:
            if (v, axis) not in places:
                raise SkeletonFileError(path, f"the column '{joint}_{axis}' is missing")
    return [[places[v, axis] for axis in axes] for v in range(25)]


def _value(path: Path, text: str, line: int, state: bool) -> float:
    if not state:
        return read_number_text(path, text, line)
    found = _STATES.get(text.strip().lower())
    if found is None and _is_number(text):
        found = float(text)
    if found not in (0.0, 1.0, 2.0):
        raise SkeletonFileError(
            path,
            f"line {line}: a state must be 0, 1, 2, NotTracked, Inferred or Tracked (got "
            f"{show(text)})",
        )
    return found


def _sequence(path: Path, values: list[list[list[float]]]) -> Data:
    joints = to_float32(np.array(values))[None]
    score = joints[..., 3] if joints.shape[-1] == 4 else None
    return file_sequence(path, joints[..., :3], skeleton_layout("ntu"), score=score)
