import copy
import json

import numpy as np
import pytest
import torch

from pyg_vision.data.readers import SkeletonFileError, read_kinetics


def person(seed=0, score=None):
    generator = np.random.default_rng(seed)
    scores = generator.uniform(0, 1, 18) if score is None else np.full(18, score)
    return {
        "pose": generator.uniform(0, 1, 36).round(3).tolist(),
        "score": scores.round(3).tolist(),
    }


def frame(index, *persons):
    return {"frame_index": index, "skeleton": list(persons)}


RECORD = {
    "data": [frame(1, person(1)), frame(2, person(2), person(3)), frame(5, person(4))],
    "label": "abseiling",
    "label_index": 7,
}


def write(folder, content):
    path = folder / "-1FshXZ_ZIo.json"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def joints(data):
    return data.x.view(*data.skeleton_shape, 3)


def expected(record):
    pose = torch.tensor(record["pose"]).view(18, 2)
    return torch.cat((pose, torch.tensor(record["score"])[:, None]), dim=1)


def test_a_file_becomes_a_sequence(tmp_path):
    data = read_kinetics(write(tmp_path, RECORD))
    assert data.skeleton_shape == (2, 5, 18)
    assert data.layout.name == "openpose"
    assert data.y.tolist() == [7]
    found = joints(data)
    torch.testing.assert_close(found[0, 0], expected(person(1)))
    torch.testing.assert_close(found[0, 1], expected(person(2)))
    torch.testing.assert_close(found[1, 1], expected(person(3)))
    torch.testing.assert_close(found[0, 4], expected(person(4)))
    assert not found[:, 2:4].any()
    assert not found[1, [0, 4]].any()
    assert torch.equal(data.pos, data.x[:, :2])


def test_the_order_of_the_list_does_not_matter(tmp_path):
    shuffled = {**RECORD, "data": RECORD["data"][::-1]}
    data = read_kinetics(write(tmp_path, shuffled))
    assert torch.equal(data.x, read_kinetics(write(tmp_path, RECORD)).x)


def test_frames_that_count_from_zero(tmp_path):
    record = {"data": [frame(0, person(1)), frame(2, person(2))]}
    path = write(tmp_path, record)
    found = joints(read_kinetics(path, first_frame=0))
    assert found.shape == (1, 3, 18, 3)
    torch.testing.assert_close(found[0, 2], expected(person(2)))
    message = r"frame 0: 'frame_index' must be at least 1 \(got 0\); pass 'first_frame'"
    with pytest.raises(SkeletonFileError, match=message):
        read_kinetics(path)


def test_the_persons_of_the_highest_score_are_kept(tmp_path):
    low, high, middle = person(1, 0.2), person(2, 0.8), person(3, 0.5)
    record = {"data": [frame(1, low, high, middle), frame(2, low)]}
    path = write(tmp_path, record)
    found = joints(read_kinetics(path, num_persons=2))
    assert found.shape == (2, 2, 18, 3)
    torch.testing.assert_close(found[:, 0], torch.stack((expected(high), expected(middle))))
    torch.testing.assert_close(found[0, 1], expected(low))
    assert not found[1, 1].any()
    assert read_kinetics(path, num_persons=9).skeleton_shape == (3, 2, 18)
    listed = joints(read_kinetics(path))[:, 0]
    torch.testing.assert_close(listed, torch.stack([expected(p) for p in (low, high, middle)]))


@pytest.mark.parametrize("label", [None, -1, ""])
def test_no_label(tmp_path, label):
    assert "y" not in read_kinetics(write(tmp_path, {**RECORD, "label_index": label}))
    record = {"data": RECORD["data"]}
    assert "y" not in read_kinetics(write(tmp_path, record))


def changed(path, value):
    record = copy.deepcopy(RECORD)
    target = record
    for key in path[:-1]:
        target = target[key]
    target[path[-1]] = value
    return record


