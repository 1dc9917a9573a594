from collections import Counter

import numpy as np
import pytest
import torch

from pyg_vision.data import skeleton_layout
from pyg_vision.datasets import SyntheticMotion
from pyg_vision.datasets._figure import ACTIONS, draw_motion

LAYOUT = skeleton_layout("openpose")
CLASSES = ["wave", "clap", "jumping jack", "squat", "march", "kick", "bow"]


def motions(action, count=8, num_frames=60):
    return [draw_motion(np.random.default_rng(i), action, num_frames) for i in range(count)]


def joint(motion, name):
    return motion[:, LAYOUT.joint(name)]


def gap(motion, a, b):
    return np.linalg.norm(joint(motion, a) - joint(motion, b), axis=-1)


def sides(name):
    return f"left_{name}", f"right_{name}"


def test_an_item_is_a_sequence_as_stgcn_takes_it():
    data = SyntheticMotion(3)[2]
    length = data.skeleton_shape.num_frames
    assert data.skeleton_shape == (1, length, 18)
    assert 30 <= length <= 60
    assert data.layout == LAYOUT
    assert data.x.shape == (18 * length, 3)
    assert data.pos.shape == (18 * length, 2)
    assert torch.equal(data.x[:, :2], data.pos)
    assert data.x.dtype == torch.float
    assert data.y.tolist() == [2]


def test_coordinates_lie_in_the_picture_and_scores_are_positive():
    dataset = SyntheticMotion(70, two_persons=0.5)
    for data in dataset:
        assert data.pos.min() > 0.0  # nothing is cut off at the border
        assert data.pos.max() < 1.0
        assert 0.3 <= data.x[:, 2].min()
        assert data.x[:, 2].max() <= 1.0
    highest = torch.stack([data.pos[:, 1].amax() - data.pos[:, 1].amin() for data in dataset])
    assert highest.min() > 0.3


def test_y_points_downwards():
    for data in SyntheticMotion(7):
        joints = data.pos.view(-1, 18, 2)
        ankles = joints[:, [LAYOUT.joint("left_ankle"), LAYOUT.joint("right_ankle")], 1]
        assert (ankles.amax(dim=1) > joints[:, LAYOUT.joint("nose"), 1]).all()


def test_classes_are_balanced_and_named():
    dataset = SyntheticMotion()
    assert len(dataset) == 210
    assert dataset.classes == CLASSES
    assert dataset.num_classes == 7
    assert Counter(dataset.labels) == dict.fromkeys(range(7), 30)


def test_lengths_are_within_the_range_and_reach_its_ends():
    lengths = {data.skeleton_shape[1] for data in SyntheticMotion(60, num_frames=(5, 8))}
    assert lengths == {5, 6, 7, 8}
    assert {data.skeleton_shape[1] for data in SyntheticMotion(10, num_frames=7)} == {7}


def test_the_same_seed_gives_the_same_sequences_however_many_there_are():
    few, many = SyntheticMotion(5, seed=3), SyntheticMotion(9, seed=3)
    for a, b in zip(few, many, strict=False):
        assert torch.equal(a.x, b.x)
        assert a.skeleton_shape == b.skeleton_shape


def test_seeds_and_splits_differ():
    variants = [SyntheticMotion(7, split, 30, seed)[0].x for split, seed in SPLITS]
    for i, a in enumerate(variants):
        for b in variants[:i]:
            assert (a - b).abs().max() > 0.01


SPLITS = [("train", 0), ("test", 0), ("train", 1), ("test", 1)]


def test_no_global_random_state_is_read_or_changed():
    torch.manual_seed(1)
    np.random.seed(1)
    before = torch.get_rng_state(), np.random.get_state()[1].copy()
    first = SyntheticMotion(3)[0].x
    assert torch.equal(before[0], torch.get_rng_state())
    assert np.array_equal(before[1], np.random.get_state()[1])
    torch.manual_seed(2)
    np.random.seed(2)
    assert torch.equal(first, SyntheticMotion(3)[0].x)


