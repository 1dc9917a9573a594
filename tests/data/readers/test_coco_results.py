import pytest

from pyg_vision.data.readers import read_coco_results
from tests.data.readers.listed import flat, write


def test_pictures(tmp_path):
    items = [
        {"image_id": 5, "keypoints": flat(1, 0)},
        {"image_id": "b", "keypoints": flat(2)},
        {"image_id": 5, "keypoints": flat(3)},
    ]
    found = read_coco_results(write(tmp_path, "a.json", items), size=(10, 10))
    assert [data.name for data in found] == ["5", "b"]
    assert [tuple(data.skeleton_shape) for data in found] == [(2, 1, 17), (1, 1, 17)]
    # A score of zero leaves the coordinates as they are.
    assert found[0].x[0].tolist() == pytest.approx([0.1, 0.2, 0])


def test_the_joints_that_openpifpaf_did_not_find(tmp_path):
    keypoints = flat(1)
    keypoints[:3] = [0.0, -3.0, 0.0]
    (data,) = read_coco_results(
        write(tmp_path, "b.jpg.predictions.json", [{"keypoints": keypoints}])
    )
    assert data.name == "b.jpg"
    assert data.x[0].tolist() == [0, 0, 0]
    assert data.x[1].tolist() == [2, 3, 0.5]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ([], "there is no person"),
        ({"images": [], "annotations": []}, "holds the annotations of COCO"),
        ({}, "must hold a list of persons"),
        ([{"image_id": 1}], "'keypoints' is missing"),
        ([{"image_id": 1, "keypoints": [1, 2]}], "three numbers of each joint"),
        ([{"image_id": 1, "keypoints": flat(joints=16)}], "got 16"),
        ([{"image_id": 10**30, "keypoints": flat()}], "must be a number or a name"),
        (
            [{"image_id": 1, "keypoints": flat()}, {"keypoints": flat()}],
            "'image_id' of item 1",
        ),
    ],
)
def test_malformed_files(tmp_path, content, problem):
    with pytest.raises(ValueError, match=problem):
        read_coco_results(write(tmp_path, "a.json", content))
