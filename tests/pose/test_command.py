import pytest
import torch

from pyg_vision.cli import main
from pyg_vision.data.readers import read_skeletons
from pyg_vision.pose import estimate_pose, sources
from pyg_vision.transforms import SmoothJoints, ToLayout
from tests.pose.fakes import Squares, picture, walk, write_video


@pytest.fixture
def video(tmp_path, monkeypatch):
    monkeypatch.setitem(sources.POSE_SOURCES, "mediapipe", Squares)
    return write_video(tmp_path / "walk.mkv", walk(gaps=(4,)))


@pytest.mark.parametrize("suffix", ["npz", "json", "pkl"])
def test_one_file(video, tmp_path, suffix, capsys):
    out = tmp_path / f"pose.{suffix}"
    assert main(["pose", str(video), "--out", str(out)]) == 0
    assert "12 frames, 1 person of 17 joints ('coco')" in capsys.readouterr().out
    (data,) = read_skeletons(out)
    expected = estimate_pose(video, Squares())
    size = 1.0 if suffix != "json" else torch.tensor(expected.frame_size)
    torch.testing.assert_close(data.pos, expected.pos / size)
    assert torch.equal(data.x[:, 2], expected.x[:, 2])
    first = out.read_bytes()
    main(["pose", str(video), "--out", str(out)])
    assert out.read_bytes() == first


def test_several_files_and_options(video, tmp_path, capsys):
    other = write_video(tmp_path / "run.mkv", walk())
    out = tmp_path / "poses"
    options = ["--layout", "openpose", "--smooth", "--max_gap", "0", "--persons", "1"]
    given = ["pose", str(video), str(other), "--out", str(out), "--format", "npz", *options]
    assert main([*given, "--max_frames", "6"]) == 0
    assert "18 joints ('openpose')" in capsys.readouterr().out
    assert sorted(path.name for path in out.iterdir()) == ["run.npz", "walk.npz"]
    (data,) = read_skeletons(out / "walk.npz")
    found = estimate_pose(video, Squares(), max_gap=0, max_frames=6)
    expected = SmoothJoints()(ToLayout("openpose")(found))
    assert torch.equal(data.x, expected.x)


def test_what_is_wrong_is_one_line(video, tmp_path, capsys):
    write_video(tmp_path / "empty.mkv", [picture()] * 2)
    out = str(tmp_path / "a.npz")
    for arguments, message in (
        ([str(video), str(video), "--out", out], "need a folder"),
        ([str(video), str(video), "--out", str(tmp_path / "p")], "two inputs are called 'walk'"),
        ([str(video), "--out", out, "--layout", "hand"], "no joint of layout 'hand'"),
        ([str(tmp_path / "empty.mkv"), "--out", out], "nobody is found"),
        (["nowhere.mp4", "--out", out], "no file or folder 'nowhere.mp4'"),
        ([str(video), "--out", out, "--pose", "eyes"], "the source of poses must be one of"),
        ([str(video), "--out", out, "--layout", "elk"], "'layout' must be one of"),
        ([str(video), "--out", str(tmp_path / "a.mp3")], "--out must end in"),
    ):
        assert main(["pose", *arguments]) == 1
        error = capsys.readouterr().err.strip()
        assert message in error
        assert len(error.splitlines()) == 1
    assert not (tmp_path / "a.npz").exists()
