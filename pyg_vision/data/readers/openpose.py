r"""Folders of OpenPose's JSON files."""

from __future__ import annotations

import logging
import re
from os import PathLike
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from torch_geometric.data import Data

from pyg_vision.data.layout import SkeletonLayout
from pyg_vision.data.layouts import skeleton_layout
from pyg_vision.data.readers._people import place_people, read_number, read_size
from pyg_vision.data.readers.skeleton_file import (
    Array,
    NoPersonError,
    SkeletonFileError,
    check_size,
    field,
    file_sequence,
    numbers,
    read_any_json,
    show,
)

logger = logging.getLogger(__name__)

_NUMBER = re.compile(r"(.*?)(\d+)\D*", re.DOTALL)
_NAMED = 5
_PARTS = ("pose", "hand_left", "hand_right")
_POSES = ("openpose", "body_25")


def read_openpose(
    folder: str | PathLike[str],
    layout: str | SkeletonLayout | None = None,
    part: Literal["pose", "hand_left", "hand_right"] = "pose",
    min_score: float = 0.0,
    size: tuple[float, float] | None = None,
) -> Data:
    r"""Reads a video from the JSON files that `OpenPose
    <https://github.com/CMU-Perceptual-Computing-Lab/openpose>`_ writes with :obj:`--write_json`,
    one for each frame, all in one folder: :obj:`<video>_000000000012_keypoints.json`, or of any
    other name with a number.

    A JSON file whose object has :obj:`people` is a frame; others are skipped with a warning in the
    log. Frames are sorted by the last number in their names. These numbers need not be
    consecutive, but the text before them must be the same in all names.

    OpenPose does not track persons: person 0 is the one that is listed first in each frame, and
    the number of persons is that of the frame with the most. If another program has tracked them
    and written a :obj:`person_id`, there is one person for each, sorted by these numbers, followed
    by those without one. Persons that are missing in a frame are zeros, as are joints that were
    not found.

    Args:
        folder (str or path): The folder, of one video.
        layout (str or SkeletonLayout, optional): The skeleton. By default it is inferred from
            the number of joints: :obj:`"openpose"` (COCO, 18 joints), :obj:`"body_25"`, or
            :obj:`"hand"`. BODY_25B has as many joints as BODY_25 and must be given as
            :obj:`"body_25b"`. (default: :obj:`None`)
        part (str, optional): The keypoints of a person to read, :obj:`"pose"`,
            :obj:`"hand_left"` or :obj:`"hand_right"`. (default: :obj:`"pose"`)
        min_score (float, optional): Joints with a lower score count as not found.
            (default: :obj:`0.0`)
        size (tuple, optional): Width and height of the frames, by which the coordinates are
            divided. By default coordinates are in pixels. (default: :obj:`None`)

    Returns:
        torch_geometric.data.Data: The sequence, with the features :math:`(x, y, \textrm{score})`,
        see :func:`~pyg_vision.data.skeleton_sequence`.

    Raises:
        FileNotFoundError: If there is no such folder, or no file in it.
        TypeError: If an argument is of another type.
        ValueError: If an argument is out of range, a file is malformed or does not fit the
            layout, a score is negative, files are of several videos, or no frame has a person;
            the error names file, frame and person.

    Example:
        >>> from pyg_vision.data.readers import read_openpose
        >>> data = read_openpose("clips/walk", size=(1920, 1080))
        >>> data.skeleton_shape
        SkeletonShape(num_persons=1, num_frames=3, num_joints=18)
        >>> data.x[0]  # x, y and score of the nose in the first frame
        tensor([0.5000, 0.0000, 0.5000])
    """
    if part not in _PARTS:
        raise ValueError(f"'part' must be one of {', '.join(_PARTS)} (got {part!r})")
    min_score = read_number("min_score", min_score)
    width, height = read_size(size)
    known = None if layout is None else skeleton_layout(layout)
    folder = Path(folder)
    frames = _read_frames(folder)
    persons: list[tuple[int, int, int | None, Array]] = []
    for t, (path, people) in enumerate(frames):
        for m, person in enumerate(people):
            # The names of OpenPose 1.0 do not end in "_2d".
            key = f"{part}_keypoints_2d"
            if isinstance(person, dict) and key not in person and f"{part}_keypoints" in person:
                key = f"{part}_keypoints"
            values = field(path, person, key, list, t, m)
            if known is None:
                known = _guess_layout(path, values, part, t, m)
            identity = _read_identity(path, person, t, m)
            persons.append((t, m, identity, _read_joints(path, values, known, t, m)))
    if known is None or not persons:
        raise NoPersonError(folder, f"there is no person in any of {len(frames)} frames")

    def twice(i: int, track: int) -> Exception:
        t, m = persons[i][:2]
        return SkeletonFileError(frames[t].path, f"has two persons of 'person_id' {track}", t, m)

    places = place_people([(t, track) for t, _, track, _ in persons], twice)
    check_size(folder, (max(places) + 1, len(frames), known.num_joints, 3))
    joints = np.zeros((max(places) + 1, len(frames), known.num_joints, 3), dtype=np.float32)
    for place, (t, _, _, values) in zip(places, persons, strict=True):
        joints[place, t] = values
    if joints[..., 2].min() >= 0:  # else the error of a negative score
        joints[joints[..., 2] < min_score] = 0
    joints[..., :2] /= (width, height)
    return file_sequence(folder, joints[..., :2], known, score=joints[..., 2])


