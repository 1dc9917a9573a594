import copy
import pickle

import pytest
import torch
from torch_geometric.data import Batch, Data

from pyg_vision.data import SkeletonLayout

ARM = {
    "name": "two_arms",
    "joints": ("neck", "l_elbow", "l_wrist", "r_elbow", "r_wrist"),
    "bones": ((1, 0), (2, 1), (3, 0), (4, 3)),
    "center": 0,
    "pairs": ((1, 3), (2, 4)),
}


def test_what_a_layout_tells():
    layout = SkeletonLayout(**ARM, links=[[2, 4]], bone_parents=[(2, 0)])
    assert layout.num_joints == 5
    assert layout.edges == ((1, 0), (2, 1), (3, 0), (4, 3), (2, 4))
    assert layout.parents == {1: 0, 2: 0, 3: 0, 4: 3}
    assert layout.flip_order == [0, 3, 4, 1, 2]
    elsewhere = SkeletonLayout(**ARM, bone_parents=((0, 1), (1, 1)))  # another root
    assert elsewhere.parents == {0: 1, 2: 1, 3: 0, 4: 3}
    assert layout.joint("r_wrist") == 4
    assert repr(layout) == "SkeletonLayout('two_arms', 5 joints)"
    with pytest.raises(ValueError, match=r"'two_arms' has no joint 'knee'.*neck"):
        layout.joint("knee")


def test_equal_layouts_are_equal_and_survive_copies():
    layout = SkeletonLayout(**ARM)
    assert layout == SkeletonLayout(**ARM)
    assert layout != SkeletonLayout(**{**ARM, "center": 1})
    assert copy.deepcopy(layout) == layout
    assert pickle.loads(pickle.dumps(layout)) == layout


def test_layouts_travel_with_data(tmp_path):
    layout = SkeletonLayout(**ARM)
    data = Data(x=torch.zeros(5, 3), layout=layout)
    assert data.to("cpu").clone().layout == layout
    assert Batch.from_data_list([data, data]).layout == [layout, layout]
    torch.save(data.layout, tmp_path / "layout.pt")
    assert torch.load(tmp_path / "layout.pt", weights_only=True) == layout


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"name": ""}, TypeError, r"'name' of a layout must be a string \(got ''\)"),
        ({"joints": ()}, TypeError, "'joints' of a layout must be names"),
        ({"joints": ("a", 1, "b", "c", "d")}, TypeError, "'joints' of a layout must be names"),
        ({"joints": ("a", "b", "a", "c", "d")}, ValueError, r"names a joint twice: \['a'\]"),
        ({"center": 5}, ValueError, "'center'.*names joint 5, but its 5 joints are 0 to 4"),
        ({"center": True}, TypeError, "'center'.*must hold indices of joints"),
        ({"center": -1}, ValueError, "'center'.*names joint -1"),
        ({"bones": ((1, 0), (2, 1), (3, 0), (5, 3))}, ValueError, "'bones'.*names joint 5"),
        ({"bones": ((1, 0), (2,), (3, 0), (4, 3))}, ValueError, r"must be pairs.*\(got \(2,\)\)"),
        ({"bones": ((1, 0), 2)}, ValueError, r"must be pairs of joints \(got 2\)"),
        ({"bones": ((1, 0), (2, "1"))}, TypeError, r"must hold indices of joints \(got '1'\)"),
        ({"bones": ((1, 1),)}, ValueError, "join a joint to itself"),
        ({"bones": ((1, 0), (1, 3), (3, 0), (4, 3))}, ValueError, r"joint 1 \('l_elbow'\) 2 par"),
        ({"bones": ((1, 2), (2, 1), (3, 0), (4, 3))}, ValueError, "form a cycle through joint 1"),
        ({"bones": ((1, 0), (2, 1), (3, 0))}, ValueError, r"no bone or link: \['r_wrist'\]"),
        ({"links": ((0, 1),)}, ValueError, r"joins the same joints twice: \[\(0, 1\)\]"),
        ({"pairs": ((1, 3), (3, 4))}, ValueError, "'pairs' of layout 'two_arms' use a joint twice"),
        ({"bone_parents": ((1, 2),)}, ValueError, "'bone_parents'.*form a cycle"),
    ],
)
def test_wrong_layouts_are_named(change, error, message):
    with pytest.raises(error, match=message):
        SkeletonLayout(**{**ARM, **change})
