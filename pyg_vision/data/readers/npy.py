r"""Arrays :math:`(N, C, T, V, M)`, as the published code prepares its data sets."""

from __future__ import annotations

import struct
import tokenize
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from torch_geometric.data import Data

from pyg_vision.data.layout import SkeletonLayout
from pyg_vision.data.readers._pickle import load_pickle
from pyg_vision.data.readers.skeleton_file import (
    SkeletonFileError,
    file_sequence,
    known_layout,
    show,
    to_float32,
)
from pyg_vision.data.skeleton import IN_PICTURES

_MALFORMED = (
    ArithmeticError,
    EOFError,
    LookupError,
    MemoryError,
    OSError,
    RecursionError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    tokenize.TokenError,
)


class NpyLabels(NamedTuple):
    r"""The labels of an array of sequences.

    Args:
        labels (list of int): The class of each sequence.
        names (list of str, optional): The name of each sequence, :obj:`None` if the file does not
            hold names.

    Example:
        >>> from pyg_vision.data.readers import read_npy_labels
        >>> file = read_npy_labels("data/train_label.pkl")
        >>> file.labels
        [0, 1, 2, 3]
    """

    labels: list[int]
    names: list[str] | None


def open_npy(path: str | PathLike[str]) -> np.ndarray[Any, Any]:
    r"""Opens an array :math:`(N, C, T, V, M)` without reading it into memory.

    Args:
        path (str or path): The file :obj:`.npy`.

    Returns:
        numpy.memmap: The array, mapped from the file and read-only.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is not such an array, or shorter than its header declares.

    Example:
        >>> from pyg_vision.data.readers import open_npy
        >>> array = open_npy("data/train_data.npy")
        >>> array.shape
        (4, 3, 6, 25, 2)
    """
    path = Path(path)
    array = _map(path)
    if array.ndim != 5 or array.shape[1] not in (2, 3, 4) or 0 in array.shape:
        one = "; of one person, add the last dimension with array[..., None]"
        raise SkeletonFileError(
            path,
            f"must be [sequences, 2 to 4 channels, frames, joints, persons] and not empty "
            f"(got shape {list(array.shape)}{one if array.ndim == 4 else ''})",
        )
    if array.dtype.kind not in "fiu":
        raise SkeletonFileError(path, f"must hold numbers (got {array.dtype})")
    return array


def read_npy_labels(path: str | PathLike[str], count: int | None = None) -> NpyLabels:
    r"""Reads the labels of an array of sequences.

    Args:
        path (str or path): A file :obj:`.npy` of integers, :math:`(N)` or :math:`(N, 1)`, or a
            pickle :obj:`.pkl` of :obj:`(names, labels)` as written by ST-GCN, or of
            :obj:`(names, labels, lengths)`, where the lengths are ignored. No code of a pickle
            can run, see :func:`open_pyskl`.
        count (int, optional): The expected number of labels. (default: :obj:`None`)

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is malformed, or has another number of labels.

    Example:
        >>> from pyg_vision.data.readers import read_npy_labels
        >>> labels, names = read_npy_labels("data/train_label.pkl", count=4)
        >>> labels
        [0, 1, 2, 3]
        >>> names[0]
        'S001C001P001R001A001.skeleton'
    """
    path = Path(path)
    names: Any = None
    values: Any = None
    if path.suffix == ".npy":
        values = _map(path)
        if count is not None and values.ndim > 0 and len(values) != count:
            raise SkeletonFileError(path, f"has {len(values)} labels, for {count} sequences")
    else:
        lists = load_pickle(path)
        if not isinstance(lists, list | tuple) or len(lists) not in (2, 3):
            found = type(lists).__name__
            found += f" of {len(lists)}" if isinstance(lists, list | tuple) else ""
            raise SkeletonFileError(
                path,
                f"must hold (names, labels), and at most the lengths after them (got {found})",
            )
        names, values = lists[:2]
        if not isinstance(names, list | tuple) or not all(isinstance(n, str) for n in names):
            raise SkeletonFileError(path, "the names must be a list of strings")
        names = list(names)
    labels = _read_labels(path, values)
    if names is not None and len(names) != len(labels):
        raise SkeletonFileError(path, f"has {len(names)} names, but {len(labels)} labels")
    if count is not None and len(labels) != count:
        raise SkeletonFileError(path, f"has {len(labels)} labels, for {count} sequences")
    return NpyLabels(labels, names)


def npy_sequence(
    array: np.ndarray[Any, Any],
    layout: str | SkeletonLayout | None = None,
    y: int | None = None,
    score: bool | None = None,
    trim: bool = False,
    path: str | PathLike[str] = "array",
) -> Data:
    r"""Turns one sequence :math:`(C, T, V, M)` of an array into a graph.

    Args:
        array (numpy.ndarray): The sequence.
        layout (str or SkeletonLayout): The skeleton, which must be given, see :func:`read_npy`.
        y (int, optional): The class of the sequence. (default: :obj:`None`)
        score (bool, optional): Whether the last channel is a score, see :func:`read_npy`.
            (default: :obj:`None`)
        trim (bool, optional): Whether to remove empty frames and persons at the end, see
            :func:`read_npy`. (default: :obj:`False`)
        path (str or path, optional): The name of the array in errors. (default: :obj:`"array"`)

    Raises:
        ValueError: If the layout is not given or does not fit the array, or a score is negative.

    Example:
        >>> from pyg_vision.data.readers import npy_sequence, open_npy
        >>> array = open_npy("data/train_data.npy")
        >>> data = npy_sequence(array[3], layout="ntu", y=3)
        >>> data.skeleton_shape
        SkeletonShape(num_persons=2, num_frames=6, num_joints=25)
    """
    path = Path(path)
    if array.ndim != 4 or 0 in array.shape:
        one = "; of one person, add the last dimension with array[..., None]"
        raise SkeletonFileError(
            path,
            f"must be [channels, frames, joints, persons] and not empty "
            f"(got shape {list(array.shape)}{one if array.ndim == 3 else ''})",
        )
    try:
        layout = known_layout(layout, array.shape[2])
    except ValueError as error:
        raise SkeletonFileError(path, str(error)) from error
    if score is None:
        score = array.shape[0] == 4 or (array.shape[0] == 3 and layout.name in IN_PICTURES)
    joints = to_float32(array.transpose(3, 1, 2, 0))
    if trim:
        joints = _trim(joints)
    keypoints = joints[..., :-1] if score else joints
    return file_sequence(path, keypoints, layout, y, joints[..., -1] if score else None)


