import warnings

import numpy as np
import pytest
import torch

from pyg_vision.data import skeleton_layout, write_skeleton
from pyg_vision.data.readers import read_skeletons
from pyg_vision.pose import (
    FoundPeople,
    Frame,
    KeypointRCNN,
    PoseSource,
    VideoError,
    estimate_pose,
)
from pyg_vision.transforms import NormalizePixels
from tests.pose.fakes import SIZE, Detector, Squares, picture, walk, write_video


def test_pixels_scores_times_and_size(tmp_path):
    path = write_video(tmp_path / "a.mkv", walk(), fps=5)
    with Squares() as source:
        data = estimate_pose(path, source)
        assert source.resets == 1
    assert source.closed
    assert tuple(data.skeleton_shape) == (1, 12, 17)
    assert data.layout.name == "coco"
    assert data.frame_size == SIZE
    found = data.x.view(12, 17, 3)
    expected = 8 + 4 * torch.arange(12.0)[:, None] + 4 + torch.linspace(0, 2, 17)
    torch.testing.assert_close(found[..., 0], expected, atol=0.6, rtol=0)
    torch.testing.assert_close(found[..., 2], torch.full((12, 17), 0.9))
    torch.testing.assert_close(data.time.view(12, 17)[:, 3], torch.arange(12).double() / 5)
    share = NormalizePixels("share")(data.clone()).pos
    torch.testing.assert_close(share * torch.tensor(SIZE), data.pos)


def test_gaps_are_filled_with_a_lower_score():
    data = estimate_pose(walk(gaps=(3, 4, 9)), Squares())
    found = data.x.view(12, 17, 3)
    torch.testing.assert_close(found[[3, 4, 9], 0, 0], 12 + 4 * torch.tensor([3.0, 4, 9]))
    torch.testing.assert_close(found[[3, 4, 9], :, 2], torch.full((3, 17), 0.45))
    none = estimate_pose(walk(gaps=(3, 4, 9)), Squares(), max_gap=0).x.view(12, 17, 3)
    assert (none[[3, 4, 9]] == 0).all()
    short = estimate_pose(walk(gaps=(3, 4, 9)), Squares(), max_gap=1).x.view(12, 17, 3)
    assert (short[[3, 4]] == 0).all()
    assert (short[9] != 0).all()


def test_people_who_change_places_are_followed():
    """The order of people in a picture is from left to right; they cross."""
    pictures = [picture((4 + 6 * t, 8), (76 - 6 * t, 44)) for t in range(13)]
    data = estimate_pose(pictures, Squares())
    rows = data.pos.view(2, 13, 17, 2)[..., 1].mean(dim=2)
    assert (rows[0] < 32).all()
    assert (rows[1] > 32).all()
    plain = estimate_pose(pictures, Squares(), track=False)
    mixed = plain.pos.view(2, 13, 17, 2)[..., 1].mean(dim=2)
    assert (mixed[0] > 32).any()


class Scores(Squares):
    """Three people, the second of whom is the surest."""

    def find(self, frame):
        joints = np.arange(3.0)[:, None, None] * np.ones((3, 17, 2), np.float32) + 1
        score = np.array([0.5, 0.9, 0.7])[:, None] * np.ones((3, 17))
        return FoundPeople(joints, score)


def test_the_surest_persons_stay_in_their_order():
    data = estimate_pose(walk(2), Scores(), num_persons=2, track=False)
    assert data.pos.view(2, 2, 17, 2)[:, 0, 0, 0].tolist() == [2, 3]


class Metres(PoseSource):
    """Joints in metres, and where they are in the picture."""

    layout = skeleton_layout("hand")

    def find(self, frame):
        return FoundPeople(
            np.full((1, 21, 3), 0.5), np.ones((1, 21)), np.full((1, 21, 2), 9.0, np.float32)
        )


def test_metres_come_with_pixels():
    data = estimate_pose(walk(2), Metres())
    assert data.pos.shape == (42, 3)
    assert (data.pixels == 9).all()
    assert data.pixels.shape == (42, 2)


def test_what_is_wrong(tmp_path):
    with pytest.raises(ValueError, match="nobody is found in any of 2 frames"):
        estimate_pose([picture(), picture()], Squares())
    with pytest.raises(VideoError, match="the video holds no pictures"):
        estimate_pose([], Squares())
    with pytest.raises(ValueError, match=r"of one size \(got 32 x 32 after 96 x 64\)"):
        estimate_pose([picture((0, 0)), picture(size=(32, 32))], Squares())
    with pytest.raises(ValueError, match="'num_persons'"):
        estimate_pose([], Squares(), num_persons=0)
    with pytest.raises(ValueError, match="'max_gap'"):
        estimate_pose([], Squares(), max_gap=-1)


def test_progress_and_few_frames():
    seen = []

    def count(frames):
        for frame in frames:
            seen.append(frame.time)
            yield frame

    data = estimate_pose(walk(), Squares(), progress=count, max_frames=4)
    assert data.skeleton_shape.num_frames == len(seen) == 4


def test_times_are_those_of_frames_whoever_is_in_them(tmp_path):
    pictures = [picture((4, 8), (60, 40)), picture((6, 8)), picture(), picture((10, 8), (66, 40))]
    frames = [
        Frame(image, time) for image, time in zip(pictures, (1.0, 1.5, 3.0, 4.0), strict=True)
    ]
    for gap in (0, 3):
        data = estimate_pose(frames, Squares(), max_gap=gap)
        times = data.time.view(data.skeleton_shape)
        assert (times == torch.tensor([1.0, 1.5, 3.0, 4.0]).double()[:, None]).all()
        (found,) = read_skeletons(write_skeleton(data, tmp_path / "a.npz"))
        assert torch.equal(found.time, data.time)
    x = data.x.view(2, 4, 17, 3)[1, :, 0, 0]  # by time: 66 at 4 s, 60 at 1 s
    torch.testing.assert_close(x, x[0] + 2 * torch.tensor([0.0, 0.5, 2.0, 3.0]))


def test_pictures_as_other_libraries_hold_them():
    flipped = picture((8, 8))[:, :, ::-1]
    data = estimate_pose([flipped], KeypointRCNN(Detector(), min_score=0.5))
    assert data.skeleton_shape.num_persons == 2
    frozen = picture((8, 8))
    frozen.flags.writeable = False
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        estimate_pose([frozen], KeypointRCNN(Detector(), min_score=0.5))
