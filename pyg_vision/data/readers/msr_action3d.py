r"""Sequences of MSR-Action3D."""

from __future__ import annotations

import re
from os import PathLike
from pathlib import Path
from typing import NamedTuple

import numpy as np
from torch_geometric.data import Data

from pyg_vision.data.layouts import skeleton_layout
from pyg_vision.data.readers._rows import read_number_text, text_rows
from pyg_vision.data.readers.skeleton_file import (
    SkeletonFileError,
    file_sequence,
    read_name,
    to_float32,
)

_NAME = re.compile(r"a(\d{2})_s(\d{2})_e(\d{2})_skeleton(?:3D)?")
_ACTIONS = 20


class MSRAction3DName(NamedTuple):
    r"""The numbers in the name of a file of MSR-Action3D.

    Args:
        action (int): The action, from 1 to 20.
        subject (int): The person.
        episode (int): The repetition.

    Example:
        >>> from pyg_vision.data.readers import msr_action3d_name
        >>> msr_action3d_name("a13_s02_e02_skeleton3D.txt").action
        13
    """

    action: int
    subject: int
    episode: int


def msr_action3d_name(path: str | PathLike[str]) -> MSRAction3DName:
    r"""Reads the name of a file, :obj:`aXX_sYY_eZZ_skeleton3D.txt`.

    Args:
        path (str or path): The file.

    Raises:
        ValueError: If the name has another form, or the data set does not have the action.

    Example:
        >>> from pyg_vision.data.readers import msr_action3d_name
        >>> msr_action3d_name("a13_s02_e02_skeleton3D.txt")
        MSRAction3DName(action=13, subject=2, episode=2)
    """
    path = Path(path)
    form = "aXX_sYY_eZZ_skeleton.txt or aXX_sYY_eZZ_skeleton3D.txt"
    name = read_name(path, _NAME, form, MSRAction3DName)
    if not 1 <= name.action <= _ACTIONS:
        raise SkeletonFileError(path, f"the action must be 1 to {_ACTIONS} (got {name.action})")
    return name


def read_msr_action3d(path: str | PathLike[str]) -> Data:
    r"""Reads a sequence of MSR-Action3D, from the `"Action Recognition Based on A Bag of 3D
    Points" <https://doi.org/10.1109/CVPRW.2010.5543273>`_ paper.

    The file has a line :math:`(x, y, z, \textrm{confidence})` for each of 20 joints of each frame.
    Those named :obj:`..._skeleton3D.txt` are in metres, :math:`y` up and :math:`z` away from the
    camera; those named :obj:`..._skeleton.txt` are pixels of 320 × 240, :math:`y` down, and a
    quarter of the depth in millimetres. A confidence of zero means that the place of a joint was
    inferred, not that it is missing.

    Args:
        path (str or path): The file.

    Returns:
        torch_geometric.data.Data: The sequence, with the class that its name tells, from 0, see
        :func:`~pyg_vision.data.skeleton_sequence`.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is malformed; the error names the line.

    Example:
        >>> from pyg_vision.data.readers import read_msr_action3d
        >>> read_msr_action3d("data/formats/a13_s02_e02_skeleton3D.txt").layout
        SkeletonLayout('msr_action3d', 20 joints)
    """
    path, layout = Path(path), skeleton_layout("msr_action3d")
    rows = text_rows(path)
    name = msr_action3d_name(path)
    for number, row in rows:
        if len(row) != 4:
            raise SkeletonFileError(path, f"line {number}: expected 4 numbers (got {len(row)})")
    if not rows or len(rows) % layout.num_joints:
        raise SkeletonFileError(
            path, f"must have {layout.num_joints} lines for each frame (got {len(rows)})"
        )
    values = [[read_number_text(path, text, number) for text in row] for number, row in rows]
    joints = to_float32(np.array(values)).reshape(1, -1, layout.num_joints, 4)
    return file_sequence(path, joints[..., :3], layout, name.action - 1, joints[..., 3])
