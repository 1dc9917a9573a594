import json

import numpy as np
import pytest
import torch

from pyg_vision.data.readers import SkeletonFileError, read_skeletons
from tests import docstring_files


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    docstring_files.write(folder)
    return folder


@pytest.mark.parametrize(
    ("path", "layout", "shapes"),
    [
        ("clips/walk", None, [(1, 3, 18)]),
        ("kinetics/kinetics_train/video_0.json", None, [(1, 4, 18)]),
        ("data/ntu/S001C001P001R001A001.skeleton", None, [(1, 3, 25)]),
        ("data/nw_ucla/a01_s01_e00_v01.json", None, [(1, 3, 20)]),
        ("data/utd_mhad/a1_s1_t1_skeleton.mat", None, [(1, 5, 20)]),
        ("data/ucf101.pkl", "coco", [(1, 4, 17)] * 3),
        ("data/train_data.npy", "ntu", [(2, 6, 25)] * 4),
    ],
)
def test_every_form_is_recognised(files, path, layout, shapes):
    found = read_skeletons(files / path, layout, size=(1920, 1080))
    assert [tuple(data.skeleton_shape) for data in found] == shapes
    assert all(("name" in data) == (len(shapes) > 1) for data in found)


def test_csv_needs_a_layout(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("frame,joint,x,y\n0,nose,1,2\n")
    assert tuple(read_skeletons(path, "coco")[0].skeleton_shape) == (1, 1, 17)
    with pytest.raises(ValueError, match="'layout' must say which skeleton"):
        read_skeletons(path)


def test_arrays_need_a_layout(tmp_path):
    np.save(tmp_path / "a.npy", np.ones((1, 3, 2, 25, 1), dtype=np.float32))
    with pytest.raises(ValueError, match="'layout'"):
        read_skeletons(tmp_path / "a.npy")
    (one,) = read_skeletons(tmp_path / "a.npy", "ntu")
    assert torch.equal(one.x, torch.ones(50, 3))


def test_what_is_no_skeleton_file(tmp_path):
    (tmp_path / "a.txt").write_text("no")
    with pytest.raises(SkeletonFileError, match="is no skeleton file; known are .json"):
        read_skeletons(tmp_path / "a.txt")
    (tmp_path / "a.json").write_text(json.dumps({"joints": []}))
    with pytest.raises(SkeletonFileError, match="'skeletons', as NW-UCLA, or 'data'"):
        read_skeletons(tmp_path / "a.json")
    with pytest.raises(FileNotFoundError, match="there is no file or folder"):
        read_skeletons(tmp_path / "none")
