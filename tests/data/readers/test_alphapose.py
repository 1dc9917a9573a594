import pytest

from pyg_vision.data.readers import read_alphapose
from tests.data.readers.listed import flat, write


def item(picture, value=1.0, **more):
    return {"image_id": picture, "keypoints": flat(value), "score": 2.0, **more}


def test_numbers_are_times_and_not_texts(tmp_path):
    path = write(tmp_path, "a.json", [item("10.jpg", 10), item("9.jpg", 9), item("12.jpg", 12)])
    data = read_alphapose(path)
    assert data.skeleton_shape == (1, 4, 17)
    assert data.x.view(4, 17, 3)[:, 0, 0].tolist() == [9, 10, 0, 12]
    assert read_alphapose(path, listed_only=True).skeleton_shape == (1, 3, 17)


@pytest.mark.parametrize("wrap", [lambda v: v, lambda v: [float(v)], lambda v: [[v], 3]])
def test_tracks(tmp_path, wrap):
    items = [
        item("0.jpg", 1, idx=wrap(7)),
        item("0.jpg", 2, idx=wrap(3)),
        item("1.jpg", 3, idx=wrap(7)),
        item("1.jpg", 4),
    ]
    data = read_alphapose(write(tmp_path, "a.json", items))
    assert data.x.view(3, 2, 17, 3)[:, :, 0, 0].tolist() == [[2, 0], [1, 3], [0, 4]]


@pytest.mark.parametrize(
    "content",
    [
        {"0.jpg": {"people": [{"pose_keypoints_2d": flat(1)}]}, "1.jpg": {"people": []}},
        {"0.jpg": {"bodies": [{"joints": flat(1)}]}, "1.jpg": {"bodies": []}},
        {"0.jpg": [{"keypoints": flat(1), "idx": 1}], "1.jpg": []},
        [{"image_id": 0, "keypoints": flat(1)}, {"image_id": 1, "keypoints": flat(0, 0)}],
    ],
)
def test_other_forms(tmp_path, content):
    data = read_alphapose(write(tmp_path, "a.json", content), size=(10, 10))
    assert data.skeleton_shape == (1, 2, 17)
    assert data.x[0].tolist() == pytest.approx([0.1, 0.2, 0.5])


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ([], "there is no person"),
        (3, "must hold a list of persons"),
        ([{"keypoints": flat()}], "item 0 must have an 'image_id'"),
        ([item("a.jpg")], "must end in the number of a frame"),
        ([item(0.5)], "'image_id' must be a whole number"),
        ([item("0.jpg", idx=0), item("0.jpg", idx=0)], "lists person 0 twice"),
        ([{"image_id": "0.jpg", "keypoints": [1, 2]}], "three numbers of each joint"),
        ([item("0.jpg"), {"image_id": "1.jpg", "keypoints": flat(1, joints=16)}], "expected 51"),
        ({"0.jpg": 3}, "must hold a list of persons"),
    ],
)
def test_malformed_files(tmp_path, content, problem):
    with pytest.raises(ValueError, match=problem):
        read_alphapose(write(tmp_path, "a.json", content))


def test_numbers_far_apart_take_no_memory(tmp_path):
    path = write(tmp_path, "a.json", [item("0.jpg"), item("99999999999.jpg")])
    with pytest.raises(ValueError, match="are refused"):
        read_alphapose(path)
    assert read_alphapose(path, listed_only=True).skeleton_shape == (1, 2, 17)


@pytest.mark.parametrize(
    "pictures", [("a_1.jpg", "b_1.jpg"), ("a_1.jpg", "b_2.jpg"), ("12_v2.jpg", "13_v2.jpg")]
)
def test_pictures_of_several_videos(tmp_path, pictures):
    with pytest.raises(ValueError, match="must hold one video"):
        read_alphapose(write(tmp_path, "a.json", [item(name) for name in pictures]))
