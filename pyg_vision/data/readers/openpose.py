r"""Folders of OpenPose's JSON files."""

from __future__ import annotations

import math
import re
from os import PathLike
from pathlib import Path
from typing import Any, Literal

import numpy as np
from torch_geometric.data import Data

from pyg_vision.data.layouts import skeleton_layout
from pyg_vision.data.readers._file import (
    Array,
    SkeletonFileError,
    check_size,
    field,
    file_sequence,
    numbers,
    read_json,
)
from pyg_vision.data.skeleton_layout import SkeletonLayout

_NAME = re.compile(r"(.+)_(\d+)_keypoints")
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
    one for each frame: :obj:`<video>_000000000012_keypoints.json`, all in one folder.

    Frames are in the order of their numbers, which need not be consecutive. OpenPose does not
    follow people from frame to frame: person 0 is the one that it lists first in each frame, and
    there are as many persons as in the fullest frame. Those that a frame lacks are zeros, as are
    joints that were not found.

    .. code-block:: python

        from pyg_vision.data.readers import read_openpose

        data = read_openpose("output/clip", size=(1920, 1080))

    Args:
        folder (str or path): The folder, of one video.
        layout (str or SkeletonLayout, optional): The skeleton. By default the model is told by
            the number of its joints: :obj:`"openpose"` (COCO, 18 joints), :obj:`"body_25"`, or
            :obj:`"hand"`. (default: :obj:`None`)
        part (str, optional): Which keypoints of a person are read, :obj:`"pose"`,
            :obj:`"hand_left"` or :obj:`"hand_right"`. (default: :obj:`"pose"`)
        min_score (float, optional): Joints with a lower score count as not found.
            (default: :obj:`0.0`)
        size (tuple, optional): Width and height of the frames, by which coordinates are divided.
            Without it they stay pixels. (default: :obj:`None`)

    Returns:
        torch_geometric.data.Data: The sequence, of :math:`(x, y, \textrm{score})`, see
        :func:`~pyg_vision.data.skeleton_sequence`.

    Raises:
        FileNotFoundError: If there is no such folder, or no file in it.
        TypeError: If an argument is of another type.
        ValueError: If an argument is out of range, a file is malformed or does not fit the
            layout, files are of several videos, or no frame has a person; the error names file,
            frame and person.
    """
    if part not in _PARTS:
        raise ValueError(f"'part' must be one of {', '.join(_PARTS)} (got {part!r})")
    min_score = _read_number("min_score", min_score)
    width, height = _read_size(size)
    known = None if layout is None else skeleton_layout(layout)
    folder = Path(folder)
    files = _frame_files(folder)
    frames: list[list[Array]] = []
    for t, path in enumerate(files):
        persons = []
        for m, person in enumerate(field(path, read_json(path), "people", list, t)):
            values = field(path, person, f"{part}_keypoints_2d", list, t, m)
            if known is None:
                known = _guess_layout(path, values, part, t, m)
            persons.append(_read_joints(path, values, known, t, m))
        frames.append(persons)
    num_persons = max(map(len, frames))
    if known is None or num_persons == 0:
        raise SkeletonFileError(folder, f"there is no person in any of {len(files)} frames")
    check_size(folder, (num_persons, len(files), known.num_joints, 3))
    joints = np.zeros((num_persons, len(files), known.num_joints, 3), dtype=np.float32)
    for t, persons in enumerate(frames):
        for m, values in enumerate(persons):
            joints[m, t] = values
    joints[joints[..., 2] < min_score] = 0
    joints[..., :2] /= (width, height)
    return file_sequence(folder, joints[..., :2], known, score=joints[..., 2])


def _frame_files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise FileNotFoundError(f"there is no folder '{folder}'")
    numbered: dict[int, Path] = {}
    videos: dict[str, Path] = {}
    for path in sorted(folder.glob("*.json")):
        match = _NAME.fullmatch(path.stem)
        if match is None:
            raise SkeletonFileError(path, "the name must be <video>_<number>_keypoints.json")
        number = int(match[2])
        videos.setdefault(match[1], path)
        if len(videos) > 1:
            first, other = videos.values()
            raise SkeletonFileError(other, f"is of another video than '{first.name}'")
        if number in numbered:
            raise SkeletonFileError(path, f"has the same number as '{numbered[number].name}'")
        numbered[number] = path
    if not numbered:
        raise FileNotFoundError(f"there are no files '*_keypoints.json' in '{folder}'")
    return [numbered[number] for number in sorted(numbered)]


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


def _read_size(size: tuple[float, float] | None) -> tuple[float, float]:
    if size is None:
        return 1.0, 1.0
    if not isinstance(size, tuple | list) or len(size) != 2:
        raise TypeError(f"'size' must be a tuple (width, height) (got {size!r})")
    width, height = (_read_number("size", value) for value in size)
    if width <= 0 or height <= 0:
        raise ValueError(f"'size' must be positive (got {size!r})")
    return width, height


def _read_number(name: str, value: float) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise TypeError(f"'{name}' must hold numbers (got {value!r})")
    if not math.isfinite(value) or value < 0:
        raise ValueError(f"'{name}' must be finite and not negative (got {value!r})")
    return float(value)
