import json
import pickle
import re

import pytest
import torch

from pyg_vision.data.readers import SkeletonFileError, nw_ucla_name, read_nw_ucla
from pyg_vision.data.readers.nw_ucla import ACTIONS

NAME = "a08_s03_e01_v02.json"


def skeletons(frames=3):
    return [
        [[t + 0.01 * v, -t - 0.01 * v, 2.0 + 0.5 * t] for v in range(20)] for t in range(frames)
    ]


def write(folder, content, name=NAME):
    path = folder / name
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def changed(change):
    record = {"skeletons": skeletons()}
    change(record["skeletons"])
    return record


def test_a_file_becomes_a_sequence(tmp_path):
    data = read_nw_ucla(write(tmp_path, {"skeletons": skeletons(), "label": 8}))
    assert data.skeleton_shape == (1, 3, 20)
    assert data.layout.name == "kinect"
    assert data.y.tolist() == [6]
    torch.testing.assert_close(data.x.view(3, 20, 3), torch.tensor(skeletons()))
    assert torch.equal(data.x, data.pos)
    assert data.x.dtype == torch.float32
    assert data.validate()


def test_classes_have_no_gaps(tmp_path):
    found = [
        int(read_nw_ucla(write(tmp_path, {"skeletons": skeletons(1)}, name)).y)
        for name in (f"a{action:02d}_s01_e00_v01.json" for action in ACTIONS)
    ]
    assert found == list(range(10))


def test_the_name_is_read():
    name = nw_ucla_name("somewhere/a12_s10_e05_v03.json")
    assert name == (12, 10, 5, 3)
    assert (name.action, name.subject, name.episode, name.view) == (12, 10, 5, 3)


@pytest.mark.parametrize("name", ["a07_s01_e00_v01", "a00_s01_e00_v01", "a13_s01_e00_v01"])
def test_actions_that_do_not_exist(name):
    with pytest.raises(SkeletonFileError, match=rf"'{name}.json': the action must be one of"):
        nw_ucla_name(f"{name}.json")


@pytest.mark.parametrize(
    "name", ["a1_s01_e00_v01", "a01_s01_e00", "a01_s01_e00_v01_extra", "xa01_s01_e00_v01", "", "…"]
)
def test_other_names(name):
    with pytest.raises(ValueError, match=r"the name must be aXX_sYY_eZZ_vWW\.json"):
        nw_ucla_name(f"{name}.json")


MALFORMED = {
    "empty": (b"", "is no JSON"),
    "cut off": (json.dumps({"skeletons": skeletons()})[:-30], "is no JSON"),
    "no text": (b"\xff\xfe\x00\xd8", r"is no text \(UnicodeDecodeError"),
    "deep": ("[" * 100_000, r"is no JSON \(RecursionError"),
    "many digits": (
        '{"skeletons": ' + "9" * 5000 + "}",
        r"is no JSON \(ValueError",
    ),
    "a list": ([], r"must hold a JSON object \(got list\)"),
    "nothing in it": ({}, r"'skeletons' is missing \(got \[\]\)"),
    "other fields": ({"b": 1, "a": 2}, r"'skeletons' is missing \(got \['a', 'b'\]\)"),
    "a dict": ({"skeletons": {}}, r"'skeletons' must be a list \(got dict\)"),
    "null": ({"skeletons": None}, r"'skeletons' must be a list \(got NoneType\)"),
    "no frames": ({"skeletons": []}, "holds no frames"),
    "a frame of nothing": (changed(lambda s: s.__setitem__(1, None)), ", frame 1: .*got NoneType"),
    "a joint less": (changed(lambda s: s[2].pop()), r", frame 2: expected 20 joints \(got 19\)"),
    "a joint more": (changed(lambda s: s[0].append([1, 2, 3])), r", frame 0: .*\(got 21\)"),
    "two numbers": (changed(lambda s: s[1][4].pop()), r", frame 1: expected 3 numbers \(got 2 "),
    "a text": (changed(lambda s: s[1].__setitem__(4, "abc")), r", frame 1: .*\(got str\)"),
    "a word": (changed(lambda s: s[1][4].__setitem__(0, "1")), r", frame 1: .*got other values"),
    "a truth": (changed(lambda s: s[1][4].__setitem__(0, True)), r", frame 1: .*got other values"),
    "a null": (changed(lambda s: s[1][4].__setitem__(0, None)), r", frame 1: .*got other values"),
    "NaN": (changed(lambda s: s[2][0].__setitem__(2, float("nan"))), ", frame 2: .*is NaN or inf"),
    "infinite": (changed(lambda s: s[2][0].__setitem__(2, float("-inf"))), ", frame 2: .*NaN or"),
    "beyond float": (changed(lambda s: s[2][0].__setitem__(2, 1e39)), ", frame 2: .*NaN or inf"),
    "a huge integer": (changed(lambda s: s[2][0].__setitem__(2, 10**400)), ", frame 2: a number "),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_files_are_named(tmp_path, name):
    content, message = MALFORMED[name]
    path = write(tmp_path, content)
    with pytest.raises(SkeletonFileError, match=message) as info:
        read_nw_ucla(path)
    assert str(info.value).startswith(f"'{path}'")


def test_errors_are_value_errors():
    assert issubclass(SkeletonFileError, ValueError)


def test_a_missing_file_is_not_called_malformed(tmp_path):
    with pytest.raises(FileNotFoundError, match=re.escape(NAME)):
        read_nw_ucla(tmp_path / NAME)


def test_a_folder_is_no_file(tmp_path):
    (tmp_path / NAME).mkdir()
    with pytest.raises(SkeletonFileError, match=r"is no text \(IsADirectoryError"):
        read_nw_ucla(tmp_path / NAME)


def test_a_real_file(shared):
    path = shared / "data" / "nw_ucla" / "a01_s01_e00_v01.json"
    record = json.loads(path.read_text())
    data = read_nw_ucla(path)
    assert data.skeleton_shape == (1, len(record["skeletons"]), 20)
    torch.testing.assert_close(data.x.view(-1, 20, 3), torch.tensor(record["skeletons"]))
    # Metres, upright: the head is above the feet, by no more than a tall person.
    joints = data.x.view(-1, 20, 3)
    layout = data.layout
    height = joints[:, layout.joint("head"), 1] - joints[:, layout.joint("left_foot"), 1]
    assert 0.8 < height.median() < 2.2


def test_the_sequences_of_a_single_frame(shared):
    for view in (2, 3):
        data = read_nw_ucla(shared / "data" / "nw_ucla" / f"a02_s09_e04_v{view:02d}.json")
        assert data.skeleton_shape == (1, 1, 20)
        assert data.y.item() == 1


def test_errors_survive_the_border_of_a_process(tmp_path):
    with pytest.raises(ValueError, match="the name must be") as caught:
        read_nw_ucla(tmp_path / "walk.json")
    again = pickle.loads(pickle.dumps(caught.value))
    assert type(again) is type(caught.value)
    assert str(again) == str(caught.value)
