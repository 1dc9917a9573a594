import json

import numpy as np
import pytest

from pyg_vision.data import SkeletonLayout, skeleton_layout

SIZES = {
    "openpose": 18,
    "body_25": 25,
    "body_25b": 25,
    "ntu": 25,
    "ntu_pyskl": 25,
    "ntu_edge": 24,
    "coco": 17,
    "kinect": 20,
    "msr_action3d": 20,
    "mediapipe": 33,
    "hand": 21,
    "h36m": 17,
}


@pytest.mark.parametrize("name", SIZES)
def test_shipped_layouts(name):
    layout = skeleton_layout(name)
    assert layout.name == name
    assert layout.num_joints == SIZES[name]
    # Every bone has a parent but the root, so that bone vectors are defined.
    assert len(layout.bones) == layout.num_joints - 1
    for left, right in layout.pairs:
        assert layout.joints[left].replace("left", "right") == layout.joints[right]
    flip = layout.flip_order
    mirrored = {frozenset((flip[a], flip[b])) for a, b in layout.edges}
    assert mirrored == {frozenset(edge) for edge in layout.edges}, "left and right differ"


def test_all_sided_joints_have_a_pair():
    for name in SIZES:
        layout = skeleton_layout(name)
        paired = {joint for pair in layout.pairs for joint in pair}
        sided = {i for i, joint in enumerate(layout.joints) if "left" in joint or "right" in joint}
        assert paired == sided, name


def test_quirks_of_published_code():
    openpose = skeleton_layout("openpose")
    shoulder, hip = openpose.joint("left_shoulder"), openpose.joint("left_hip")
    assert (hip, shoulder) in openpose.bones  # not to the neck
    tip, thumb, hand = 21, 22, 7
    assert (tip, thumb) in skeleton_layout("ntu").bones
    pyskl = skeleton_layout("ntu_pyskl")
    assert (tip, hand) in pyskl.bones
    assert pyskl.parents[tip] == thumb  # the bone vector, unlike the edge
    coco = skeleton_layout("coco")
    assert (coco.joint("left_hip"), coco.joint("left_shoulder")) in coco.bones
    assert coco.parents[coco.joint("left_hip")] == coco.joint("nose")
    assert skeleton_layout("kinect").center == 2


# The bone vectors of 2s-AGCN and pyskl, (child, parent).
PUBLISHED_BONES = {
    "openpose": [
        (1, 0), (2, 1), (3, 2), (4, 3), (5, 1), (6, 5), (7, 6), (8, 2), (9, 8), (10, 9), (11, 5),
        (12, 11), (13, 12), (14, 0), (15, 0), (16, 14), (17, 15),
    ],
    "coco": [
        (1, 0), (2, 0), (3, 1), (4, 2), (5, 0), (6, 0), (7, 5), (8, 6), (9, 7), (10, 8), (11, 0),
        (12, 0), (13, 11), (14, 12), (15, 13), (16, 14),
    ],
    "ntu": [
        (0, 1), (1, 20), (2, 20), (3, 2), (4, 20), (5, 4), (6, 5), (7, 6), (8, 20), (9, 8), (10, 9),
        (11, 10), (12, 0), (13, 12), (14, 13), (15, 14), (16, 0), (17, 16), (18, 17), (19, 18),
        (21, 22), (22, 7), (23, 24), (24, 11),
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", PUBLISHED_BONES)
def test_bone_vectors_are_the_published_ones(name):
    assert sorted(skeleton_layout(name).parents.items()) == PUBLISHED_BONES[name]
    if name == "ntu":
        assert skeleton_layout("ntu_pyskl").parents == skeleton_layout("ntu").parents


def test_a_layout_is_returned_as_it_is():
    own = SkeletonLayout("stick", ("top", "bottom"), ((1, 0),), center=0)
    assert skeleton_layout(own) is own


def test_unknown_layouts_are_named():
    with pytest.raises(ValueError, match=r"must be one of openpose, body_25.*\(got 'kinetics'\)"):
        skeleton_layout("kinetics")
    with pytest.raises(TypeError, match="a name or a SkeletonLayout.*'int'"):
        skeleton_layout(18)


def test_bones_of_msr_action3d_keep_their_length(shared):
    """In metres, the bones of one person hardly change, unlike those of another order."""
    folder = shared / "data" / "formats" / "msr_action3d"
    joints = np.loadtxt(folder / "a01_s01_e01_skeleton3D.txt").reshape(-1, 20, 4)[..., :3]

    def spread(name):
        child, parent = np.array(skeleton_layout(name).bones).T
        length = np.linalg.norm(joints[:, child] - joints[:, parent], axis=-1)
        return float(np.median(length.std(0) / length.mean(0)))

    assert spread("msr_action3d") < 0.03
    assert spread("kinect") > 2 * spread("msr_action3d")


def test_joints_of_msr_action3d(shared):
    folder = shared / "data" / "formats" / "msr_action3d"
    sample = json.loads((folder / "a01_s01_e01_skeleton3D.txt.expected.json").read_text())
    named = [(point["joint"], point["name"]) for point in sample["points"]]
    assert len(named) >= 3
    joints = skeleton_layout("msr_action3d").joints
    assert all(joints[i] == name for i, name in named)


CRANE = {
    "name": "crane",
    "joints": ["foot", "mast", "tip", "hook"],
    "bones": [["mast", "foot"], [2, 1], ["hook", "tip"]],
    "center": "mast",
    "links": [["hook", "foot"]],
}


def test_a_layout_of_a_file(tmp_path):
    path = tmp_path / "crane.json"
    path.write_text(json.dumps(CRANE))
    layout = skeleton_layout(str(path))
    assert layout.bones == ((1, 0), (2, 1), (3, 2))
    assert layout.links == ((3, 0),)
    assert layout.center == 1
    assert SkeletonLayout.from_dict(layout.to_dict()) == layout


@pytest.mark.parametrize("name", ["openpose", "ntu_pyskl", "ntu_edge", "h36m"])
def test_plain_data_hold_the_whole_layout(name):
    value = json.loads(json.dumps(skeleton_layout(name).to_dict()))
    assert SkeletonLayout.from_dict(value) == skeleton_layout(name)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"bones": [["mast", "toe"]]}, "layout 'crane' has no joint 'toe'"),
        ({"center": 9}, "names joint 9"),
        ({"joints": 3}, "holds no layout"),
        ({"colour": "red"}, r"a layout is name, joints, bones, center and, if .* \(got name,"),
        ({"bones": [["mast", "foot"]]}, "joins these joints to the centre by no bone"),
    ],
)
def test_files_that_hold_no_layout(change, message, tmp_path):
    path = tmp_path / "crane.json"
    path.write_text(json.dumps({**CRANE, **change}))
    with pytest.raises(ValueError, match=message) as error:
        skeleton_layout(str(path))
    assert f"'{path}' holds no layout" in str(error.value)
    path.write_text("[")
    with pytest.raises(ValueError, match="holds no layout"):
        skeleton_layout(str(path))
    with pytest.raises(FileNotFoundError, match="there is no layout file"):
        skeleton_layout(str(tmp_path / "none.json"))
