import pytest
import torch

from pyg_vision.data import SkeletonLayout, skeleton_graph, skeleton_layout
from pyg_vision.data.partition import adjacency_stack, hop_distance, num_relations

PUBLISHED = {"ntu-rgb+d": "ntu", "spatial": "stgcn"}
PARTITIONS = ["stgcn", "stgcn_paper", "inward_outward", "uniform", "distance"]


def stack(layout, partition, max_hop=1, dilation=1):
    graph = skeleton_graph(layout, partition, max_hop, dilation)
    joints = skeleton_layout(layout).num_joints
    return adjacency_stack(graph, num_relations(partition, max_hop, dilation), joints)


def test_all_published_adjacencies_exactly(load_golden):
    _, recorded = load_golden("stgcn_adjacency")
    assert len(recorded) == 45
    for key, expected in recorded.items():
        layout, partition, hop, dilation = key.split("/")
        ours = stack(
            PUBLISHED.get(layout, layout),
            PUBLISHED.get(partition, partition),
            int(hop.removeprefix("max_hop=")),
            int(dilation.removeprefix("dilation=")),
        )
        assert ours.dtype == torch.double
        assert torch.equal(ours, expected), key


# From reading the published graph code and the paper, edge by edge.
@pytest.mark.parametrize(
    ("layout", "code", "paper"),
    [
        ("openpose", [18, 25, 9], [18, 17, 17]),
        ("ntu", [25, 40, 8], [25, 24, 24]),
        ("ntu_edge", [24, 41, 5], [24, 23, 23]),
        ("coco", [17, 22, 10], [17, 16, 16]),
        ("hand", [21, 30, 10], [21, 20, 20]),
    ],
)
def test_sizes_of_the_subsets(layout, code, paper):
    assert skeleton_graph(layout, "stgcn").edge_type.bincount().tolist() == code
    assert skeleton_graph(layout, "stgcn_paper").edge_type.bincount().tolist() == paper
    assert skeleton_graph(layout, "inward_outward").edge_type.bincount().tolist() == paper


def test_types_of_the_paper_follow_true_distances():
    layout = skeleton_layout("openpose")
    neck, shoulder, elbow, wrist = 1, 2, 3, 4
    edges = dict_of(skeleton_graph("openpose", "stgcn_paper"))
    assert edges[wrist, wrist] == 0
    assert edges[elbow, wrist] == 1  # the source is nearer to the neck: centripetal
    assert edges[wrist, elbow] == 2
    assert edges[neck, shoulder] == 1
    # The published code types them the other way round, and loses what is beyond one hop.
    code = dict_of(skeleton_graph("openpose", "stgcn"))
    assert code[neck, shoulder] == 2
    assert code[shoulder, neck] == 1
    assert code[elbow, wrist] == code[wrist, elbow] == 1
    assert hop_distance(layout)[neck, wrist] == 3


def dict_of(graph):
    pairs = zip(graph.edge_index.t().tolist(), graph.edge_type.tolist(), strict=True)
    return {(source, target): kind for (source, target), kind in pairs}


def test_inward_outward_is_normalised_by_relation():
    edges = skeleton_graph("openpose", "inward_outward")
    parents = dict(skeleton_layout("openpose").bones)
    for source, target, kind in zip(*edges.edge_index.tolist(), edges.edge_type, strict=True):
        if kind == 1:
            assert parents[target] == source
        elif kind == 2:
            assert parents[source] == target
        else:
            assert source == target
    sums = stack("openpose", "inward_outward").sum(dim=1)
    assert torch.equal(sums, (sums > 0).double())  # every relation sums to one, or has no edges


@pytest.mark.parametrize("partition", ["stgcn", "stgcn_paper", "uniform", "distance"])
@pytest.mark.parametrize(("max_hop", "dilation"), [(1, 1), (2, 1), (3, 1), (3, 2), (2, 2)])
def test_weights_into_a_joint_sum_to_one(partition, max_hop, dilation):
    adj = stack("mediapipe", partition, max_hop, dilation)
    torch.testing.assert_close(adj.sum(dim=(0, 1)), torch.ones(33, dtype=torch.double))
    hops = range(0, max_hop + 1, dilation)
    reach = torch.stack([hop_distance(skeleton_layout("mediapipe")) == hop for hop in hops])
    assert torch.equal((adj > 0).sum(dim=0), reach.any(dim=0).long())  # each edge has one type


@pytest.mark.parametrize("partition", PARTITIONS)
def test_own_layout_in_every_partition(partition):
    own = SkeletonLayout("stick", ("a", "b", "c"), ((1, 0), (2, 1)), center=0)
    graph = skeleton_graph(own, partition)
    edge_index, edge_type, edge_weight = graph
    assert edge_index.shape == (2, 7)
    assert edge_type.shape == edge_weight.shape == (7,)
    order = edge_type * 9 + edge_index[0] * 3 + edge_index[1]
    assert torch.equal(order, order.sort().values)
    assert skeleton_graph(own, partition, dtype=torch.float).edge_weight.dtype == torch.float


def test_two_hops_of_the_paper_are_five_relations():
    layout = skeleton_layout("openpose")
    graph = skeleton_graph("openpose", "stgcn_paper", max_hop=2)
    far = hop_distance(layout)
    for source, target, kind in zip(*graph.edge_index.tolist(), graph.edge_type, strict=True):
        nearer = far[source, layout.center] - far[target, layout.center]
        hop = far[source, target]
        if nearer == 0:  # siblings too: the label of the paper depends on distance alone
            assert kind == 0
        else:
            assert kind == 2 * hop - (1 if nearer < 0 else 0)


@pytest.mark.parametrize("partition", PARTITIONS)
def test_a_default_device_does_not_matter(partition):
    with torch.device("meta"):
        graph = skeleton_graph("hand", partition)
    assert {value.device.type for value in graph} == {"cpu"}


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (("openpose", "spatial"), ValueError, "'partition' must be one of stgcn, .*'spatial'"),
        (("nobody",), ValueError, "'layout' must be one of"),
        (("openpose", "stgcn", 0), ValueError, r"'max_hop' must be at least 1 \(got 0\)"),
        (("openpose", "stgcn", 1.0), TypeError, r"'max_hop' must be an integer \(got 1.0\)"),
        (("openpose", "stgcn", 1, True), TypeError, r"'dilation' must be an integer"),
        (("openpose", "inward_outward", 2), ValueError, "joins neighbours only.*got 2 and 1"),
    ],
)
def test_wrong_arguments_are_named(arguments, error, message):
    with pytest.raises(error, match=message):
        skeleton_graph(*arguments)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (("foo",), ValueError, "'partition' must be one of"),
        (("stgcn", 1, 0), ValueError, "'dilation' must be at least 1"),
        (("stgcn", 1.0), TypeError, "'max_hop' must be an integer"),
        (("inward_outward", 2), ValueError, "joins neighbours only"),
    ],
)
def test_what_is_no_strategy_has_no_relations(arguments, error, message):
    with pytest.raises(error, match=message):
        num_relations(*arguments)
    with pytest.raises(error, match=message):
        skeleton_graph("coco", *arguments)
