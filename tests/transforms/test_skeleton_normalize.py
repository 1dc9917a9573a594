import pytest
import torch

from pyg_vision.data import SkeletonLayout, skeleton_sequence
from pyg_vision.transforms import CenterByScore, CenterSkeleton, ScaleSkeleton

STICK = SkeletonLayout("stick", ("a", "b", "c"), ((1, 0), (2, 1)), center=1)


def sequence(dims=3, score=False):
    """Two persons; the first comes a frame late, the second leaves a frame early."""
    keypoints = torch.randn(2, 5, 3, dims) + 3
    keypoints[0, 0] = 0
    keypoints[1, 4] = 0
    column = torch.rand(2, 5, 3) + 0.1 if score else None
    return skeleton_sequence(keypoints, STICK, score=column), keypoints


SEEN = torch.ones(2, 5, dtype=torch.bool)
SEEN[0, 0] = SEEN[1, 4] = False


def arrays(data):
    assert torch.equal(data.x[:, : data.pos.size(1)], data.pos)
    return data.pos.view(2, 5, 3, -1)


@pytest.mark.parametrize(("joint", "index"), [(None, 1), (2, 2), ("a", 0)])
def test_centre_of_the_first_frame_in_which_anyone_is_seen(joint, index):
    data, pos = sequence()
    out = arrays(CenterSkeleton(joint)(data))
    torch.testing.assert_close(out[SEEN], (pos - pos[1, 0, index])[SEEN])  # the second person
    assert (out[~SEEN] == 0).all(), "missing frames stay zero nodes"
    assert torch.equal(data.pos.view(2, 5, 3, 3), pos), "the input stays as it is"
    late = pos.clone()
    late[:, :2] = 0
    out = CenterSkeleton(joint)(skeleton_sequence(late, STICK)).pos.view(2, 5, 3, 3)
    torch.testing.assert_close(out[0, 2:], late[0, 2:] - late[0, 2, index])


def test_centre_of_every_frame():
    data, pos = sequence()
    out = arrays(CenterSkeleton(every_frame=True)(data))
    origin = torch.cat((pos[1:, :1, 1:2], pos[:1, 1:, 1:2]), dim=1)  # of the first one seen
    torch.testing.assert_close(out[SEEN], (pos - origin)[SEEN])
    assert (out[0, 1:, 1] == 0).all()
    assert (out[~SEEN] == 0).all()
    nobody = skeleton_sequence(torch.zeros(1, 4, 3, 3), STICK)
    assert (CenterSkeleton(every_frame=True)(nobody).x == 0).all()


@pytest.mark.parametrize(
    "transform",
    [CenterSkeleton(), CenterSkeleton(every_frame=True), ScaleSkeleton(), ScaleSkeleton("bone")],
)
def test_joints_that_were_not_found_stay_zero_and_do_not_count(transform):
    keypoints, score = torch.rand(1, 4, 3, 2) + 5, torch.rand(1, 4, 3) + 0.1
    score[0, 2, 2] = 0
    keypoints[0, 2, 2] = 0
    out = transform(skeleton_sequence(keypoints, STICK, score=score))
    assert (out.pos.view(1, 4, 3, 2)[0, 2, 2] == 0).all()
    without = keypoints.clone()
    without[0, 2, 2] = without[0, 2, 1]  # in the middle of others, so that it sets no extent
    if isinstance(transform, ScaleSkeleton) and transform.to == "min_max":
        expected = transform(skeleton_sequence(without, STICK)).pos.view(1, 4, 3, 2)
        torch.testing.assert_close(out.pos.view(1, 4, 3, 2)[score != 0], expected[score != 0])


def test_centre_is_one_that_was_found():
    keypoints, score = torch.rand(1, 4, 3, 2) + 5, torch.ones(1, 4, 3)
    keypoints[0, :2, 1] = score[0, :2, 1] = 0
    data = skeleton_sequence(keypoints, STICK, score=score)
    out = CenterSkeleton()(data).pos.view(4, 3, 2)
    torch.testing.assert_close(out[3], keypoints[0, 3] - keypoints[0, 2, 1])
    out = CenterSkeleton(every_frame=True)(data).pos.view(4, 3, 2)
    assert torch.equal(out[:2], keypoints[0, :2])
    torch.testing.assert_close(out[2:], keypoints[0, 2:] - keypoints[0, 2:, 1:2])


def test_score_stays():
    data, _ = sequence(score=True)
    for transform in (CenterSkeleton(), ScaleSkeleton()):
        assert torch.equal(transform(data).x[:, 3], data.x[:, 3])


def test_min_max_fills_the_box():
    data, pos = sequence()
    out = arrays(ScaleSkeleton("min_max")(data))
    rows = out[SEEN].flatten(0, 1)
    torch.testing.assert_close(rows.amin(dim=0), -torch.ones(3))
    torch.testing.assert_close(rows.amax(dim=0), torch.ones(3))
    assert (out[~SEEN] == 0).all()
    low, high = pos[SEEN].flatten(0, 1).amin(dim=0), pos[SEEN].flatten(0, 1).amax(dim=0)
    torch.testing.assert_close(out[SEEN], ((pos - low) / (high - low) * 2 - 1)[SEEN])


def test_max_abs_and_bone():
    data, pos = sequence()
    torch.testing.assert_close(arrays(ScaleSkeleton("max_abs")(data)), pos / pos.abs().max())
    out = arrays(ScaleSkeleton("bone")(data))
    bones = torch.stack((out[:, :, 1] - out[:, :, 0], out[:, :, 2] - out[:, :, 1]), dim=2)
    torch.testing.assert_close(bones[SEEN].norm(dim=-1).mean(), torch.tensor(1.0))


@pytest.mark.parametrize("to", ["min_max", "max_abs", "bone"])
def test_degenerate_sequences_stay_finite(to):
    for keypoints in (torch.zeros(2, 5, 3, 3), torch.ones(2, 5, 3, 3)):
        out = ScaleSkeleton(to)(skeleton_sequence(keypoints, STICK))
        assert out.x.isfinite().all()
    flat = torch.randn(2, 5, 3, 3)
    flat[..., 2] = 4
    assert ScaleSkeleton(to)(skeleton_sequence(flat, STICK)).x.isfinite().all()
    assert (ScaleSkeleton()(skeleton_sequence(flat, STICK)).x[:, 2] == 0).all()


def test_joints_that_were_not_found_go_to_the_middle():
    keypoints, score = torch.rand(1, 4, 3, 2), torch.rand(1, 4, 3) + 0.1
    score[0, 2, 1] = 0
    out = CenterByScore()(skeleton_sequence(keypoints, STICK, score=score))
    pos = out.pos.view(1, 4, 3, 2)
    assert (pos[0, 2, 1] == 0).all()
    others = score != 0
    torch.testing.assert_close(pos[others], (keypoints - 0.5)[others])
    assert torch.equal(out.x[:, 2], score.flatten())


def test_wrong_uses_are_named():
    data, _ = sequence()
    with pytest.raises(ValueError, match="has no score: its 3 channels"):
        CenterByScore()(data)
    with pytest.raises(ValueError, match=r"'to' must be one of min_max, .*'unit'"):
        ScaleSkeleton("unit")
    with pytest.raises(ValueError, match=r"'stick' has joints 0 to 2 \(got 3\)"):
        CenterSkeleton(3)(data)
    with pytest.raises(ValueError, match="'stick' has no joint 'knee'"):
        CenterSkeleton("knee")(data)
    del data.pos
    with pytest.raises(ValueError, match="coordinates of its joints as 'pos'"):
        CenterSkeleton()(data)