POSE = ("data", 1, "skeleton", 1, "pose")
MALFORMED = {
    "empty": (b"", "is no JSON"),
    "no text": (b"\xff\xff", r"is no text \(UnicodeDecodeError"),
    "deep": ('{"data":' * 100_000, r"is no JSON \(RecursionError"),
    "a list": ([], "must hold a JSON object"),
    "no data": ({"label_index": 1}, r"'data' is missing \(got \['label_index'\]\)"),
    "a dict": ({"data": {}}, r"'data' must be a list \(got dict\)"),
    "no frames": ({"data": []}, "holds no frames"),
    "nobody": ({"data": [frame(1), frame(2)]}, "there is no person in any of 2 frames"),
    "a frame of nothing": (changed(("data", 1), None), ", frame 1: 'frame_index' is missing"),
    "no index": (changed(("data", 1), {"skeleton": []}), ", frame 1: 'frame_index' is missing"),
    "index 1.0": (changed(("data", 1, "frame_index"), 1.0), r", frame 1: .*be a int \(got float"),
    "index true": (changed(("data", 1, "frame_index"), True), r", frame 1: .*\(got bool\)"),
    "index '2'": (changed(("data", 1, "frame_index"), "2"), r", frame 1: .*\(got str\)"),
    "index -1": (changed(("data", 1, "frame_index"), -1), r", frame 1: .*at least 1 \(got -1\)"),
    "index twice": (changed(("data", 1, "frame_index"), 1), ", frame 1: .* 1 is listed twice"),
    "a far frame": (
        changed(("data", 1, "frame_index"), 10**9),
        r"needs an array of 2 × 1000000000 × 18 × 3 values",
    ),
    "a farther frame": (changed(("data", 1, "frame_index"), 10**4000), "needs an array of 2 × int"),
    "no skeleton": (changed(("data", 1), {"frame_index": 2}), ", frame 1: 'skeleton' is missing"),
    "skeleton null": (changed(("data", 1, "skeleton"), None), ", frame 1: 'skeleton' must be a l"),
    "person null": (changed(POSE[:-1], None), ", frame 1, person 1: 'pose' is missing"),
    "pose null": (changed(POSE, None), r", frame 1, person 1: 'pose' must be a list"),
    "pose short": (changed(POSE, [0.5] * 35), r", frame 1, person 1: expected 36 numbers \(got 35"),
    "pose of words": (changed(POSE, ["a"] * 36), ", frame 1, person 1: .*got other values"),
    "pose NaN": (changed((*POSE, 3), float("nan")), ", frame 1, person 1: a value is NaN"),
    "pose huge": (changed((*POSE, 3), 10**400), ", frame 1, person 1: a number is too large"),
    "score long": (
        changed((*POSE[:-1], "score"), [0.5] * 19),
        r", frame 1, person 1: expected 18 numbers \(got 19",
    ),
    "no score": (changed(POSE[:-1], {"pose": [0.5] * 36}), ", person 1: 'score' is missing"),
    "label a word": (changed(("label_index",), "7"), r"'label_index' must be an index or -1 \(got"),
    "label 1.5": (changed(("label_index",), 1.5), r"'label_index' must be .* \(got 1.5\)"),
    "label true": (changed(("label_index",), True), r"'label_index' must be .* \(got True\)"),
    "label -2": (changed(("label_index",), -2), r"'label_index' must be .* \(got -2\)"),
    "label huge": (changed(("label_index",), 10**4000), r"'label_index' must be .* \(got int\)"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_files_are_named(tmp_path, name):
    content, message = MALFORMED[name]
    path = write(tmp_path, content)
    with pytest.raises(SkeletonFileError, match=message) as info:
        read_kinetics(path)
    assert str(info.value).startswith(f"'{path}'")


def test_a_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_kinetics(tmp_path / "nowhere.json")


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"first_frame": None}, TypeError, "'first_frame' must be an integer"),
        ({"num_persons": 0}, ValueError, r"'num_persons' must be at least 1 \(got 0\)"),
        ({"num_persons": 1.0}, TypeError, r"'num_persons' must be an integer \(got 1.0\)"),
        ({"num_persons": True}, TypeError, r"'num_persons' must be an integer \(got True\)"),
        ({"first_frame": "1"}, TypeError, r"'first_frame' must be an integer \(got '1'\)"),
    ],
)
def test_arguments_are_checked(tmp_path, arguments, error, message):
    with pytest.raises(error, match=message):
        read_kinetics(write(tmp_path, RECORD), **arguments)


def test_another_layout(tmp_path):
    one = {"pose": [0.5] * 34, "score": [0.9] * 17}
    path = write(tmp_path, {"data": [frame(1, one)]})
    assert read_kinetics(path, layout="coco").layout.name == "coco"
    with pytest.raises(SkeletonFileError, match="frame 0, person 0: expected 36 numbers"):
        read_kinetics(path)
