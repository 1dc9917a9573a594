import math

import numpy as np
import pytest
import torch

from pyg_vision.data import SkeletonLayout, skeleton_sequence
from pyg_vision.transforms import (
    RandomFlipSkeleton,
    RandomMoveSkeleton,
    RandomRotateSkeleton,
    RandomScaleSkeleton,
)

ARMS = SkeletonLayout(
    "arms", ("neck", "left", "right"), ((1, 0), (2, 0)), center=0, pairs=((1, 2),)
)


def sequence(dims=3, frames=6, score=True):
    keypoints = torch.randn(2, frames, 3, dims).double()
    keypoints[1, 2] = 0
    column = torch.rand(2, frames, 3).double() if score else None
    return skeleton_sequence(keypoints, ARMS, score=column), keypoints


ALL = [
    RandomRotateSkeleton((60, 60, 30)),
    RandomScaleSkeleton(0.5, 1.5),
    RandomFlipSkeleton(1.0),
    RandomMoveSkeleton(),
]


@pytest.mark.parametrize("transform", ALL, ids=lambda t: type(t).__name__)
def test_laws_of_a_view(transform):
    data, _ = sequence()
    before = data.clone()
    out = transform(data)
    assert torch.equal(data.x, before.x), "the input stays as it is"
    assert torch.equal(out.x[:, :3], out.pos)
    assert (out.pos.view(2, 6, 9)[1, 2] == 0).all(), "missing frames stay zero nodes"
    assert not torch.allclose(out.pos, data.pos)
    assert out.skeleton_shape == data.skeleton_shape
    assert out.pos.dtype == torch.double
    again = transform(data)
    if not isinstance(transform, RandomFlipSkeleton):
        assert not torch.equal(again.pos, out.pos), "a view is random"
    torch.manual_seed(3)
    first = transform(data).pos
    torch.manual_seed(3)
    assert torch.equal(transform(data).pos, first), "and follows the seed"