@pytest.mark.parametrize("action", ACTIONS)
def test_limbs_keep_their_length_in_space(action):
    for motion in motions(action, 3):
        for child, parent in LAYOUT.edges:
            length = np.linalg.norm(motion[:, child] - motion[:, parent], axis=-1)
            assert length.min() > 0.015
            np.testing.assert_allclose(length, length[0], rtol=1e-12)


@pytest.mark.parametrize("action", ACTIONS)
def test_both_sides_of_a_body_are_alike(action):
    for motion in motions(action, 3):
        for ends in (("shoulder", "elbow"), ("elbow", "wrist"), ("hip", "knee"), ("knee", "ankle")):
            left, right = (gap(motion, *(f"{side}_{end}" for end in ends)) for side in SIDES)
            np.testing.assert_allclose(left, right, rtol=1e-12)


SIDES = ("left", "right")


@pytest.mark.parametrize("action", ACTIONS)
def test_everybody_stands_on_the_ground_unless_they_jump(action):
    for motion in motions(action, 3):
        lowest = np.minimum(*(joint(motion, name)[:, 1] for name in sides("ankle")))
        if action == "jumping_jack":
            assert lowest.max() > 0.03
            lowest = lowest[lowest < 0.005]
            assert lowest.size > 0
        np.testing.assert_allclose(lowest, 0.0, atol=0.005)


def test_bodies_differ():
    arms = [gap(motion, "left_shoulder", "left_elbow")[0] for motion in motions("wave")]
    assert np.std(arms) > 0.002


def test_one_hand_waves_above_the_shoulder():
    for motion in motions("wave"):
        travel = [np.ptp(joint(motion, name), axis=0).max() for name in sides("wrist")]
        acting, other = ("left", "right") if travel[0] > travel[1] else ("right", "left")
        assert max(travel) > 2 * min(travel)
        shoulder = joint(motion, f"{acting}_shoulder")[:, 1]
        assert (joint(motion, f"{acting}_wrist")[:, 1] > shoulder).all()
        assert (joint(motion, f"{other}_wrist")[:, 1] < shoulder - 0.15).all()


def test_clapping_hands_meet_before_the_breast():
    for motion in motions("clap"):
        apart = gap(motion, *sides("wrist"))
        assert apart.min() < 0.06
        assert apart.max() > 0.15
        assert (joint(motion, "left_wrist")[:, 2] > 0.08).all()


def test_a_jumping_jack_opens_arms_and_legs_together():
    for motion in motions("jumping_jack"):
        arms = joint(motion, "left_wrist")[:, 1] - joint(motion, "neck")[:, 1]
        legs = gap(motion, *sides("ankle"))
        assert arms.max() > 0.1
        assert arms.min() < -0.1
        assert np.corrcoef(arms, legs)[0, 1] > 0.9


def test_a_squat_lowers_the_hips_and_keeps_the_feet():
    for motion in motions("squat"):
        hips = joint(motion, "left_hip")[:, 1]
        assert hips.max() > 0.4
        assert hips.min() < 0.33
        assert (np.abs(joint(motion, "left_ankle")[:, 1]) < 0.06).all()


def test_marching_lifts_the_knees_in_turn():
    for motion in motions("march"):
        left, right = (joint(motion, name)[:, 1] for name in sides("knee"))
        assert min(np.ptp(left), np.ptp(right)) > 0.08
        assert np.corrcoef(left, right)[0, 1] < -0.3


def test_one_leg_kicks_forward():
    for motion in motions("kick"):
        reach = [joint(motion, name)[:, 2].max() for name in sides("ankle")]
        assert max(reach) > 0.35
        assert min(reach) < 0.15


def test_a_bow_brings_the_head_forward_and_down():
    for motion in motions("bow"):
        nose = joint(motion, "nose")
        assert np.ptp(nose[:, 1]) > 0.1
        assert np.corrcoef(nose[:, 1], nose[:, 2])[0, 1] < -0.8
        assert np.ptp(joint(motion, "left_hip")[:, 1]) < 0.02


