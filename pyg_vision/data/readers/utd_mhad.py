r"""Sequences of UTD-MHAD."""

from __future__ import annotations

import re
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from torch_geometric.data import Data

from pyg_vision.data.layouts import skeleton_layout
from pyg_vision.data.readers._matlab import matlab_arrays, read_matlab
from pyg_vision.data.readers.skeleton_file import (
    SkeletonFileError,
    check_size,
    file_sequence,
    read_name,
    to_float32,
)

NUM_ACTIONS = 27
_NAME = re.compile(r"a(\d{1,2})_s(\d)_t(\d)_skeleton")
_VARIABLE = "d_skel"
# The joints in the order of the files, by the names of the layout "kinect".
# fmt: off
_JOINTS = (
    "head", "shoulder_center", "spine", "hip_center", "left_shoulder", "left_elbow", "left_wrist",
    "left_hand", "right_shoulder", "right_elbow", "right_wrist", "right_hand", "left_hip",
    "left_knee", "left_ankle", "left_foot", "right_hip", "right_knee", "right_ankle", "right_foot",
)
# fmt: on


class UTDMHADName(NamedTuple):
    r"""The numbers in the name of a file of UTD-MHAD.

    Args:
        action (int): The number of the action, 1 to 27.
        subject (int): The person, 1 to 8.
        trial (int): The repetition, 1 to 4.

    Example:
        >>> from pyg_vision.data.readers import utd_mhad_name
        >>> name = utd_mhad_name("a3_s1_t2_skeleton.mat")
        >>> name.subject, name.trial
        (1, 2)
    """

    action: int
    subject: int
    trial: int


def utd_mhad_name(path: str | PathLike[str]) -> UTDMHADName:
    r"""Reads the name of a file, :obj:`aX_sY_tZ_skeleton.mat`.

    Args:
        path (str or path): The file.

    Raises:
        ValueError: If the name has another form, or the data set does not have the action.

    Example:
        >>> from pyg_vision.data.readers import utd_mhad_name
        >>> utd_mhad_name("data/utd_mhad/a3_s1_t2_skeleton.mat")
        UTDMHADName(action=3, subject=1, trial=2)
    """
    path = Path(path)
    name = read_name(path, _NAME, "aX_sY_tZ_skeleton.mat", UTDMHADName)
    if not 1 <= name.action <= NUM_ACTIONS:
        raise SkeletonFileError(
            Path(path), f"the action must be 1 to {NUM_ACTIONS} (got {name.action})"
        )
    return name


def read_utd_mhad(path: str | PathLike[str]) -> Data:
    r"""Reads a sequence of UTD-MHAD from a MATLAB file.

    The file holds the variable :obj:`d_skel` :math:`(20, 3, T)`, in metres. Its joints, which
    begin with the head, are sorted into the order of the layout :obj:`"kinect"`.

    Args:
        path (str or path): The file :obj:`aX_sY_tZ_skeleton.mat`.

    Returns:
        torch_geometric.data.Data: The sequence, of the layout :obj:`"kinect"`, with the action,
        counted from zero, as :obj:`y`; see :func:`~pyg_vision.data.skeleton_sequence`.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is malformed.

    Example:
        >>> from pyg_vision.data.readers import read_utd_mhad
        >>> data = read_utd_mhad("data/utd_mhad/a3_s1_t2_skeleton.mat")
        >>> data.skeleton_shape
        SkeletonShape(num_persons=1, num_frames=5, num_joints=20)
        >>> data.y
        tensor([2])
    """
    path = Path(path)
    name = utd_mhad_name(path)
    layout = skeleton_layout("kinect")
    joints = _load(path, layout.num_joints)
    order = [_JOINTS.index(joint) for joint in layout.joints]
    keypoints = to_float32(joints.transpose(2, 0, 1)[:, order])
    return file_sequence(path, keypoints, layout, y=name.action - 1)


def _load(path: Path, num_joints: int) -> np.ndarray[Any, Any]:
    arrays = {array.name: array for array in matlab_arrays(path)}
    array = arrays.get(_VARIABLE)
    if array is None:
        raise SkeletonFileError(path, f"'{_VARIABLE}' is missing (got {sorted(arrays)[:20]})")
    if not array.numeric:
        raise SkeletonFileError(path, f"'{_VARIABLE}' must hold real numbers")
    shape = array.shape
    # MATLAB drops the last dimension of a single frame.
    num_frames = (*shape, 1)[2] if len(shape) in (2, 3) else 0
    if shape[:2] != (num_joints, 3) or num_frames < 1:
        raise SkeletonFileError(
            path, f"'{_VARIABLE}' must be [{num_joints}, 3, frames] (got {list(shape)})"
        )
    check_size(path, (1, num_frames, num_joints, 3))
    return read_matlab(path, array).reshape(num_joints, 3, num_frames)
