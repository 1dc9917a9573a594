import numpy as np
import pytest
import torch
from torch_geometric.data import Batch, Data
from torch_geometric.loader import DataLoader

from pyg_vision.data import (
    SkeletonLayout,
    SkeletonShape,
    dense_to_skeletons,
    skeleton_sequence,
    skeletons_to_dense,
)
from pyg_vision.data.skeleton import read_layout, read_shapes

STICK = SkeletonLayout("stick", ("a", "b", "c"), ((1, 0), (2, 1)), center=0)
OTHER = SkeletonLayout("other", ("a", "b", "c"), ((1, 0), (2, 0)), center=0)


def motion(persons, frames, y=None, dims=3):
    return skeleton_sequence(torch.randn(persons, frames, 3, dims), STICK, y)


def test_nodes_are_in_the_order_person_frame_joint():
    keypoints = torch.arange(2 * 4 * 3 * 2).float().view(2, 4, 3, 2)
    data = skeleton_sequence(keypoints, STICK, y=7)
    assert data.skeleton_shape == (2, 4, 3)
    assert isinstance(data.skeleton_shape, tuple)
    assert data.layout == STICK
    assert torch.equal(data.x.view(2, 4, 3, 2), keypoints)
    assert torch.equal(data.pos, data.x)
    assert data.y.tolist() == [7]
    assert data.validate()
    assert "edge_index" not in data


def test_score_is_the_channel_behind_the_coordinates():
    keypoints, score = torch.rand(4, 3, 2), torch.rand(4, 3)
    data = skeleton_sequence(keypoints.numpy(), STICK, score=score.numpy())
    assert data.skeleton_shape == (1, 4, 3)
    assert torch.equal(data.x, torch.cat((keypoints, score.unsqueeze(-1)), dim=-1).view(12, 3))
    assert torch.equal(data.pos, keypoints.view(12, 2))
    assert "y" not in data


def test_missing_frames_stay_zero_nodes():
    keypoints = torch.rand(2, 5, 3, 3)
    keypoints[1, 2:4] = 0
    data = skeleton_sequence(keypoints, STICK)
    assert data.num_nodes == 30
    assert (data.x.view(2, 5, 9)[1, 2:4] == 0).all()


def test_shapes_survive_what_pyg_does_to_data():
    batch = next(iter(DataLoader([motion(1, 4, 0), motion(2, 6, 1)], batch_size=2)))
    for value in (batch, batch.to("cpu"), batch.clone()):
        assert read_shapes(value) == [(1, 4, 3), (2, 6, 3)]
        assert read_layout(value) == STICK
    assert batch.num_nodes == 12 + 36
    assert batch.y.tolist() == [0, 1]
    assert isinstance(batch[1].skeleton_shape, SkeletonShape)


def test_integers_become_floating_point():
    data = skeleton_sequence(np.arange(18).reshape(2, 3, 3), STICK)
    assert data.x.dtype == torch.get_default_dtype()
    assert skeleton_sequence(torch.zeros(2, 3, 3).double(), STICK).x.dtype == torch.double


def test_dense_and_back_without_loss():
    shapes = [(1, 4, 3), (2, 6, 3), (2, 1, 3)]
    batch = Batch.from_data_list([motion(m, t, i) for i, (m, t, _) in enumerate(shapes)])
    dense = skeletons_to_dense(batch)
    assert dense.shape == (3, 3, 6, 3, 2)  # N, C, T, V, M
    assert torch.equal(dense[1, :, 5, 2, 1], batch.x[12 + 35])
    assert (dense[0, :, 4:] == 0).all()
    assert (dense[0, ..., 1] == 0).all()
    back = dense_to_skeletons(dense, STICK, shapes, y=batch.y)
    assert torch.equal(back.x, batch.x)
    assert torch.equal(back.pos, batch.pos)
    assert torch.equal(back.y, batch.y)
    assert read_shapes(back) == shapes
    assert torch.equal(skeletons_to_dense(dense_to_skeletons(dense, STICK)), dense)
    assert torch.equal(dense_to_skeletons(dense, STICK, shapes, num_dims=2).pos, batch.x[:, :2])
    openpose = torch.rand(1, 3, 4, 18, 1)
    assert dense_to_skeletons(openpose, "openpose").pos.size(1) == 2  # the third is a score
    wide = skeletons_to_dense(batch, num_frames=10, num_persons=3)
    assert wide.shape == (3, 3, 10, 3, 3)
    assert torch.equal(wide[:, :, :6, :, :2], dense)


def test_nothing_shares_memory_with_what_it_was_made_of():
    keypoints = torch.randn(1, 4, 3, 3)
    data = skeleton_sequence(keypoints, STICK)
    for batch in (Batch.from_data_list([data]), Batch.from_data_list([data, motion(2, 3)])):
        before = batch.x.clone()
        skeletons_to_dense(batch).zero_()
        assert torch.equal(batch.x, before)
    data.x.zero_()
    assert (keypoints != 0).any()
    assert torch.equal(data.pos.view_as(keypoints), keypoints)