@pytest.mark.parametrize(("action", "name"), [("wave", "wrist"), ("kick", "ankle")])
def test_left_and_right_limbs_act(action, name):
    acting = set()
    for motion in motions(action):
        travel = [np.ptp(joint(motion, side), axis=0).max() for side in sides(name)]
        acting.add(int(np.argmax(travel)))
    assert acting == {0, 1}


def features(dataset, motion):
    rows = []
    for data in dataset:
        joints = data.pos.view(-1, 18, 2)
        trunk = (joints[:1, 1] - joints[:1, [8, 11]].mean(dim=1)).norm()
        joints = (joints - joints[:1, 1:2]) / trunk
        joints = torch.stack((joints[..., 0].abs(), joints[..., 1]), dim=-1)
        parts = (joints.mean(dim=0), 2 * joints.std(dim=0)) if motion else (joints[0],)
        rows.append(torch.cat([part.flatten() for part in parts]))
    return torch.stack(rows)


def nearest_neighbor_accuracy(motion):
    train, test = SyntheticMotion(210, "train"), SyntheticMotion(70, "test")
    nearest = torch.cdist(features(test, motion), features(train, motion)).argmin(dim=1)
    found = torch.tensor(train.labels)[nearest]
    return (found == torch.tensor(test.labels)).float().mean().item()


def test_actions_are_told_apart_by_their_motion_better_than_by_a_single_frame():
    assert nearest_neighbor_accuracy(motion=True) > 0.97
    assert nearest_neighbor_accuracy(motion=False) < 0.93


def test_two_persons_stand_side_by_side():
    for data in SyntheticMotion(35, two_persons=1.0):
        assert data.skeleton_shape[0] == 2
        left, right = data.pos.view(2, -1, 2)
        assert left[:, 0].max() <= 0.5
        assert right[:, 0].min() >= 0.5
        assert (left - right).std(dim=0).max() > 0.01
    persons = Counter(data.skeleton_shape[0] for data in SyntheticMotion(60, two_persons=0.5))
    assert min(persons[1], persons[2]) > 15
    assert {data.skeleton_shape[0] for data in SyntheticMotion(20)} == {1}


def test_a_transform_is_applied_and_items_are_copies():
    def mark(data):
        data.marked = True
        return data

    dataset = SyntheticMotion(2, transform=mark)
    assert dataset[1].marked
    dataset[1].x.zero_()
    assert dataset[1].x.abs().sum() > 0


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"num_sequences": 0}, ValueError, r"'num_sequences' must be at least 1 \(got 0\)"),
        ({"num_sequences": 2.0}, TypeError, r"'num_sequences' must be an integer \(got 2.0\)"),
        ({"split": "all"}, ValueError, r"'split' must be one of train, test \(got 'all'\)"),
        ({"num_frames": 0}, ValueError, r"'num_frames' must be at least 1 \(got 0\)"),
        ({"num_frames": (9, 8)}, ValueError, r"'num_frames' must be at least 9 \(got 8\)"),
        ({"num_frames": (9, 9.5)}, TypeError, r"'num_frames' must be an integer \(got 9.5\)"),
        ({"num_frames": (9,)}, ValueError, r"'num_frames' must be .* \(got \(9,\)\)"),
        ({"num_frames": 3.0}, ValueError, r"'num_frames' must be .* \(got 3.0\)"),
        ({"seed": -1}, ValueError, r"'seed' must be at least 0 \(got -1\)"),
        ({"seed": True}, TypeError, r"'seed' must be an integer \(got True\)"),
        ({"two_persons": 1.5}, ValueError, r"'two_persons' must lie in \[0, 1\] \(got 1.5\)"),
    ],
)
def test_errors_name_what_was_found(arguments, error, message):
    with pytest.raises(error, match=message):
        SyntheticMotion(**{"num_sequences": 1, **arguments})
