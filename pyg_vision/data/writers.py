r"""Skeleton sequences as files that other programs read too."""

from __future__ import annotations

import json
import os
import pickle
import uuid
from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch
from torch import Tensor
from torch_geometric.data import Data

from pyg_vision.data.layout import SkeletonLayout
from pyg_vision.data.skeleton import SkeletonShape, read_layout, read_shapes

Array = np.ndarray[Any, np.dtype[np.float32]]


def write_skeleton(data: Data, path: str | PathLike[str], name: str | None = None) -> Path:
    r"""Writes a sequence, in the format that the file's suffix stands for, and returns its path.

    * :obj:`.npz`: all that a pose estimation tells, in single precision, see
      :func:`~pyg_vision.data.readers.read_pose`;
    * :obj:`.json`: Kinetics-Skeleton, see :func:`~pyg_vision.data.readers.read_kinetics`, with
      coordinates as shares of width and height of a frame;
    * :obj:`.pkl`: an annotation of pyskl, see :func:`~pyg_vision.data.readers.read_pyskl`, with
      coordinates in pixels.

    A :obj:`y` of -1 is none. All name their layout, so that readers of this package need not be
    told. The same sequence gives the same bytes, and there is never a part of a file.

    Args:
        data (torch_geometric.data.Data): A single sequence with a layout.
        path (str or path): The file.
        name (str, optional): The name of the sequence, in a file of pyskl.
            (default: that of the file)

    Raises:
        ValueError: If there is no format of that suffix, the sequence has no layout or several
            labels, or of pixels as shares, or shares as pixels, the size of a frame is not known.

    Example:
        >>> import torch
        >>> from pyg_vision.data import skeleton_sequence, write_skeleton
        >>> from pyg_vision.data.readers import read_skeletons
        >>> data = skeleton_sequence(torch.rand(2, 9, 17, 2), "coco", score=torch.rand(2, 9, 17))
        >>> path = write_skeleton(data, "two_people.json")
        >>> bool((read_skeletons(path)[0].x == data.x).all())
        True
    """
    path = Path(path)
    if path.suffix.lower() not in SKELETON_WRITERS:
        raise ValueError(f"'path' must end in {', '.join(SKELETON_WRITERS)} (got '{path}')")
    shapes = read_shapes(data)
    if len(shapes) > 1:
        raise ValueError(f"one sequence is written at a time (got {len(shapes)})")
    layout = read_layout(data)
    if layout is None:
        raise ValueError("the sequence does not tell its 'layout'")
    _label(data)
    write = SKELETON_WRITERS[path.suffix.lower()]
    part = path.with_name(f".{uuid.uuid4().hex}.part")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with part.open("wb") as file:
            write(file, data, layout, path.stem if name is None else name)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
    return path


def _write_npz(file: BinaryIO, data: Data, layout: SkeletonLayout, name: str) -> None:
    shape = read_shapes(data)[0]
    arrays: dict[str, np.ndarray[Any, Any]] = {
        "keypoints": _array(data.pos, shape),
        "layout": np.frombuffer(json.dumps(layout.to_dict()).encode(), dtype=np.uint8),
    }
    score = _score(data, shape)
    if score is not None:
        arrays["score"] = score
    if "pixels" in data:
        arrays["pixels"] = _array(data.pixels, shape)
    if "time" in data:
        arrays["time"] = data.time.view(shape).amax(dim=(0, 2)).double().cpu().numpy()
    if "frame_size" in data:
        arrays["frame_size"] = np.array(data.frame_size, dtype=np.float64)
    if _label(data) >= 0:
        arrays["label"] = np.array([_label(data)])
    np.savez_compressed(file, **arrays)  # type: ignore[arg-type]


def _write_kinetics(file: BinaryIO, data: Data, layout: SkeletonLayout, name: str) -> None:
    shape = read_shapes(data)[0]
    shares = _units(data, shape, shares=True)
    score = _score(data, shape)
    score = np.ones(tuple(shape), dtype=np.float32) if score is None else score
    seen = (shares != 0).any(axis=(2, 3))
    frames = []
    for t in range(shape.num_frames):
        # Who is not seen stands before the last who is, so that persons keep their places.
        count = int(seen[:, t].nonzero()[0].max(initial=-1)) + 1
        people = [
            {"pose": shares[m, t].flatten().tolist(),
             "score": (score[m, t] * seen[m, t]).tolist()}
            for m in range(count)
        ]  # fmt: skip
        frames.append({"frame_index": t + 1, "skeleton": people})
    label = _label(data)
    record = {
        "data": frames,
        "label": "unknown" if label < 0 else str(label),
        "label_index": label,
        "layout": layout.to_dict(),
    }
    file.write(json.dumps(record).encode())


def _write_pyskl(file: BinaryIO, data: Data, layout: SkeletonLayout, name: str) -> None:
    shape = read_shapes(data)[0]
    annotation: dict[str, Any] = {
        "frame_dir": name,
        "total_frames": shape.num_frames,
        "label": _label(data),
        "keypoint": _units(data, shape, shares=False),
        "layout": layout.to_dict(),
    }
    score = _score(data, shape)
    if score is not None:
        annotation["keypoint_score"] = score
    if "frame_size" in data:
        width, height = (int(side) for side in data.frame_size)
        annotation["img_shape"] = annotation["original_shape"] = (height, width)
    pickle.dump({"split": {}, "annotations": [annotation]}, file, protocol=4)


def _label(data: Data) -> int:
    r"""Returns the class of a sequence, -1 if it has none."""
    if "y" not in data:
        return -1
    if not isinstance(data.y, Tensor) or data.y.numel() != 1:
        raise ValueError(f"a file has one label of a sequence (got y={data.y!r})")
    return max(int(data.y), -1)


def _units(data: Data, shape: SkeletonShape, shares: bool) -> Array:
    r"""Returns coordinates :math:`(M, T, V, D)` as shares of the frame or in pixels."""
    given = [_array(data[name], shape) for name in ("pos", "pixels") if name in data]
    if given[0].shape[-1] == 3:
        if not shares:
            return given[0]
        given = given[1:]
        if not given:
            raise ValueError(
                "Kinetics-Skeleton has two coordinates of a picture (got three); write .pkl or .npz"
            )
    for found in given:
        if shares == (not bool((np.abs(found) > _SHARES).any())):
            return found
    if "frame_size" not in data:
        raise ValueError(
            "the sequence does not tell the size of a frame as 'frame_size', by which pixels and "
            "shares of it differ"
        )
    size = np.array(data.frame_size, dtype=np.float32)
    return given[0] / size if shares else given[0] * size


_SHARES = 2.0  # what is beyond is no share of a frame, where joints may be a little outside


def _array(value: Tensor, shape: SkeletonShape) -> Array:
    found: Array = value.detach().to("cpu", torch.float32).view(*shape, -1).numpy()
    return found


def _score(data: Data, shape: SkeletonShape) -> Array | None:
    dims = data.pos.size(1)
    return _array(data.x[:, dims], shape)[..., 0] if data.x.size(1) > dims else None


SKELETON_WRITERS: dict[str, Callable[[BinaryIO, Data, SkeletonLayout, str], None]] = {
    ".npz": _write_npz,
    ".json": _write_kinetics,
    ".pkl": _write_pyskl,
}
