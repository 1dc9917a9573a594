r"""Reader of skeleton files of any known format."""

from __future__ import annotations

import logging
from collections.abc import Callable
from os import PathLike
from pathlib import Path

from torch_geometric.data import Data

from pyg_vision.data.layout import SkeletonLayout
from pyg_vision.data.layouts import skeleton_layout
from pyg_vision.data.readers._formats import SUFFIXES, format_of
from pyg_vision.data.readers._mediapipe_table import columns_of
from pyg_vision.data.readers._people import Size
from pyg_vision.data.readers._rows import csv_rows
from pyg_vision.data.readers.alphapose import read_alphapose
from pyg_vision.data.readers.bvh import read_bvh
from pyg_vision.data.readers.coco_results import read_coco_results
from pyg_vision.data.readers.csv_keypoints import read_csv
from pyg_vision.data.readers.ctr_gcn import read_ctr_gcn
from pyg_vision.data.readers.h36m import read_h36m
from pyg_vision.data.readers.jhmdb import read_jhmdb
from pyg_vision.data.readers.kinect_csv import read_kinect_csv
from pyg_vision.data.readers.kinetics import read_kinetics
from pyg_vision.data.readers.mediapipe import read_hand_pictures, read_mediapipe
from pyg_vision.data.readers.mmpose import read_mmpose
from pyg_vision.data.readers.msr_action3d import read_msr_action3d
from pyg_vision.data.readers.npy import read_npy
from pyg_vision.data.readers.ntu import read_ntu
from pyg_vision.data.readers.nw_ucla import read_nw_ucla
from pyg_vision.data.readers.openpose import read_openpose
from pyg_vision.data.readers.pose import read_pose
from pyg_vision.data.readers.pyskl import read_pyskl
from pyg_vision.data.readers.skeleton_file import SkeletonFileError
from pyg_vision.data.readers.utd_mhad import read_utd_mhad
from pyg_vision.data.readers.utkinect import read_utkinect
from pyg_vision.data.readers.yolo_pose import read_yolo_pose

logger = logging.getLogger(__name__)

SKELETON_SUFFIXES = SUFFIXES
Layout = str | SkeletonLayout | None
Read = Callable[[Path, Layout, Size | None], list[Data]]


def _csv(path: Path, layout: Layout, size: Size | None) -> list[Data]:
    if layout is not None:
        return [read_csv(path, layout)]
    rows = csv_rows(path)
    found = columns_of([cell.strip() for cell in rows[0][1]]) if rows else None
    if found is None:
        raise ValueError(f"'layout' must say which skeleton the joints of '{path}' are")
    return [read_csv(path, found.layout)]


FORMATS: dict[str, Read] = {
    "openpose": lambda path, layout, size: [read_openpose(path, layout, size=size)],
    "mediapipe": lambda path, layout, size: [read_mediapipe(path, size=size)],
    "hand_pictures": lambda path, layout, size: read_hand_pictures(path),
    "mmpose": lambda path, layout, size: [read_mmpose(path, layout, size)],
    "alphapose": lambda path, layout, size: [read_alphapose(path, layout, size)],
    "coco_results": lambda path, layout, size: read_coco_results(path, layout, size),
    "yolo_pose": lambda path, layout, size: [read_yolo_pose(path, layout, size)],
    "kinetics": lambda path, layout, size: [read_kinetics(path, layout=layout)],
    "ntu": lambda path, layout, size: [read_ntu(path)],
    "ctr_gcn": lambda path, layout, size: read_ctr_gcn(path),
    "nw_ucla": lambda path, layout, size: [read_nw_ucla(path)],
    "utd_mhad": lambda path, layout, size: [read_utd_mhad(path)],
    "msr_action3d": lambda path, layout, size: [read_msr_action3d(path)],
    "utkinect": lambda path, layout, size: [read_utkinect(path)],
    "kinect_csv": lambda path, layout, size: [read_kinect_csv(path)],
    "pose": lambda path, layout, size: [read_pose(path)],
    "h36m": lambda path, layout, size: read_h36m(path, layout, size),
    "jhmdb": lambda path, layout, size: read_jhmdb(path),
    "bvh": lambda path, layout, size: [read_bvh(path)],
    "pyskl": lambda path, layout, size: read_pyskl(path, layout),
    "npy": lambda path, layout, size: read_npy(path, layout=layout),
    "csv": _csv,
}


def _with_layout(path: Path, data: Data, layout: Layout) -> Data:
    r"""Gives a sequence the layout that was asked for, which must have the same joints."""
    if layout is None or data.layout == skeleton_layout(layout):
        return data
    asked = skeleton_layout(layout)
    if asked.joints != data.layout.joints:
        raise SkeletonFileError(
            path,
            f"holds the joints of layout '{data.layout.name}', not of '{asked.name}'",
        )
    data.layout = asked
    return data


def skeleton_format(path: str | PathLike[str]) -> str:
    r"""Tells the format of a skeleton file, or of a folder of frames, by its name and its content.

    Args:
        path (str or path): The file or folder.

    Returns:
        str: The format, one of those that :func:`read_skeletons` reads.

    Raises:
        FileNotFoundError: If there is nothing of that name.
        ValueError: If the format is not known.

    Example:
        >>> from pyg_vision.data.readers import skeleton_format
        >>> skeleton_format("data/nw_ucla/a01_s01_e00_v01.json")
        'nw_ucla'
    """
    return format_of(Path(path))


def read_skeletons(
    path: str | PathLike[str],
    layout: Layout = None,
    size: Size | None = None,
    format: str = "auto",
) -> list[Data]:
    r"""Reads a skeleton file, or a folder of frames, of any format.

    Args:
        path (str or path): The file or folder.
        layout (str or SkeletonLayout, optional): The skeleton, which CSV files, arrays and the
            files of pyskl do not tell. (default: that of the format)
        size (tuple, optional): Width and height of a frame, by which the pixels of pose estimators
            are divided, and the shares of width and height of MediaPipe and YOLO multiplied; see
            the reader of the format. (default: :obj:`None`)
        format (str, optional): The format, such as :obj:`"mmpose"`. (default: the one that
            :func:`skeleton_format` tells)

    Returns:
        list: The sequences, each with its :obj:`name` where a file holds several.

    Raises:
        FileNotFoundError: If there is nothing of that name.
        ValueError: If it is of no known format or malformed, or the layout must be given.

    Example:
        >>> from pyg_vision.data.readers import read_skeletons
        >>> read_skeletons("data/nw_ucla/a01_s01_e00_v01.json")[0].layout
        SkeletonLayout('kinect', 20 joints)
        >>> [data.name for data in read_skeletons("data/ucf101.pkl", layout="coco")]
        ['v_Archery_g01', 'v_Biking_g01', 'v_Diving_g01']
    """
    path = Path(path)
    if format != "auto" and format not in FORMATS:
        raise ValueError(f"'format' must be 'auto' or one of {', '.join(FORMATS)} (got {format!r})")
    if not path.exists():
        raise FileNotFoundError(f"there is no file or folder '{path}'")
    found = format
    if format == "auto":
        found = format_of(path)
        logger.info("'%s' has the format %s", path, found)
    sequences = [_with_layout(path, data, layout) for data in FORMATS[found](path, layout, size)]
    if len(sequences) > 1:
        for i, data in enumerate(sequences):
            data.name = data.name if "name" in data else str(i)
    elif "name" in sequences[0]:
        del sequences[0].name
    return sequences
