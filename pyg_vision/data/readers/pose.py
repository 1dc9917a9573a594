r"""Sequences as this package writes them."""

from __future__ import annotations

import json
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch_geometric.data import Data

from pyg_vision.data.layout import SkeletonLayout
from pyg_vision.data.readers._npz import npz_names, read_npz
from pyg_vision.data.readers.skeleton_file import (
    SkeletonFileError,
    check_size,
    file_sequence,
    to_float32,
    told_layout,
)


def read_pose(path: str | PathLike[str]) -> Data:
    r"""Reads a sequence that :func:`~pyg_vision.data.write_skeleton` has written as :obj:`.npz`.

    The file holds the arrays :obj:`keypoints` :math:`(M, T, V, D)`, the :obj:`layout` as the bytes
    of its JSON, and as far as they are known :obj:`score` :math:`(M, T, V)`, :obj:`pixels`
    :math:`(M, T, V, 2)`, :obj:`time` :math:`(T)` in seconds, :obj:`frame_size` (width and height),
    and :obj:`label`.

    Args:
        path (str or path): The file.

    Returns:
        torch_geometric.data.Data: The sequence, see :func:`~pyg_vision.data.skeleton_sequence`,
        with :obj:`time` of each joint, :obj:`pixels` and :obj:`frame_size` where the file has them.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is malformed; the error names the array.

    Example:
        >>> import torch
        >>> from pyg_vision.data import skeleton_sequence, write_skeleton
        >>> from pyg_vision.data.readers import read_pose
        >>> path = write_skeleton(skeleton_sequence(torch.rand(1, 9, 17, 2), "coco"), "pose.npz")
        >>> read_pose(path).skeleton_shape
        SkeletonShape(num_persons=1, num_frames=9, num_joints=17)
    """
    path = Path(path)
    names = npz_names(path)
    missing = [name for name in ("keypoints", "layout") if name not in names]
    if missing:
        raise SkeletonFileError(path, f"'{missing[0]}' is missing (got {sorted(names)[:20]})")
    keypoints = read_npz(path, "keypoints")
    if keypoints.ndim != 4:
        raise SkeletonFileError(
            path, f"'keypoints' must be [M, T, V, 2 or 3] (got {list(keypoints.shape)})"
        )
    check_size(path, keypoints.shape)
    shape = keypoints.shape[:3]
    score = _optional(path, names, "score", shape)
    label = _optional(path, names, "label", (1,))
    y = None if label is None else _whole(path, "label", label[0])
    data = file_sequence(
        path,
        to_float32(keypoints),
        _layout(path),
        y=y,
        score=None if score is None else to_float32(score),
    )
    pixels = _optional(path, names, "pixels", (*shape, 2))
    if pixels is not None:
        data.pixels = torch.from_numpy(to_float32(pixels)).flatten(0, 2)
    time = _optional(path, names, "time", shape[1:2])
    if time is not None:
        if (np.diff(time) < 0).any():
            raise SkeletonFileError(path, "'time' must not go back")
        times = torch.from_numpy(time.astype(np.float64))
        data.time = times.repeat_interleave(shape[2]).repeat(shape[0])
    size = _optional(path, names, "frame_size", (2,))
    if size is not None:
        if not (size > 0).all():
            raise SkeletonFileError(path, f"'frame_size' must be positive (got {size.tolist()})")
        data.frame_size = tuple(
            int(side) if float(side).is_integer() else float(side) for side in size
        )
    return data


def _optional(
    path: Path, names: list[str], name: str, shape: tuple[int, ...]
) -> np.ndarray[Any, Any] | None:
    if name not in names:
        return None
    array: np.ndarray[Any, Any] = read_npz(path, name)
    if array.shape != shape:
        raise SkeletonFileError(
            path, f"'{name}' must be of shape {list(shape)} (got {list(array.shape)})"
        )
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise SkeletonFileError(path, f"a value of '{name}' is NaN or infinite")
    return array


def _whole(path: Path, name: str, value: Any) -> int:
    number = int(value)
    if number != value or not 0 <= number < 2**31:
        raise SkeletonFileError(path, f"'{name}' must be an index (got {value})")
    return number


def _layout(path: Path) -> SkeletonLayout:
    text = read_npz(path, "layout")
    if text.dtype != np.uint8 or text.ndim != 1:
        raise SkeletonFileError(path, f"'layout' must be bytes of JSON (got {text.dtype})")
    try:
        return told_layout(json.loads(text.tobytes()))
    except (ValueError, RecursionError) as error:
        raise SkeletonFileError(path, str(error)) from error
