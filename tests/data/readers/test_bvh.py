import math

import pytest

from pyg_vision.data.readers import read_bvh
from tests.data.readers.listed import write
from tests.docstring_files import BVH


def test_places(tmp_path):
    data = read_bvh(write(tmp_path, "a.bvh", BVH))
    assert data.skeleton_shape == (1, 2, 5)
    assert data.frame_time == pytest.approx(0.04)
    places = data.pos.view(2, 5, 3)
    assert places[0].tolist() == [[0, 100, 0], [10, 90, 0], [10, 10, 0], [-10, 90, 0], [-10, 10, 0]]
    # The left leg is raised: about x by 90 degrees, downwards becomes backwards.
    assert places[1, 2].tolist() == pytest.approx([10, 90, 5 - 80], abs=1e-4)
    assert data.layout.pairs == ((1, 3), (2, 4))
    assert data.layout.parents == {1: 0, 2: 1, 3: 0, 4: 3}


def one(channels, values, offset="0 2 0"):
    return f"""HIERARCHY
ROOT a
{{
\tOFFSET 1 0 0
\tCHANNELS {channels}
\tEnd Site
\t{{
\t\tOFFSET {offset}
\t}}
}}
MOTION
Frames:\t1
Frame Time: .01
{values}
"""


@pytest.mark.parametrize("channels", ["ZYX", "XYZ", "YXZ", "ZXY"])
def test_rotations_are_in_the_order_of_the_channels(tmp_path, channels):
    angles = (30.0, 50.0, -70.0)
    names = f"3 {' '.join(f'{axis}rotation' for axis in channels)}"
    data = read_bvh(write(tmp_path, "a.bvh", one(names, " ".join(map(str, angles)), "1 2 3")))
    vector = [1.0, 2.0, 3.0]
    # The last rotation is applied first.
    for axis, angle in reversed(list(zip(channels, angles, strict=True))):
        i, j = {"X": (1, 2), "Y": (2, 0), "Z": (0, 1)}[axis]
        c, s = math.cos(math.radians(angle)), math.sin(math.radians(angle))
        vector[i], vector[j] = c * vector[i] - s * vector[j], s * vector[i] + c * vector[j]
    assert data.pos[1].tolist() == pytest.approx([1 + vector[0], vector[1], vector[2]], abs=1e-5)


def test_positions(tmp_path):
    data = read_bvh(write(tmp_path, "a.bvh", one("1 Xposition", "5")))
    assert data.pos.tolist() == [[6, 0, 0], [6, 2, 0]]  # added to the offset of the root
    text = BVH.replace(
        "CHANNELS 3 Zrotation Xrotation Yrotation", "CHANNELS 3 Xposition Yposition Zposition", 1
    )
    text = text.replace("0 100 0 0 0 0 0 0 0", "0 100 0 0 0 0 1 2 3")
    places = read_bvh(write(tmp_path, "a.bvh", text)).pos.view(2, 5, 3)
    assert places[0, 1].tolist() == [1, 102, 3]  # in place of the offset of another joint


def test_names_become_unique(tmp_path):
    text = BVH.replace("JOINT RightLeg", "JOINT LeftLeg")
    layout = read_bvh(write(tmp_path, "a.bvh", text)).layout
    assert layout.joints == ("Hips", "LeftLeg", "LeftLeg_end", "LeftLeg_2", "LeftLeg_end_2")


def test_windows_lines(tmp_path):
    path = write(tmp_path, "a.bvh", BVH.replace("\n", " \r\n").encode())
    assert read_bvh(path).skeleton_shape == (1, 2, 5)


