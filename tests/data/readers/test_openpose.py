import json
import re

import numpy as np
import pytest
import torch

from pyg_vision.data import SkeletonLayout
from pyg_vision.data.readers import SkeletonFileError, read_openpose


def person(num_joints=18, seed=0, key="pose_keypoints_2d"):
    values = np.random.default_rng(seed).uniform(1, 100, (num_joints, 3))
    values[:, 2] = np.linspace(0.1, 0.9, num_joints)
    return {key: values.reshape(-1).tolist(), "face_keypoints_2d": []}


def write(folder, frames, video="clip", numbers=None):
    for number, people in zip(numbers or range(len(frames)), frames, strict=True):
        content = people if isinstance(people, str | bytes) else json.dumps({"people": people})
        path = folder / f"{video}_{number:012d}_keypoints.json"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def joints(data):
    return data.x.view(*data.skeleton_shape, 3)


def expected(record, key="pose_keypoints_2d"):
    return torch.tensor(record[key]).view(-1, 3)


def test_a_folder_becomes_a_sequence(tmp_path):
    a, b, c = person(seed=1), person(seed=2), person(seed=3)
    data = read_openpose(write(tmp_path, [[a], [], [b, c]]))
    assert data.skeleton_shape == (2, 3, 18)
    assert data.layout.name == "openpose"
    assert "y" not in data
    found = joints(data)
    torch.testing.assert_close(found[0, 0], expected(a))
    torch.testing.assert_close(found[0, 2], expected(b))
    torch.testing.assert_close(found[1, 2], expected(c))
    assert not found[0, 1].any()
    assert not found[1, :2].any()
    assert torch.equal(data.pos, data.x[:, :2])


def test_frames_are_ordered_by_number(tmp_path):
    people = [person(seed=i) for i in range(3)]
    for number, one in zip((9, 10, 100), people, strict=True):  # as text: 10, 100, 9
        path = tmp_path / f"clip_{number}_keypoints.json"
        path.write_text(json.dumps({"people": [one]}))
    found = joints(read_openpose(tmp_path))
    assert found.shape == (1, 3, 18, 3)
    for t, one in enumerate(people):
        torch.testing.assert_close(found[0, t], expected(one))


def test_numbers_need_not_be_consecutive_or_small(tmp_path):
    frames = [[person(seed=i)] for i in range(2)]
    data = read_openpose(write(tmp_path, frames, numbers=[5, 999_999_999_999]))
    assert data.skeleton_shape == (1, 2, 18)


@pytest.mark.parametrize(
    ("num_joints", "part", "layout"),
    [(18, "pose", "openpose"), (25, "pose", "body_25"), (21, "hand_left", "hand")],
)
def test_the_model_is_told_by_the_number_of_joints(tmp_path, num_joints, part, layout):
    one = person(num_joints, key=f"{part}_keypoints_2d")
    write(tmp_path, [[], [one]])
    for given in (None, layout):
        data = read_openpose(tmp_path, given, part=part)
        assert data.layout.name == layout
        torch.testing.assert_close(joints(data)[0, 1], expected(one, f"{part}_keypoints_2d"))


def test_left_and_right_hands_are_apart(tmp_path):
    both = {**person(21, 1, "hand_left_keypoints_2d"), **person(21, 2, "hand_right_keypoints_2d")}
    write(tmp_path, [[both]])
    for part in ("hand_left", "hand_right"):
        found = joints(read_openpose(tmp_path, part=part))[0, 0]
        torch.testing.assert_close(found, expected(both, f"{part}_keypoints_2d"))


def test_a_layout_of_ones_own(tmp_path):
    layout = SkeletonLayout("arm", ("shoulder", "elbow", "wrist"), ((1, 0), (2, 1)), 0)
    data = read_openpose(write(tmp_path, [[person(3)]]), layout)
    assert data.layout is layout
    with pytest.raises(SkeletonFileError, match=r"expected 54 \('openpose'\) or 75 \('body_25'\)"):
        read_openpose(tmp_path)


def test_coordinates_are_divided_by_the_size(tmp_path):
    one = person()
    found = joints(read_openpose(write(tmp_path, [[one]]), size=(200, 50)))[0, 0]
    torch.testing.assert_close(found, expected(one) / torch.tensor([200, 50, 1]))


def test_joints_of_a_low_score_count_as_not_found(tmp_path):
    one = person()
    found = joints(read_openpose(write(tmp_path, [[one]]), min_score=0.5))[0, 0]
    sure = expected(one)[:, 2] >= 0.5
    assert 0 < sure.sum() < 18
    torch.testing.assert_close(found[sure], expected(one)[sure])
    assert not found[~sure].any()


def broken(change):
    record = person()
    change(record["pose_keypoints_2d"])
    return [person(), record]


