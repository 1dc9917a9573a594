import math

import pytest
import torch

from pyg_vision.data import SkeletonLayout, skeleton_sequence
from pyg_vision.transforms import InterpolateJoints, JointToBone, SmoothJoints, ToLayout

STICK = SkeletonLayout("stick", ("a", "b"), ((1, 0),), center=0)


def people(joints=17, dims=2, layout="coco"):
    torch.manual_seed(0)
    keypoints = torch.rand(2, 6, joints, dims, dtype=torch.double) + 0.1
    score = torch.rand(2, 6, joints, dtype=torch.double) + 0.1
    return skeleton_sequence(keypoints, layout, score=score), keypoints, score


def test_the_neck_is_the_middle_of_the_shoulders():
    data, keypoints, score = people()
    data.number = torch.arange(data.num_nodes)
    data.own = data.x[:, 2].clone()
    number = data.number.view(2, 6, 17)
    out = ToLayout("openpose")(data)
    found = out.x.view(2, 6, 18, 3)
    torch.testing.assert_close(found[:, :, 1, :2], keypoints[:, :, 5:7].mean(2))
    torch.testing.assert_close(found[:, :, 1, 2], score[:, :, 5:7].amin(2))
    torch.testing.assert_close(found[:, :, 4, :2], keypoints[:, :, 10])
    torch.testing.assert_close(out.own.view(2, 6, 18)[:, :, 1], score[:, :, 5:7].mean(2))
    assert torch.equal(out.number.view(2, 6, 18)[:, :, 1], number[:, :, 5])
    assert torch.equal(out.pos, out.x[:, :2])
    assert out.layout.name == "openpose"


def test_a_joint_that_is_named_twice():
    data, keypoints, _ = people()
    found = ToLayout("openpose", {"neck": ["nose", "nose", "left_eye"]})(data).pos
    expected = (2 * keypoints[:, :, 0] + keypoints[:, :, 1]) / 3
    torch.testing.assert_close(found.view(2, 6, 18, 2)[:, :, 1], expected)


def test_joints_that_are_not_there_have_no_score():
    data, keypoints, score = people()
    score[0, 2, 5] = 0
    data = skeleton_sequence(keypoints, "coco", score=score)
    found = ToLayout("kinect")(data).x.view(2, 6, 20, 3)
    assert (found[:, :, [7, 11, 15, 19]] == 0).all()  # hands and feet
    assert (found[0, 2, 2] == 0).all()  # between the shoulders, one of which was not found
    assert (found[0, 1, 2] != 0).all()
    no_score = skeleton_sequence(keypoints, "coco")
    assert ToLayout("kinect")(no_score).x.shape == (2 * 6 * 20, 2)
    with pytest.raises(ValueError, match="before they become the bone stream"):
        ToLayout("openpose")(JointToBone()(no_score))


def test_gaps_are_filled_by_time():
    keypoints = torch.zeros(1, 7, 2, 2, dtype=torch.double)
    score = torch.zeros(1, 7, 2, dtype=torch.double)
    keypoints[0, [0, 3, 6], 0] = torch.tensor([[1.0, 2], [4, 8], [4, 8]], dtype=torch.double)
    score[0, [0, 3, 6], 0] = torch.tensor([0.8, 0.4, 1.0], dtype=torch.double)
    keypoints[0, [1, 6], 1], score[0, [1, 6], 1] = 5.0, 1.0
    data = skeleton_sequence(keypoints, STICK, score=score)
    out = InterpolateJoints(max_gap=2)(data.clone()).x.view(7, 2, 3)
    expected = [[1, 2, 0.8], [2, 4, 0.2], [3, 6, 0.2], [4, 8, 0.4], [4, 8, 0.2], [4, 8, 0.2],
                [4, 8, 1]]  # fmt: skip
    torch.testing.assert_close(out[:, 0], torch.tensor(expected, dtype=torch.double))
    assert torch.equal(out[:, 1], data.x.view(7, 2, 3)[:, 1])  # its gap is too long
    long = InterpolateJoints(max_gap=4, trust=1.0)(data.clone()).x.view(7, 2, 3)
    assert (long[1:, 1] == torch.tensor([5.0, 5.0, 1.0])).all()
    assert (long[0, 1] == 0).all()  # nothing before it
    data.time = torch.tensor([0, 1, 9, 10, 11, 12, 13.0]).double().repeat_interleave(2)
    timed = InterpolateJoints(max_gap=2)(data.clone())
    torch.testing.assert_close(
        timed.x.view(7, 2, 3)[1:3, 0, 0], torch.tensor([1.3, 3.7], dtype=torch.double)
    )
    assert torch.equal(timed.time, data.time)


def one_euro(values, min_cutoff, beta, speed_cutoff, dt):
    """The filter of the paper, for one coordinate."""

    def alpha(cutoff):
        return 1 / (1 + 1 / (2 * math.pi * cutoff * dt))

    found, speed = [values[0]], 0.0
    for value in values[1:]:
        change = (value - found[-1]) / dt
        speed = alpha(speed_cutoff) * change + (1 - alpha(speed_cutoff)) * speed
        a = alpha(min_cutoff + beta * abs(speed))
        found.append(a * value + (1 - a) * found[-1])
    return found


def test_the_filter_is_that_of_the_paper():
    torch.manual_seed(0)
    values = torch.randn(1, 20, 2, 3, dtype=torch.double).cumsum(1) + 5
    data = skeleton_sequence(values, STICK)
    found = SmoothJoints(2.0, 0.3, 1.5, fps=25.0)(data).pos.view(20, 6)
    for i, track in enumerate(values.view(20, 6).t().tolist()):
        expected = one_euro(track, 2.0, 0.3, 1.5, 1 / 25)
        torch.testing.assert_close(found[:, i], torch.tensor(expected, dtype=torch.double))


def test_tracks_begin_anew_behind_a_gap():
    values = torch.randn(1, 20, 2, 2, dtype=torch.double) + 9
    score = torch.ones(1, 20, 2, dtype=torch.double)
    score[0, 8:10, 1] = 0
    whole = SmoothJoints()(skeleton_sequence(values, STICK, score=score)).pos.view(20, 2, 2)
    part = SmoothJoints()(skeleton_sequence(values[:, 10:], STICK)).pos.view(10, 2, 2)
    torch.testing.assert_close(whole[10:, 1], part[:, 1])
    assert torch.equal(whole[8:10, 1], values[0, 8:10, 1])


def test_what_is_wrong():
    with pytest.raises(ValueError, match="'trust'"):
        InterpolateJoints(trust=0)
    with pytest.raises(ValueError, match="'max_gap'"):
        InterpolateJoints(0)
    with pytest.raises(ValueError, match="'fps' must be positive"):
        SmoothJoints(fps=0)
    with pytest.raises(ValueError, match="'beta'"):
        SmoothJoints(beta=-1)
