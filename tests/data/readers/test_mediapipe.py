from collections import namedtuple
from types import SimpleNamespace

import pytest
import torch

from pyg_vision.data.readers import mediapipe_sequence, read_hand_pictures, read_mediapipe
from tests.data.readers.listed import write


def points(count=33, value=0.1, **more):
    return [{"x": value, "y": 2 * value, "z": 3 * value, **more} for _ in range(count)]


def objects(count=33, value=0.1):
    made = [SimpleNamespace(x=value, y=2 * value, z=3 * value, visibility=0.5)] * count
    return SimpleNamespace(landmark=made)


def test_results_of_a_solution():
    results = [
        SimpleNamespace(pose_landmarks=objects(), pose_world_landmarks=objects(value=0.2)),
        SimpleNamespace(pose_landmarks=None, pose_world_landmarks=None),
    ]
    data = mediapipe_sequence(results)
    assert data.skeleton_shape == (1, 2, 33)
    assert data.layout.name == "mediapipe"
    assert data.x[0].tolist() == pytest.approx([0.1, 0.2, 0.3, 0.5])
    assert not data.x[33:].any()
    world = mediapipe_sequence(results, landmarks="world")
    assert world.pos[0].tolist() == pytest.approx([0.2, 0.4, 0.6])


def test_results_of_a_task():
    results = [
        SimpleNamespace(pose_landmarks=[objects().landmark, objects(value=0.3).landmark]),
        SimpleNamespace(pose_landmarks=[]),
    ]
    data = mediapipe_sequence(results, size=(100, 50))
    assert data.skeleton_shape == (2, 2, 33)
    assert data.pos[0].tolist() == pytest.approx([10, 10, 30])


@pytest.mark.parametrize("name", ["multi_hand_landmarks", "hand_landmarks", "landmarks"])
def test_hands_have_no_score(name):
    hands = [points(21, 0.1, visibility=0.0), points(21, 0.2, visibility=0.0)]
    data = mediapipe_sequence([{name: hands}, {name: None}], part="hands")
    assert data.skeleton_shape == (2, 2, 21)
    assert data.layout.name == "hand"
    assert torch.equal(data.x, data.pos)


def test_one_hand_of_a_holistic_result():
    result = SimpleNamespace(left_hand_landmarks=None, right_hand_landmarks=objects(21))
    assert mediapipe_sequence([result], part="right_hand").layout.name == "hand"
    with pytest.raises(ValueError, match="there is no person in any of 1 frames"):
        mediapipe_sequence([result], part="left_hand")


@pytest.mark.parametrize(
    "content",
    [
        [points(21), [], None, points(21)],
        [[points(21)], [], None, [points(21)]],
        [{"hand_landmarks": h} for h in ([points(21)], [], None, [points(21)])],
        {"frames": [{"landmarks": h} for h in ([points(21)], [], None, [points(21)])]},
        {"frames": [{"frameNum": t, "keypoints": points(21)} for t in (7, 10)]},
    ],
)
def test_forms_of_json(tmp_path, content):
    data = read_mediapipe(write(tmp_path, "a.json", content))
    assert data.skeleton_shape == (1, 4, 21)
    assert data.x.view(4, -1).any(dim=1).tolist() == [True, False, False, True]


@pytest.mark.parametrize("content", [points(21), {"landmarks": [points(21)]}])
def test_a_picture(tmp_path, content):
    assert read_mediapipe(write(tmp_path, "a.json", content)).skeleton_shape == (1, 1, 21)


def table(header, rows):
    return "\n".join(",".join(map(str, row)) for row in (header, *rows))


@pytest.mark.parametrize(
    ("header", "lead", "count", "each"),
    [
        (["", *range(132)], [0], 33, 4),
        ([*range(63)], [], 21, 3),
        (["class", *(f"{a}{v}" for v in range(1, 34) for a in "xyzv")], ["wave"], 33, 4),
        (["frame", *(f"{a}{v}" for v in range(1, 22) for a in "xy")], [3], 21, 2),
        ([f"{a}{v}" for v in range(1, 502) for a in "xyzv"], [], 501, 4),
    ],
)
def test_forms_of_csv(tmp_path, header, lead, count, each):
    row = [v + c / 10 for v in range(count) for c in range(each)]
    rows = [[*lead, *row], [*lead, *[""] * (count * each)], [*lead, *row]]
    if "frame" in header:  # in any order, and the second is not listed
        rows = [[5, *row], [3, *row]]
    data = read_mediapipe(write(tmp_path, "a.csv", table(header, rows)))
    joints = min(count, 33)
    assert data.skeleton_shape == (1, 3, joints)
    array = data.x.view(3, joints, -1)
    assert array[0, 5].tolist() == pytest.approx([5 + c / 10 for c in range(each)])
    assert not array[1].any()


