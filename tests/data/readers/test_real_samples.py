"""Real files of each format against what others have read in them, and what they are taken for."""

import json

import numpy as np
import pytest

from pyg_vision.data.readers import (
    read_alphapose,
    read_coco_results,
    read_ctr_gcn,
    read_h36m,
    read_hand_pictures,
    read_jhmdb,
    read_mediapipe,
    read_skeletons,
    read_utkinect_labels,
    skeleton_format,
)

# A file, the format that it is taken for, and how it is read where it does not tell all.
SAMPLES = {
    "alphapose/results_halpe136.json": ("alphapose", {}),
    "bvh/walker.bvh": ("bvh", {}),
    "h36m_npz/data_2d_detections_cut.npz": ("h36m", {"layout": "coco"}),
    "h36m_npz/prediction_3d.npz": ("h36m", {}),
    "kinect_v2_csv/long.csv": ("kinect_csv", {}),
    "kinect_v2_csv/wide.csv": ("kinect_csv", {}),
    "mediapipe/pose_frames.json": ("mediapipe", {}),
    "mediapipe/pose_list.json": ("mediapipe", {}),
    "mediapipe/pose_wide.csv": ("mediapipe", {}),
    "mmpose/h36m_3d.json": ("mmpose", {}),
    "mmpose/wholebody_video.json": ("mmpose", {}),
    "msr_action3d/a01_s01_e01_skeleton.txt": ("msr_action3d", {}),
    "msr_action3d/a01_s01_e01_skeleton3D.txt": ("msr_action3d", {}),
    "msr_action3d/a13_s02_e02_skeleton3D.txt": ("msr_action3d", {}),
    "openpose_body25b/clip": ("openpose", {"layout": "body_25b"}),
    "openpose_v1_0/clip": ("openpose", {}),
    "utkinect/joints_s01_e01.txt": ("utkinect", {}),
    "yolo_pose/image_000001.txt": ("yolo_pose", {}),
    "yolo_pose/results_one_image.json": ("yolo_pose", {}),
}


@pytest.fixture
def formats(shared):
    return shared / "data" / "formats"


def expected(path):
    return json.loads(path.with_name(f"{path.name}.expected.json").read_text())


def check(data, about, frame=0):
    """Compares a sequence, which begins at a frame of what is expected."""
    joints, dims = about["shape"][2:]
    assert tuple(data.skeleton_shape)[2] == joints
    assert data.pos.size(1) == dims
    array = data.x.view(*data.skeleton_shape, -1).double().numpy()
    checked = 0
    for point in about["points"]:
        t, m = point["frame"] - frame, point["person"]
        if not (0 <= t < array.shape[1] and m < array.shape[0]):
            continue
        found = array[m, t, point["joint"]]
        values = point["xyz" if dims == 3 else "xy"]
        assert found[:dims] == pytest.approx(values, rel=1e-6, abs=1e-6), point
        if "score" in point:
            assert found[dims] == pytest.approx(point["score"], rel=1e-6, abs=1e-7), point
        checked += 1
    return checked


@pytest.mark.parametrize("name", SAMPLES)
def test_samples(formats, name):
    path = formats / name
    kind, given = SAMPLES[name]
    assert skeleton_format(path) == kind
    (data,) = read_skeletons(path, **given)
    about = expected(path)
    assert tuple(data.skeleton_shape) == tuple(about["shape"][:3])
    assert check(data, about) == len(about["points"]) > 0
    again = read_skeletons(path, **given, format=kind)[0]
    assert again.x.equal(data.x)


def test_the_tree_of_a_bvh_file(formats):
    path = formats / "bvh/walker.bvh"
    (data,) = read_skeletons(path)
    about = expected(path)
    assert list(data.layout.joints) == about["joints"]
    parents = [data.layout.parents.get(i, -1) for i in range(70)]
    assert parents == about["parents"]
    left = data.layout.joint("mixamorig:LeftHand")
    assert (left, data.layout.joint("mixamorig:RightHand")) in data.layout.pairs


def test_world_landmarks_of_mediapipe(formats):
    data = read_mediapipe(formats / "mediapipe/pose_frames.json", landmarks="world")
    about = json.loads((formats / "mediapipe/pose_frames.world.expected.json").read_text())
    assert check(data, about) == len(about["points"])


def test_pictures_of_hands(formats):
    path = formats / "mediapipe/hand_relative.csv"
    assert skeleton_format(path) == "hand_pictures"
    pictures, about = read_hand_pictures(path), expected(path)
    assert [int(data.y) for data in pictures] == about["labels"]
    assert sum(check(data, about, frame=i) for i, data in enumerate(pictures)) == 4


