r"""Keypoints of pictures in the form of COCO's results."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import Any

from torch_geometric.data import Data

from pyg_vision.data.layout import SkeletonLayout
from pyg_vision.data.readers._people import Person, Size, layout_by_count, people_sequence, shrink
from pyg_vision.data.readers.skeleton_file import (
    NoPersonError,
    SkeletonFileError,
    field,
    numbers,
    read_any_json,
    show,
)

USUAL = {17: "coco", 133: "coco_wholebody"}
_ALONE = ".predictions.json"


def read_coco_results(
    path: str | PathLike[str],
    layout: str | SkeletonLayout | None = None,
    size: Size | None = None,
) -> list[Data]:
    r"""Reads keypoints in the form of `COCO's results <https://cocodataset.org/#format-results>`_:
    pictures, not the frames of a video.

    The file is a list with an item for each person, ``[{"image_id": 136, "keypoints": [x, y, score,
    …], "score": …}, …]``; or, without :obj:`image_id`, that of one picture, as openpifpaf writes
    it, whose joints that were not found become zeros. Elsewhere a joint with a score of zero keeps
    the coordinates that it has. Annotation files of COCO are another format.

    Args:
        path (str or path): The file :obj:`.json`.
        layout (str or SkeletonLayout, optional): The skeleton. (default: that of 17 or 133 joints,
            :obj:`"coco"` or :obj:`"coco_wholebody"`)
        size (tuple, optional): Width and height of all pictures, by which pixels are divided.
            (default: :obj:`None`)

    Returns:
        list: A sequence of one frame for each picture in the order of the file, in pixels, with the
        third number of a joint as its score and the picture as :obj:`name`, see
        :func:`~pyg_vision.data.skeleton_sequence`.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is malformed, or holds no person; the error names the picture.

    Example:
        >>> from pyg_vision.data.readers import read_coco_results
        >>> [data.name for data in read_coco_results("data/formats/person_keypoints_results.json")]
        ['136', '139']
    """
    path = Path(path)
    scale = shrink(size)
    record = read_any_json(path)
    if isinstance(record, dict) and "annotations" in record:
        raise SkeletonFileError(path, "holds the annotations of COCO, not results")
    if not isinstance(record, list):
        raise SkeletonFileError(path, f"must hold a list of persons (got {type(record).__name__})")
    if not record:
        raise NoPersonError(path, "there is no person")
    alone = not any(isinstance(item, dict) and "image_id" in item for item in record)
    pictures: dict[str, list[Person]] = {}
    known: SkeletonLayout | None = None
    for i, item in enumerate(record):
        values = field(path, item, "keypoints", list, person=i)
        if len(values) % 3:
            raise SkeletonFileError(
                path, f"item {i} must have three numbers of each joint (got {len(values)})"
            )
        if known is None:
            known = layout_by_count(path, layout, len(values) // 3, USUAL, person=i)
        joints = numbers(path, values, 3 * known.num_joints, person=i).reshape(-1, 3)
        if alone:
            joints[joints[:, 2] == 0] = 0  # openpifpaf writes a y of -3
        name = path.name.removesuffix(_ALONE) if alone else _picture(path, item, i)
        pictures.setdefault(name, []).append(Person(0, None, joints))
    found = []
    for name, people in pictures.items():
        data = people_sequence(path, people, known, [0], scored=True, scale=scale)
        data.name = name
        found.append(data)
    return found


def _picture(path: Path, item: dict[str, Any], i: int) -> str:
    value = item.get("image_id")
    if isinstance(value, str) and value:
        return value
    if type(value) is int and abs(value) < 2**63:
        return str(value)
    raise SkeletonFileError(
        path, f"'image_id' of item {i} must be a number or a name (got {show(value)})"
    )
