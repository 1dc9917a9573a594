import pytest
import torch
import torch_geometric.transforms as T
from hypothesis import given
from hypothesis import strategies as st
from torch_geometric.data import Batch, Data
from torch_geometric.loader import DataLoader

from pyg_vision.transforms import KNNEdges, ToPatchNodes


def by_hand(x, k, loop=False, cosine=False):
    """The neighbours of one node after the other, in double precision."""
    x = x.double()
    if cosine:
        x = torch.nn.functional.normalize(x)
    edges = []
    for i in range(len(x)):
        distance = (x - x[i]).square().sum(-1)
        if not loop:
            distance[i] = float("inf")
        edges += [(j, i) for j in distance.argsort().tolist()[:k]]
    return torch.tensor(edges).T


@pytest.mark.parametrize("loop", [False, True])
@pytest.mark.parametrize("cosine", [False, True])
@pytest.mark.parametrize("attr", ["x", "pos"])
def test_edges_come_from_the_nearest(attr, cosine, loop):
    data = Data(x=torch.randn(12, 5), pos=torch.randn(12, 2))
    out = KNNEdges(3, attr, loop=loop, cosine=cosine)(data)
    assert out.validate()
    assert torch.equal(out.edge_index, by_hand(data[attr], 3, loop, cosine))
    assert "edge_index" not in data  # a transform leaves its argument alone


def test_flow():
    data = Data(x=torch.randn(10, 3))
    forward, backward = KNNEdges(2)(data), KNNEdges(2, flow="target_to_source")(data)
    assert torch.equal(backward.edge_index, forward.edge_index.flip(0))


@given(
    sizes=st.lists(st.integers(2, 9), min_size=1, max_size=4),
    k=st.integers(1, 4),
    loop=st.booleans(),
    flow=st.sampled_from(["source_to_target", "target_to_source"]),
)
def test_a_batch_is_its_graphs_one_by_one(sizes, k, loop, flow):
    transform = KNNEdges(k, loop=loop, flow=flow)
    data_list = [Data(x=torch.randn(size, 3)) for size in sizes]
    batch = transform(Batch.from_data_list(data_list))
    expected = [transform(data) for data in data_list]
    assert batch.validate()
    assert torch.equal(batch.edge_index, Batch.from_data_list(expected).edge_index)
    for i, data in enumerate(expected):
        assert torch.equal(batch.get_example(i).edge_index, data.edge_index)
        assert data.num_edges == sizes[i] * min(k, sizes[i] - (0 if loop else 1))


def test_a_batch_with_edges_is_rewired_and_can_still_be_taken_apart():
    data_list = [Data(x=torch.randn(5, 2), edge_index=torch.zeros(2, n).long()) for n in (1, 4)]
    before = Batch.from_data_list(data_list)
    after = KNNEdges(2)(before)
    assert [data.num_edges for data in after.to_data_list()] == [10, 10]
    assert [data.num_edges for data in before.to_data_list()] == [1, 4]


def test_a_batch_from_a_loader():
    data_list = [ToPatchNodes(2)(torch.rand(3, 4, 6)) for _ in range(3)]
    batch = KNNEdges(2, "pos")(next(iter(DataLoader(data_list, batch_size=3))))
    assert batch.num_edges == 3 * 6 * 2
    assert batch.get_example(1).grid_size == (2, 3)


def test_what_described_the_old_edges_goes_with_them():
    edge_index = torch.tensor([[0, 1], [1, 2]])
    data = Data(x=torch.randn(5, 2), edge_index=edge_index, edge_attr=torch.rand(2, 1))
    data.edge_weight, data.edge_type, data.y = torch.rand(2), torch.zeros(2), torch.zeros(1)
    out = KNNEdges(2)(data)
    assert sorted(out.keys()) == ["edge_index", "x", "y"]
    assert out.num_edges == 10
    assert data.edge_attr.shape == (2, 1)


def test_positions_of_one_dimension():
    data = Data(pos=torch.tensor([0.0, 1.0, 3.0, 3.5]))
    assert KNNEdges(1, "pos")(data).edge_index[0].tolist() == [1, 0, 3, 2]


def test_in_a_chain_of_pyg_transforms():
    transform = T.Compose([ToPatchNodes(2), KNNEdges(3), T.ToUndirected()])
    data = transform(torch.rand(3, 8, 8))
    assert data.is_undirected()
    assert data.num_edges >= 16 * 3


def test_missing_and_wrong_attributes_are_named():
    with pytest.raises(ValueError, match=r"no 'pos' \(got the attributes \['x'\]\)"):
        KNNEdges(2, "pos")(Data(x=torch.rand(4, 2)))
    with pytest.raises(TypeError, match="'name' must be a tensor"):
        KNNEdges(2, "name")(Data(x=torch.rand(4, 2), name="photo"))
    with pytest.raises(ValueError, match=r"a row for each of 4 nodes \(got shape \[1, 2\]"):
        KNNEdges(2, "y")(Data(x=torch.rand(4, 2), y=torch.rand(1, 2)))


def test_k_is_checked_on_construction():
    with pytest.raises(ValueError, match=r"'k' must be at least 1 \(got 0\)"):
        KNNEdges(0)
    with pytest.raises(TypeError, match="'k' must be an integer"):
        KNNEdges(2.0)


def test_repr():
    assert str(KNNEdges(9, "pos")) == "KNNEdges(k=9, attr='pos', loop=False)"


def test_batch_of_a_plain_graph_keeps_graphs_apart():
    """What counts is the attribute, not the class `Batch`."""
    x, batch = torch.randn(12, 3), torch.tensor([0] * 5 + [1] * 7)
    expected = KNNEdges(3)(Batch.from_data_list([Data(x=x[:5]), Data(x=x[5:])])).edge_index
    assert torch.equal(KNNEdges(3)(Data(x=x, batch=batch)).edge_index, expected)
    ptr = torch.tensor([0, 5, 12])
    assert torch.equal(KNNEdges(3)(Data(x=x, ptr=ptr)).edge_index, expected)
    with pytest.raises(ValueError, match="sorted"):
        KNNEdges(3)(Data(x=x, batch=batch.flip(0)))
