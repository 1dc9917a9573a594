import pytest

from pyg_vision.data import SkeletonLayout, joint_map, skeleton_layout


def named(source, target, joints=None):
    """The names of the parts of each joint."""
    before, after = skeleton_layout(source), skeleton_layout(target)
    rows = joint_map(source, target, joints)
    return {
        name: [before.joints[i] for i in row] for name, row in zip(after.joints, rows, strict=True)
    }


@pytest.mark.parametrize("source", ["coco", "mediapipe", "halpe"])
def test_openpose_has_a_neck_between_the_shoulders(source):
    found = named(source, "openpose")
    neck = found.pop("neck")
    assert neck == (["neck"] if source == "halpe" else ["left_shoulder", "right_shoulder"])
    assert all(parts == [name] for name, parts in found.items())


def test_coco_is_among_mediapipe():
    assert all(parts == [name] for name, parts in named("mediapipe", "coco").items())


def test_kinect_from_mediapipe():
    found = named("mediapipe", "kinect")
    hips, shoulders = ["left_hip", "right_hip"], ["left_shoulder", "right_shoulder"]
    assert found["hip_center"] == hips
    assert found["shoulder_center"] == shoulders
    assert found["spine"] == hips + shoulders
    assert found["head"] == ["left_ear", "right_ear"]
    assert found["left_hand"] == ["left_index", "left_pinky"]
    assert found["right_foot"] == ["right_foot_index"]
    assert all(found.values())


def test_ntu_from_mediapipe():
    found = named("mediapipe", "ntu")
    assert found["base_of_spine"] == ["left_hip", "right_hip"]
    assert found["spine"] == ["left_shoulder", "right_shoulder"]
    assert found["left_thumb"] == ["left_thumb"]
    missing = [name for name, parts in found.items() if not parts]
    assert missing == ["neck", "left_hand_tip", "right_hand_tip"]


def test_one_kinect_is_the_other():
    found = named("ntu", "kinect")
    assert found["shoulder_center"] == ["spine"]
    assert found["spine"] == ["middle_of_spine"]
    assert found["hip_center"] == ["base_of_spine"]
    assert all(len(parts) == 1 for parts in found.values())
    assert all(len(parts) == 1 for parts in named("kinect", "msr_action3d").values())


@pytest.mark.parametrize("name", ["coco", "ntu", "kinect", "h36m", "mpii", "jhmdb", "halpe_136"])
def test_a_skeleton_is_itself(name):
    count = skeleton_layout(name).num_joints
    assert joint_map(name, name) == tuple((i,) for i in range(count))


def test_own_joints():
    stick = SkeletonLayout("stick", ("top", "bottom"), ((1, 0),), center=0)
    with pytest.raises(ValueError, match="no joint of layout 'stick' is one of layout 'coco'"):
        joint_map("coco", stick)
    assert joint_map("coco", stick, {"top": ["left_eye", "right_eye"]}) == ((1, 2), ())
    with pytest.raises(ValueError, match="layout 'coco' has no joint 'hat'"):
        joint_map("coco", stick, {"top": ["hat"]})
    with pytest.raises(ValueError, match="layout 'stick' has no joint 'middle'"):
        joint_map("coco", stick, {"middle": ["nose"]})
    with pytest.raises(TypeError, match="must be a list of names"):
        joint_map("coco", stick, {"top": "nose"})
