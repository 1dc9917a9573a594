r"""Readers of skeleton files, which validate what they read.

They turn files into skeleton graphs, see :func:`~pyg_vision.data.skeleton_sequence`. Malformed
files are refused with a :class:`SkeletonFileError`, a :class:`ValueError`, which names the file
and, where known, the frame and the person.

========================  =====================================================================
reader                    files
========================  =====================================================================
:func:`read_openpose`     a folder of OpenPose's JSON files, one for each frame
:func:`read_kinetics`     the JSON files of Kinetics-Skeleton, one for each video
:func:`read_ntu`          the text files of NTU RGB+D
:func:`read_nw_ucla`      the JSON files of Northwestern-UCLA
:func:`read_utd_mhad`     the MATLAB files of UTD-MHAD
:func:`read_pyskl`        the pickles of pyskl and MMAction2, without running code in them
:func:`read_npy`          the arrays :math:`(N, C, T, V, M)` of the published code
:func:`read_csv`          keypoints in CSV files, a line for each joint or for each frame
:func:`read_skeletons`    any of them, by the name and the content of the file
========================  =====================================================================
"""

from pyg_vision.data.readers.any_skeletons import read_skeletons
from pyg_vision.data.readers.csv_keypoints import read_csv
from pyg_vision.data.readers.kinetics import read_kinetics
from pyg_vision.data.readers.npy import (
    NpyLabels,
    npy_sequence,
    open_npy,
    read_npy,
    read_npy_labels,
)
from pyg_vision.data.readers.ntu import NTUName, ntu_name, read_ntu
from pyg_vision.data.readers.nw_ucla import NWUCLAName, nw_ucla_name, read_nw_ucla
from pyg_vision.data.readers.openpose import read_openpose
from pyg_vision.data.readers.pyskl import PysklFile, pyskl_sequence, read_pyskl
from pyg_vision.data.readers.skeleton_file import SkeletonFileError
from pyg_vision.data.readers.utd_mhad import UTDMHADName, read_utd_mhad, utd_mhad_name

__all__ = [
    "SkeletonFileError",
    "read_skeletons",
    "read_csv",
    "read_openpose",
    "read_kinetics",
    "read_ntu",
    "ntu_name",
    "NTUName",
    "read_nw_ucla",
    "nw_ucla_name",
    "NWUCLAName",
    "read_utd_mhad",
    "utd_mhad_name",
    "UTDMHADName",
    "read_pyskl",
    "pyskl_sequence",
    "PysklFile",
    "read_npy",
    "npy_sequence",
    "open_npy",
    "read_npy_labels",
    "NpyLabels",
]
