r"""Predictions of mmpose."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from torch_geometric.data import Data

from pyg_vision.data.layout import SkeletonLayout
from pyg_vision.data.readers._people import (
    Person,
    Size,
    joint_rows,
    layout_by_count,
    people_sequence,
    shrink,
    whole,
)
from pyg_vision.data.readers.skeleton_file import (
    Array,
    SkeletonFileError,
    field,
    numbers,
    read_any_json,
    show,
)

USUAL = {
    2: {17: "coco", 133: "coco_wholebody", 26: "halpe", 136: "halpe_136", 21: "hand"},
    3: {17: "h36m", 133: "coco_wholebody"},
}


# The data sets of mmpose whose joints are those of a layout.
DATASETS = {
    "coco": "coco",
    "coco_wholebody": "coco_wholebody",
    "coco_wholebody_hand": "hand",
    "onehand10k": "hand",
    "freihand2d": "hand",
    "h36m": "h36m",
    "halpe26": "halpe",
    "halpe": "halpe_136",
    "mpii": "mpii",
    "jhmdb": "jhmdb",
}


def read_mmpose(
    path: str | PathLike[str],
    layout: str | SkeletonLayout | None = None,
    size: Size | None = None,
) -> Data:
    r"""Reads the predictions that `mmpose <https://github.com/open-mmlab/mmpose>`_ writes for a
    video or a picture.

    The file is that of its inferencer (:obj:`pred_out_dir`), ``[{"frame_id": 0, "instances":
    […]}, …]`` or, of a picture, the list of instances; or that of its demo scripts,
    ``{"meta_info": …, "instance_info": [{"frame_id": 1, "instances": […]}, …]}``. Persons of a
    frame are in the order of the detector, which does not track them; those that a frame lacks are
    zeros.

    Coordinates in 2D are pixels. In 3D they are those of the file: :math:`z` points up, and axes
    are left-handed, a mirror image.

    Args:
        path (str or path): The file :obj:`.json`.
        layout (str or SkeletonLayout, optional): The skeleton. (default: that of the data set which
            the file names, else in 2D that of 17, 21, 26,
            133 or 136 joints, :obj:`"coco"`, :obj:`"hand"`, :obj:`"halpe"`,
            :obj:`"coco_wholebody"` or :obj:`"halpe_136"`; in 3D :obj:`"h36m"` of 17)
        size (tuple, optional): Width and height of a frame, by which pixels are divided.
            (default: :obj:`None`)

    Returns:
        torch_geometric.data.Data: The sequence, with the scores of the joints, see
        :func:`~pyg_vision.data.skeleton_sequence`.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is malformed, or holds no person; the error names frame and person.

    Example:
        >>> from pyg_vision.data.readers import read_mmpose
        >>> read_mmpose("data/formats/results_walk.json").layout
        SkeletonLayout('coco', 17 joints)
    """
    path = Path(path)
    people: list[Person] = []
    record = read_any_json(path)
    frames = _frames(path, record)
    layout = layout or _named_layout(path, record)
    known: SkeletonLayout | None = None
    dims = 0
    for t, (frame, instances) in enumerate(frames):
        for m, instance in enumerate(instances):
            joints = field(path, instance, "keypoints", list, t, m)
            if known is None:
                first = joints[0] if joints else None
                dims = len(first) if isinstance(first, list) else 0
                if dims not in USUAL:
                    raise SkeletonFileError(
                        path, f"joints must have 2 or 3 coordinates (got {show(first)})", t, m
                    )
                known = layout_by_count(path, layout, len(joints), USUAL[dims], t, m)
            people.append(
                Person(frame, None, _read_instance(path, instance, known.num_joints, dims, t, m))
            )
    scale = shrink(size)
    if known is not None and dims == 3 and size is not None:
        raise ValueError(f"'size' is that of pixels, and '{path}' holds three coordinates")
    return people_sequence(
        path,
        people,
        known,
        [frame for frame, _ in frames],
        scored=True,
        scale=scale,
        listed_only=False,
    )


def _named_layout(path: Path, record: Any) -> str | None:
    r"""Returns the layout of the data set that the file names, if it names one."""
    about = record.get("meta_info") if isinstance(record, dict) else None
    name = about.get("dataset_name") if isinstance(about, dict) else None
    if name is None:
        return None
    found = DATASETS.get(name.lower().replace("-", "_")) if isinstance(name, str) else None
    if found is None:
        raise SkeletonFileError(
            path, f"'layout' must say which skeleton the joints of {show(name)} are"
        )
    return found


def _frames(path: Path, record: Any) -> list[tuple[int, list[Any]]]:
    r"""Returns number and persons of each frame."""
    if isinstance(record, dict):
        record = field(path, record, "instance_info", list)
    if not isinstance(record, list):
        raise SkeletonFileError(path, f"must hold a list of frames (got {type(record).__name__})")
    if record and all(isinstance(item, dict) and "keypoints" in item for item in record):
        return [(0, record)]  # a picture
    frames: list[tuple[int, list[Any]]] = []
    for t, item in enumerate(record):
        instances = field(path, item, "instances", list, t)
        number = whole(path, item.get("frame_id", t), "frame_id", t)
        if frames and number <= frames[-1][0]:
            raise SkeletonFileError(path, f"'frame_id' must increase (got {number})", t)
        frames.append((number, instances))
    return frames


def _read_instance(path: Path, instance: Any, joints: int, dims: int, t: int, m: int) -> Array:
    coordinates = joint_rows(path, instance["keypoints"], joints, dims, t, m)
    score = numbers(path, field(path, instance, "keypoint_scores", list, t, m), joints, t, m)
    return np.concatenate((coordinates, score[:, None]), axis=1)
