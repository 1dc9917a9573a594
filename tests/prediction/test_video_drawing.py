"""Predictions on videos, and on the files of their poses."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from pyg_vision.cli import main
from pyg_vision.data import write_skeleton
from pyg_vision.nn import STGCN
from pyg_vision.pose import estimate_pose, read_frames, sources
from pyg_vision.prediction import Predictor, TrainedModel, draw_video, find_skeletons
from pyg_vision.transforms import InterpolateJoints, NormalizePixels, ToLayout
from tests.pose.fakes import Squares, picture, walk, write_video


@pytest.fixture
def video(tmp_path):
    return write_video(tmp_path / "walk.mkv", walk(gaps=(4,)))


def trained(layout="coco"):
    torch.manual_seed(0)
    model = STGCN(3, 4, layout=layout, stages=[(8, 2, 1)]).eval()
    return TrainedModel.of(model, ["clap", "wave", "sit", "walk"])


def test_a_video_is_the_sequence_of_its_poses(video):
    predictor = Predictor(trained())
    (found,) = predictor(video, pose=Squares())
    data = NormalizePixels("share")(estimate_pose(video, Squares()))
    (expected,) = predictor(data)
    assert (found.classes, found.probabilities) == (expected.classes, expected.probabilities)
    assert found.source == str(video)
    windows = predictor(video, pose=Squares(), window=6)
    assert [row.frames for row in windows] == [(0, 6), (6, 12)]


@pytest.mark.parametrize("suffix", [".npz", ".json"])
@pytest.mark.parametrize("layout", ["coco", "openpose"])
def test_the_file_in_between_changes_nothing(video, tmp_path, suffix, layout):
    predictor = Predictor(trained(layout))
    path = write_skeleton(estimate_pose(video, Squares()), tmp_path / f"walk{suffix}")
    (found,), (expected,) = predictor(path), predictor(video, pose=Squares())
    assert (found.classes, found.probabilities) == (expected.classes, expected.probabilities)


def test_pixels_stay_beside_shares(video):
    (sample,) = find_skeletons(video, pose=Squares(), max_gap=0)
    assert float(sample.value.pos.max()) < 1
    there = sample.value.pos.any(dim=1)
    size = torch.tensor([96.0, 64])
    torch.testing.assert_close(sample.value.pixels[there], sample.value.pos[there] * size)
    raw = estimate_pose(video, Squares(), max_gap=0)
    assert torch.equal(sample.value.pixels, raw.pos)


def test_pictures_and_folders_of_frames(tmp_path):
    (tmp_path / "frames").mkdir()
    for i, image in enumerate(walk(3)):
        Image.fromarray(image).save(tmp_path / "frames" / f"{i}.png")
    predictor = Predictor(trained())
    (whole,) = find_skeletons(tmp_path / "frames", pose=Squares())
    assert tuple(whole.value.skeleton_shape) == (1, 3, 17)
    assert predictor(tmp_path / "frames" / "0.png", pose=Squares())[0].source.endswith("0.png")


def test_joints_of_the_model_that_are_not_there(video):
    with pytest.warns(UserWarning, match=r"of layout 'coco' and has no left_hand, right_hand"):
        Predictor(trained("kinect"))(video, pose=Squares())
    data = NormalizePixels("share")(estimate_pose(video, Squares()))
    (found,) = Predictor(trained("openpose"))(data)
    (expected,) = Predictor(trained("openpose"))(ToLayout("openpose")(data.clone()))
    assert found.probabilities == expected.probabilities
    with pytest.raises(ValueError, match="is of another skeleton than the model"):
        Predictor(trained("hand"))(data)


def test_gaps_and_persons(video, tmp_path):
    (open_gap,) = find_skeletons(video, pose=Squares(), max_gap=0)
    (filled,) = find_skeletons(video, pose=Squares())
    data = NormalizePixels("share")(InterpolateJoints()(estimate_pose(video, Squares(), max_gap=0)))
    assert torch.equal(filled.value.x, data.x)
    assert (open_gap.value.x != filled.value.x).any()
    two = write_video(tmp_path / "two.mkv", [picture((4, 8), (60, 40))] * 3)
    for persons in (1, 2):
        (sample,) = find_skeletons(two, pose=Squares(), persons=persons)
        assert sample.value.skeleton_shape.num_persons == persons


def test_what_is_wrong(video, tmp_path):
    predictor = Predictor(trained())
    with pytest.raises(ValueError, match=r"walk\.mkv' is a video; 'pose' must say"):
        predictor(video)
    nobody = write_video(tmp_path / "nobody.mkv", [picture()] * 3)
    with pytest.raises(ValueError, match=r"nobody\.mkv': nobody is found in any of 3 frames"):
        predictor(nobody, pose=Squares())


def test_the_command(video, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sources.POSE_SOURCES, "mediapipe", Squares)
    options = {"in_channels": 3, "layout": "coco", "stages": [[4, 1, 1]]}
    torch.save(STGCN(num_classes=3, **options).state_dict(), tmp_path / "m.pth")
    given = ["--checkpoint", str(tmp_path / "m.pth"), "--model", "stgcn",
             "--options", json.dumps(options)]  # fmt: skip
    assert main(["predict", str(video), *given, "--window", "6"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("  ")[0].partition("walk.mkv ")[2] for line in lines] == ["[0:6]", "[6:12]"]
    Image.fromarray(walk(1)[0]).save(tmp_path / "a.png")
    assert main(["predict", str(tmp_path / "a.png"), *given, "--pose", "mediapipe"]) == 0
    assert "a.png" in capsys.readouterr().out
    assert main(["predict", str(video), *given, "--pose", "eyes"]) == 1
    assert "the source of poses must be one of" in capsys.readouterr().err


def yellow(path):
    """How many pixels of each frame are as yellow as a joint of a large response."""
    frames = [frame.image.astype(int) for frame in read_frames(path)]
    return [(np.abs(image - [0xF2, 0xB9, 0x0C]) < 40).all(axis=-1).sum() for image in frames]


def test_a_drawn_video(video, tmp_path):
    predictor = Predictor(trained())
    found = [*predictor.predict_each(video, pose=Squares(), window=6, stride=3)]
    out = draw_video(predictor.models[0], video, found, tmp_path / "drawn.mp4")
    frames = [*read_frames(out)]
    assert len(frames) == 12
    np.testing.assert_allclose([f.time for f in frames], np.arange(12) / 10, atol=0.011)
    assert frames[0].image.shape == (64 * 7 + 202, 96 * 7, 3)
    assert sum(yellow(out)) > 100
    plain = draw_video(predictor.models[0], video, found, tmp_path / "a.mp4", response=False)
    assert sum(yellow(plain)) < sum(yellow(out))
    with pytest.raises(ValueError, match="there is no prediction to draw"):
        draw_video(predictor.models[0], video, [], tmp_path / "b.mp4")
    few = [*predictor.predict_each(video, top_k=2, pose=Squares(), window=6)]
    with pytest.raises(ValueError, match="of all 4 classes"):
        draw_video(predictor.models[0], video, few, tmp_path / "b.mp4")


def test_a_drawn_video_of_persons(tmp_path):
    two = write_video(tmp_path / "two.mkv", [picture((4, 8), (60, 40))] * 4)
    predictor = Predictor(trained())
    found = [*predictor.predict_each(two, pose=Squares(), window=4, per_person=True)]
    assert [row.person for _, row in found] == [0, 1]
    out = draw_video(predictor.models[0], two, found, tmp_path / "drawn.mp4", response=False)
    found = [*predictor.predict_each(two, pose=Squares(), window=4)]
    plain = draw_video(predictor.models[0], two, found, tmp_path / "b.mp4", response=False)
    labelled, bare = (
        next(read_frames(path)).image[: 64 * 7].min(axis=2) > 200 for path in (out, plain)
    )
    for half in (np.s_[:, : 48 * 7], np.s_[:, 48 * 7 :]):  # the text above each person
        assert (labelled[half] != bare[half]).sum() > 100


def test_the_command_draws_and_merges(video, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sources.POSE_SOURCES, "mediapipe", Squares)
    options = {"in_channels": 3, "layout": "coco", "stages": [[4, 1, 1]]}
    torch.save(STGCN(num_classes=8, **options).state_dict(), tmp_path / "m.pth")
    given = ["--checkpoint", str(tmp_path / "m.pth"), "--model", "stgcn",
             "--options", json.dumps(options), "--window", "6", "--stride", "3"]  # fmt: skip
    files = ["--draw", str(tmp_path / "d.mp4"), "--json", str(tmp_path / "a.json"),
             "--csv", str(tmp_path / "a.csv")]  # fmt: skip
    assert main(["predict", str(video), *given, "--merge", *files]) == 0
    assert len([*read_frames(tmp_path / "d.mp4")]) == 12
    rows = json.loads((tmp_path / "a.json").read_text())
    assert rows[0]["frames"][0] == 0
    assert rows[-1]["frames"][1] == 12
    assert rows[-1]["seconds"][1] == pytest.approx(1.2, abs=0.01)
    assert all(len(row["classes"]) == 5 for row in rows)
    first = (tmp_path / "a.csv").read_text().splitlines()[1].split(",")
    assert first[1:5] == ["0", str(rows[0]["frames"][1]), "0.000",
                          f"{rows[0]['seconds'][1]:.3f}"]  # fmt: skip
    assert len(capsys.readouterr().out.splitlines()) == len(rows)
    assert main(["predict", str(video), str(video), *given, *files]) == 1
    assert "a video is drawn of one video" in capsys.readouterr().err


def test_the_command_on_a_pipe(video, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sources.POSE_SOURCES, "mediapipe", Squares)
    options = {"in_channels": 3, "layout": "coco", "stages": [[4, 1, 1]]}
    torch.save(STGCN(num_classes=3, **options).state_dict(), tmp_path / "m.pth")
    given = ["--checkpoint", str(tmp_path / "m.pth"), "--model", "stgcn",
             "--options", json.dumps(options)]  # fmt: skip
    with video.open("rb") as file:
        monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=file))
        assert main(["predict", "--source", "-", *given, "--window", "2"]) == 0
    shown = capsys.readouterr()
    assert "ms late" in shown.out
    assert "pictures dropped" in shown.err
    for wrong in (["predict", *given], ["predict", str(video), "--source", "0", *given]):
        assert main(wrong) == 1
        assert "give INPUTs, or a live --source" in capsys.readouterr().err
    assert main(["predict", "--source", "99", *given]) == 1
    assert "camera 99 cannot be opened" in capsys.readouterr().err


def test_a_video_is_drawn_to_its_end(tmp_path):
    """Who leaves is in no window behind."""
    path = write_video(tmp_path / "leaves.mkv", walk(6) + [picture()] * 8)
    predictor = Predictor(trained())
    found = [*predictor.predict_each(path, pose=Squares(), window=3, max_gap=0)]
    out = draw_video(predictor.models[0], path, found, tmp_path / "drawn.mp4")
    frames = [frame.image[: 64 * 7] for frame in read_frames(out)]
    assert len(frames) == 14
    assert frames[2].max() > 200 > 60 > frames[13].max()
    found[0][0].value.pos = found[0][0].value.pos.clone()
    for sample, _ in found:
        del sample.value.pixels
    with pytest.raises(ValueError, match="shares of a frame have no place in a picture"):
        draw_video(predictor.models[0], path, found, tmp_path / "b.mp4")


def test_folders_of_several_things(video, tmp_path):
    folder = tmp_path / "mixed"
    folder.mkdir()
    data = estimate_pose(video, Squares())
    write_skeleton(data, folder / "a.npz")
    Image.fromarray(picture()).save(folder / "plot.png")
    video.rename(folder / "walk.mkv")
    assert [s.source[-5:] for s in find_skeletons(folder)] == ["a.npz"]
    found = [*find_skeletons(folder, pose=Squares())]
    assert [s.source[-5:] for s in found] == ["a.npz", "k.mkv"]
    assert torch.equal(found[0].value.x, found[1].value.x)
    (given,) = find_skeletons(data)
    assert torch.equal(given.value.x, found[0].value.x)
    (again,) = find_skeletons(write_skeleton(given.value, tmp_path / "b.json"))
    assert torch.equal(again.value.pos, given.value.pos)


def test_what_is_wrong_is_said_before_anything_is_done(video, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sources.POSE_SOURCES, "mediapipe", lambda: pytest.fail("it was begun"))
    options = {"in_channels": 3, "layout": "coco", "stages": [[4, 1, 1]]}
    torch.save(STGCN(num_classes=3, **options).state_dict(), tmp_path / "m.pth")
    given = ["--checkpoint", str(tmp_path / "m.pth"), "--model", "stgcn",
             "--options", json.dumps(options)]  # fmt: skip
    for arguments, message in (
        ([str(video), "--draw", "a.avi"], "a video is written as .mp4"),
        ([str(video), "--merge"], "of which --window says"),
        ([str(video), "--merge", "--window", "6", "--top_k", "0"], "'top_k'"),
        (["--source", "-", "--json", "a.json"], "--json is of INPUTs"),
    ):
        assert main(["predict", *arguments, *given]) == 1
        assert message in capsys.readouterr().err


def test_all_labels_of_a_model_of_several(video, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sources.POSE_SOURCES, "mediapipe", Squares)
    options = {"in_channels": 3, "layout": "coco", "stages": [[4, 1, 1]]}
    torch.save(STGCN(num_classes=8, **options).state_dict(), tmp_path / "m.pth")
    given = ["--checkpoint", str(tmp_path / "m.pth"), "--model", "stgcn",
             "--options", json.dumps(options), "--json", str(tmp_path / "a.json")]  # fmt: skip
    for more, count in (([], 5), (["--multi_label"], 8), (["--multi_label", "--top_k", "2"], 2)):
        assert main(["predict", str(video), *given, *more]) == 0
        (row,) = json.loads((tmp_path / "a.json").read_text())
        assert len(row["classes"]) == count
