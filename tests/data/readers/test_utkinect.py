import pytest

from pyg_vision.data.readers import read_utkinect, read_utkinect_actions, read_utkinect_labels
from tests.data.readers.listed import write

LABELS = """s01_e01
walk: 252 254
push: 254 256

s10_e02
walk: 1 2
carry:  NaN NaN
"""


def session(numbers):
    return "\n".join(f"{n} " + "  ".join([f"{i}.5"] * 60) + " " for i, n in enumerate(numbers))


def test_all_rows_are_frames(tmp_path):
    data = read_utkinect(write(tmp_path, "joints_s01_e01.txt", session([250, 252, 252, 300])))
    assert data.skeleton_shape == (1, 4, 20)
    assert data.pos.view(4, -1)[:, 0].tolist() == [0.5, 1.5, 2.5, 3.5]


def test_actions(tmp_path):
    path = write(tmp_path, "joints_s01_e01.txt", session([250, 252, 252, 254, 256, 300]))
    walk, push = read_utkinect_actions(path, write(tmp_path, "actionLabel.txt", LABELS))
    assert (walk.name, push.name) == ("s01_e01 walk", "s01_e01 push")
    assert (int(walk.y), int(push.y)) == (0, 6)
    assert walk.pos.view(-1, 60)[:, 0].tolist() == [1.5, 2.5, 3.5]
    assert push.pos.view(-1, 60)[:, 0].tolist() == [3.5, 4.5]


def test_an_action_without_numbers(tmp_path):
    labels = write(tmp_path, "actionLabel.txt", LABELS)
    assert read_utkinect_labels(labels)["s10_e02"] == {"walk": (1, 2), "carry": None}
    path = write(tmp_path, "joints_s10_e02.txt", session([1, 2]))
    assert [data.name for data in read_utkinect_actions(path, labels)] == ["s10_e02 walk"]
    with pytest.raises(ValueError, match="have no such session"):
        read_utkinect_actions(write(tmp_path, "joints_s02_e02.txt", session([1])), labels)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "holds no session"),
        ("walk: 1 2", "line 1: expected a session"),
        ("s01_e01\nwalk: 1", "line 2: expected a session"),
        ("s01_e01\nrun: 1 2", "line 2: expected a session"),
        ("s01_e01\nwalk: 1 2.5", "must be whole"),
        ("s01_e01\nwalk: 3 2", "ends before it begins"),
        ("s01_e01\nwalk: 1 2\nwalk: 3 4", "'walk' is listed twice"),
        ("s01_e01\ns01_e01", "'s01_e01' is listed twice"),
    ],
)
def test_malformed_labels(tmp_path, content, problem):
    with pytest.raises(ValueError, match=problem):
        read_utkinect_labels(write(tmp_path, "actionLabel.txt", content))


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "holds no frames"),
        ("1 2 3", "line 1: expected 61 numbers"),
        (session(["1.5"]), "must be whole"),
        (session(["x"]), "must be a number"),
    ],
)
def test_malformed_sessions(tmp_path, content, problem):
    with pytest.raises(ValueError, match=problem):
        read_utkinect(write(tmp_path, "joints_s01_e01.txt", content))