def test_rotation_keeps_lengths_and_is_the_same_for_all():
    data, pos = sequence()
    out = RandomRotateSkeleton((60, 60, 60))(data).pos.view_as(pos)
    torch.testing.assert_close(out.norm(dim=-1), pos.norm(dim=-1), rtol=1e-5, atol=1e-6)
    rows, turned = pos.view(-1, 3), out.view(-1, 3)
    matrix = torch.linalg.lstsq(rows, turned).solution
    torch.testing.assert_close(rows @ matrix, turned, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(torch.linalg.det(matrix), torch.tensor(1.0).double(), rtol=1e-4,
                               atol=1e-4)  # fmt: skip


def test_rotation_about_one_axis_leaves_it_alone():
    data, pos = sequence()
    out = RandomRotateSkeleton((0, 40, 0))(data).pos.view_as(pos)
    torch.testing.assert_close(out[..., 1], pos[..., 1])
    assert not torch.allclose(out[..., 0], pos[..., 0])


def test_rotation_stays_within_its_angle():
    one = skeleton_sequence(torch.tensor([[[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]]), ARMS)
    angles = []
    for _ in range(50):
        x, y = RandomRotateSkeleton(20)(one).pos[0].tolist()
        angles.append(math.degrees(math.atan2(y, x)))
    assert max(map(abs, angles)) <= 20.001
    assert max(angles) > 10
    assert min(angles) < -10


def test_scale_stays_within_its_bounds():
    data, pos = sequence()
    factors = []
    for _ in range(50):
        out = RandomScaleSkeleton(0.5, 1.5)(data).pos.view_as(pos)
        factor = (out / pos)[0, 0, 0, 0]
        torch.testing.assert_close(out, pos * factor)
        factors.append(float(factor))
    assert 0.5 <= min(factors) < 0.7
    assert 1.3 < max(factors) <= 1.5


def test_flip_exchanges_left_and_right():
    data, pos = sequence()
    out = RandomFlipSkeleton(1.0, middle=0.5)(data)
    mirrored = pos[:, :, [0, 2, 1]].clone()
    mirrored[..., 0] = 1 - mirrored[..., 0]
    mirrored[1, 2] = 0
    torch.testing.assert_close(out.pos.view_as(pos), mirrored)
    score = data.x[:, 3].view(2, 6, 3)
    assert torch.equal(out.x[:, 3].view(2, 6, 3), score[:, :, [0, 2, 1]])
    twice = RandomFlipSkeleton(1.0, middle=0.5)(out)
    torch.testing.assert_close(twice.x, data.x)


@pytest.mark.parametrize("transform", [RandomFlipSkeleton(1.0, middle=0.5), RandomMoveSkeleton()])
def test_joints_that_were_not_found_stay_zero(transform):
    keypoints, score = torch.rand(1, 4, 3, 2) + 1, torch.rand(1, 4, 3) + 0.1
    keypoints[0, 2, 1] = score[0, 2, 1] = 0  # the left one
    out = transform(skeleton_sequence(keypoints, ARMS, score=score)).x.view(1, 4, 3, 3)
    side = 2 if isinstance(transform, RandomFlipSkeleton) else 1
    assert (out[0, 2, side] == 0).all()
    assert (out != 0).sum() == 4 * 3 * 3 - 3


def test_flip_has_its_probability():
    data, _ = sequence()
    flips = sum(not torch.equal(RandomFlipSkeleton(0.25)(data).pos, data.pos) for _ in range(400))
    assert 60 < flips < 140
    assert torch.equal(RandomFlipSkeleton(0.0)(data).pos, data.pos)


def test_move_changes_smoothly_and_in_the_plane():
    still = torch.randn(1, 1, 3, 3).double().repeat(1, 60, 1, 1)
    out = RandomMoveSkeleton(shift=0.3, nodes=3)(skeleton_sequence(still, ARMS))
    path = out.pos.view(60, 3, 3)
    assert torch.equal(path[..., 2], still[0, ..., 2])
    steps = (path[1:] - path[:-1]).norm(dim=-1)
    assert steps.max() < 0.2
    assert (path[0] - path[-1]).norm() > 1e-3
    unmoved = RandomMoveSkeleton(0, (1, 1), 0)(skeleton_sequence(still, ARMS))
    torch.testing.assert_close(unmoved.pos, still.reshape(-1, 3))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: RandomRotateSkeleton((1, 2)), "one angle, or three"),
        (lambda: RandomRotateSkeleton(-1), "not negative"),
        (lambda: RandomRotateSkeleton(math.nan), "not negative"),
        (lambda: RandomScaleSkeleton(0, 1), "positive and in order"),
        (lambda: RandomScaleSkeleton(2, 1), "positive and in order"),
        (lambda: RandomFlipSkeleton(1.5), "must be a probability"),
        (lambda: RandomMoveSkeleton(nodes=0), "'nodes' at least 1"),
    ],
)
def test_wrong_arguments_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_wrong_inputs_are_named():
    data, _ = sequence()
    with pytest.raises(ValueError, match=r"1 angle\(s\) do not fit coordinates of 3"):
        RandomRotateSkeleton(10)(data)
    with pytest.raises(ValueError, match=r"'axis' must be one of 3 coordinates \(got 3\)"):
        RandomFlipSkeleton(axis=3)(data)
    hand = skeleton_sequence(torch.zeros(2, 21, 3), "hand")
    with pytest.raises(ValueError, match="layout 'hand' has no left and right"):
        RandomFlipSkeleton()(hand)


def test_rotation_in_the_order_of_pyskl(monkeypatch):
    angles = np.array([0.3, -0.2, 0.1])
    c, s = np.cos(-angles), np.sin(-angles)  # it turns the other way round
    rx = np.array([[1, 0, 0], [0, c[0], s[0]], [0, -s[0], c[0]]])
    ry = np.array([[c[1], 0, -s[1]], [0, 1, 0], [s[1], 0, c[1]]])
    rz = np.array([[c[2], s[2], 0], [-s[2], c[2], 0], [0, 0, 1]])
    keypoints = np.random.default_rng(0).normal(size=(1, 2, 25, 3))
    wanted = np.einsum("ab,mtvb->mtva", rz @ ry @ rx, keypoints)
    drawn = iter(np.degrees(angles))
    monkeypatch.setattr(
        "pyg_vision.transforms.skeleton_augment.uniform", lambda *_: torch.tensor(next(drawn))
    )
    out = RandomRotateSkeleton([20, 20, 20], order="xyz")(skeleton_sequence(keypoints, "ntu"))
    np.testing.assert_allclose(out.pos.view(1, 2, 25, 3), wanted, rtol=1e-6, atol=1e-6)


def test_the_order_of_rotation_names_each_axis():
    with pytest.raises(ValueError, match="'order' must hold x, y and z once each"):
        RandomRotateSkeleton([1, 1, 1], order="xyx")
