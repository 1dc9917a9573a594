"""Round trips and malformed files are in tests/data/test_writers.py."""

import numpy as np
import pytest

from pyg_vision.data.readers import SkeletonFileError, read_pose


def test_missing_arrays(tmp_path):
    np.savez(tmp_path / "a.npz", keypoints=np.ones((1, 2, 17, 2)))
    with pytest.raises(SkeletonFileError, match=r"'layout' is missing \(got \['keypoints'\]\)"):
        read_pose(tmp_path / "a.npz")
    with pytest.raises(FileNotFoundError):
        read_pose(tmp_path / "b.npz")


def test_no_objects_are_read(tmp_path):
    np.savez(tmp_path / "a.npz", keypoints=np.array([{}], dtype=object), layout=np.ones(1))
    with pytest.raises(SkeletonFileError, match="an array of object is refused"):
        read_pose(tmp_path / "a.npz")
