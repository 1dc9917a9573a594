"""What is made of MediaPipe's results; the models themselves run in `make test-pose`."""

import sys

import numpy as np
import pytest

from pyg_vision.pose import MediaPipeHands, MediaPipePose, estimate_pose
from tests.pose.fakes import Solution, fake_mediapipe, picture


@pytest.fixture
def mediapipe(monkeypatch):
    made = []

    def make(**options):
        made.append(Solution(every=2, **options))
        return made[-1]

    monkeypatch.setitem(sys.modules, "mediapipe", fake_mediapipe(make))
    return made


def test_a_pose(mediapipe):
    with MediaPipePose() as source:
        data = estimate_pose([picture()] * 3, source, max_gap=0)
    assert mediapipe[0].options["static_image_mode"] is False
    assert mediapipe[0].resets == 1
    assert mediapipe[0].closed
    assert tuple(data.skeleton_shape) == (1, 3, 33)
    found = data.x.view(3, 33, 3)
    np.testing.assert_allclose(found[0, 4], [(0.25 + 0.004) * 96, 32, 0.96], rtol=1e-6)
    assert (found[1] == 0).all()


def test_metres(mediapipe):
    data = estimate_pose([picture()], MediaPipePose("world"))
    np.testing.assert_allclose(data.pos[4], [0.104, 0.5, -0.1], rtol=1e-6)
    np.testing.assert_allclose(data.pixels[4], [(0.25 + 0.004) * 96, 32], rtol=1e-6)


def test_hands(mediapipe):
    source = MediaPipeHands(num_hands=3, video=False, min_score=0.2)
    assert mediapipe[0].options == {
        "static_image_mode": True, "max_num_hands": 3, "min_detection_confidence": 0.2,
        "min_tracking_confidence": 0.2,
    }  # fmt: skip
    data = estimate_pose([picture()] * 2, source, max_gap=0)
    assert tuple(data.skeleton_shape) == (2, 2, 21)
    found = data.x.view(2, 2, 21, 3)
    np.testing.assert_allclose(found[:, 0, 0], [[24, 32, 0.75], [48, 32, 0.75]])
    assert (found[:, 1] == 0).all()
    metres = estimate_pose([picture()], MediaPipeHands(landmarks="world"))
    np.testing.assert_allclose(metres.pos.view(2, 21, 3)[:, 0, 0], [0.1, 0.2], rtol=1e-6)


def test_wrong_options(mediapipe):
    with pytest.raises(ValueError, match="'landmarks' must be 'image' or 'world'"):
        MediaPipePose("pixels")
    with pytest.raises(ValueError, match="'num_hands'"):
        MediaPipeHands(0)


def test_without_mediapipe(monkeypatch):
    monkeypatch.setitem(sys.modules, "mediapipe", None)
    with pytest.raises(ImportError, match=r"pip install pyg-vision\[pose\]"):
        MediaPipePose()
