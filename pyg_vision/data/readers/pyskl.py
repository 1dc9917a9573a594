r"""Annotation files of pyskl and MMAction2."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from torch_geometric.data import Data

from pyg_vision.data.layout import SkeletonLayout
from pyg_vision.data.readers._pickle import load_pickle
from pyg_vision.data.readers.skeleton_file import (
    SkeletonFileError,
    check_score,
    known_layout,
    show,
    to_float32,
    told_layout,
)
from pyg_vision.data.skeleton import skeleton_sequence

Annotation = dict[str, Any]


class PysklFile(NamedTuple):
    r"""The content of an annotation file of pyskl.

    Args:
        split (dict): The names of the sequences of each split; empty if the file has no splits.
        annotations (list of dict): The sequences, each with :obj:`frame_dir` (its name),
            :obj:`total_frames`, :obj:`keypoint` :math:`(M, T, V, C)`, and usually
            :obj:`keypoint_score` :math:`(M, T, V)`, :obj:`label`, and :obj:`img_shape`.

    Example:
        >>> from pyg_vision.data.readers import open_pyskl
        >>> file = open_pyskl("data/ucf101.pkl")
        >>> list(file.split)
        ['train1', 'test1']
        >>> len(file.annotations)
        3
    """

    split: dict[str, list[str]]
    annotations: list[Annotation]


def open_pyskl(path: str | PathLike[str]) -> PysklFile:
    r"""Opens an annotation file of `pyskl <https://github.com/kennymckormick/pyskl>`_ or
    MMAction2.

    The file is a pickle of ``{"split": {name: [frame_dir, …]}, "annotations": [{…}]}``, or of
    the list of annotations only, or of a single annotation. The unpickler accepts plain
    containers and numpy arrays of numbers or strings and refuses everything else, so that no code
    of the file can run. The arrays are read-only. :func:`pyskl_sequence` turns an annotation into
    a graph. Two annotations may have the same :obj:`frame_dir` if there are no splits.

    The Kinetics-400 files of pyskl are refused, since they hold no keypoints but refer to other
    files.

    Args:
        path (str or path): The file.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is malformed or holds anything else; the error names the
            annotation and its :obj:`frame_dir`.

    Example:
        >>> from pyg_vision.data.readers import pyskl_sequence, open_pyskl
        >>> split, annotations = open_pyskl("data/ucf101.pkl")
        >>> split["train1"]
        ['v_Archery_g01', 'v_Biking_g01']
        >>> annotations[0]["keypoint"].shape
        (1, 4, 17, 2)
    """
    path = Path(path)
    value = load_pickle(path)
    annotations: Any
    if isinstance(value, dict) and "annotations" not in value and "keypoint" in value:
        split, annotations = {}, [value]
    elif isinstance(value, dict):
        split, annotations = value.get("split", {}), value.get("annotations")
    else:
        split, annotations = {}, value
    if not isinstance(annotations, list):
        raise SkeletonFileError(
            path,
            "must hold a dict with a list of 'annotations', or the list alone "
            f"(got {_kind(annotations)})",
        )
    if not annotations:
        raise SkeletonFileError(path, "holds no annotations")
    positions: dict[str, int] = {}
    for i, annotation in enumerate(annotations):
        try:
            name = _check_annotation(annotation)
        except ValueError as error:
            raise SkeletonFileError(path, f"annotation {i}{_called(annotation)}: {error}") from None
        if name in positions and split:  # which would not say which of the two it means
            raise SkeletonFileError(
                path, f"annotation {i} ({show(name)}) has the name of annotation {positions[name]}"
            )
        positions[name] = i
    return PysklFile(_read_split(path, split), annotations)


def read_pyskl(path: str | PathLike[str], layout: str | SkeletonLayout | None = None) -> list[Data]:
    r"""Reads the sequences of an annotation file of pyskl, see :func:`open_pyskl`.

    All sequences are held in memory; :class:`~pyg_vision.datasets.PysklDataset` makes each on
    demand, and knows the splits.

    Args:
        path (str or path): The file.
        layout (str or SkeletonLayout): The skeleton, which must be given, see
            :func:`pyskl_sequence`.

    Returns:
        list: The sequences, each with its :obj:`frame_dir` as :obj:`name`.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is malformed, or the layout is not given or does not fit.

    Example:
        >>> from pyg_vision.data.readers import read_pyskl
        >>> [data.name for data in read_pyskl("data/ucf101.pkl", layout="coco")]
        ['v_Archery_g01', 'v_Biking_g01', 'v_Diving_g01']
    """
    found = []
    for annotation in open_pyskl(path).annotations:
        try:
            data = pyskl_sequence(annotation, layout)
        except ValueError as error:
            raise SkeletonFileError(Path(path), str(error)) from error
        data.name = annotation["frame_dir"]
        found.append(data)
    return found


def pyskl_sequence(annotation: Annotation, layout: str | SkeletonLayout | None = None) -> Data:
    r"""Turns an annotation of a file of pyskl into a graph.

    Args:
        annotation (dict): The annotation, see :class:`PysklFile`.
        layout (str or SkeletonLayout): The skeleton, which must be given, since the file does not
            name it: usually :obj:`"coco"` for 2D poses, and :obj:`"ntu_pyskl"` for NTU RGB+D in
            3D. Files of :func:`~pyg_vision.data.write_skeleton` do name it.

    Returns:
        torch_geometric.data.Data: The sequence, see :func:`~pyg_vision.data.skeleton_sequence`;
        2D coordinates are pixels, as in the file, and :obj:`frame_size` is width and height of a
        frame where the file tells it. Without a label it has no :obj:`y`.

    Raises:
        ValueError: If the annotation is malformed, the layout is not given or does not fit, or
            a score is negative; the error names its :obj:`frame_dir`.

    Example:
        >>> from pyg_vision.data.readers import pyskl_sequence, open_pyskl
        >>> file = open_pyskl("data/ucf101.pkl")
        >>> data = pyskl_sequence(file.annotations[0], layout="coco")
        >>> data.skeleton_shape
        SkeletonShape(num_persons=1, num_frames=4, num_joints=17)
    """
    try:
        _check_annotation(annotation)
        keypoints = annotation["keypoint"]
        known = annotation_layout(annotation, layout)
        score = annotation.get("keypoint_score")
        label = annotation.get("label")
        label = None if label == -1 else label  # pyskl's for a sequence without one
        score = None if score is None else to_float32(score)
        check_score(score, known)
        data = skeleton_sequence(
            to_float32(keypoints), known, y=None if label is None else int(label), score=score
        )
    except ValueError as error:
        raise ValueError(f"the annotation{_called(annotation)} is malformed: {error}") from error
    if annotation.get("img_shape") is not None and data.pos.size(1) == 2:
        height, width = annotation["img_shape"]
        data.frame_size = (int(width), int(height))
    return data


def annotation_layout(
    annotation: Annotation, layout: str | SkeletonLayout | None
) -> SkeletonLayout:
    r"""Returns the layout that is given, or the one that an annotation of this package tells."""
    if annotation.get("layout") is not None:
        return told_layout(annotation["layout"], layout)
    return known_layout(layout, annotation["keypoint"].shape[2])


def _check_annotation(annotation: Any) -> str:
    r"""Checks all but the values of the arrays, and returns the name."""
    if not isinstance(annotation, dict):
        raise ValueError(f"must be a dict (got {_kind(annotation)})")
    name = annotation.get("frame_dir")
    if not isinstance(name, str):
        raise ValueError(f"'frame_dir' must be a string (got {_kind(name)})")
    if "keypoint" not in annotation and "raw_file" in annotation:
        raise ValueError("its keypoints are in another file ('raw_file'), which is not read")
    keypoints = _check_array(annotation, "keypoint")
    if keypoints.ndim != 4 or keypoints.shape[3] not in (2, 3) or 0 in keypoints.shape:
        raise ValueError(
            f"'keypoint' must be [persons, frames, joints, 2 or 3] and not empty "
            f"(got shape {list(keypoints.shape)})"
        )
    frames = annotation.get("total_frames", keypoints.shape[1])
    if frames != keypoints.shape[1]:
        raise ValueError(
            f"'total_frames' is {show(frames)}, but 'keypoint' has {keypoints.shape[1]}"
        )
    if annotation.get("keypoint_score") is not None:
        score = _check_array(annotation, "keypoint_score")
        if score.shape != keypoints.shape[:3]:
            raise ValueError(
                f"'keypoint_score' must have the shape {list(keypoints.shape[:3])} "
                f"(got {list(score.shape)})"
            )
    size = annotation.get("img_shape")
    if size is not None and not (
        isinstance(size, tuple | list)
        and len(size) == 2
        and all(isinstance(n, int | np.integer) and 0 < n < 2**31 for n in size)
    ):
        raise ValueError(f"'img_shape' must be height and width of a frame (got {_kind(size)})")
    label = annotation.get("label")
    if label is not None and (
        not isinstance(label, int | np.integer)
        or isinstance(label, bool)
        or not -1 <= label < 2**31
    ):
        raise ValueError(f"'label' must be the index of a class (got {_kind(label)})")
    return name


def _check_array(annotation: Annotation, name: str) -> np.ndarray[Any, Any]:
    value = annotation.get(name)
    if not isinstance(value, np.ndarray) or value.dtype.kind not in "fiu":
        kind = f"array of {value.dtype}" if isinstance(value, np.ndarray) else _kind(value)
        raise ValueError(f"'{name}' must be an array of numbers (got {kind})")
    return value


def _read_split(path: Path, split: Any) -> dict[str, list[str]]:
    if not isinstance(split, dict):
        raise SkeletonFileError(path, f"'split' must be a dict (got {_kind(split)})")
    for name, members in split.items():
        if (
            not isinstance(name, str)
            or not isinstance(members, list | tuple)
            or not all(isinstance(member, str) for member in members)
        ):
            raise SkeletonFileError(path, f"split {show(name)} must be a list of 'frame_dir'")
    return {name: list(members) for name, members in split.items()}


def _called(annotation: Any) -> str:
    name = annotation.get("frame_dir") if isinstance(annotation, dict) else None
    return f" ({show(name)})" if isinstance(name, str) else ""


def _kind(value: object) -> str:
    return show(value) if value is None or isinstance(value, int) else type(value).__name__