def test_depth_does_not_matter(tmp_path):
    count = 1900
    head = "".join(f"JOINT j{i}\n{{\nOFFSET 0 1 0\n" for i in range(count))
    text = f"HIERARCHY\nROOT a\n{{\nOFFSET 0 0 0\n{head}{'}' + chr(10)}{('}' + chr(10)) * count}"
    text += "MOTION\nFrames: 1\nFrame Time: 1\n"
    with pytest.raises(ValueError, match="'Frames' is 1, but there are 0"):
        read_bvh(write(tmp_path, "a.bvh", text))


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("HIERARCHY", "TREE", "must begin with 'HIERARCHY'"),
        ("  OFFSET 10 -10 0\n", "", "'OFFSET' of 'LeftLeg' is missing"),
        ("OFFSET 10 -10 0", "OFFSET 10 -10", "'OFFSET' must have 3 numbers"),
        ("OFFSET 10 -10 0", "OFFSET 10 -10 0\nOFFSET 1 1 1", "comes twice"),
        ("CHANNELS 3 Z", "CHANNELS 4 Z", "'CHANNELS' is malformed"),
        ("Zrotation Xrotation", "Xrotation Xrotation", "a channel comes twice"),
        ("Zrotation Xrotation", "Wrotation Xrotation", "'CHANNELS' is malformed"),
        ("JOINT LeftLeg\n  {", "JOINT LeftLeg", "expected '{'"),
        ("MOTION\n", "", "unexpected 'Frames: 2'"),
        ("ROOT Hips", "JOINT Hips", "'JOINT' in a wrong place"),
        ("Frames: 2", "Frames: 3", "'Frames' is 3, but there are 2"),
        ("Frames: 2", "Frames: x", "expected 'Frames: '"),
        ("Frame Time: 0.04", "Time: 0.04", "expected 'Frame Time: '"),
        ("0 100 5", "100 5", "expected 12 numbers"),
        ("0 100 5", "0 nan 5", "must be a number"),
    ],
)
def test_malformed_files(tmp_path, old, new, problem):
    assert old in BVH
    with pytest.raises(ValueError, match=problem):
        read_bvh(write(tmp_path, "a.bvh", BVH.replace(old, new, 1)))


def test_an_unfinished_file(tmp_path):
    with pytest.raises(ValueError, match="has no 'MOTION'"):
        read_bvh(write(tmp_path, "a.bvh", BVH[: BVH.index("MOTION")]))


def test_a_position_replaces_its_own_axis_alone(tmp_path):
    text = BVH.replace("OFFSET 10 -10 0", "OFFSET 10 20 30")
    text = text.replace("CHANNELS 3 Zrotation Xrotation Yrotation", "CHANNELS 1 Yposition", 1)
    rows = "Frames: 1\nFrame Time: 1\n1 1 1 0 0 0 5 0 0 0\n"
    text = text[: text.index("Frames:")] + rows
    assert read_bvh(write(tmp_path, "a.bvh", text)).pos[1].tolist() == [11, 6, 31]


def test_joints_of_one_name_take_no_time(tmp_path):
    joints = "JOINT a\n{\nOFFSET 0 1 0\n}\n" * 1900
    text = f"HIERARCHY\nROOT a\n{{\nOFFSET 0 0 0\nCHANNELS 1 Xposition\n{joints}}}\n"
    text += "MOTION\nFrames: 1\nFrame Time: 1\n0\n"
    layout = read_bvh(write(tmp_path, "a.bvh", text)).layout
    assert layout.joints[-1] == "a_1901"


@pytest.mark.parametrize("names", [("Leftleft", "Rightleft", "Rightright")])
def test_pairs_are_taken_once(tmp_path, names):
    joints = "".join(f"JOINT {name}\n{{\nOFFSET 0 1 0\n}}\n" for name in names)
    text = f"HIERARCHY\nROOT a\n{{\nOFFSET 0 0 0\nCHANNELS 1 Xposition\n{joints}}}\n"
    text += "MOTION\nFrames: 1\nFrame Time: 1\n0\n"
    assert read_bvh(write(tmp_path, "a.bvh", text)).layout.pairs == ((1, 2),)
