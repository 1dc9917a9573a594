import inspect

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pyg_vision.ops import knn, knn_graph


def test_is_knn_as_edge_index():
    x = torch.randn(20, 4)
    assert torch.equal(knn_graph(x, 3), knn(x, 3, loop=False).edge_index)
    assert torch.equal(knn_graph(x, 3, loop=True), knn(x, 3).edge_index)
    assert torch.equal(
        knn_graph(x, 3, cosine=True), knn(x, 3, loop=False, metric="cosine").edge_index
    )
    assert torch.equal(knn_graph(x, 3, flow="target_to_source"), knn_graph(x, 3).flip(0))


@given(
    st.lists(st.integers(0, 6), min_size=1, max_size=5).filter(any), st.integers(1, 5),
    st.booleans(), st.integers(0, 999),
)  # fmt: skip
def test_small_graphs_get_the_edges_there_are(sizes, k, loop, seed):
    x = torch.randn(sum(sizes), 3, generator=torch.Generator().manual_seed(seed))
    batch = torch.arange(len(sizes)).repeat_interleave(torch.tensor(sizes))
    edge_index = knn_graph(x, k, batch, loop=loop, batch_size=len(sizes))
    degree = torch.bincount(edge_index[1], minlength=sum(sizes))
    most = (torch.tensor(sizes) - (0 if loop else 1)).clamp(min=0, max=k)
    assert torch.equal(degree, most[batch])
    assert torch.equal(batch[edge_index[0]], batch[edge_index[1]])
    assert loop or not (edge_index[0] == edge_index[1]).any()
    assert edge_index.unique(dim=1).size(1) == edge_index.size(1)
    assert (edge_index[1].diff() >= 0).all()


def test_single_channel_and_empty_input():
    assert torch.equal(knn_graph(torch.tensor([0.0, 1.0, 5.0]), 1)[0], torch.tensor([1, 0, 1]))
    assert knn_graph(torch.empty(0, 3), 2).shape == (2, 0)


def test_duplicates_keep_their_number_of_edges():
    x = torch.zeros(5, 2)
    for loop in (False, True):
        assert torch.bincount(knn_graph(x, 3, loop=loop)[1]).tolist() == [3] * 5


def test_wrong_flow_is_named():
    with pytest.raises(ValueError, match="'flow'.*'sideways'"):
        knn_graph(torch.randn(4, 2), 2, flow="sideways")


@pytest.mark.ext
@given(
    st.lists(st.integers(1, 12), min_size=1, max_size=4), st.integers(1, 5), st.booleans(),
    st.sampled_from(["source_to_target", "target_to_source"]), st.integers(0, 999),
)  # fmt: skip
def test_equals_torch_cluster(sizes, k, loop, flow, seed):
    import torch_cluster

    x = torch.randn(sum(sizes), 3, generator=torch.Generator().manual_seed(seed))
    batch = torch.arange(len(sizes)).repeat_interleave(torch.tensor(sizes))
    expected = torch_cluster.knn_graph(x, k, batch, loop=loop, flow=flow)
    for backend in ("torch", "torch_cluster"):
        edge_index = knn_graph(x, k, batch, loop=loop, flow=flow, backend=backend)
        assert torch.equal(edge_index, expected)


@pytest.mark.ext
def test_backend_of_knn():
    x, y = torch.randn(3, 30, 6, dtype=torch.double), torch.randn(3, 40, 6, dtype=torch.double)
    for arguments in ({}, {"dilation": 2}, {"metric": "cosine"}, {"loop": False}):
        ours = knn(x, 5, **arguments).index
        assert torch.equal(knn(x, 5, backend="torch_cluster", **arguments).index, ours)
    assert torch.equal(knn(x, 5, y, backend="torch_cluster").index, knn(x, 5, y).index)
    twins = torch.zeros(1, 8, 2)
    index = knn(twins, 3, loop=False, backend="torch_cluster").index
    assert not (index == torch.arange(8).view(-1, 1)).any()
    with pytest.raises(ValueError, match="neither 'bias' nor 'mask'"):
        knn(x, 5, bias=torch.zeros(30, 30), backend="torch_cluster")


def test_missing_extension_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "torch_cluster", None)
    with pytest.raises(ImportError, match=r"pyg-vision\[ext\]"):
        knn_graph(torch.randn(6, 2), 2, backend="torch_cluster")


def test_positional_arguments_are_those_of_torch_cluster():
    x, batch = torch.randn(10, 3), torch.tensor([0] * 4 + [1] * 6)
    expected = knn_graph(x, 2, batch)
    assert torch.equal(knn_graph(x, 2, batch, False, "source_to_target", False, 1), expected)
    assert torch.equal(knn_graph(x, 2, batch, False, "source_to_target", False, 1, 2), expected)
    names = list(inspect.signature(knn_graph).parameters)[:8]
    assert names == [
        "x", "k", "batch", "loop", "flow", "cosine", "num_workers", "batch_size",
    ]  # fmt: skip


@pytest.mark.parametrize("loop", [True, False])
def test_compiles_without_graph_break_if_the_sizes_are_bounded(loop):
    def build(x, batch):
        return knn_graph(x, 3, batch, loop=loop, batch_size=2, max_num_nodes=7)

    compiled = torch.compile(build, fullgraph=True, backend="aot_eager")
    x, batch = torch.randn(12, 4), torch.tensor([0] * 5 + [1] * 7)
    assert torch.equal(compiled(x, batch), build(x, batch))
    with pytest.raises(RuntimeError, match="needs 3 neighbours for every node"):
        compiled(x, torch.tensor([0] * 2 + [1] * 10).clamp(max=1))