MALFORMED = {
    "empty": ("", "is no JSON"),
    "cut off": ('{"people": [', "is no JSON"),
    "no text": (b"\x80abc", r"is no text \(UnicodeDecodeError"),
    "deep": ("[" * 100_000, r"is no JSON \(RecursionError"),
    "a list": ("[]", r"must hold a JSON object \(got list\)"),
    "other fields": ('{"a": 1}', r", frame 1: 'people' is missing \(got \['a'\]\)"),
    "one person": ('{"people": {}}', r", frame 1: 'people' must be a list \(got dict\)"),
    "a null": ([person(), None], r", frame 1, person 1: .* is missing \(got NoneType\)"),
    "no pose": ([{"pose": []}], r", frame 1, person 0: 'pose_keypoints_2d' is missing \(got \['p"),
    "a text": (
        [{"pose_keypoints_2d": "abc"}],
        r", frame 1, person 0: 'pose_keypoints_2d' must be a list \(got str\)",
    ),
    "no joints": (broken(lambda v: v.clear()), r", frame 1, person 1: .*together \(got 0\)"),
    "a number less": (broken(lambda v: v.pop()), r", frame 1, person 1: .*18 joints.*\(got 53\)"),
    "the other model": ([person(25)], r", frame 1, person 0: layout 'openpose' .*\(got 75\)"),
    "a word": (broken(lambda v: v.__setitem__(7, "x")), ", frame 1, person 1: .*got other values"),
    "a truth": (broken(lambda v: v.__setitem__(7, True)), ", frame 1, person 1: .*other values"),
    "NaN": (broken(lambda v: v.__setitem__(7, float("nan"))), ", frame 1, person 1: .*is NaN"),
    "infinite": (broken(lambda v: v.__setitem__(7, 1e308)), ", frame 1, person 1: .*infinite"),
    "a huge integer": (broken(lambda v: v.__setitem__(7, 10**400)), ", person 1: .*too large"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_files_are_named(tmp_path, name):
    content, message = MALFORMED[name]
    write(tmp_path, [[person()], content])
    with pytest.raises(SkeletonFileError, match=message) as info:
        read_openpose(tmp_path)
    assert str(info.value).startswith(f"'{tmp_path / 'clip_000000000001_keypoints.json'}'")


@pytest.mark.parametrize("layout", [None, "openpose"])
def test_nobody_in_any_frame(tmp_path, layout):
    with pytest.raises(SkeletonFileError, match=r"there is no person in any of 2 frames"):
        read_openpose(write(tmp_path, [[], []]), layout)


def test_the_layout_must_fit_the_model(tmp_path):
    write(tmp_path, [[person(25)]])
    with pytest.raises(SkeletonFileError, match=r"layout 'openpose' has 18 joints.*\(got 75\)"):
        read_openpose(tmp_path, "openpose")
    with pytest.raises(SkeletonFileError, match=r"frame 0, person 0: .*'hand_left_keypoints_2d'"):
        read_openpose(tmp_path, part="hand_left")


@pytest.mark.parametrize("name", ["notes.json", "_1_keypoints.json", "clip_keypoints.json"])
def test_files_of_another_name(tmp_path, name):
    write(tmp_path, [[person()]])
    (tmp_path / name).write_text("{}")
    with pytest.raises(SkeletonFileError, match=rf"{name}': the name must be <video>_<number>_"):
        read_openpose(tmp_path)


def test_two_videos_in_one_folder(tmp_path):
    write(tmp_path, [[person()]])
    write(tmp_path, [[person()]], video="other")
    message = r"other_000000000000_keypoints.json': is of another video than 'clip_0"
    with pytest.raises(SkeletonFileError, match=message):
        read_openpose(tmp_path)


def test_the_same_number_twice(tmp_path):
    write(tmp_path, [[person()]])
    (tmp_path / "clip_0_keypoints.json").write_text('{"people": []}')
    with pytest.raises(SkeletonFileError, match="has the same number as 'clip_0"):
        read_openpose(tmp_path)


def test_a_crowd_is_refused_before_memory_is_taken(tmp_path, monkeypatch):
    """A frame of many people takes their number in each of the other frames."""
    write(tmp_path, [[person()] * 30, *[[]] * 29])
    assert read_openpose(tmp_path).skeleton_shape == (30, 30, 18)
    monkeypatch.setattr("pyg_vision.data.readers._file._MAX_VALUES", 30 * 30 * 18 * 3 - 1)
    with pytest.raises(SkeletonFileError, match=r"needs an array of 30 × 30 × 18 × 3 values"):
        read_openpose(tmp_path)


def test_there_must_be_files(tmp_path):
    with pytest.raises(FileNotFoundError, match=f"there is no folder '{tmp_path / 'nowhere'}'"):
        read_openpose(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match=r"there are no files '\*_keypoints.json'"):
        read_openpose(tmp_path)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"part": "face"}, ValueError, r"'part' must be one of pose, hand_left, hand_right"),
        ({"layout": "dog"}, ValueError, r"'layout' must be one of"),
        ({"layout": 18}, TypeError, "'layout' must be a name or a SkeletonLayout"),
        ({"min_score": -0.1}, ValueError, r"'min_score' must be finite and not negative"),
        ({"min_score": float("nan")}, ValueError, r"'min_score' must be finite"),
        ({"min_score": "0.5"}, TypeError, r"'min_score' must hold numbers \(got '0.5'\)"),
        ({"size": 100}, TypeError, r"'size' must be a tuple \(width, height\) \(got 100\)"),
        ({"size": (100,)}, TypeError, r"'size' must be a tuple \(width, height\)"),
        ({"size": (100, "50")}, TypeError, r"'size' must hold numbers \(got '50'\)"),
        ({"size": (0, 50)}, ValueError, r"'size' must be positive \(got \(0, 50\)\)"),
        ({"size": (float("inf"), 50)}, ValueError, r"'size' must be finite"),
    ],
)
def test_arguments_are_checked(tmp_path, arguments, error, message):
    write(tmp_path, [[person()]])
    with pytest.raises(error, match=message):
        read_openpose(tmp_path, **arguments)


def test_the_path_may_be_a_text(tmp_path):
    write(tmp_path, [[person()]])
    assert read_openpose(str(tmp_path)).num_nodes == 18
    assert re.match("SkeletonShape", repr(read_openpose(tmp_path).skeleton_shape))
