import pytest
import torch
from torch_geometric.data import Batch, Data

from pyg_vision.data import SkeletonLayout, skeleton_layout, skeleton_sequence
from pyg_vision.transforms import CenterSkeleton, JointToBone, JointToMotion, SkeletonStream

STICK = SkeletonLayout("stick", ("a", "b", "c"), ((1, 0), (2, 1)), center=0)


def sequence(score=False, frames=5):
    keypoints = torch.randn(2, frames, 3, 2)
    return skeleton_sequence(
        keypoints, STICK, score=torch.rand(2, frames, 3) if score else None
    ), keypoints


def test_bones_are_vectors_from_the_parent():
    data, pos = sequence()
    bones = JointToBone()(data).x.view(2, 5, 3, 2)
    assert (bones[:, :, 0] == 0).all()  # the root
    torch.testing.assert_close(bones[:, :, 1], pos[:, :, 1] - pos[:, :, 0])
    torch.testing.assert_close(bones[:, :, 2], pos[:, :, 2] - pos[:, :, 1])
    assert torch.equal(JointToBone()(data).pos, data.pos)
    assert torch.equal(data.x, pos.reshape(-1, 2)), "the input stays as it is"


def test_bones_follow_the_layout_where_it_differs_from_the_graph():
    coco = skeleton_layout("coco")
    data = skeleton_sequence(torch.randn(1, 2, 17, 2), "coco")
    bones = JointToBone()(data).x.view(2, 17, 2)
    pos = data.pos.view(2, 17, 2)
    hip, nose = coco.joint("left_hip"), coco.joint("nose")
    torch.testing.assert_close(bones[:, hip], pos[:, hip] - pos[:, nose])


def test_score_of_a_bone_is_the_mean_of_its_ends():
    data, _ = sequence(score=True)
    score = data.x.view(2, 5, 3, 3)[..., 2]
    bones = JointToBone()(data).x.view(2, 5, 3, 3)[..., 2]
    torch.testing.assert_close(bones[:, :, 2], (score[:, :, 1] + score[:, :, 2]) / 2)
    torch.testing.assert_close(bones[:, :, 0], score[:, :, 0])


def test_first_difference_as_in_pyskl():
    data, pos = sequence(score=True)
    score = data.x.view(2, 5, 3, 3)[..., 2]
    out = JointToMotion()(data).x.view(2, 5, 3, 3)
    torch.testing.assert_close(out[:, :-1, :, :2], pos[:, 1:] - pos[:, :-1])
    torch.testing.assert_close(out[:, :-1, :, 2], (score[:, 1:] + score[:, :-1]) / 2)
    assert (out[:, -1] == 0).all()


def test_second_difference_as_in_two_stream_st_gcn():
    data, _ = sequence(score=True)
    x = data.x.view(2, 5, 3, 3)
    out = JointToMotion(2)(data).x.view(2, 5, 3, 3)
    expected = x[:, 1:-1] - 0.5 * x[:, 2:] - 0.5 * x[:, :-2]
    torch.testing.assert_close(out[:, 1:-1], expected)
    assert (out[:, [0, -1]] == 0).all()


@pytest.mark.parametrize("difference", [1, 2])
def test_a_single_frame_does_not_move(difference):
    data, _ = sequence(frames=1)
    assert (JointToMotion(difference)(data).x == 0).all()


def test_the_four_streams():
    data, _ = sequence()
    bone, motion = JointToBone()(data), JointToMotion()(data)
    both = JointToMotion()(bone)
    assert [d.stream for d in (bone, motion, both)] == ["bone", "motion", "bone motion"]
    # Both are linear, so that their order does not matter to the values.
    values = bone.x.view(2, 5, 6)
    torch.testing.assert_close(both.x.view(2, 5, 6)[:, :-1], values[:, 1:] - values[:, :-1])


def test_wrong_orders_are_named():
    data, _ = sequence()
    nowhere = data.clone()
    del nowhere.pos
    with pytest.raises(ValueError, match="needs the coordinates of its joints as 'pos'"):
        JointToMotion()(nowhere)
    with pytest.raises(ValueError, match="motion already"):
        JointToMotion()(JointToMotion()(data))
    for late in (CenterSkeleton(), JointToBone()):
        with pytest.raises(ValueError, match="put this transform before JointToBone"):
            late(JointToBone()(data))
    with pytest.raises(ValueError, match=r"'difference' must be 1 or 2 \(got 3\)"):
        JointToMotion(3)


def test_several_sequences_in_a_plain_graph_are_refused():
    batch = Batch.from_data_list([skeleton_sequence(torch.rand(1, 4, 18, 2), "openpose")] * 2)
    data = Data(x=batch.x, pos=batch.pos, skeleton_shape=list(batch.skeleton_shape))
    with pytest.raises(TypeError, match="single sequences .got several."):
        JointToBone()(data)


def test_k_bones_of_ntu_as_in_protogcn():
    # Joint and the ancestor of two bones, itself where there is none.
    pairs = (
        (0, 20), (1, 1), (2, 2), (3, 20), (4, 4), (5, 20), (6, 4), (7, 5), (8, 8), (9, 20),
        (10, 8), (11, 9), (12, 1), (13, 0), (14, 12), (15, 13), (16, 1), (17, 0), (18, 16),
        (19, 17), (21, 7), (20, 20), (22, 6), (23, 11), (24, 10),
    )  # fmt: skip
    pos = torch.randn(1, 4, 25, 3)
    data = JointToBone(hops=2)(skeleton_sequence(pos, "ntu_pyskl"))
    wanted = torch.zeros_like(pos)
    for joint, ancestor in pairs:
        wanted[:, :, joint] = pos[:, :, joint] - pos[:, :, ancestor]
    torch.testing.assert_close(data.x.view(1, 4, 25, 3), wanted)
    assert data.stream == "2-bone"
    assert JointToMotion()(data).stream == "2-bone motion"


def test_hops_are_counted():
    with pytest.raises(ValueError, match="'hops' must be"):
        JointToBone(hops=0)


@pytest.mark.parametrize(
    ("stream", "steps"),
    [
        ("joint", []),
        ("bone", [JointToBone()]),
        ("joint_motion", [JointToMotion()]),
        ("bone_motion", [JointToBone(), JointToMotion()]),
        ("k_bone", [JointToBone(hops=2)]),
        ("k_bone_motion", [JointToBone(hops=2), JointToMotion()]),
    ],
)
def test_streams(stream, steps):
    data, _ = sequence(score=True)
    wanted = data
    for step in steps:
        wanted = step(wanted)
    assert torch.equal(SkeletonStream(stream)(data).x, wanted.x)


def test_there_is_no_such_stream():
    with pytest.raises(ValueError, match="'stream' must be one of joint, bone, joint_motion"):
        SkeletonStream("velocity")
