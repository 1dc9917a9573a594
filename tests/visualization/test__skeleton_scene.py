import pytest

from pyg_vision.data import skeleton_graph, skeleton_layout
from pyg_vision.data.layouts import _LAYOUTS
from pyg_vision.data.partition import hop_distance
from pyg_vision.visualization._skeleton_scene import read_relations

# What each name says of the distances of source and destination from the centre.
MEANINGS = {
    "the joint itself": lambda a, b, same: same,
    "root: the joint itself": lambda a, b, same: same,
    "root: the joint itself, and from as far": lambda a, b, same: a == b,
    "centripetal: from nearer": lambda a, b, same: a < b,
    "centrifugal: from farther": lambda a, b, same: a > b,
    "from as far": lambda a, b, same: a >= b and not same,
    "from nearer": lambda a, b, same: a < b,
}


@pytest.mark.parametrize("layout", _LAYOUTS)
@pytest.mark.parametrize("max_hop", [1, 2])
@pytest.mark.parametrize("partition", ["stgcn", "stgcn_paper"])
def test_the_names_of_spatial_relations_are_true(layout, max_hop, partition):
    layout = skeleton_layout(layout)
    relations = read_relations(layout, partition, max_hop)
    distance = hop_distance(layout)
    to_center = distance[:, layout.center].tolist()
    if partition == "stgcn":  # the note says so
        to_center = [d if d <= max_hop else layout.num_joints for d in to_center]
        needed = int(distance[:, layout.center].max()) > max_hop
        assert (relations.note is not None) == needed
    graph = skeleton_graph(layout, partition, max_hop)
    checked = set()
    for (source, destination), relation in zip(
        graph.edge_index.T.tolist(), graph.edge_type.tolist(), strict=True
    ):
        name = relations.names[relation]
        meaning = max((start for start in MEANINGS if name.startswith(start)), key=len)
        same = source == destination
        assert MEANINGS[meaning](to_center[source], to_center[destination], same), name
        hops = int(distance[source, destination])
        if "apart" in name:
            assert name.endswith("1 bone apart" if hops == 1 else f"{hops} bones apart")
        checked.add(relation)
    assert checked == set(range(len(relations.names)))
    if max_hop == 2:
        assert sum("2 bones apart" in name for name in relations.names) == 2


def test_the_names_of_other_relations_are_true():
    layout = skeleton_layout("kinect")
    names = read_relations(layout, "inward_outward", 1).names
    assert names == ["the joint itself", "from parent to child", "from child to parent"]
    graph = skeleton_graph(layout, "inward_outward")
    down = graph.edge_index[:, graph.edge_type == names.index("from parent to child")]
    assert {tuple(pair) for pair in down.flip(0).T.tolist()} == set(layout.bones)
    names = read_relations(layout, "distance", 2).names
    assert names == ["the joint itself", "1 bone apart", "2 bones apart"]
    assert read_relations(layout, "uniform", 1).names == ["the joint itself and its neighbours"]
    assert "up to 3 bones" in read_relations(layout, "uniform", 3).names[0]
