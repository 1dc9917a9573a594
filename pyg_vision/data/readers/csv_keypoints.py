r"""Reader of keypoints in CSV files."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

import numpy as np
from torch_geometric.data import Data

from pyg_vision.data.layout import SkeletonLayout
from pyg_vision.data.layouts import skeleton_layout
from pyg_vision.data.readers._rows import csv_rows, read_number_text
from pyg_vision.data.readers.skeleton_file import (
    Array,
    SkeletonFileError,
    check_size,
    file_sequence,
    show,
)

AXES = ("x", "y", "z", "score")


def read_csv(path: str | PathLike[str], layout: str | SkeletonLayout) -> Data:
    r"""Reads a sequence from a CSV file of keypoints.

    The first line names the columns. Either there is a line for each joint, with the columns
    :obj:`frame`, :obj:`joint`, :obj:`x`, :obj:`y` and, where there are such, :obj:`z`,
    :obj:`score` and :obj:`person`; a joint is its name or its index. Or there is a line for each
    frame, with the columns :obj:`frame` and :obj:`<joint>_x`, :obj:`<joint>_y` and so on for each
    joint, and :obj:`person` where there are several. Frames are numbered from any number on, and
    those that are not listed are zeros, as are joints without values.

    Args:
        path (str or path): The file.
        layout (str or SkeletonLayout): The skeleton.

    Returns:
        torch_geometric.data.Data: The sequence, see :func:`~pyg_vision.data.skeleton_sequence`.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is malformed; the error names the line.

    Example:
        >>> from pyg_vision.data.readers import read_csv
        >>> with open("wave.csv", "w") as file:
        ...     lines = [f"{t},{v},{0.1 * v},{t}" for t in range(3) for v in range(17)]
        ...     print("frame,joint,x,y", *lines, sep="\n", file=file)
        >>> read_csv("wave.csv", "coco").skeleton_shape
        SkeletonShape(num_persons=1, num_frames=3, num_joints=17)
    """
    path, layout = Path(path), skeleton_layout(layout)
    rows = csv_rows(path, ",")
    if len(rows) < 2:
        raise SkeletonFileError(path, "must have a line of column names, and further ones")
    names = [name.strip().lower() for name in rows[0][1]]
    if "frame" not in names or len(set(names)) < len(names):
        raise SkeletonFileError(
            path, f"must have the column 'frame', and none twice (got {show(','.join(names))})"
        )
    read = _Lines(path, layout, names)
    for number, row in rows[1:]:
        read.add(row, number)
    return read.sequence()


class _Lines:
    r"""Collects what the lines say."""

    def __init__(self, path: Path, layout: SkeletonLayout, names: list[str]) -> None:
        self.path, self.layout, self.names = path, layout, names
        joints = {name.lower(): i for i, name in enumerate(layout.joints)}
        self.joints = joints | {str(i): i for i in range(layout.num_joints)}
        # For each column with values: its joint (None: that of the line) and its axis.
        self.columns: dict[int, tuple[int | None, str]] = {}
        for i, name in enumerate(names):
            joint, _, axis = name.rpartition("_")
            if "joint" in names and name in AXES:
                self.columns[i] = (None, name)
            elif "joint" not in names and axis in AXES:
                if joint not in self.joints:
                    raise SkeletonFileError(
                        path, f"layout '{layout.name}' has no joint {show(joint)} (column {name!r})"
                    )
                self.columns[i] = (self.joints[joint], axis)
        found = {axis for _, axis in self.columns.values()}
        if not {"x", "y"} <= found:
            form = "x and y" if "joint" in names else "<joint>_x and <joint>_y"
            raise SkeletonFileError(
                path,
                f"must have the columns {form}, of the joints of layout '{layout.name}' (got "
                f"{show(','.join(names))})",
            )
        self.axes = [axis for axis in AXES if axis in found]
        self.points: dict[tuple[int, int, int], dict[str, float]] = {}

    def add(self, row: list[str], number: int) -> None:
        r"""Takes a line."""
        if len(row) != len(self.names):
            self.refuse(number, f"expected {len(self.names)} columns (got {len(row)})")
        line = {name: value.strip() for name, value in zip(self.names, row, strict=True)}
        frame = self.whole(line["frame"], "frame", number)
        person = self.whole(line["person"], "person", number) if "person" in line else 0
        own: int | None = None
        if "joint" in line:
            own = self.joints.get(line["joint"].lower())
            if own is None:
                self.refuse(
                    number, f"layout '{self.layout.name}' has no joint {show(line['joint'])}"
                )
        taken: set[tuple[int, int, int]] = set()
        for column, (joint, axis) in self.columns.items():
            text = row[column].strip()
            if not text:
                continue
            which = own if joint is None else joint
            place = (person, frame, -1 if which is None else which)
            point = self.points.setdefault(place, {})
            if axis in point and place not in taken:
                self.refuse(number, f"joint {place[2]} of frame {frame} is listed twice")
            taken.add(place)
            point[axis] = read_number_text(self.path, text, number, self.names[column])
        for place in taken:
            lacking = [a for a in self.axes if a != "score" and a not in self.points[place]]
            if lacking:
                self.refuse(number, f"joint {place[2]} has no {' and no '.join(lacking)}")

    def sequence(self) -> Data:
        r"""Returns the sequence of all lines."""
        if not self.points:
            raise SkeletonFileError(self.path, "holds no values")
        persons = sorted({person for person, _, _ in self.points})
        frames = [frame for _, frame, _ in self.points]
        first = min(frames)
        shape = (len(persons), max(frames) - first + 1, self.layout.num_joints, len(self.axes))
        check_size(self.path, shape)
        values: Array = np.zeros(shape, dtype=np.float32)
        for (person, frame, joint), point in self.points.items():
            values[persons.index(person), frame - first, joint] = [
                point.get(axis, 0.0) for axis in self.axes
            ]
        score = values[..., -1] if "score" in self.axes else None
        coordinates = values if score is None else values[..., :-1]
        return file_sequence(self.path, coordinates, self.layout, score=score)

    def whole(self, text: str, name: str, number: int) -> int:
        value = read_number_text(self.path, text, number, name)
        if value != int(value) or value < 0:
            self.refuse(number, f"'{name}' must be a whole number from 0 on (got {show(text)})")
        return int(value)

    def refuse(self, number: int, problem: str) -> None:
        raise SkeletonFileError(self.path, f"line {number}: {problem}")
