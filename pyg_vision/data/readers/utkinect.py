r"""Sessions of UTKinect-Action3D."""

from __future__ import annotations

import math
import re
from os import PathLike
from pathlib import Path

import numpy as np
from torch_geometric.data import Data

from pyg_vision.data.layouts import skeleton_layout
from pyg_vision.data.readers._rows import read_number_text, text_rows
from pyg_vision.data.readers.skeleton_file import (
    Array,
    SkeletonFileError,
    file_sequence,
    show,
    to_float32,
)

UTKINECT_ACTIONS = (
    "walk", "sitDown", "standUp", "pickUp", "carry", "throw", "push", "pull", "waveHands",
    "clapHands",
)  # fmt: skip
Segments = dict[str, dict[str, tuple[int, int] | None]]
_SESSION = re.compile(r"s\d{2}_e\d{2}", re.ASCII)


def read_utkinect(path: str | PathLike[str]) -> Data:
    r"""Reads a whole session of UTKinect-Action3D, from the `"View Invariant Human Action
    Recognition Using Histograms of 3D Joints" <https://doi.org/10.1109/CVPRW.2012.6239233>`_ paper.

    The file :obj:`joints_sXX_eYY.txt` has a line for each frame, its number and the coordinates of
    20 joints in metres, :math:`y` up and :math:`z` away from the camera. Numbers have gaps and
    repeat, with other coordinates; all lines are frames, as they stand.
    :func:`read_utkinect_actions` cuts a session.

    Args:
        path (str or path): The file.

    Returns:
        torch_geometric.data.Data: The session, see :func:`~pyg_vision.data.skeleton_sequence`.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is malformed; the error names the line.

    Example:
        >>> from pyg_vision.data.readers import read_utkinect
        >>> read_utkinect("data/formats/joints_s01_e01.txt").skeleton_shape
        SkeletonShape(num_persons=1, num_frames=8, num_joints=20)
    """
    path = Path(path)
    return file_sequence(path, _read(path)[1], skeleton_layout("kinect"))


def read_utkinect_labels(path: str | PathLike[str]) -> Segments:
    r"""Reads which frames of each session are which action, :obj:`actionLabel.txt`.

    Args:
        path (str or path): The file.

    Returns:
        dict: For each session, such as :obj:`"s01_e01"`, the first and the last number of each
        action; :obj:`None` for one that the file has no numbers for.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is malformed; the error names the line.

    Example:
        >>> from pyg_vision.data.readers import read_utkinect_labels
        >>> read_utkinect_labels("data/formats/actionLabel.txt")["s01_e01"]["walk"]
        (252, 256)
    """
    path = Path(path)
    found: Segments = {}
    session: str | None = None
    for number, words in text_rows(path):
        if len(words) == 1 and _SESSION.fullmatch(words[0]):
            session = words[0]
            if session in found:
                raise SkeletonFileError(path, f"line {number}: '{session}' is listed twice")
            found[session] = {}
            continue
        action = words[0].removesuffix(":")
        if session is None or len(words) != 3 or action not in UTKINECT_ACTIONS:
            raise SkeletonFileError(
                path,
                f"line {number}: expected a session or an action with two numbers (got "
                f"{show(' '.join(words))})",
            )
        if action in found[session]:
            raise SkeletonFileError(path, f"line {number}: '{action}' is listed twice")
        if words[1].lower() == words[2].lower() == "nan":
            found[session][action] = None
            continue
        first, last = (_whole(path, text, number) for text in words[1:])
        if first > last:
            raise SkeletonFileError(path, f"line {number}: '{action}' ends before it begins")
        found[session][action] = first, last
    if not found:
        raise SkeletonFileError(path, "holds no session")
    return found


def read_utkinect_actions(path: str | PathLike[str], label_path: str | PathLike[str]) -> list[Data]:
    r"""Reads the actions of a session, each a sequence.

    Args:
        path (str or path): The file :obj:`joints_sXX_eYY.txt`.
        label_path (str or path): The file :obj:`actionLabel.txt`, see
            :func:`read_utkinect_labels`.

    Returns:
        list: A sequence for each action for which there are numbers and frames, with its class and
        its :obj:`name`, see :func:`~pyg_vision.data.skeleton_sequence`.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If a file is malformed, or the session is not among the labels.

    Example:
        >>> from pyg_vision.data.readers import read_utkinect_actions
        >>> joints, labels = "data/formats/joints_s01_e01.txt", "data/formats/actionLabel.txt"
        >>> actions = read_utkinect_actions(joints, labels)
        >>> [(data.name, int(data.y)) for data in actions]
        [('s01_e01 walk', 0)]
    """
    path = Path(path)
    segments = read_utkinect_labels(label_path)
    match = _SESSION.search(path.stem)
    if match is None or match[0] not in segments:
        raise SkeletonFileError(path, f"the labels of '{label_path}' have no such session")
    numbers, joints = _read(path)
    found = []
    for action, span in segments[match[0]].items():
        if span is None:
            continue
        inside = (numbers >= span[0]) & (numbers <= span[1])
        if not inside.any():
            continue
        y = UTKINECT_ACTIONS.index(action)
        data = file_sequence(path, joints[:, inside], skeleton_layout("kinect"), y)
        data.name = f"{match[0]} {action}"
        found.append(data)
    return found


def _read(path: Path) -> tuple[np.ndarray[tuple[int], np.dtype[np.int64]], Array]:
    rows = text_rows(path)
    if not rows:
        raise SkeletonFileError(path, "holds no frames")
    values = []
    for number, row in rows:
        if len(row) != 61:
            raise SkeletonFileError(
                path, f"line {number}: expected 61 numbers, of the frame and 20 joints "
                f"(got {len(row)})"
            )  # fmt: skip
        frame = _whole(path, row[0], number)
        values.append([frame, *(read_number_text(path, text, number) for text in row[1:])])
    table = np.array(values)
    return table[:, 0].astype(np.int64), to_float32(table[:, 1:]).reshape(1, -1, 20, 3)


def _whole(path: Path, text: str, line: int) -> int:
    value = read_number_text(path, text, line)
    if not value.is_integer() or not 0 <= value < 2**31 or math.isnan(value):
        raise SkeletonFileError(
            path, f"line {line}: the number of a frame must be whole (got {show(text)})"
        )
    return int(value)
