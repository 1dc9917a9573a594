import pytest

from pyg_vision.data.readers import read_mmpose
from tests.data.readers.listed import person, write


def instance(value=1.0, joints=17):
    return {"keypoints": person(value, joints), "keypoint_scores": [0.5] * joints}


def test_frames_and_persons(tmp_path):
    frames = [
        {"frame_id": 4, "instances": [instance(1), instance(2)]},
        {"frame_id": 6, "instances": [instance(3)]},
    ]
    data = read_mmpose(write(tmp_path, "a.json", frames))
    assert data.skeleton_shape == (2, 3, 17)
    assert data.layout.name == "coco"
    first = data.x.view(2, 3, 17, 3)[:, :, 0]
    assert first.tolist() == [
        [[1, 2, 0.5], [0, 0, 0], [3, 6, 0.5]],
        [[2, 4, 0.5], [0, 0, 0], [0, 0, 0]],
    ]


def test_a_picture(tmp_path):
    data = read_mmpose(write(tmp_path, "a.json", [instance(), instance(2)]), size=(10, 20))
    assert data.skeleton_shape == (2, 1, 17)
    assert data.pos[0].tolist() == pytest.approx([0.1, 0.1])


@pytest.mark.parametrize(("joints", "name"), [(133, "coco_wholebody"), (26, "halpe")])
def test_layouts(tmp_path, joints, name):
    assert read_mmpose(write(tmp_path, "a.json", [instance(1, joints)])).layout.name == name


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ({}, "'instance_info' is missing"),
        ([{"frame_id": 0, "instances": 3}], "frame 0: 'instances' must be a list"),
        (
            [{"frame_id": 1, "instances": []}, {"frame_id": 1, "instances": []}],
            "'frame_id' must increase",
        ),
        ([{"frame_id": -1, "instances": []}], "'frame_id' must be a whole number from 0 on"),
        ([instance(1, 19)], "got 19"),
        ([{**instance(), "keypoint_scores": [1]}], "expected 17 numbers"),
        ([instance(), instance(1, 16)], "person 1: expected 17 joints"),
        ([{"keypoints": [[1]], "keypoint_scores": [1]}], "must have 2 or 3 coordinates"),
        ([{"frame_id": 0, "instances": []}], "there is no person"),
    ],
)
def test_malformed_files(tmp_path, content, problem):
    with pytest.raises(ValueError, match=problem):
        read_mmpose(write(tmp_path, "a.json", content))


def test_pixels_are_in_two_dimensions(tmp_path):
    three = {"keypoints": [[1.0, 2.0, 3.0]] * 17, "keypoint_scores": [1.0] * 17}
    with pytest.raises(ValueError, match="three coordinates"):
        read_mmpose(write(tmp_path, "a.json", [three]), size=(10, 10))


def test_the_data_set_names_the_joints(tmp_path):
    frames = [{"frame_id": 1, "instances": [instance()]}]
    about = {"dataset_name": "h36m", "num_keypoints": 17}
    content = {"meta_info": about, "instance_info": frames}
    assert read_mmpose(write(tmp_path, "a.json", content)).layout.name == "h36m"
    about["dataset_name"] = "ap10k"
    path = write(tmp_path, "a.json", content)
    with pytest.raises(ValueError, match="must say which skeleton the joints of 'ap10k' are"):
        read_mmpose(path)
    assert read_mmpose(path, "coco").layout.name == "coco"
