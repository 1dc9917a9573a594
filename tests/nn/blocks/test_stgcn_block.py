import pytest
import torch

from pyg_vision.data import Tracks, skeleton_graph
from pyg_vision.nn import STGCNBlock
from pyg_vision.nn.conv.relation_plan import RelationPlan
from tests.laws import close
from tests.nn.golden_st_gcn import RECORDED, check_evaluation, check_training, make, run_sparse

GRAPH = skeleton_graph("openpose")


@pytest.mark.parametrize("name", RECORDED)
def test_recorded_evaluation(name, load_golden):
    check_evaluation(*make(STGCNBlock, load_golden, name), run_sparse)


@pytest.mark.parametrize("name", RECORDED)
def test_recorded_training_step(name, load_golden):
    check_training(*make(STGCNBlock, load_golden, name), run_sparse)


@pytest.mark.parametrize(("channels", "stride"), [((4, 4), 1), ((4, 6), 2), ((4, 6), 1)])
def test_packed_sequences_are_one_by_one(channels, stride):
    block = STGCNBlock(*channels, stride=stride).double().eval()
    shapes = [(1, 5, 18), (2, 8, 18), (1, 1, 18)]
    tracks = Tracks.of(shapes)
    x = torch.randn(tracks.num_nodes, 4, dtype=torch.double)
    plan = RelationPlan(GRAPH.edge_index, GRAPH.edge_type, 3, 18)
    out = block(x, tracks, *GRAPH, plan=plan)
    parts = x.split([m * t * v for m, t, v in shapes])
    alone = [block(part, shape, *GRAPH) for part, shape in zip(parts, shapes, strict=True)]
    close(out, torch.cat(alone))


def test_wrong_number_of_nodes_is_named():
    with pytest.raises(ValueError, match=r"\[36 nodes, channels\] for 2 frames of 18 joints"):
        STGCNBlock(4, 4)(torch.zeros(35, 4), (1, 2, 18), *GRAPH)


def test_input_stays_as_it_is():
    block = STGCNBlock(4, 4).double()
    x = torch.randn(36, 4, dtype=torch.double)
    before = x.clone()
    block(x, (1, 2, 18), *GRAPH)
    assert torch.equal(x, before)


def test_dropout_acts_in_training_alone():
    block = STGCNBlock(4, 4, dropout=0.5).double()
    x = torch.randn(36, 4, dtype=torch.double)
    assert not torch.equal(block(x, (1, 2, 18), *GRAPH), block(x, (1, 2, 18), *GRAPH))
    block.eval()
    assert torch.equal(block(x, (1, 2, 18), *GRAPH), block(x, (1, 2, 18), *GRAPH))


def test_without_residual_nothing_is_added():
    with_one, without = STGCNBlock(4, 4).double(), STGCNBlock(4, 4, residual=False).double()
    without.load_state_dict(with_one.state_dict())
    x = torch.randn(36, 4, dtype=torch.double)
    with_one.eval(), without.eval()
    relu = torch.nn.Identity()
    with_one.relu = without.relu = relu
    out = with_one(x, (1, 2, 18), *GRAPH)
    close(out - without(x, (1, 2, 18), *GRAPH), x)
