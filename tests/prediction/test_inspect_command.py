import pytest
import torch
from PIL import Image

from pyg_vision.cli import main
from pyg_vision.data import skeleton_sequence
from pyg_vision.prediction.inspect_command import describe_skeletons
from tests import docstring_files

KINDS = {
    "results_walk.json": "mmpose",
    "hands.json": "mediapipe",
    "walk.bvh": "bvh",
    "kinect.csv": "kinect_csv",
    "NTU60_CV.npz": "ctr_gcn",
    "a13_s02_e02_skeleton3D.txt": "msr_action3d",
    "labels": "yolo_pose",
}


@pytest.fixture
def formats(tmp_path, monkeypatch):
    docstring_files.write_formats(tmp_path / "formats")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "formats"


@pytest.mark.parametrize("name", KINDS)
def test_any_file_is_told_and_drawn(formats, capsys, tmp_path, name):
    assert main(["inspect", str(formats / name)]) == 0
    out = capsys.readouterr().out
    assert f"  format: {KINDS[name]}\n" in out
    assert "  layout: " in out
    picture = tmp_path / f"{(formats / name).stem}.png"
    assert f"'{picture.name}'" in out
    with Image.open(picture) as image:
        assert min(image.size) > 100


def test_what_is_given_holds(formats, capsys, tmp_path):
    path = formats / "person_keypoints_results.json"
    out = tmp_path / "frame.png"
    assert main(["inspect", str(path), "--format", "alphapose", "--draw", str(out)]) == 0
    assert "  frames: 4\n" in capsys.readouterr().out
    assert out.is_file()


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["nowhere.json"], "there is no file or folder"),
        (["formats/actionLabel.txt"], "is no skeleton file that is known"),
        (["formats/walk.bvh", "--format", "film"], "'format' must be"),
        (["formats/walk.bvh", "--layout", "cat"], "'layout' must be one of"),
        (["formats/walk.bvh", "--draw", "nowhere/a.png"], "nowhere/a.png"),
    ],
)
def test_errors_are_one_line(formats, capsys, arguments, problem):
    assert main(["inspect", *arguments]) == 1
    line = capsys.readouterr().err
    assert problem in line
    assert len(line.strip().splitlines()) == 1


def test_joints_that_are_missing(tmp_path):
    score = torch.ones(1, 4, 17)
    score[:, :2, 3] = 0
    first = skeleton_sequence(torch.rand(1, 4, 17, 2) + 1, "coco", y=3, score=score)
    second = skeleton_sequence(torch.rand(2, 6, 17, 2) + 1, "coco", y=1, score=torch.ones(2, 6, 17))
    text = describe_skeletons(tmp_path, "csv", [first, second])
    # Of 16 persons in frames, joint 3 is missing in two.
    assert f"  missing joints: {100 * 2 / (16 * 17):.1f}% (left_ear 12%)" in text
    assert "  frames: 4 to 6" in text
    assert "  persons: 1 to 2" in text
    assert "  classes: 1, 3" in text


def test_a_joint_at_the_origin_is_there(tmp_path):
    keypoints = torch.rand(1, 3, 20, 3) + 1
    keypoints[:, :, 2] = 0
    text = describe_skeletons(tmp_path, "nw_ucla", [skeleton_sequence(keypoints, "kinect")])
    assert "missing joints: none" in text
