r"""Arrays of NTU RGB+D as CTR-GCN prepares them."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from torch_geometric.data import Data

from pyg_vision.data.layouts import skeleton_layout
from pyg_vision.data.readers._npz import npz_names, read_npz
from pyg_vision.data.readers.skeleton_file import SkeletonFileError, file_sequence, to_float32

Split = Literal["train", "test"]
_PERSONS, _JOINTS = 2, 25


class CTRGCNArrays(NamedTuple):
    r"""A split of a file of CTR-GCN.

    Args:
        x (numpy.ndarray): The sequences, two persons of 25 joints, :math:`(N, T, 2, 25, 3)`.
        labels (list of int): The class of each.

    Example:
        >>> from pyg_vision.data.readers import open_ctr_gcn
        >>> open_ctr_gcn("data/formats/NTU60_CV.npz", "test").labels
        [3]
    """

    x: np.ndarray[Any, Any]
    labels: list[int]


def open_ctr_gcn(path: str | PathLike[str], split: Split) -> CTRGCNArrays:
    r"""Reads the arrays of a split of NTU RGB+D as `CTR-GCN
    <https://github.com/Uason-Chen/CTR-GCN>`_ prepares them, which many use:
    :obj:`NTU60_CS.npz`, :obj:`NTU60_CV.npz`, :obj:`NTU120_CSub.npz`, :obj:`NTU120_CSet.npz`.

    Args:
        path (str or path): The file, of the arrays :obj:`x_train`, :obj:`y_train`, :obj:`x_test`
            and :obj:`y_test`.
        split (str): :obj:`"train"` or :obj:`"test"`.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is malformed.

    Example:
        >>> from pyg_vision.data.readers import open_ctr_gcn
        >>> open_ctr_gcn("data/formats/NTU60_CV.npz", "train").x.shape
        (2, 6, 2, 25, 3)
    """
    path = Path(path)
    if split not in ("train", "test"):
        raise ValueError(f"'split' must be 'train' or 'test' (got {split!r})")
    names = npz_names(path)
    for name in (f"x_{split}", f"y_{split}"):
        if name not in names:
            raise SkeletonFileError(path, f"'{name}' is missing (got {names[:8]})")
    x, y = read_npz(path, f"x_{split}"), read_npz(path, f"y_{split}")
    if x.ndim != 3 or x.shape[2] != 3 * _PERSONS * _JOINTS or x.dtype.kind != "f":
        raise SkeletonFileError(
            path, f"'x_{split}' must be [sequences, frames, 150] (got {x.dtype} {list(x.shape)})"
        )
    if y.ndim != 2 or len(y) != len(x):
        raise SkeletonFileError(
            path, f"'y_{split}' must be [{len(x)}, classes] (got {list(y.shape)})"
        )
    if len(y) and 0 in (*x.shape, *y.shape):
        raise SkeletonFileError(
            path, f"'x_{split}' {list(x.shape)} and 'y_{split}' {list(y.shape)} must not be empty"
        )
    if not np.isin(y, (0, 1)).all() or not (y.sum(axis=1) == 1).all():
        raise SkeletonFileError(path, f"'y_{split}' must have a single one in each row")
    return CTRGCNArrays(
        x.reshape(*x.shape[:2], _PERSONS, _JOINTS, 3),
        [int(label) for label in y.argmax(axis=1)] if y.size else [],
    )


def read_ctr_gcn(path: str | PathLike[str], split: Split | None = None) -> list[Data]:
    r"""Reads sequences of NTU RGB+D as `CTR-GCN <https://github.com/Uason-Chen/CTR-GCN>`_ prepares
    them, in metres, :math:`y` up, moved so that the middle of the spine of the first person in its
    first frame is the origin.

    Arrays are padded with zeros; frames in which nobody is seen at the end of a sequence, and a
    second person who is never seen, are left out. An empty sequence keeps one frame.

    Args:
        path (str or path): The file, see :func:`open_ctr_gcn`.
        split (str, optional): :obj:`"train"` or :obj:`"test"`. (default: both)

    Returns:
        list: The sequences, with their classes from 0 and their :obj:`name`, such as
        :obj:`"train 0"`, see :func:`~pyg_vision.data.skeleton_sequence`.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is malformed; the error names the sequence.

    Example:
        >>> from pyg_vision.data.readers import read_ctr_gcn
        >>> [(data.name, int(data.y)) for data in read_ctr_gcn("data/formats/NTU60_CV.npz")]
        [('train 0', 1), ('train 1', 2), ('test 0', 3)]
    """
    splits: tuple[Split, ...] = ("train", "test") if split is None else (split,)
    found = []
    for one in splits:
        x, labels = open_ctr_gcn(path, one)
        for i, (sequence, label) in enumerate(zip(x, labels, strict=True)):
            data = ctr_gcn_sequence(sequence, label, f"{Path(path)}[{one} {i}]")
            data.name = f"{one} {i}"
            found.append(data)
    if not found and split is None:
        raise SkeletonFileError(Path(path), "holds no sequences")
    return found


def ctr_gcn_sequence(
    sequence: np.ndarray[Any, Any], y: int | None = None, path: str | PathLike[str] = "array"
) -> Data:
    r"""Turns a sequence :math:`(T, 2, 25, 3)` of :func:`open_ctr_gcn` into a graph.

    Args:
        sequence (numpy.ndarray): The sequence.
        y (int, optional): Its class. (default: :obj:`None`)
        path (str or path, optional): Its name in errors. (default: :obj:`"array"`)

    Raises:
        ValueError: If it has another shape, or holds other values than numbers.

    Example:
        >>> from pyg_vision.data.readers import ctr_gcn_sequence, open_ctr_gcn
        >>> ctr_gcn_sequence(open_ctr_gcn("data/formats/NTU60_CV.npz", "test").x[0]).skeleton_shape
        SkeletonShape(num_persons=1, num_frames=4, num_joints=25)
    """
    if sequence.ndim != 4 or sequence.shape[1:] != (_PERSONS, _JOINTS, 3) or not len(sequence):
        raise SkeletonFileError(
            Path(path), f"must be [frames, 2, 25, 3] and not empty (got {list(sequence.shape)})"
        )
    joints = to_float32(sequence.transpose(1, 0, 2, 3))
    persons, frames = np.nonzero(joints.any(axis=(2, 3)))
    last = int(frames.max()) + 1 if frames.size else 1
    count = _PERSONS if (persons == 1).any() else 1
    return file_sequence(Path(path), joints[:count, :last], skeleton_layout("ntu"), y)
