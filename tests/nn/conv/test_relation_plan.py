import copy
import pickle

import torch

from pyg_vision.data import skeleton_graph
from pyg_vision.nn.conv.relation_plan import RelationPlan, whole_group


def rows_taken(group, num_nodes, num_relations):
    """The source and relation that each edge of a group takes, back from its column."""
    sources = torch.arange(num_nodes) if group.sources is None else group.sources
    position, place = group.column // len(group.relations), group.column % len(group.relations)
    return sources[position], torch.tensor(group.relations)[place]


def test_every_edge_takes_the_row_of_its_source_and_relation():
    for partition, relations in (("stgcn", 3), ("inward_outward", 3), ("distance", 2)):
        edge_index, edge_type, _ = skeleton_graph("openpose", partition)
        plan = RelationPlan(edge_index, edge_type, relations, 18)
        seen = []
        for group in plan.groups:
            source, relation = rows_taken(group, 18, relations)
            assert torch.equal(source, edge_index[0, group.edges])
            assert torch.equal(relation, edge_type[group.edges])
            assert torch.equal(group.target, edge_index[1, group.edges])
            seen += group.edges.tolist()
        assert sorted(seen) == list(range(edge_type.numel()))


def test_relations_with_few_sources_are_transformed_for_those_alone():
    edge_index, edge_type, _ = skeleton_graph("openpose", "stgcn")
    plan = RelationPlan(edge_index, edge_type, 3, 18)
    first, second = plan.groups
    assert first.relations == (0, 1)
    assert first.sources is None
    assert second.relations == (2,)
    assert second.sources.tolist() == [0, 1, 2, 5]  # nose, neck and shoulders


def test_relations_without_edges_have_no_group():
    edge_index, edge_type = torch.tensor([[0, 1], [1, 0]]), torch.tensor([2, 2])
    plan = RelationPlan(edge_index, edge_type, 5, 2)
    assert [group.relations for group in plan.groups] == [(2,)]
    assert RelationPlan(edge_index[:, :0], edge_type[:0], 5, 2).groups == []


def test_a_plan_goes_where_its_model_goes():
    edge_index, edge_type, _ = skeleton_graph("openpose", "stgcn")
    plan = RelationPlan(edge_index, edge_type, 3, 18)
    assert plan.state_dict() == {}
    moved = copy.deepcopy(plan).to("meta")
    indices = [index for group in moved.groups for index in group[1:] if index is not None]
    assert {index.device.type for index in indices} == {"meta"}
    again = pickle.loads(pickle.dumps(plan))
    for group, same in zip(plan.groups, again.groups, strict=True):
        assert torch.equal(group.column, same.column)
        assert group.relations == same.relations


def test_one_group_needs_no_look_at_the_edges():
    edge_index, edge_type, _ = skeleton_graph("hand", "stgcn")
    group = whole_group(edge_index, edge_type, 3)
    source, relation = rows_taken(group, 21, 3)
    assert torch.equal(source, edge_index[0])
    assert torch.equal(relation, edge_type)
    assert group.edges is None


def test_complete_graphs_are_noticed():
    edge_type, source, target = torch.ones(3, 4, 4).nonzero().unbind(1)
    edges = torch.stack((source, target))
    assert RelationPlan(edges, edge_type, 3, 4).complete
    assert not RelationPlan(edges.flip(1), edge_type.flip(0), 3, 4).complete  # in another order
    assert not RelationPlan(edges[:, 1:], edge_type[1:], 3, 4).complete
    assert not RelationPlan(edges, edge_type, 3, 5).complete
