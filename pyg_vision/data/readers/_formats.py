r"""Which format a skeleton file has, by its name and its content."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pyg_vision.data.readers import kinect_csv, mediapipe
from pyg_vision.data.readers._mediapipe_table import columns_of
from pyg_vision.data.readers._npz import npz_names
from pyg_vision.data.readers._rows import csv_rows, text_rows
from pyg_vision.data.readers.skeleton_file import SkeletonFileError, read_any_json

_BY_SUFFIX = {".skeleton": "ntu", ".mat": "utd_mhad", ".npy": "npy", ".bvh": "bvh"}
SUFFIXES = (*_BY_SUFFIX, ".json", ".pkl", ".pickle", ".npz", ".csv", ".tsv", ".txt")
_PICTURES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff")
# What the object of a JSON file has, and the format that has it.
_OBJECTS = (
    ("skeletons", "nw_ucla"),
    ("data", "kinetics"),
    ("frames", "mediapipe"),
    ("hands", "hand_pictures"),
)
_HEAD = 4096
_YOLO = (56, 57, 58, 39, 40, 41)  # numbers of a line of the joints of COCO
_MEDIAPIPE = frozenset(name for names in mediapipe.NAMES.values() for name in names)


def format_of(path: Path) -> str:
    r"""Returns the name of the format, see :func:`skeleton_format`."""
    if path.is_dir():
        return _of_folder(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no file or folder '{path}'")
    suffix = path.suffix.lower()
    if suffix in _BY_SUFFIX:
        return _BY_SUFFIX[suffix]
    found = None
    if suffix == ".json":
        found = _of_json(path, read_any_json(path))
    elif suffix in (".pkl", ".pickle"):
        found = _of_pickle(path)
    elif suffix == ".npz":
        names = npz_names(path)
        found = "ctr_gcn" if {"x_train", "x_test"} & {*names} else "h36m"
        found = "pose" if {"keypoints", "layout"} <= {*names} else found
    elif suffix in (".csv", ".tsv", ".txt"):
        found = _of_text(path)
    if found is None:
        known = ", ".join(SUFFIXES)
        raise SkeletonFileError(
            path, f"is no skeleton file that is known; such are {known}, and folders of frames"
        )
    return found


def _of_folder(path: Path) -> str:
    if any(path.glob("*.json")):
        return "openpose"
    if any(path.glob("*.txt")):
        return "yolo_pose"
    raise FileNotFoundError(f"there is no .json or .txt file in '{path}'")


def _of_pickle(path: Path) -> str:
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if any(word in head for word in (b"annotations", b"frame_dir", b"split", b"keypoint")):
        return "pyskl"
    return "jhmdb" if b"pose" in head or b"label" in head else "pyskl"


def _of_json(path: Path, record: Any) -> str | None:
    if isinstance(record, dict):
        return _of_object(path, record)
    if not isinstance(record, list):
        return None
    if not record:
        return "alphapose"  # of a video without persons
    first = next((item for item in record if item), None)
    if first is None or isinstance(first, list):
        return "mediapipe"
    if not isinstance(first, dict):
        return None
    if "instances" in first or "keypoint_scores" in first:
        return "mmpose"
    if isinstance(first.get("keypoints"), dict):
        return "yolo_pose"
    if "keypoints" in first and _is_alphapose(first):
        return "alphapose"
    if "keypoints" in first:
        return "coco_results"
    return "mediapipe" if "x" in first or _MEDIAPIPE & first.keys() else None


def _of_object(path: Path, record: dict[str, Any]) -> str | None:
    for name, found in _OBJECTS:
        if name in record:
            return found
    if "instance_info" in record:
        return "mmpose"
    if "people" in record:
        raise SkeletonFileError(path, "is a frame of OpenPose; give the folder of the video")
    if "annotations" in record:
        raise SkeletonFileError(path, "holds the annotations of COCO, which are not read")
    if _MEDIAPIPE & record.keys():
        return "mediapipe"
    first = next(iter(record.values()), None)
    if isinstance(first, dict) and {"people", "bodies"} & first.keys():
        return "alphapose"
    listed = isinstance(first, list) and (not first or isinstance(first[0], dict))
    return "alphapose" if listed else None


def _is_alphapose(item: dict[str, Any]) -> bool:
    r"""Whether a person is AlphaPose's rather than one of COCO's results."""
    if {"idx", "box", "pred_xyz_jts"} & item.keys():
        return True
    picture = item.get("image_id")
    return isinstance(picture, str) and picture.lower().endswith(_PICTURES)


def _of_text(path: Path) -> str | None:
    if path.suffix.lower() == ".txt":
        words = next((row for _, row in text_rows(path)), [])
        if len(words) == 4:
            return "msr_action3d"
        if len(words) == 61:
            return "utkinect"
        if len(words) in _YOLO:
            return "yolo_pose"
    rows = csv_rows(path)
    if not rows:
        return None
    first = [cell.strip() for cell in rows[0][1]]
    names = [name.lower() for name in first]
    if "frame" in names and ("joint" in names or any(name.endswith("_x") for name in names)):
        return "csv"
    if columns_of(first) is not None:
        return "mediapipe"
    if kinect_csv.is_kinect(first):
        return "kinect_csv"
    return "hand_pictures" if mediapipe.is_hand_picture(first) else None
