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
    "people of another type": ('{"people": {}}', r"json': 'people' must be a list \(got dict\)"),
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


@pytest.mark.parametrize(
    "form",
    [
        "clip_{:012d}_keypoints.json",
        "{:04d}_keypoints.json",
        "frame{}_keypoints.json",
        "{:06d}_keypoints.json",
        "cam01.{:04d}.json",
        "Static_cam_01.{:05d}.json",
        "take 2, {} (of three).json",
        "{}.json",
    ],
)
def test_names_with_a_number(tmp_path, form):
    people = [person(seed=i) for i in range(3)]
    for number, one in zip((9, 10, 100), people, strict=True):
        (tmp_path / form.format(number)).write_text(json.dumps({"people": [one]}))
    found = joints(read_openpose(tmp_path))
    assert found.shape == (1, 3, 18, 3)
    for t, one in enumerate(people):
        torch.testing.assert_close(found[0, t], expected(one))


def test_one_file_needs_no_number(tmp_path):
    (tmp_path / "photo_keypoints.json").write_text(json.dumps({"people": [person()]}))
    assert read_openpose(tmp_path).skeleton_shape == (1, 1, 18)
    (tmp_path / "photo_2_keypoints.json").write_text(json.dumps({"people": [person()]}))
    with pytest.raises(SkeletonFileError, match="must hold the number of the frame|of another vid"):
        read_openpose(tmp_path)


@pytest.mark.parametrize("content", ["{}", "[]", "1", '{"version": 1.3, "bodies": []}'])
def test_other_json_is_skipped_and_counted(tmp_path, content, caplog):
    write(tmp_path, [[person()]])
    (tmp_path / "clip_000000000007_keypoints.json").write_text(content)
    (tmp_path / "._clip_000000000000_keypoints.json").write_bytes(b"\x00\x05\x16\x07")
    assert read_openpose(tmp_path).skeleton_shape == (1, 1, 18)
    assert "skipped 2 JSON files" in caplog.text
    assert "clip_000000000007_keypoints.json" in caplog.text


def test_names_that_differ_before_the_number(tmp_path):
    for name in ("a1.json", "a2.json", "b3.json"):
        (tmp_path / name).write_text(json.dumps({"people": [person()]}))
    with pytest.raises(SkeletonFileError, match=r"b3\.json': is of another video than 'a1\.json'"):
        read_openpose(tmp_path)


def test_format_1_0(tmp_path, shared):
    folder = shared / "data" / "formats" / "openpose_v1_0"
    check_sample(read_openpose(folder / "clip"), folder / "clip.expected.json", "openpose")
    hands = {"pose_keypoints": person()["pose_keypoints_2d"], "hand_left_keypoints": [0.5] * 63}
    write(tmp_path, [[hands]])
    assert read_openpose(tmp_path, part="hand_left").layout.name == "hand"


def test_body_25b_must_be_named(shared):
    folder = shared / "data" / "formats" / "openpose_body25b"
    data = read_openpose(folder / "clip", "body_25b")
    check_sample(data, folder / "clip.expected.json", "body_25b")
    assert read_openpose(folder / "clip").layout.name == "body_25"


def check_sample(data, path, layout):
    sample = json.loads(path.read_text())
    assert list(data.skeleton_shape) == sample["shape"][:3]
    assert data.layout.name == layout
    assert len(sample["points"]) >= 4
    for point in sample["points"]:
        values = joints(data)[point["person"], point["frame"], point["joint"]]
        torch.testing.assert_close(values, torch.tensor([*point["xy"], point["score"]]))
        assert data.layout.joints[point["joint"]] == point["name"]


@pytest.mark.parametrize("wrap", [lambda v: v, lambda v: [v]])
def test_persons_that_were_followed(tmp_path, wrap):
    a, b, c = person(seed=1), person(seed=2), person(seed=3)
    named = lambda one, number: {**one, "person_id": wrap(number)}  # noqa: E731
    frames = [[named(a, 7), named(b, 2)], [named(b, 2)], [c, named(a, 7)]]
    found = joints(read_openpose(write(tmp_path, frames)))
    assert found.shape == (3, 3, 18, 3)
    torch.testing.assert_close(found[0, 0], expected(b))
    torch.testing.assert_close(found[0, 1], expected(b))
    torch.testing.assert_close(found[1, 0], expected(a))
    torch.testing.assert_close(found[1, 2], expected(a))
    torch.testing.assert_close(found[2, 2], expected(c))
    assert not found[0, 2].any()
    assert not found[1, 1].any()
    assert not found[2, :2].any()


@pytest.mark.parametrize("value", [-1, [-1], []])
def test_persons_that_were_not_followed(tmp_path, value):
    people = [{**person(seed=i), "person_id": value} for i in range(2)]
    found = joints(read_openpose(write(tmp_path, [people, people[1:]])))
    torch.testing.assert_close(found[0, 1], expected(people[1]))
    assert not found[1, 1].any()


def test_malformed_identities(tmp_path):
    for value in ("a", [1, 2], None, 1.5, True, -3, [[1]]):
        write(tmp_path, [[{**person(), "person_id": value}]])
        with pytest.raises(SkeletonFileError, match="frame 0, person 0: 'person_id' must be a num"):
            read_openpose(tmp_path)
    write(tmp_path, [[{**person(), "person_id": [4]}] * 2])
    with pytest.raises(SkeletonFileError, match="frame 0, person 1: has two persons of 'person_id"):
        read_openpose(tmp_path)


def test_a_negative_score(tmp_path):
    one = person()
    one["pose_keypoints_2d"][5] = -0.5
    with pytest.raises(SkeletonFileError, match=r"a score is negative \(got -0\.5\)"):
        read_openpose(write(tmp_path, [[one]]))
    one["pose_keypoints_2d"][5] = 1.02
    assert joints(read_openpose(write(tmp_path, [[one]])))[0, 0, 1, 2] > 1


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
    monkeypatch.setattr("pyg_vision.data.readers.skeleton_file._MAX_VALUES", 30 * 30 * 18 * 3 - 1)
    with pytest.raises(SkeletonFileError, match=r"needs an array of 30 × 30 × 18 × 3 values"):
        read_openpose(tmp_path)


def test_there_must_be_files(tmp_path):
    with pytest.raises(FileNotFoundError, match=f"there is no folder '{tmp_path / 'nowhere'}'"):
        read_openpose(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match="there is no JSON file with 'people'"):
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