def test_columns_with_the_names_of_joints(tmp_path):
    from pyg_vision.data import skeleton_layout

    joints = skeleton_layout("mediapipe").joints
    header = ["time", *(f"{j.upper()}_{a}" for j in joints for a in "yx")]
    row = [0.04, *(value for v in range(33) for value in (v + 0.5, v))]
    data = read_mediapipe(write(tmp_path, "a.csv", table(header, [row])))
    assert data.pos[7].tolist() == [7, 7.5]


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("a.json", [points(20)], "expected 33 or 21 landmarks"),
        ("a.json", [points(21), points(33)], "frame 1, person 0: expected 21 landmarks"),
        ("a.json", [[{"x": 1, "y": 2}] * 21], "landmark 0 has no 'z'"),
        ("a.json", [{"boxes": []}], "expected 'pose_landmarks'"),
        ("a.json", {"frames": 3}, "'frames' must be a list"),
        ("a.json", {"frames": [{"frameNum": 1}, {"frameNum": 1}]}, "is listed twice"),
        ("a.json", [[], None], "there is no person"),
        ("a.csv", "hipL.x, hipL.y\n1, 2", "not those of 33 or 21 landmarks"),
        ("a.csv", table([*range(42)], [[1] * 41]), "line 2: expected 42 columns"),
        ("a.csv", table([*range(42)], [["a"] * 42]), "line 2: '0' must be a number"),
    ],
)
def test_malformed_files(tmp_path, name, content, problem):
    with pytest.raises(ValueError, match=problem):
        read_mediapipe(write(tmp_path, name, content))


def test_wrong_arguments():
    with pytest.raises(ValueError, match="'part' must be one of pose"):
        mediapipe_sequence([], part="face")
    with pytest.raises(ValueError, match="world landmarks are metres"):
        mediapipe_sequence([], landmarks="world", size=(1, 1))


@pytest.mark.parametrize("row", ["1", ",".join(["0.5"] * 43), ",".join(["-1"] * 43), ""])
def test_malformed_pictures_of_hands(tmp_path, row):
    with pytest.raises(ValueError, match="line 1|holds no rows"):
        read_hand_pictures(write(tmp_path, "a.csv", row))


def hand(**more):
    return {"keypoints": [[0.1 * v, 0.2] for v in range(21)], **more}


def test_pictures_of_hands_in_json(tmp_path):
    hands = [hand(gesture="wave", photo="a.jpg"), hand()]
    first, second = read_hand_pictures(
        write(tmp_path, "a.json", {"classes": ["fist", "wave"], "hands": hands})
    )
    assert (int(first.y), first.name, second.name) == (1, "a.jpg", "1")
    assert "y" not in second
    assert first.pos[2].tolist() == pytest.approx([0.2, 0.2])


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ({"hands": []}, "holds no hands"),
        ({"hands": [3]}, "frame 0: 'keypoints' is missing"),
        ({"hands": [{"keypoints": [[1]]}]}, "must have 2 or 3 coordinates"),
        ({"hands": [{"keypoints": [[1, 2]]}]}, "expected 21 joints"),
        ({"hands": [hand(gesture="ok")]}, "'ok' is none of the 'classes'"),
        ({"hands": [hand()], "classes": 3}, "'classes' must be a list of names"),
    ],
)
def test_malformed_pictures_of_hands_in_json(tmp_path, content, problem):
    with pytest.raises(ValueError, match=problem):
        read_hand_pictures(write(tmp_path, "a.json", content))


def test_one_part_of_all_frames():
    left = {"left_hand_landmarks": points(21), "right_hand_landmarks": None}
    right = {"left_hand_landmarks": None, "right_hand_landmarks": points(21)}
    data = mediapipe_sequence([left, right], part="left_hand")
    assert data.x.view(2, -1).any(dim=1).tolist() == [True, False]
    first = {"pose_landmarks": [], "hand_landmarks": [points(21)]}
    second = {"pose_landmarks": [points(33)], "hand_landmarks": []}
    assert mediapipe_sequence([first, second]).layout.name == "mediapipe"


def test_files_are_of_one_part_too(tmp_path):
    left = {"left_hand_landmarks": points(21), "right_hand_landmarks": None}
    right = {"left_hand_landmarks": None, "right_hand_landmarks": points(21)}
    data = read_mediapipe(write(tmp_path, "a.json", [right, left]))
    assert data.skeleton_shape == (1, 2, 21)
    assert data.x.view(2, -1).any(dim=1).tolist() == [False, True]


def test_results_that_are_named_tuples():
    result = namedtuple("Result", ["pose_landmarks", "pose_world_landmarks"])
    data = mediapipe_sequence([result([points(33)], [points(33, 0.4)])])
    assert data.skeleton_shape == (1, 1, 33)
    assert data.pos[0].tolist() == pytest.approx([0.1, 0.2, 0.3])


@pytest.mark.parametrize("more", [{"part": "face"}, {"part": "left_hand"}, {"landmarks": "world"}])
def test_what_a_table_does_not_tell(tmp_path, more):
    path = write(tmp_path, "a.csv", table([*range(63)], [[0.5] * 63]))
    with pytest.raises(ValueError, match="'part' must be|does not tell"):
        read_mediapipe(path, **more)
    with pytest.raises(ValueError, match="holds layout 'hand', not the pose"):
        read_mediapipe(path, part="pose")
