r"""Sequences of Kinetics-Skeleton."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from torch_geometric.data import Data

from pyg_vision._checks import check_int
from pyg_vision.data.layout import SkeletonLayout
from pyg_vision.data.layouts import skeleton_layout
from pyg_vision.data.readers.skeleton_file import (
    Array,
    NoPersonError,
    SkeletonFileError,
    check_size,
    field,
    file_sequence,
    numbers,
    read_json,
    show,
    told_layout,
)


def read_kinetics(
    path: str | PathLike[str],
    num_persons: int | None = None,
    first_frame: int = 1,
    layout: str | SkeletonLayout | None = None,
) -> Data:
    r"""Reads a sequence of Kinetics-Skeleton from JSON, as `ST-GCN
    <https://github.com/yysijie/st-gcn>`_ distributes it.

    The file is ``{"data": [{"frame_index": 1, "skeleton": [{"pose": [x, y, …], "score": […]}]}],
    "label_index": 5}``, with :math:`x` and :math:`y` in :math:`[0, 1]` and 18 joints.
    Frames that are not listed are zeros.

    .. note::
        The files count frames from one, but the published feeder uses :obj:`frame_index` as a
        position that counts from zero, so that its frame 0 is always empty and all others are
        shifted by one. Here :obj:`frame_index` 1 is frame 0. Files written by ST-GCN's own demo
        count from zero; read them with :obj:`first_frame=0`.

    Args:
        path (str or path): The file.
        num_persons (int, optional): The largest number of persons to keep in each frame, those
            with the highest total score, in that order. (The published feeder keeps two of the
            first five listed.) By default all are kept, as listed. (default: :obj:`None`)
        first_frame (int, optional): The :obj:`frame_index` of the first frame.
            (default: :obj:`1`)
        layout (str or SkeletonLayout, optional): The skeleton; another one for files of the same
            format from another pose estimator. (default: the one that a file of
            :func:`~pyg_vision.data.write_skeleton` tells, else :obj:`"openpose"`)

    Returns:
        torch_geometric.data.Data: The sequence, with the features :math:`(x, y, \textrm{score})`,
        see :func:`~pyg_vision.data.skeleton_sequence`. There is no :obj:`y` if the label is
        missing, empty or -1.

    Raises:
        FileNotFoundError: If there is no such file.
        TypeError: If :obj:`num_persons` or :obj:`first_frame` is not an integer.
        ValueError: If :obj:`num_persons` is not positive, or the file is malformed or without
            persons; the error names file, frame and person.

    Example:
        >>> from pyg_vision.data.readers import read_kinetics
        >>> data = read_kinetics("kinetics/kinetics_train/video_1.json", num_persons=2)
        >>> data.skeleton_shape
        SkeletonShape(num_persons=1, num_frames=4, num_joints=18)
        >>> data.y
        tensor([1])
    """
    if num_persons is not None:
        check_int("num_persons", num_persons)
    check_int("first_frame", first_frame, -(2**31))
    path = Path(path)
    record = read_json(path)
    layout = _layout(path, record, layout)
    frames: dict[int, list[Array]] = {}
    for i, entry in enumerate(field(path, record, "data", list)):
        index = field(path, entry, "frame_index", int, i)
        if index < first_frame:
            raise SkeletonFileError(
                path,
                f"'frame_index' must be at least {first_frame} (got {show(index)}); pass "
                f"'first_frame' if the file counts from another number",
                i,
            )
        if index in frames:
            raise SkeletonFileError(path, f"'frame_index' {show(index)} is listed twice", i)
        persons = field(path, entry, "skeleton", list, i)
        frames[index] = [
            _read_person(path, person, layout.num_joints, i, m) for m, person in enumerate(persons)
        ]
    if not frames:
        raise SkeletonFileError(path, "holds no frames")
    most = max(map(len, frames.values()))
    if most == 0:
        raise NoPersonError(path, f"there is no person in any of {len(frames)} frames")
    kept = most if num_persons is None else min(most, num_persons)
    shape = (kept, max(frames) - first_frame + 1, layout.num_joints, 3)
    check_size(path, shape)
    joints = np.zeros(shape, dtype=np.float32)
    for index, people in frames.items():
        if num_persons is not None:
            people = sorted(people, key=lambda person: -float(person[:, 2].sum()))[:num_persons]
        for m, values in enumerate(people):
            joints[m, index - first_frame] = values
    return file_sequence(
        path, joints[..., :2], layout, y=_read_label(path, record), score=joints[..., 2]
    )


def _layout(
    path: Path, record: dict[str, Any], layout: str | SkeletonLayout | None
) -> SkeletonLayout:
    if "layout" not in record:
        return skeleton_layout("openpose" if layout is None else layout)
    try:
        return told_layout(record["layout"], layout)
    except ValueError as error:
        raise SkeletonFileError(path, str(error)) from error


def _read_person(path: Path, person: Any, num_joints: int, frame: int, m: int) -> Array:
    pose = numbers(
        path, field(path, person, "pose", list, frame, m), 2 * num_joints, frame, m
    ).reshape(-1, 2)
    score = numbers(path, field(path, person, "score", list, frame, m), num_joints, frame, m)
    return np.concatenate((pose, score[:, None]), axis=1)


def _read_label(path: Path, record: dict[str, Any]) -> int | None:
    label = record.get("label_index")
    if label is None or label == "" or label == -1:
        return None
    if not isinstance(label, int) or isinstance(label, bool) or not 0 <= label < 2**31:
        raise SkeletonFileError(path, f"'label_index' must be an index or -1 (got {show(label)})")
    return label