def test_gradients_go_through_to_dense():
    batch = Batch.from_data_list([motion(1, 2), motion(2, 3)])
    batch.x = batch.x.double().requires_grad_()
    weight = torch.randn(2, 3, 3, 3, 2, dtype=torch.double)
    (skeletons_to_dense(batch) * weight).sum().backward()
    assert torch.equal(batch.x.grad[:6], weight[0, :, :2, :, 0].permute(1, 2, 0).reshape(6, 3))


@pytest.mark.parametrize(
    ("keypoints", "options", "error", "message"),
    [
        ([[1.0]], {}, TypeError, "'keypoints' must be a tensor or a numpy array.*'list'"),
        (np.array([["a"]]), {}, TypeError, "'keypoints' must hold numbers"),
        (torch.zeros(4, 3, 3) > 0, {}, TypeError, "real numbers.*bool"),
        (torch.zeros(3, 3), {}, ValueError, r"must be \[persons, .*\(got shape \[3, 3\]\)"),
        (torch.zeros(4, 3, 4), {}, ValueError, r"joints, 2 or 3\]"),
        (torch.zeros(1, 0, 3, 3), {}, ValueError, "not empty"),
        (torch.zeros(4, 5, 3), {}, ValueError, r"'stick' has 3 joints \(got 5"),
        (torch.full((4, 3, 3), torch.nan), {}, ValueError, r"NaN or infinite, the first at \[0,"),
        (torch.zeros(4, 3, 3), {"y": 1.5}, TypeError, r"'y' must be an integer \(got 1.5\)"),
        (torch.zeros(4, 3, 3), {"score": torch.zeros(3)}, ValueError, "'score' must be"),
        (torch.zeros(2, 4, 3, 3), {"score": torch.zeros(4, 3)}, ValueError, "'score' must be"),
    ],
)
def test_wrong_sequences_are_named(keypoints, options, error, message):
    with pytest.raises(error, match=message):
        skeleton_sequence(keypoints, STICK, **options)


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        ("skeleton", TypeError, "expected a Data or Batch"),
        (Data(x=torch.zeros(3, 1)), ValueError, "has no 'skeleton_shape'"),
        (Data(skeleton_shape=torch.ones(3)), TypeError, r"tensor of shape \[3\]"),
        (Data(skeleton_shape=(1, 2)), TypeError, r"must be a tuple.*\(1, 2\)"),
        (Data(x=torch.zeros(6, 1), skeleton_shape=(1, 0, 3)), ValueError, "must be positive"),
        (Data(x=torch.zeros(7, 1), skeleton_shape=(1, 2, 3)), ValueError, r"6 nodes \(got 7\)"),
    ],
)
def test_wrong_shapes_are_named(data, error, message):
    with pytest.raises(error, match=message):
        read_shapes(data)


def test_what_cannot_be_dense_is_named():
    batch = Batch.from_data_list([motion(1, 4), motion(2, 6)])
    with pytest.raises(ValueError, match=r"sequence 1 of 2 person\(s\) and 6 frame\(s\) does not"):
        skeletons_to_dense(batch, num_frames=5)
    with pytest.raises(ValueError, match="sequence 1 of 2 .* does not fit into 1 person"):
        skeletons_to_dense(batch, num_persons=1)
    mixed = Batch.from_data_list([motion(1, 4), skeleton_sequence(torch.zeros(2, 21, 3), "hand")])
    with pytest.raises(ValueError, match=r"different numbers of joints.*\[3, 21\]"):
        skeletons_to_dense(mixed)
    unlike = Batch.from_data_list([motion(1, 2), skeleton_sequence(torch.zeros(2, 3, 3), OTHER)])
    with pytest.raises(ValueError, match="different layouts cannot be mixed .*'stick' and 'other'"):
        read_layout(unlike)


@pytest.mark.parametrize(
    ("x", "options", "error", "message"),
    [
        ([1], {}, TypeError, "'x' must be a tensor"),
        (torch.zeros(1, 3, 4, 5, 1), {}, ValueError, r"3 joints of layout 'stick'.*\[1, 3, 4, 5"),
        (torch.zeros(2, 3, 4, 3, 1), {"shapes": [(1, 4, 3)]}, ValueError, "each of 2 sequences"),
        (torch.zeros(1, 3, 4, 3, 1), {"y": torch.zeros(2)}, ValueError, "each of 1 sequences"),
        (torch.zeros(1, 3, 4, 3, 1), {"shapes": [(1, 5, 3)]}, ValueError, r"of at most \(1, 4, 3"),
        (torch.zeros(1, 3, 4, 3, 1), {"shapes": [(1, 4, 2)]}, ValueError, "and of all joints"),
        (torch.zeros(1, 3, 4, 3, 1), {"shapes": ["abc"]}, ValueError, "sequence 0 must be"),
        (torch.zeros(1, 2, 4, 3, 1), {"num_dims": 3}, ValueError, r"must be 1 to 2 .*\(got 3\)"),
    ],
)
def test_wrong_dense_arrays_are_named(x, options, error, message):
    with pytest.raises(error, match=message):
        dense_to_skeletons(x, STICK, **options)