class _Frame(NamedTuple):
    path: Path
    people: list[Any]


def _read_frames(folder: Path) -> list[_Frame]:
    r"""Reads the files that are frames, in the order of their numbers."""
    if not folder.is_dir():
        raise FileNotFoundError(f"there is no folder '{folder}'")
    frames, skipped = [], []
    for path in sorted(folder.glob("*.json")):
        # macOS writes such files beside others, which are no JSON.
        record = None if path.name.startswith(".") else read_any_json(path)
        if isinstance(record, dict) and "people" in record:
            frames.append(_Frame(path, field(path, record, "people", list)))
        else:
            skipped.append(path.name)
    if skipped:
        logger.warning(
            "skipped %d JSON files of '%s' that are no frames of OpenPose: %s%s",
            len(skipped),
            folder,
            ", ".join(skipped[:_NAMED]),
            " …" if len(skipped) > _NAMED else "",
        )
    if not frames:
        raise FileNotFoundError(f"there is no JSON file with 'people' in '{folder}'")
    return frames if len(frames) == 1 else _in_order(frames)


def _in_order(frames: list[_Frame]) -> list[_Frame]:
    numbered: dict[int, _Frame] = {}
    first: tuple[str, Path] | None = None
    for frame in frames:
        match = _NUMBER.fullmatch(frame.path.stem)
        if match is None or len(match[2]) > 20:
            raise SkeletonFileError(frame.path, "the name must hold the number of the frame")
        first = first or (match[1], frame.path)
        if match[1] != first[0]:
            raise SkeletonFileError(
                frame.path,
                f"is of another video than '{first[1].name}': before the number stands "
                f"{show(match[1])}, not {show(first[0])}",
            )
        number = int(match[2])
        if number in numbered:
            raise SkeletonFileError(
                frame.path, f"has the same number as '{numbered[number].path.name}'"
            )
        numbered[number] = frame
    return [numbered[number] for number in sorted(numbered)]


def _read_identity(path: Path, person: dict[str, Any], t: int, m: int) -> int | None:
    r"""Returns who a person is, :obj:`None` if the file does not say."""
    value = person.get("person_id", -1)
    if isinstance(value, list):
        value = value[0] if len(value) == 1 else (value or -1)
    if not isinstance(value, int) or isinstance(value, bool) or value < -1:
        raise SkeletonFileError(
            path, f"'person_id' must be a number or -1 (got {show(value)})", t, m
        )
    return None if value == -1 else value


def _guess_layout(path: Path, values: list[Any], part: str, t: int, m: int) -> SkeletonLayout:
    names = _POSES if part == "pose" else ("hand",)
    for layout in map(skeleton_layout, names):
        if len(values) == 3 * layout.num_joints:
            return layout
    sizes = " or ".join(f"{3 * skeleton_layout(n).num_joints} ('{n}')" for n in names)
    raise SkeletonFileError(
        path, f"expected {sizes} numbers in '{part}_keypoints_2d' (got {len(values)})", t, m
    )


def _read_joints(path: Path, values: list[Any], layout: SkeletonLayout, t: int, m: int) -> Array:
    if len(values) != 3 * layout.num_joints:
        raise SkeletonFileError(
            path,
            f"layout '{layout.name}' has {layout.num_joints} joints of 3 numbers each, "
            f"{3 * layout.num_joints} together (got {len(values)})",
            t,
            m,
        )
    return numbers(path, values, len(values), t, m).reshape(-1, 3)
