r"""Reader of skeleton files of any known form."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

from torch_geometric.data import Data

from pyg_vision.data.layout import SkeletonLayout
from pyg_vision.data.readers.csv_keypoints import read_csv
from pyg_vision.data.readers.kinetics import read_kinetics
from pyg_vision.data.readers.npy import read_npy
from pyg_vision.data.readers.ntu import read_ntu
from pyg_vision.data.readers.nw_ucla import read_nw_ucla
from pyg_vision.data.readers.openpose import read_openpose
from pyg_vision.data.readers.pyskl import pyskl_sequence, read_pyskl
from pyg_vision.data.readers.skeleton_file import SkeletonFileError, read_json
from pyg_vision.data.readers.utd_mhad import read_utd_mhad

SUFFIXES = (".json", ".skeleton", ".mat", ".pkl", ".pickle", ".npy", ".csv")


def read_skeletons(
    path: str | PathLike[str],
    layout: str | SkeletonLayout | None = None,
    size: tuple[float, float] | None = None,
) -> list[Data]:
    r"""Reads a file, or a folder of OpenPose's, by the reader that its name and content tell.

    Args:
        path (str or path): The file or folder.
        layout (str or SkeletonLayout, optional): The skeleton, which CSV files, arrays and the
            files of pyskl do not tell. (default: that of the format)
        size (tuple, optional): Width and height of a frame, for the pixels of OpenPose, see
            :func:`read_openpose`. (default: :obj:`None`)

    Returns:
        list: The sequences, each with its :obj:`name` where a file holds several.

    Raises:
        FileNotFoundError: If there is nothing of that name.
        ValueError: If it is of no known form or malformed, or the layout must be given.

    Example:
        >>> from pyg_vision.data.readers import read_skeletons
        >>> read_skeletons("data/nw_ucla/a01_s01_e00_v01.json")[0].layout
        SkeletonLayout('kinect', 20 joints)
        >>> [data.name for data in read_skeletons("data/ucf101.pkl", layout="coco")]
        ['v_Archery_g01', 'v_Biking_g01', 'v_Diving_g01']
    """
    path = Path(path)
    if path.is_dir():
        return [read_openpose(path, layout, size=size)]
    if not path.is_file():
        raise FileNotFoundError(f"there is no file or folder '{path}'")
    suffix = path.suffix.lower()
    if suffix == ".json":
        return [_read_json(path, layout)]
    if suffix == ".skeleton":
        return [read_ntu(path)]
    if suffix == ".mat":
        return [read_utd_mhad(path)]
    if suffix in (".pkl", ".pickle"):
        return _named(
            [(note["frame_dir"], pyskl_sequence(note, layout)) for note in read_pyskl(path)[1]]
        )
    if suffix == ".npy":
        return _named([(str(i), data) for i, data in enumerate(read_npy(path, layout=layout))])
    if suffix == ".csv":
        if layout is None:
            raise ValueError(f"'layout' must say which skeleton the joints of '{path}' are")
        return [read_csv(path, layout)]
    raise SkeletonFileError(
        path, f"is no skeleton file; known are {', '.join(SUFFIXES)}, and folders of OpenPose's"
    )


def _read_json(path: Path, layout: str | SkeletonLayout | None) -> Data:
    record = read_json(path)
    if "skeletons" in record:
        return read_nw_ucla(path)
    if "data" in record:
        return read_kinetics(path, layout="openpose" if layout is None else layout)
    raise SkeletonFileError(
        path, "must hold 'skeletons', as NW-UCLA, or 'data', as Kinetics-Skeleton"
    )


def _named(sequences: list[tuple[str, Data]]) -> list[Data]:
    if len(sequences) > 1:
        for name, data in sequences:
            data.name = name
    return [data for _, data in sequences]
