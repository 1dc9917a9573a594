import math

import numpy as np
import pytest
import torch

from pyg_vision.data import skeleton_sequence
from pyg_vision.transforms import AlignSkeleton


def angle_between(v1, v2):
    if np.abs(v1).sum() < 1e-6 or np.abs(v2).sum() < 1e-6:
        return 0
    v1, v2 = v1 / np.linalg.norm(v1), v2 / np.linalg.norm(v2)
    return np.arccos(np.clip(np.dot(v1, v2), -1.0, 1.0))


def rotation_matrix(axis, theta):
    if np.abs(axis).sum() < 1e-6 or np.abs(theta) < 1e-6:
        return np.eye(3)
    axis = axis / math.sqrt(np.dot(axis, axis))
    a = math.cos(theta / 2.0)
    b, c, d = -axis * math.sin(theta / 2.0)
    aa, bb, cc, dd = a * a, b * b, c * c, d * d
    bc, ad, ac, ab, bd, cd = b * c, a * d, a * c, a * b, b * d, c * d
    return np.array([
        [aa + bb - cc - dd, 2 * (bc + ad), 2 * (bd - ac)],
        [2 * (bc - ad), aa + cc - bb - dd, 2 * (cd + ab)],
        [2 * (bd + ac), 2 * (cd - ab), aa + dd - bb - cc],
    ])  # fmt: skip


def pre_normalize_3d(skeleton):
    """pyskl's PreNormalize3D with its defaults, step by step."""
    persons, frames = skeleton.shape[:2]
    index0 = [i for i in range(frames) if not np.all(np.isclose(skeleton[0, i], 0))]
    if persons == 2:
        index1 = [i for i in range(frames) if not np.all(np.isclose(skeleton[1, i], 0))]
        if len(index0) < len(index1):
            skeleton = skeleton[:, np.array(index1)][[1, 0]]
        else:
            skeleton = skeleton[:, np.array(index0)]
    else:
        skeleton = skeleton[:, np.array(index0)]
    center = skeleton[0, 0, 1 if skeleton.shape[2] == 25 else -1].copy()
    mask = ((skeleton != 0).sum(-1) > 0)[..., None]
    skeleton = (skeleton - center) * mask
    bottom, top = skeleton[0, 0, 0], skeleton[0, 0, 1]
    axis, angle = np.cross(top - bottom, [0, 0, 1]), angle_between(top - bottom, [0, 0, 1])
    skeleton = np.einsum("abcd,kd->abck", skeleton, rotation_matrix(axis, angle))
    right, left = skeleton[0, 0, 8], skeleton[0, 0, 4]
    axis, angle = np.cross(right - left, [1, 0, 0]), angle_between(right - left, [1, 0, 0])
    return np.einsum("abcd,kd->abck", skeleton, rotation_matrix(axis, angle))


def motion(persons, seed=0):
    return np.random.default_rng(seed).normal(size=(persons, 7, 25, 3))


def aligned(x, **options):
    data = AlignSkeleton(**options)(skeleton_sequence(x, "ntu"))
    return data.pos.view(*data.skeleton_shape, 3).numpy()


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("persons", [1, 2])
def test_it_is_that_of_pyskl(persons, seed):
    x = motion(persons, seed)
    np.testing.assert_allclose(aligned(x), pre_normalize_3d(x), atol=1e-12)


def test_the_person_seen_longer_comes_first_and_unseen_frames_go():
    x = motion(2)
    x[0, [0, 3, 4]] = x[1, [5, 6]] = 0
    x[1, 2, 7] = 0  # a joint that was not found stays at zero
    found = aligned(x)
    assert found.shape == (2, 5, 25, 3)
    np.testing.assert_allclose(found, pre_normalize_3d(x), atol=1e-12)
    assert (found[0, 2, 7] == 0).all()
    assert (found[1, [0, 3, 4]] == 0).all()


@pytest.mark.parametrize("up", [(0, 0, 1), (0, 0, -1), (0, 0, 0)])
def test_a_spine_that_stands_or_is_a_point(up):
    x = motion(1)
    x[0, 0, 1] = x[0, 0, 0] + up
    np.testing.assert_allclose(aligned(x), pre_normalize_3d(x), atol=1e-12)


def test_only_moved():
    x = motion(1)
    np.testing.assert_allclose(aligned(x, spine=False), x - x[0, 0, 1], atol=1e-12)
    joints = skeleton_sequence(x, "ntu").layout.joints
    by_name = aligned(x, up=joints[:2], across=(joints[8], joints[4]), center=joints[1])
    assert (by_name == aligned(x)).all()


def test_what_it_is_not_for():
    with pytest.raises(ValueError, match="is for three coordinates"):
        AlignSkeleton()(skeleton_sequence(torch.rand(1, 3, 25, 2), "ntu"))
    with pytest.raises(ValueError, match="is for one person or two"):
        AlignSkeleton()(skeleton_sequence(torch.rand(3, 3, 25, 3), "ntu"))
    with pytest.raises(ValueError, match="'up' must be two joints"):
        AlignSkeleton(up=(1,))
