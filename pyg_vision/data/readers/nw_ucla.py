r"""Sequences of Northwestern-UCLA."""

from __future__ import annotations

import re
from os import PathLike
from pathlib import Path
from typing import NamedTuple

from torch_geometric.data import Data

from pyg_vision.data.layouts import skeleton_layout
from pyg_vision.data.readers.skeleton_file import (
    SkeletonFileError,
    field,
    points,
    read_json,
    read_name,
)
from pyg_vision.data.skeleton import skeleton_sequence

# The numbers of the actions have gaps; classes have none.
ACTIONS = (1, 2, 3, 4, 5, 6, 8, 9, 11, 12)
_NAME = re.compile(r"a(\d{2})_s(\d{2})_e(\d{2})_v(\d{2})")


class NWUCLAName(NamedTuple):
    r"""The numbers in the name of a file of Northwestern-UCLA.

    Args:
        action (int): The number of the action, 1 to 12 with gaps.
        subject (int): The person.
        episode (int): The repetition.
        view (int): The camera.

    Example:
        >>> from pyg_vision.data.readers import nw_ucla_name
        >>> name = nw_ucla_name("a04_s01_e00_v02.json")
        >>> name.action, name.view
        (4, 2)
    """

    action: int
    subject: int
    episode: int
    view: int


def nw_ucla_name(path: str | PathLike[str]) -> NWUCLAName:
    r"""Reads the name of a file, :obj:`aXX_sYY_eZZ_vWW.json`.

    Args:
        path (str or path): The file.

    Raises:
        ValueError: If the name has another form, or the data set does not have the action.

    Example:
        >>> from pyg_vision.data.readers import nw_ucla_name
        >>> nw_ucla_name("data/nw_ucla/a04_s01_e00_v02.json")
        NWUCLAName(action=4, subject=1, episode=0, view=2)
    """
    path = Path(path)
    name = read_name(path, _NAME, "aXX_sYY_eZZ_vWW.json", NWUCLAName)
    if name.action not in ACTIONS:
        raise SkeletonFileError(
            Path(path), f"the action must be one of {ACTIONS} (got {name.action})"
        )
    return name


def read_nw_ucla(path: str | PathLike[str]) -> Data:
    r"""Reads a sequence of Northwestern-UCLA from JSON.

    The file is ``{"skeletons": [T][20][3], …}``, in metres; the class is read from its name.

    Args:
        path (str or path): The file :obj:`aXX_sYY_eZZ_vWW.json`.

    Returns:
        torch_geometric.data.Data: The sequence, of the layout :obj:`"kinect"`, with the class as
        :obj:`y`; see :func:`~pyg_vision.data.skeleton_sequence`.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is malformed; the error names file and frame.

    Example:
        >>> from pyg_vision.data.readers import read_nw_ucla
        >>> data = read_nw_ucla("data/nw_ucla/a04_s01_e00_v02.json")
        >>> data.skeleton_shape
        SkeletonShape(num_persons=1, num_frames=3, num_joints=20)
        >>> data.y
        tensor([3])
    """
    path = Path(path)
    name = nw_ucla_name(path)
    layout = skeleton_layout("kinect")
    frames = field(path, read_json(path), "skeletons", list)
    if not frames:
        raise SkeletonFileError(path, "holds no frames")
    keypoints = points(path, frames, layout.num_joints, 3)
    return skeleton_sequence(keypoints, layout, y=ACTIONS.index(name.action))
