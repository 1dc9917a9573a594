import threading
import time

import numpy as np
import pytest
import torch

from pyg_vision.nn import STGCN, ViG
from pyg_vision.pose import Frame, VideoError, estimate_pose
from pyg_vision.prediction import Predictor, TrainedModel
from pyg_vision.transforms import NormalizePixels
from tests.pose.fakes import Squares, picture, walk, write_video


def predictor(classes=3):
    torch.manual_seed(0)
    model = STGCN(3, classes, layout="coco", stages=[(8, 2, 1)]).eval()
    return Predictor(TrainedModel.of(model))


def test_each_window_is_that_of_its_pictures(tmp_path):
    frames = walk(14, gaps=(5,))
    found = [*predictor().stream(frames, Squares(), window=6, stride=2)]
    assert len(found) == 5
    assert all(one.dropped == 0 and one.latency > 0 for one in found)
    for i, one in enumerate(found):
        part = [Frame(image, t / 30) for t, image in enumerate(frames)][2 * i : 2 * i + 6]
        assert (one.frame.image == part[-1].image).all()
        assert one.frame.time == part[-1].time
        data = NormalizePixels("share")(estimate_pose(part, Squares()))
        (expected,) = predictor()(data)
        assert one.prediction.classes == expected.classes
        assert one.prediction.probabilities == expected.probabilities
        assert one.prediction.seconds == pytest.approx((2 * i / 30, (2 * i + 6) / 30))
        assert len(one.people.joints) == (2 * i + 5 != 5)


def test_windows_without_people_have_no_prediction():
    frames = [picture()] * 4 + walk(4)
    found = [*predictor().stream(frames, Squares(), window=3)]
    assert [one.prediction is None for one in found] == [True, True, False, False, False, False]


class Slow(Squares):
    """Takes its time with each picture."""

    def find(self, frame):
        time.sleep(0.03)
        return super().find(frame)


def paced(frames, pause):
    for i, image in enumerate(frames):
        time.sleep(pause)
        yield Frame(image, i * pause)


def test_the_newest_picture_wins_where_it_is_behind():
    frames = [picture((40, 24))] * 60
    found = [*predictor().stream(paced(frames, 0.005), Slow(), window=2, realtime=True)]
    times = [one.frame.time for one in found]
    assert times == sorted(times)
    assert len(found) < 40
    assert found[-1].dropped > 15
    assert found[-1].dropped + len(found) <= 60
    whole = [*predictor().stream(paced(frames[:12], 0.001), Slow(), window=2)]
    assert len(whole) == 11
    assert whole[-1].dropped == 0


def test_what_goes_wrong_in_a_thread_is_raised(tmp_path):
    path = write_video(tmp_path / "a.mkv", walk(3))

    class Broken(Squares):
        def find(self, frame):
            raise ValueError("no such joint")

    with pytest.raises(ValueError, match="no such joint"):
        list(predictor().stream(path, Broken(), window=2))
    with pytest.raises(VideoError, match="camera 99 cannot be opened"):
        list(predictor().stream(99, Squares()))
    mixed = [picture((8, 8)), picture((8, 8), size=(32, 32))]
    with pytest.raises(ValueError, match="all pictures must be of one size"):
        list(predictor().stream(mixed, Squares(), window=2))
    with pytest.raises(FileNotFoundError):
        list(predictor().stream("nowhere.mp4", Squares()))


def test_who_stops_listening_ends_the_threads():
    before = threading.active_count()
    stream = predictor().stream(walk(50), Squares(), window=2)
    next(stream)
    stream.close()
    for _ in range(100):
        if threading.active_count() <= before:
            break
        time.sleep(0.02)
    assert threading.active_count() <= before


def test_wrong_options():
    with pytest.raises(ValueError, match="'window'"):
        predictor().stream([], Squares(), window=0)
    with pytest.raises(ValueError, match="'stride'"):
        predictor().stream([], Squares(), stride=0)
    vig = ViG(channels=16, depth=1, k=3, num_classes=2, image_size=32).eval()
    with pytest.raises(TypeError, match="for models of skeletons"):
        Predictor(TrainedModel.of(vig)).stream([], Squares())
    assert not [*predictor().stream(walk(3), Squares(), window=5)]
    assert np.isfinite([one.latency for one in predictor().stream(walk(3), Squares(), 2)]).all()
