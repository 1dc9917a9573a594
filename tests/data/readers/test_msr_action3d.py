import pytest

from pyg_vision.data.readers import msr_action3d_name, read_msr_action3d
from tests.data.readers.listed import write

NAME = "a13_s02_e02_skeleton3D.txt"


def test_lines_are_joints(tmp_path):
    lines = "\n".join(f"  {v}.0e+000 0.5 2.5 {v % 2}" for v in range(40))
    data = read_msr_action3d(write(tmp_path, NAME, lines))
    assert data.skeleton_shape == (1, 2, 20)
    assert int(data.y) == 12
    # A confidence of zero leaves the joint where it is.
    assert data.x[22].tolist() == [22, 0.5, 2.5, 0]


def test_names():
    assert msr_action3d_name("x/a01_s10_e03_skeleton.txt") == (1, 10, 3)
    for name in ("a21_s01_e01_skeleton.txt", "a00_s01_e01_skeleton3D.txt", "walk.txt"):
        with pytest.raises(ValueError, match="must be"):
            msr_action3d_name(name)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("1 2 3 1\n" * 19, "20 lines for each frame"),
        ("", "20 lines for each frame"),
        ("1 2 3\n" * 20, "line 1: expected 4 numbers"),
        ("1 2 nan 1\n" * 20, "line 1: a value must be a number"),
        ("1 2 3 -1\n" * 20, "a score is negative"),
    ],
)
def test_malformed_files(tmp_path, content, problem):
    with pytest.raises(ValueError, match=problem):
        read_msr_action3d(write(tmp_path, NAME, content))
