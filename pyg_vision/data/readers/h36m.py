r"""Human3.6M as VideoPose3D has prepared it."""

from __future__ import annotations

from collections.abc import Iterator
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from torch_geometric.data import Data

from pyg_vision.data.layout import SkeletonLayout
from pyg_vision.data.layouts import skeleton_layout
from pyg_vision.data.readers._npz import npz_names, read_npz
from pyg_vision.data.readers._people import Size, shrink
from pyg_vision.data.readers.skeleton_file import (
    Budget,
    SkeletonFileError,
    check_size,
    file_sequence,
    show,
    to_float32,
)

# Of the 32 joints of the motion capture those that are no copies, toes or fingers.
KEPT = (0, 1, 2, 3, 6, 7, 8, 12, 13, 14, 15, 17, 18, 19, 25, 26, 27)
# All videos of all four cameras have 75 million.
_MOST_VALUES = 2**28
_POSITIONS = ("positions_3d", "positions_2d")


def read_h36m(
    path: str | PathLike[str],
    layout: str | SkeletonLayout | None = None,
    size: Size | None = None,
) -> list[Data]:
    r"""Reads Human3.6M and other poses as `VideoPose3D
    <https://github.com/facebookresearch/VideoPose3D>`_ has them: :obj:`data_3d_h36m.npz` in
    metres, :math:`z` up, :obj:`data_2d_h36m_gt.npz` and detections of other names in pixels,
    :math:`y` down, :obj:`data_2d_custom_<name>.npz`, and :obj:`prediction_3d.npz`, which programs
    write that lift poses.

    Of the 32 joints of the motion capture the usual 17 are kept. No code of a file can run.

    Args:
        path (str or path): The file.
        layout (str or SkeletonLayout, optional): The skeleton. Detections name one which is not
            always right: files that say :obj:`"h36m"` hold the joints of COCO. So it must be given
            for joints in 2D, unless the file names :obj:`"coco"` or no detector.
            (default: :obj:`"h36m"`)
        size (tuple, optional): Width and height of a frame, by which pixels are divided.
            (default: :obj:`None`)

    Returns:
        list: A sequence of one person for each video and camera, with its :obj:`name`, such as
        :obj:`"S1 Directions 1"` in 3D and :obj:`"S1 Directions 1 camera 0"` in 2D, and the score of
        joints where there is one, see :func:`~pyg_vision.data.skeleton_sequence`.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is malformed, or the layout must be given; the error names the video.

    Example:
        >>> from pyg_vision.data.readers import read_h36m
        >>> [data.name for data in read_h36m("data/formats/data_3d_h36m.npz")]
        ['S1 Directions', 'S1 Walking']
    """
    path = Path(path)
    names = npz_names(path)
    key = next((name for name in _POSITIONS if name in names), None)
    if key is None:
        if names != ["arr_0"]:
            raise SkeletonFileError(
                path, f"must hold 'positions_3d', 'positions_2d' or 'arr_0' (got {names[:8]})"
            )
        array = read_npz(path, "arr_0")
        if array.ndim != 3 or array.shape[1:] != (17, 3):
            raise SkeletonFileError(
                path, f"'arr_0' must be [frames, 17, 3] (got {list(array.shape)})"
            )
        return [_sequence(path, array, skeleton_layout(layout or "h36m"), "", None, 3)]
    dims = 3 if key == "positions_3d" else 2
    videos = read_npz(path, key, objects=True)
    known = _layout(path, layout, names, dims)
    found = []
    budget = Budget(path, _MOST_VALUES)
    for name, array in _arrays(path, videos, dims):
        budget.take(getattr(array, "shape", ()))
        data = _sequence(path, array, known, name, size, dims)
        data.name = name
        found.append(data)
    if not found:
        raise SkeletonFileError(path, "holds no video")
    return found


def _layout(
    path: Path, layout: str | SkeletonLayout | None, names: list[str], dims: int
) -> SkeletonLayout:
    if layout is not None:
        return skeleton_layout(layout)
    if dims == 2 and "metadata" in names:
        metadata = read_npz(path, "metadata", objects=True)
        said = metadata.get("layout_name") if isinstance(metadata, dict) else None
        if said == "coco":
            return skeleton_layout("coco")
        if not path.stem.endswith("_gt"):
            raise SkeletonFileError(
                path,
                f"'layout' must say which skeleton the joints are, 'h36m' or 'coco': the file says "
                f"{show(said)}, which is not always right",
            )
    return skeleton_layout("h36m")


def _arrays(path: Path, videos: Any, dims: int) -> Iterator[tuple[str, Any]]:
    r"""Returns name and array of each video and camera."""
    for subject, actions in _items(path, videos, "subjects"):
        for action, cameras in _items(path, actions, "videos"):
            name = f"{subject} {action}"
            if dims == 3:
                yield name, cameras
                continue
            several = isinstance(cameras, np.ndarray) and cameras.ndim == 4
            if not several and not isinstance(cameras, list | tuple):
                raise SkeletonFileError(path, f"{show(name)} must hold a list of cameras")
            for i, array in enumerate(cameras):
                yield f"{name} camera {i}", array


def _items(path: Path, value: Any, what: str) -> list[tuple[str, Any]]:
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise SkeletonFileError(path, f"must hold a dict of {what} (got {type(value).__name__})")
    return list(value.items())


def _sequence(
    path: Path, array: Any, layout: SkeletonLayout, name: str, size: Size | None, dims: int
) -> Data:
    where = Path(f"{path}[{name}]") if name else path
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "fiu" or array.ndim != 3:
        found = list(array.shape) if isinstance(array, np.ndarray) else type(array).__name__
        raise SkeletonFileError(where, f"must be [frames, joints, {dims}] (got {found})")
    joints, channels = array.shape[1:]
    if channels not in ((dims, dims + 1) if dims == 2 else (dims,)):
        raise SkeletonFileError(where, f"must have {dims} coordinates (got {channels})")
    if joints == 32 and layout.name == "h36m":
        array = array[:, list(KEPT)]
    check_size(path, (1, *array.shape))
    values = to_float32(array)[None]
    scale = shrink(size) if dims == 2 else (1.0, 1.0, 1.0)
    keypoints = values[..., :dims] * np.array(scale[:dims], dtype=np.float32)
    score = values[..., dims] if channels > dims else None
    return file_sequence(where, keypoints, layout, score=score)
