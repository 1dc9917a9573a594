r"""JHMDB as DD-Net has prepared it."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from pathlib import Path

import numpy as np
from torch_geometric.data import Data

from pyg_vision.data.layouts import skeleton_layout
from pyg_vision.data.readers._pickle import load_pickle
from pyg_vision.data.readers.skeleton_file import (
    Budget,
    SkeletonFileError,
    file_sequence,
    show,
    to_float32,
)

JHMDB_CLASSES = (
    "catch", "clap", "golf", "jump", "pick", "pour", "pullup", "push", "run", "sit", "stand",
    "throw", "walk", "wave",
)  # fmt: skip


def read_jhmdb(path: str | PathLike[str], classes: Sequence[str] = JHMDB_CLASSES) -> list[Data]:
    r"""Reads JHMDB, from the `"Towards Understanding Action Recognition"
    <https://doi.org/10.1109/ICCV.2013.396>`_ paper, as `DD-Net <https://github.com/fandulu/DD-Net>`_
    has prepared it: the pickles :obj:`GT_train_1.pkl` and :obj:`GT_test_1.pkl`.

    Coordinates are normalised about the middle of the picture, :math:`y` down. No code of a file
    can run, see :func:`open_pyskl`.

    Args:
        path (str or path): The file.
        classes (list of str, optional): The names of the classes, in order. (default: the 14 of
            these files)

    Returns:
        list: The sequences of one person, with their classes, see
        :func:`~pyg_vision.data.skeleton_sequence`.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is malformed, or a label is none of the classes; the error names the
            sequence.

    Example:
        >>> from pyg_vision.data.readers import read_jhmdb
        >>> [data.skeleton_shape.num_frames for data in read_jhmdb("data/formats/GT_test_1.pkl")]
        [15, 20]
    """
    path, layout = Path(path), skeleton_layout("jhmdb")
    record = load_pickle(path)
    if not isinstance(record, dict) or not {"pose", "label"} <= set(record):
        raise SkeletonFileError(path, "must hold a dict of the lists 'pose' and 'label'")
    poses, labels = record["pose"], record["label"]
    if not isinstance(poses, list) or not isinstance(labels, list) or not poses:
        raise SkeletonFileError(path, "'pose' and 'label' must be lists, not empty")
    if len(poses) != len(labels):
        raise SkeletonFileError(path, f"has {len(poses)} poses and {len(labels)} labels")
    places = {name: i for i, name in enumerate(classes)}
    found = []
    budget = Budget(path)
    for i, (pose, label) in enumerate(zip(poses, labels, strict=True)):
        if not isinstance(label, str) or label not in places:
            raise SkeletonFileError(
                path, f"label {i} must be one of {', '.join(classes)} (got {show(label)})"
            )
        form = isinstance(pose, np.ndarray) and pose.dtype.kind in "fiu"
        if not form or pose.shape != (*pose.shape[:1], layout.num_joints, 2) or not len(pose):
            shape = list(pose.shape) if isinstance(pose, np.ndarray) else type(pose).__name__
            raise SkeletonFileError(path, f"pose {i} must be [frames, 15, 2] (got {shape})")
        budget.take(pose.shape)
        found.append(file_sequence(path, to_float32(pose)[None], layout, places[label]))
    return found
