import json

import numpy as np
import pytest
import torch

from pyg_vision.data import skeleton_layout
from pyg_vision.data.readers import SkeletonFileError, read_skeletons, skeleton_format
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


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ({"people": []}, "give the folder of the video"),
        ({"images": [], "annotations": []}, "holds the annotations of COCO"),
    ],
)
def test_what_is_no_sequence(tmp_path, content, problem):
    (tmp_path / "a.json").write_text(json.dumps(content))
    with pytest.raises(SkeletonFileError, match=problem):
        read_skeletons(tmp_path / "a.json")


def test_the_format_may_be_given(files):
    path = files / "data" / "formats" / "person_keypoints_results.json"
    assert skeleton_format(path) == "coco_results"
    assert [data.name for data in read_skeletons(path)] == ["136", "139"]
    (data,) = read_skeletons(path, format="alphapose")
    assert tuple(data.skeleton_shape) == (1, 4, 17)
    with pytest.raises(ValueError, match="'format' must be 'auto' or one of openpose, mediapipe"):
        read_skeletons(path, format="poses")


def test_every_format_is_told_apart(files):
    folder = files / "data" / "formats"
    found = {
        path.name: skeleton_format(path)
        for path in folder.iterdir()
        if path.name != "actionLabel.txt"
    }
    assert found == {
        "results_walk.json": "mmpose",
        "alphapose-results.json": "alphapose",
        "person_keypoints_results.json": "coco_results",
        "hands.json": "mediapipe",
        "keypoint.csv": "hand_pictures",
        "labels": "yolo_pose",
        "NTU60_CV.npz": "ctr_gcn",
        "data_3d_h36m.npz": "h36m",
        "a13_s02_e02_skeleton3D.txt": "msr_action3d",
        "joints_s01_e01.txt": "utkinect",
        "kinect.csv": "kinect_csv",
        "GT_test_1.pkl": "jhmdb",
        "walk.bvh": "bvh",
    }


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
    (tmp_path / "a.json").write_text(json.dumps({"joints": 3}))
    (tmp_path / "a.jpg").write_text("no")
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    for name in ("a.txt", "a.json", "a.jpg", "a.csv"):
        with pytest.raises(SkeletonFileError, match="is no skeleton file that is known; such are"):
            read_skeletons(tmp_path / name)
    with pytest.raises(FileNotFoundError, match="there is no file or folder"):
        read_skeletons(tmp_path / "none")


@pytest.mark.parametrize("layout", ["mediapipe", "hand", "openpose", "ntu", "h36m", "coco"])
def test_wide_tables_with_frames_and_persons_are_csv(tmp_path, layout):
    joints = skeleton_layout(layout).joints
    header = ["frame", "person", *(f"{joint}_{axis}" for joint in joints for axis in "xy")]
    rows = [[t, m, *range(2 * len(joints))] for t, m in ((0, 0), (0, 1), (5, 0))]
    path = tmp_path / "a.csv"
    path.write_text("\n".join(",".join(map(str, row)) for row in (header, *rows)))
    assert skeleton_format(path) == "csv"
    (data,) = read_skeletons(path, layout)
    assert tuple(data.skeleton_shape) == (2, 6, len(joints))


def test_a_layout_must_have_the_joints_of_the_file(files):
    path = files / "data" / "formats" / "NTU60_CV.npz"
    assert read_skeletons(path, "ntu_pyskl")[0].layout.name == "ntu_pyskl"
    with pytest.raises(SkeletonFileError, match="holds the joints of layout 'ntu', not of 'coco'"):
        read_skeletons(path, "coco")
