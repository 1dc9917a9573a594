r"""Readers of skeleton files, which validate what they read.

They turn files into skeleton graphs, see :func:`~pyg_vision.data.skeleton_sequence`. Malformed
files are refused with a :class:`SkeletonFileError`, a :class:`ValueError`, which names the file
and, where known, the frame and the person.

========================= =====================================================================
reader                    files
========================= =====================================================================
:func:`read_openpose`     a folder of OpenPose's JSON files, one for each frame
:func:`read_kinetics`     the JSON files of Kinetics-Skeleton, one for each video
:func:`read_ntu`          the text files of NTU RGB+D
:func:`read_nw_ucla`      the JSON files of Northwestern-UCLA
:func:`read_utd_mhad`     the MATLAB files of UTD-MHAD
:func:`read_pyskl`        the pickles of pyskl and MMAction2, without running code in them
:func:`read_npy`          the arrays :math:`(N, C, T, V, M)` of the published code
:func:`read_mediapipe`    landmarks of MediaPipe in JSON or CSV files
:func:`read_mmpose`       the predictions of mmpose
:func:`read_alphapose`    the results of AlphaPose and PoseFlow
:func:`read_coco_results` keypoints of pictures as COCO's results, and those of openpifpaf
:func:`read_yolo_pose`    labels and predictions of YOLO's pose models
:func:`read_ctr_gcn`      NTU RGB+D as CTR-GCN prepares it
:func:`read_h36m`         Human3.6M as VideoPose3D prepares it
:func:`read_msr_action3d` the text files of MSR-Action3D
:func:`read_utkinect`     the text files of UTKinect-Action3D
:func:`read_kinect_csv`   CSV files of Kinect v2
:func:`read_bvh`          motion capture in Biovision files
:func:`read_jhmdb`        JHMDB as DD-Net prepares it
:func:`read_csv`          keypoints in CSV files, a line for each joint or for each frame
:func:`read_table`        CSV and Parquet files whose columns you name
:func:`read_skeletons`    any of them but the last, by the name and the content of the file
========================= =====================================================================

What is read from objects of MediaPipe in a program is :func:`mediapipe_sequence`.
"""

from pyg_vision.data.readers.alphapose import read_alphapose
from pyg_vision.data.readers.any_skeletons import read_skeletons, skeleton_format
from pyg_vision.data.readers.bvh import read_bvh
from pyg_vision.data.readers.coco_results import read_coco_results
from pyg_vision.data.readers.csv_keypoints import read_csv
from pyg_vision.data.readers.ctr_gcn import (
    CTRGCNArrays,
    ctr_gcn_sequence,
    open_ctr_gcn,
    read_ctr_gcn,
)
from pyg_vision.data.readers.h36m import read_h36m
from pyg_vision.data.readers.jhmdb import JHMDB_CLASSES, read_jhmdb
from pyg_vision.data.readers.kinect_csv import read_kinect_csv
from pyg_vision.data.readers.kinetics import read_kinetics
from pyg_vision.data.readers.mediapipe import (
    mediapipe_sequence,
    read_hand_pictures,
    read_mediapipe,
)
from pyg_vision.data.readers.mmpose import read_mmpose
from pyg_vision.data.readers.msr_action3d import (
    MSRAction3DName,
    msr_action3d_name,
    read_msr_action3d,
)
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
from pyg_vision.data.readers.pose import read_pose
from pyg_vision.data.readers.pyskl import PysklFile, open_pyskl, pyskl_sequence, read_pyskl
from pyg_vision.data.readers.skeleton_file import SkeletonFileError
from pyg_vision.data.readers.table import TableColumns, read_table
from pyg_vision.data.readers.utd_mhad import UTDMHADName, read_utd_mhad, utd_mhad_name
from pyg_vision.data.readers.utkinect import (
    UTKINECT_ACTIONS,
    read_utkinect,
    read_utkinect_actions,
    read_utkinect_labels,
)
from pyg_vision.data.readers.yolo_pose import read_yolo_pose

__all__ = [
    "SkeletonFileError",
    "read_skeletons",
    "skeleton_format",
    "read_csv",
    "read_table",
    "TableColumns",
    "read_openpose",
    "read_mediapipe",
    "mediapipe_sequence",
    "read_hand_pictures",
    "read_mmpose",
    "read_alphapose",
    "read_coco_results",
    "read_yolo_pose",
    "read_kinetics",
    "read_ntu",
    "ntu_name",
    "NTUName",
    "read_ctr_gcn",
    "open_ctr_gcn",
    "ctr_gcn_sequence",
    "CTRGCNArrays",
    "read_nw_ucla",
    "nw_ucla_name",
    "NWUCLAName",
    "read_utd_mhad",
    "utd_mhad_name",
    "UTDMHADName",
    "read_msr_action3d",
    "msr_action3d_name",
    "MSRAction3DName",
    "read_utkinect",
    "read_utkinect_actions",
    "read_utkinect_labels",
    "UTKINECT_ACTIONS",
    "read_kinect_csv",
    "read_h36m",
    "read_jhmdb",
    "JHMDB_CLASSES",
    "read_bvh",
    "read_pose",
    "read_pyskl",
    "open_pyskl",
    "pyskl_sequence",
    "PysklFile",
    "read_npy",
    "npy_sequence",
    "open_npy",
    "read_npy_labels",
    "NpyLabels",
]