def read_npy(
    data_path: str | PathLike[str],
    label_path: str | PathLike[str] | None = None,
    layout: str | SkeletonLayout | None = None,
    score: bool | None = None,
    trim: bool = False,
) -> list[Data]:
    r"""Reads an array :math:`(N, C, T, V, M)` of sequences, the format of the preprocessed data
    sets of ST-GCN and its successors.

    All sequences are held in memory; :class:`~pyg_vision.datasets.SkeletonArrays` reads each
    sequence on demand.

    .. note::
        The arrays are padded with zeros to the largest number of frames and persons of a
        sequence. In the published models these zeros pass through normalisation, convolution and
        pooling and change the output. So they are kept by default; :obj:`trim` removes them.

    Args:
        data_path (str or path): The file :obj:`.npy`.
        label_path (str or path, optional): The labels, a file :obj:`.npy` of integers or a pickle
            :obj:`.pkl` of :obj:`(names, labels)`. Without it sequences have no :obj:`y`.
            (default: :obj:`None`)
        layout (str or SkeletonLayout): The skeleton, which must be given: an array does not name
            its joints, and several skeletons have 17 or 25 joints.
        score (bool, optional): Whether the last channel is a score instead of a coordinate. By
            default it is a score if there are four channels, or three and the layout is
            :obj:`"coco"`, :obj:`"openpose"`, :obj:`"body_25"` or :obj:`"body_25b"`. Scores must
            not be negative. (default: :obj:`None`)
        trim (bool, optional): Whether to remove the frames and persons at the end that are zero
            throughout. At least one frame and one person remain. (default: :obj:`False`)

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If a file is malformed, the numbers of sequences and labels differ, the layout
            is not given or does not fit the array, or a score is negative; the error names the
            sequence.

    Example:
        >>> from pyg_vision.data.readers import read_npy
        >>> sequences = read_npy("data/train_data.npy", "data/train_label.pkl", "ntu", trim=True)
        >>> len(sequences)
        4
        >>> sequences[3].skeleton_shape
        SkeletonShape(num_persons=1, num_frames=4, num_joints=25)
    """
    array = open_npy(data_path)
    check_layout(data_path, array, layout)
    labels = None if label_path is None else read_npy_labels(label_path, len(array)).labels
    return [
        npy_sequence(
            sequence,
            layout,
            y=None if labels is None else labels[i],
            score=score,
            trim=trim,
            path=f"{Path(data_path)}[{i}]",
        )
        for i, sequence in enumerate(array)
    ]


def check_layout(
    path: str | PathLike[str], array: np.ndarray[Any, Any], layout: str | SkeletonLayout | None
) -> SkeletonLayout:
    r"""Returns the layout of an array :math:`(N, C, T, V, M)`, which must be given and fit."""
    try:
        known = known_layout(layout, array.shape[3])
    except ValueError as error:
        raise SkeletonFileError(Path(path), str(error)) from error
    if known.num_joints != array.shape[3]:
        raise SkeletonFileError(
            Path(path),
            f"layout '{known.name}' has {known.num_joints} joints (got {array.shape[3]} in an "
            f"array of shape {list(array.shape)})",
        )
    return known


def _map(path: Path) -> np.ndarray[Any, Any]:
    try:
        return np.lib.format.open_memmap(path, mode="r")
    except FileNotFoundError:
        raise
    except _MALFORMED as error:
        raise SkeletonFileError(
            path, f"is no array of numbers ({type(error).__name__}: {error})"
        ) from error


def _read_labels(path: Path, values: Any) -> list[int]:
    if isinstance(values, np.ndarray):
        if values.ndim == 2 and values.shape[1] == 1:
            values = values[:, 0]
        if values.ndim != 1:
            raise SkeletonFileError(
                path, f"the labels must be [sequences] (got shape {list(values.shape)})"
            )
        values = list(values)
    if not isinstance(values, list | tuple):
        raise SkeletonFileError(
            path, f"the labels must be one for each sequence (got {type(values).__name__})"
        )
    for i, value in enumerate(values):
        integer = isinstance(value, int | np.integer) and not isinstance(value, bool)
        if not integer or not 0 <= value < 2**31:
            raise SkeletonFileError(
                path, f"label {i} must be the index of a class (got {show(value)})"
            )
    return [int(value) for value in values]


def _trim(joints: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    persons, frames = np.nonzero(joints.any(axis=(2, 3)))
    last = (int(persons.max()) + 1, int(frames.max()) + 1) if persons.size else (1, 1)
    return joints[: last[0], : last[1]]