def test_alphapose(formats):
    path = formats / "alphapose/results_coco17.json"
    about = expected(path)
    listed = read_alphapose(path, listed_only=True)
    assert tuple(listed.skeleton_shape) == tuple(about["shape"][:3])
    assert check(listed, about) == len(about["points"])
    # From picture 8 to picture 94, those without persons among them.
    (data,) = read_skeletons(path)
    assert skeleton_format(path) == "alphapose"
    assert tuple(data.skeleton_shape) == (2, 87, 17)
    whole, part = (d.x.view(*d.skeleton_shape, 3) for d in (data, listed))
    numbers = [int(name.removesuffix(".jpg")) - 8 for name in about["image_ids"]]
    assert whole[:, numbers].equal(part)
    rest = sorted(set(range(87)) - set(numbers))
    assert not whole[:, rest].any()


def test_coco_results(formats):
    path = formats / "coco_results/keypoint_results.json"
    about = expected(path)
    pictures = read_coco_results(path)
    assert skeleton_format(path) == "coco_results"
    assert [data.name for data in pictures] == list(map(str, about["image_ids"]))
    counts = [data.skeleton_shape.num_persons for data in pictures]
    assert counts == about["persons_per_frame"]
    found = sum(check(data, about, frame=i) for i, data in enumerate(pictures))
    absent = sum(p["person"] >= counts[p["frame"]] for p in about["points"])
    assert found + absent == len(about["points"])


def test_openpifpaf(formats):
    path = formats / "coco_results/openpifpaf_000000000001.jpg.predictions.json"
    assert skeleton_format(path) == "coco_results"
    (data,) = read_coco_results(path)
    about = expected(path)
    assert data.name == "openpifpaf_000000000001.jpg"
    missing = [point for point in about["points"] if point["score"] == 0]
    assert missing
    assert all(point["xy"] == [0.0, -3.0] for point in missing)
    about["points"] = [point for point in about["points"] if point["score"] > 0]
    assert check(data, about) == len(about["points"])
    # Joints that were not found are zeros here, not three pixels above the picture.
    array = data.x.view(*data.skeleton_shape, 3)
    assert all(not array[p["person"], 0, p["joint"]].any() for p in missing)
    assert array[..., 1].min() >= 0


def test_ctr_gcn(formats):
    path = formats / "ctrgcn_npz/NTU60_CV_cut.npz"
    assert skeleton_format(path) == "ctr_gcn"
    found = read_ctr_gcn(path)
    rows = expected(path)["sequences"]
    assert [int(data.y) for data in found] == [row["label"] for row in rows]
    assert [data.name for data in found] == ["train 0", "train 1", "test 0"]
    for data, row in zip(found, rows, strict=True):
        array = data.x.view(*data.skeleton_shape, 3).numpy()
        last = row["person_0_last_nonzero_frame"]
        assert len(array[0]) == last + 1
        assert len(array) == (2 if row["frames_with_person_1"] else 1)
        assert array[0, 0, 3] == pytest.approx(row["person_0_frame_0_head"], abs=1e-7)
        assert array[0, 0, 11] == pytest.approx(row["person_0_frame_0_right_hand"], abs=1e-7)
        assert array[0, last, 3] == pytest.approx(row["person_0_last_head"], abs=1e-7)
        if len(array) == 2:
            assert array[1, 0, 3] == pytest.approx(row["person_1_frame_0_head"], abs=1e-7)


def test_jhmdb(formats):
    path = formats / "jhmdb/GT_test_cut.pkl"
    assert skeleton_format(path) == "jhmdb"
    found, about = read_jhmdb(path), expected(path)
    shapes = [[d.skeleton_shape.num_frames, 15, d.x.size(1)] for d in found]
    assert shapes == about["shapes"]
    classes = ("catch", "clap", "golf", "jump", "pick", "pour")
    assert [classes[int(data.y)] for data in found] == about["labels"]
    for point in about["points"]:
        array = found[point["sequence"]].x.view(-1, 15, 2)
        assert array[point["frame"], point["joint"]].tolist() == pytest.approx(point["xy"])


def test_the_labels_of_utkinect(formats):
    path = formats / "utkinect/actionLabel.txt"
    about = expected(path)
    for session, actions in read_utkinect_labels(path).items():
        for action, span in actions.items():
            wanted = about[session][action]
            assert (None if wanted[0] is None else tuple(wanted)) == span


def test_detections_need_their_layout(formats):
    path = formats / "h36m_npz/data_2d_detections_cut.npz"
    with pytest.raises(ValueError, match="not always right"):
        read_h36m(path)
    (data,) = read_h36m(path, "coco", size=(1000, 500))
    raw = read_h36m(path, "coco")[0]
    np.testing.assert_allclose(data.pos.numpy() * [1000, 500], raw.pos.numpy(), rtol=1e-5)
