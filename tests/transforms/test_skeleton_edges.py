import pytest
import torch
from torch_geometric.data import Batch, Data
from torch_geometric.nn import GCNConv, RGCNConv
from torch_geometric.utils import to_undirected

from pyg_vision.data import SkeletonLayout, skeleton_graph, skeleton_sequence
from pyg_vision.transforms import SkeletonEdges

STICK = SkeletonLayout("stick", ("a", "b", "c"), ((1, 0), (2, 1)), center=0)


def sequence(persons=2, frames=4, layout=STICK):
    return skeleton_sequence(torch.randn(persons, frames, layout.num_joints, 3), layout)


def test_spatial_edges_stay_within_a_frame():
    data = SkeletonEdges(temporal=False)(sequence())
    assert data.validate()
    frame = torch.arange(24) // 3
    assert torch.equal(frame[data.edge_index[0]], frame[data.edge_index[1]])
    one = skeleton_graph(STICK)
    for f in range(8):
        mine = frame[data.edge_index[0]] == f
        assert torch.equal(data.edge_index[:, mine] - 3 * f, one.edge_index)
        assert torch.equal(data.edge_type[mine], one.edge_type)
        assert torch.equal(data.edge_weight[mine], one.edge_weight.float())


def test_temporal_edges_join_a_joint_to_itself_in_both_neighbouring_frames():
    transform = SkeletonEdges()
    data = transform(sequence())
    assert transform.num_relations == 4
    temporal = data.edge_type == 3
    found = set(map(tuple, data.edge_index[:, temporal].t().tolist()))
    nodes = torch.arange(24).view(2, 4, 3)
    expected = set()
    for person in nodes.tolist():
        for t in range(3):
            for v in range(3):
                expected |= {(person[t][v], person[t + 1][v]), (person[t + 1][v], person[t][v])}
    assert found == expected
    assert (data.edge_weight[temporal] == 1).all()
    undirected = to_undirected(data.edge_index[:, temporal])
    assert undirected.size(1) == len(expected)


def test_single_frames_have_no_temporal_edges():
    data = SkeletonEdges()(sequence(2, 1))
    assert (data.edge_type < 3).all()


def test_batches_keep_sequences_apart():
    batch = Batch.from_data_list([SkeletonEdges()(sequence(1, 2)), SkeletonEdges()(sequence(2, 3))])
    assert torch.equal(batch.batch[batch.edge_index[0]], batch.batch[batch.edge_index[1]])
    assert torch.equal(batch[1].edge_index, SkeletonEdges()(sequence(2, 3)).edge_index)


@pytest.mark.parametrize("partition", ["stgcn", "stgcn_paper", "inward_outward", "uniform"])
def test_any_layer_of_pyg_takes_it(partition):
    transform = SkeletonEdges(partition)
    batch = Batch.from_data_list([transform(sequence(1, 3)), transform(sequence(2, 2))])
    conv = RGCNConv(3, 8, transform.num_relations, aggr="sum").eval()
    out = conv(batch.x, batch.edge_index, batch.edge_type)
    assert out.shape == (batch.num_nodes, 8)
    # It sees time: what one joint does reaches its neighbour in the next frame, and no farther.
    x = batch.x.clone()
    x[0] += 1
    changed = (conv(x, batch.edge_index, batch.edge_type) != out).any(dim=1).nonzero().flatten()
    reached = batch.edge_index[1, batch.edge_index[0] == 0].unique()
    assert torch.equal(changed, reached)
    assert 3 in changed.tolist()
    gcn = GCNConv(3, 4, normalize=False)
    assert gcn(batch.x, batch.edge_index, batch.edge_weight).shape == (batch.num_nodes, 4)


def test_functional_name_and_old_edges():
    data = sequence()
    out = SkeletonEdges("uniform")(SkeletonEdges()(data))
    assert out.edge_type.unique().tolist() == [0, 1]
    assert "edge_index" not in data, "the input stays as it is"
    assert "max_hop=2" in repr(SkeletonEdges(max_hop=2))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(("spatial",), "'partition' must be one of"), (("stgcn", 0), "'max_hop' must be at least 1")],
)
def test_wrong_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        SkeletonEdges(*arguments)


def test_wrong_inputs_are_named():
    with pytest.raises(ValueError, match="has no 'skeleton_shape'"):
        SkeletonEdges()(Data(x=torch.zeros(3, 3)))
    with pytest.raises(TypeError, match=r"single sequences \(got a Batch\)"):
        SkeletonEdges()(Batch.from_data_list([sequence()]))
    nameless = sequence()
    del nameless.layout
    with pytest.raises(ValueError, match="does not tell its 'layout'"):
        SkeletonEdges()(nameless)
