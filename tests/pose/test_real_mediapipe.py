"""MediaPipe itself, which `make test-pose` installs, on the real clips."""

import pytest
import torch

from pyg_vision.cli import main
from pyg_vision.data import write_skeleton
from pyg_vision.data.readers import read_pose
from pyg_vision.nn import STGCN
from pyg_vision.pose import MediaPipeHands, MediaPipePose, estimate_pose, read_frames
from pyg_vision.prediction import Predictor, TrainedModel

pytestmark = pytest.mark.pose


@pytest.fixture
def clip(shared):
    return shared / "data" / "videos" / "ta_chi.mp4"


def test_one_person_in_every_frame(clip, tmp_path):
    with MediaPipePose() as source:
        data = estimate_pose(clip, source, max_frames=40)
        again = estimate_pose(clip, source, max_frames=40)
    assert tuple(data.skeleton_shape) == (1, 40, 33)
    assert data.frame_size == (340, 256)
    assert torch.equal(data.x, again.x)
    pos = data.pos.view(40, 33, 2)
    head, feet = pos[:, 0], pos[:, 27:29].mean(1)
    assert (head[:, 1] < feet[:, 1]).all()
    assert ((pos > -50) & (pos < 400)).all()
    assert (data.x.view(40, 33, 3)[:, 11:13, 2] > 0.9).all()
    assert torch.equal(read_pose(write_skeleton(data, tmp_path / "a.npz")).x, data.x)


def test_metres(clip):
    with MediaPipePose("world") as source:
        data = estimate_pose(clip, source, max_frames=5)
    pos = data.pos.view(5, 33, 3)
    assert (pos[:, 23:25].mean(1).abs() < 0.05).all()  # around the hips
    assert ((pos[:, 0] - pos[:, 27:29].mean(1)).norm(dim=1) > 0.8).all()
    assert data.pixels.shape == (5 * 33, 2)


def test_a_clip_without_hands_in_sight(clip):
    with MediaPipeHands() as source:
        found = [len(source.find(frame).joints) for frame in list(read_frames(clip))[:3]]
    assert max(found) <= 2


def test_the_command(clip, tmp_path, capsys):
    torch.manual_seed(0)
    model = STGCN(3, 4, layout="openpose", stages=[(8, 1)]).eval()
    predictor = Predictor(TrainedModel.of(model))
    out = tmp_path / "pose.npz"
    assert main(["pose", str(clip), "--out", str(out), "--max_frames", "30"]) == 0
    assert "30 frames, 1 person of 33 joints ('mediapipe')" in capsys.readouterr().out
    (found,) = predictor(out)
    with MediaPipePose() as source:
        frames = [frame for _, frame in zip(range(30), read_frames(clip), strict=False)]
        (expected,) = predictor(estimate_pose(frames, source))
    assert found.probabilities == expected.probabilities
