import pytest

from pyg_vision.pose import MediaPipeHands, MediaPipePose, open_pose_source, sources


def test_names(monkeypatch):
    made = []
    for name in sources.POSE_SOURCES:
        monkeypatch.setitem(
            sources.POSE_SOURCES, name, lambda name=name, **options: made.append((name, options))
        )
    open_pose_source("mediapipe", video=False)
    open_pose_source("keypoint-rcnn:a/b.pth", min_score=0.5)
    assert made == [
        ("mediapipe", {"video": False}),
        ("keypoint-rcnn", {"weights": "a/b.pth", "min_score": 0.5}),
    ]


@pytest.mark.parametrize("name", ["openpose", "", "mediapipe:a.pth"])
def test_no_such_source(name):
    with pytest.raises(ValueError, match="must be one of mediapipe, mediapipe-hands"):
        open_pose_source(name)


def test_what_the_names_stand_for():
    assert sources.POSE_SOURCES["mediapipe"] is MediaPipePose
    assert sources.POSE_SOURCES["mediapipe-hands"] is MediaPipeHands
