r"""Results of AlphaPose."""

from __future__ import annotations

import re
from os import PathLike
from pathlib import Path
from typing import Any

from torch_geometric.data import Data

from pyg_vision.data.layout import SkeletonLayout
from pyg_vision.data.readers._people import (
    Person,
    Size,
    last_number,
    layout_by_count,
    people_sequence,
    shrink,
    whole,
)
from pyg_vision.data.readers.skeleton_file import (
    SkeletonFileError,
    field,
    numbers,
    read_any_json,
    show,
)

USUAL = {17: "coco", 26: "halpe", 133: "coco_wholebody", 136: "halpe_136", 16: "mpii"}
FIELDS = {"people": ("pose_keypoints_2d", "pose_keypoints"), "bodies": ("joints",)}


def read_alphapose(
    path: str | PathLike[str],
    layout: str | SkeletonLayout | None = None,
    size: Size | None = None,
    listed_only: bool = False,
) -> Data:
    r"""Reads the results of `AlphaPose <https://github.com/MVIG-SJTU/AlphaPose>`_ of a video,
    :obj:`alphapose-results.json`.

    The file is a list with an item for each person and frame, ``[{"image_id": "12.jpg",
    "keypoints": [x, y, score, …], "idx": …}, …]``; or, by picture, ``{"12.jpg": {"people":
    […]}}`` or ``{"12.jpg": {"bodies": […]}}``, as :obj:`--format open` and :obj:`--format cmu`
    write it, or ``{"12.jpg": [{"keypoints": …, "idx": …}]}`` as PoseFlow does.

    The number in the name of a picture is that of the frame. A frame without persons is missing
    from the file; between the first and the last that are listed it is one of zeros, unless only
    the listed ones are asked for. There is a person
    for each :obj:`idx`, followed by those without one, in the order of the file.

    Args:
        path (str or path): The file :obj:`.json`.
        layout (str or SkeletonLayout, optional): The skeleton. (default: that of 16, 17, 26, 133 or
            136 joints, :obj:`"mpii"`, :obj:`"coco"`, :obj:`"halpe"`, :obj:`"coco_wholebody"` or
            :obj:`"halpe_136"`; :obj:`"openpose"` of 18)
        size (tuple, optional): Width and height of a frame, by which pixels are divided.
            (default: :obj:`None`)
        listed_only (bool, optional): Whether frames that the file does not list are left out.
            (default: :obj:`False`)

    Returns:
        torch_geometric.data.Data: The sequence, in pixels, with the scores of the joints, see
        :func:`~pyg_vision.data.skeleton_sequence`.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is malformed, or holds no person; the error names frame and person.

    Example:
        >>> from pyg_vision.data.readers import read_alphapose
        >>> read_alphapose("data/formats/alphapose-results.json").skeleton_shape
        SkeletonShape(num_persons=1, num_frames=4, num_joints=17)
    """
    path = Path(path)
    scale = shrink(size)
    usual = USUAL | {18: "openpose"}
    people: list[Person] = []
    frames: list[int] = []
    named: dict[int, str] = {}
    known: SkeletonLayout | None = None
    for i, (picture, record, name) in enumerate(_people(path, read_any_json(path))):
        frame = _frame(path, picture, i)
        first = next(iter(named.values()), str(picture))
        if named.setdefault(frame, str(picture)) != str(picture) or _text(first) != _text(picture):
            raise SkeletonFileError(
                path, f"must hold one video (got the pictures {show(first)} and {show(picture)})"
            )
        frames.append(frame)
        if record is None:
            continue
        values = field(path, record, name, list, frame)
        if len(values) % 3:
            raise SkeletonFileError(
                path, f"'{name}' must hold three numbers of each joint (got {len(values)})", frame
            )
        if known is None:
            known = layout_by_count(path, layout, len(values) // 3, usual, frame)
        joints = numbers(path, values, 3 * known.num_joints, frame).reshape(-1, 3)
        people.append(Person(frame, _track(path, record.get("idx"), frame), joints))
    return people_sequence(
        path, people, known, frames, scored=True, scale=scale, listed_only=listed_only
    )


def _people(path: Path, record: Any) -> list[tuple[Any, Any, str]]:
    r"""Returns picture, record and the field of the keypoints of each person; the record of a
    picture without persons is :obj:`None`.
    """
    if isinstance(record, list):
        for i, item in enumerate(record):
            if not isinstance(item, dict) or "image_id" not in item:
                raise SkeletonFileError(path, f"item {i} must have an 'image_id'")
        return [(item["image_id"], item, "keypoints") for item in record]
    if not isinstance(record, dict):
        raise SkeletonFileError(path, f"must hold a list of persons (got {type(record).__name__})")
    found: list[tuple[Any, Any, str]] = []
    for picture, value in record.items():
        listed: Any = value
        names: tuple[str, ...] = ("keypoints",)
        if isinstance(value, dict):
            which = next((key for key in FIELDS if key in value), "people")
            listed, names = field(path, value, which, list), FIELDS[which]
        if not isinstance(listed, list):
            raise SkeletonFileError(
                path, f"{show(picture)} must hold a list of persons (got {show(listed)})"
            )
        found += [(picture, person, _name(person, names)) for person in listed]
        if not listed:
            found.append((picture, None, ""))
    return found


def _name(person: Any, names: tuple[str, ...]) -> str:
    there = [name for name in names if isinstance(person, dict) and name in person]
    return (*there, *names)[0]


def _frame(path: Path, picture: Any, i: int) -> int:
    if isinstance(picture, str):
        return last_number(path, picture, f"the picture of item {i}")
    return whole(path, picture, "image_id", i)


def _text(picture: Any) -> str:
    r"""Returns what stands before the number of a picture."""
    return re.sub(r"\d+\D*$", "", picture) if isinstance(picture, str) else ""


def _track(path: Path, value: Any, frame: int) -> int | None:
    r"""Returns who a person is: a number, the first of a list, or of a list of lists."""
    while isinstance(value, list) and value:
        value = value[0]
    return None if value is None or value == [] else whole(path, value, "idx", frame)
