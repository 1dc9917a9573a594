import pytest
import torch

from pyg_vision.data import SkeletonLayout, skeleton_layout
from pyg_vision.data.readers import SkeletonFileError, read_csv

ARM = SkeletonLayout("arm", ("shoulder", "elbow", "Hand"), ((1, 0), (2, 1)), center=0)


def write(tmp_path, text):
    path = tmp_path / "wave.csv"
    path.write_text(text)
    return path


LONG = """frame, joint, x, y, score
7, shoulder, 0.5, 1, 0.9
7, 1, 2, 3, 0.8
7, hand, 4, 5, 1
9, elbow, 6, 7,
"""
NAMES = [
    f"{joint}_{axis}" for joint in ("shoulder", "elbow", "hand") for axis in ("x", "y", "score")
]
WIDE = f"""frame,{",".join(NAMES)}
7,0.5,1,0.9,2,3,0.8,4,5,1

9,,,,6,7,,,,
"""


@pytest.mark.parametrize("text", [LONG, WIDE])
def test_a_line_for_each_joint_or_for_each_frame(tmp_path, text):
    data = read_csv(write(tmp_path, text), ARM)
    assert tuple(data.skeleton_shape) == (1, 3, 3)
    expected = torch.zeros(3, 3, 3)
    expected[0] = torch.tensor([[0.5, 1, 0.9], [2, 3, 0.8], [4, 5, 1]])
    expected[2, 1] = torch.tensor([6.0, 7, 0])
    assert torch.equal(data.x.view(3, 3, 3), expected)
    assert torch.equal(data.pos, data.x[:, :2])


def test_a_mark_at_the_beginning_and_empty_lines(tmp_path):
    text = "\ufeffframe,joint,x,y\n,,,\n0,0,1,2\n"
    assert read_csv(write(tmp_path, text), ARM).x[0].tolist() == [1, 2]


def test_persons_and_three_coordinates(tmp_path):
    text = "person,frame,joint,x,y,z\n5,0,0,1,2,3\n2,1,2,4,5,6\n"
    data = read_csv(write(tmp_path, text), ARM)
    x = data.x.view(2, 2, 3, 3)
    assert x[1, 0, 0].tolist() == [1, 2, 3]
    assert x[0, 1, 2].tolist() == [4, 5, 6]
    assert int((x != 0).sum()) == 6


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "must have a line of column names"),
        ("frame,joint,x,y\n", "and further ones"),
        ("time,joint,x,y\n0,0,1,2\n", "must have the column 'frame'"),
        ("frame,frame,x,y\n0,0,1,2\n", "none twice"),
        ("frame,joint,x\n0,0,1\n", "must have the columns x and y"),
        ("frame,hand_z,hand_score\n0,1,2\n", "<joint>_x and <joint>_y, of the joints of layout"),
        ("frame,hnd_x,hnd_y\n0,1,2\n", r"layout 'arm' has no joint 'hnd' \(column 'hnd_x'\)"),
        ("frame,joint,x,y\n\n\n0,0,1,\n", "line 4: joint 0 has no y"),
        ("frame,hand_x,hand_y,hand_z\n0,,2,\n", "line 2: joint 2 has no x and no z"),
        ("frame,joint,x,y\n0,knee,1,2\n", "line 2: layout 'arm' has no joint 'knee'"),
        ("frame,joint,x,y\n0,3,1,2\n", "has no joint '3'"),
        ("frame,joint,x,y\n0,0,1\n", r"line 2: expected 4 columns \(got 3\)"),
        (
            "frame,joint,x,y\n0,0,1,2\n0,shoulder,1,2\n",
            "line 3: joint 0 of frame 0 is listed twice",
        ),
        ("frame,joint,x,y\n0.5,0,1,2\n", "'frame' must be a whole number from 0 on"),
        ("frame,joint,x,y\n-1,0,1,2\n", "'frame' must be a whole number"),
        ("frame,joint,x,y\n0,0,one,2\n", "line 2: 'x' must be a number"),
        ("frame,joint,x,y\n0,0,nan,2\n", "'x' must be a number"),
        ("frame,joint,x,y\n0,0,1,1e300\n", "'y' must be a number"),
        ("frame,joint,x,y\n0,0,,\n", "holds no values"),
        ("frame,joint,x,y\n0,0,1,2\n99999999,0,1,2\n", "more than 67108864 are refused"),
        ("frame,joint,x,y,score\n0,0,1,2,-1\n", "a score is negative"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, text, message):
    path = write(tmp_path, text)
    with pytest.raises(SkeletonFileError, match=message) as error:
        read_csv(path, ARM)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_no_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_csv(tmp_path / "none.csv", skeleton_layout("coco"))
