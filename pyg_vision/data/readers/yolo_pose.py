r"""Labels and predictions of YOLO's pose models."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from torch_geometric.data import Data

from pyg_vision.data.layout import SkeletonLayout
from pyg_vision.data.layouts import skeleton_layout
from pyg_vision.data.readers._people import (
    Person,
    Size,
    last_number,
    layout_by_count,
    people_sequence,
    read_size,
    shrink,
    whole,
)
from pyg_vision.data.readers._rows import read_number_text, text_rows
from pyg_vision.data.readers.skeleton_file import (
    Array,
    SkeletonFileError,
    field,
    numbers,
    read_any_json,
)

_BOX = 5  # class, and centre, width and height of the box


def read_yolo_pose(
    path: str | PathLike[str],
    layout: str | SkeletonLayout | None = None,
    size: Size | None = None,
) -> Data:
    r"""Reads labels or predictions of the pose models of `Ultralytics
    <https://docs.ultralytics.com/tasks/pose>`_.

    A text file is a picture, with a line for each person: class, box, then the joints with two or
    three numbers each, and in predictions the confidence and the track of the person where they
    were asked for. A folder of such files, :obj:`<video>_<frame>.txt`, is a video; frames without a
    file between the first and the last are zeros. A JSON file (:obj:`to_json`) is a picture in
    pixels. Where the layout is not given, the joints must be in their box, as those of COCO are.

    A last number that may be either is a track if it is whole and not zero in every line. Persons
    with a track are the same one in each frame, the others are in the order of the lines.

    Args:
        path (str or path): The file :obj:`.txt` or :obj:`.json`, or the folder.
        layout (str or SkeletonLayout, optional): The skeleton, for others than :obj:`"coco"` of
            17 joints. (default: :obj:`None`)
        size (tuple, optional): Width and height of a picture, by which the coordinates of text
            files, shares of them, are multiplied and the pixels of JSON files are divided.
            (default: :obj:`None`)

    Returns:
        torch_geometric.data.Data: The sequence, with the third number of a joint, its visibility
        or confidence, as its score, see :func:`~pyg_vision.data.skeleton_sequence`.

    Raises:
        FileNotFoundError: If there is no such file or folder.
        ValueError: If a file is malformed, or there is no person; the error names the line.

    Example:
        >>> from pyg_vision.data.readers import read_yolo_pose
        >>> read_yolo_pose("data/formats/labels").skeleton_shape
        SkeletonShape(num_persons=1, num_frames=3, num_joints=17)
    """
    path = Path(path)
    known = skeleton_layout("coco" if layout is None else layout)
    guessed = layout is None
    if path.suffix.lower() == ".json":
        return _read_json(path, layout, shrink(size))
    scale = read_size(size)
    files = [path]
    if path.is_dir():
        files = [p for p in sorted(path.glob("*.txt")) if not p.name.startswith(".")]
        if not files:
            raise FileNotFoundError(f"there is no .txt file in '{path}'")
    lines = {file: _read_lines(file, known, guessed) for file in files}
    forms = {line.form for found in lines.values() for line in found}
    if len(forms) > 1:
        raise SkeletonFileError(path, "lines must all have as many numbers")
    rest = [line.rest for found in lines.values() for line in found]
    tracked = bool(rest) and len(rest[0]) > 0
    if tracked and len(rest[0]) == 1:  # the confidence of the person, or its track
        tracked = all(value[0].is_integer() and value[0] >= 1 for value in rest)
    frames = _number(path, files) if path.is_dir() else [0]
    people = [
        Person(frame, whole(file, line.rest[-1], "track", frame) if tracked else None, line.joints)
        for frame, file in zip(frames, files, strict=True)
        for line in lines[file]
    ]
    scored = bool(people) and people[0].joints.shape[1] == 3
    return people_sequence(path, people, known, frames, scored, scale, listed_only=False)


class _Line(NamedTuple):
    joints: Array
    rest: list[float]
    form: int


def _read_lines(path: Path, layout: SkeletonLayout, guessed: bool) -> list[_Line]:
    joints = layout.num_joints
    forms = {_BOX + d * joints + extra: d for d in (2, 3) for extra in (0, 1, 2)}
    found = []
    seen: set[tuple[str, ...]] = set()
    for number, row in text_rows(path):
        if tuple(row) in seen:  # files are appended to
            raise SkeletonFileError(path, f"line {number} is that of another person once more")
        seen.add(tuple(row))
        values = [read_number_text(path, text, number) for text in row]
        if len(values) not in forms:
            counts = ", ".join(map(str, sorted(forms)))
            raise SkeletonFileError(
                path,
                f"line {number}: expected {counts} numbers for the {joints} joints of layout "
                f"'{layout.name}' (got {len(values)})",
            )
        dims = forms[len(values)]
        end = _BOX + dims * joints
        array = np.array(values[_BOX:end], dtype=np.float32).reshape(joints, dims)
        if guessed and not _in_box(array, values[1:_BOX]):
            raise SkeletonFileError(
                path,
                f"line {number}: the joints are not in their box as those of layout 'coco' would "
                f"be; 'layout' says which others they are",
            )
        found.append(_Line(array, values[end:], len(values)))
    return found


def _in_box(joints: Array, box: list[float]) -> bool:
    r"""Whether most of the joints that were found are in the box, or near it."""
    there = joints[(joints[:, :2] != 0).any(axis=1)]
    if len(there) == 0:
        return True
    middle, room = np.array(box[:2]), 0.6 * np.array(box[2:]) + 0.02
    inside = (abs(there[:, :2] - middle) <= room).all(axis=1)
    sound = joints.shape[1] == 2 or not (joints[:, 2] > 2).any()
    return bool(inside.mean() > 0.5) and sound


def _number(folder: Path, files: list[Path]) -> list[int]:
    frames = [last_number(path, path.name, "the name") for path in files]
    starts = {path.stem.rstrip("0123456789") for path in files}
    if len(starts) > 1 or len(set(frames)) < len(frames):
        raise SkeletonFileError(
            folder,
            "must hold one video: names that differ in the number of the frame alone "
            f"(got {', '.join(sorted(p.name for p in files)[:3])})",
        )
    return frames


def _read_json(path: Path, layout: str | SkeletonLayout | None, scale: tuple[float, float]) -> Data:
    record = read_any_json(path)
    if not isinstance(record, list):
        raise SkeletonFileError(path, f"must hold a list of persons (got {type(record).__name__})")
    people: list[Person] = []
    known: SkeletonLayout | None = None
    scored: bool | None = None
    for m, item in enumerate(record):
        columns: dict[str, Any] = field(path, item, "keypoints", dict, person=m)
        x = field(path, columns, "x", list, person=m)
        if known is None:
            known = layout_by_count(path, layout, len(x), {17: "coco"}, person=m)
            scored = any(
                isinstance(one, dict)
                and isinstance(one.get("keypoints"), dict)
                and one["keypoints"].get("visible") is not None
                for one in record
            )
        names = ("x", "y", "visible") if scored else ("x", "y")
        values = [
            numbers(path, field(path, columns, name, list, person=m), known.num_joints, person=m)
            for name in names
        ]
        track = item.get("track_id")
        who = None if track is None else whole(path, track, "track_id")
        people.append(Person(0, who, np.stack(values, axis=1)))
    return people_sequence(path, people, known, [0], bool(scored), scale)
