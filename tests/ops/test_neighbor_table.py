import pytest
import torch

from pyg_vision.ops import NeighborTable


def test_flatten_offsets_each_graph():
    table = NeighborTable(torch.tensor([[[0, 1], [2, 0]], [[1, 2], [0, 0]]]), 3)
    flat = table.flatten()
    assert flat.index.tolist() == [[0, 1], [2, 0], [4, 5], [3, 3]]
    assert flat.num_sources == 6
    assert flat.flatten() is flat


def test_edge_index_is_sorted_by_destination_and_keeps_ranks():
    table = NeighborTable(torch.tensor([[2, 0], [1, 2]]), 3)
    assert table.edge_index.tolist() == [[2, 0, 1, 2], [0, 0, 1, 1]]
    batched = NeighborTable(torch.tensor([[[1], [0]], [[0], [1]]]), 2)
    assert batched.edge_index.tolist() == [[1, 0, 2, 3], [0, 1, 2, 3]]


def test_sizes_and_device():
    table = NeighborTable(torch.zeros(2, 5, 3, dtype=torch.long), 4)
    assert (table.k, table.num_nodes) == (3, 10)
    moved = table.to("meta")
    assert moved.index.device.type == "meta"
    assert moved.num_sources == 4


def test_one_of_several_graphs():
    table = NeighborTable(torch.tensor([[[0, 1], [2, 0]], [[1, 2], [0, 0]]]), 3)
    assert table.graph(1).index.tolist() == [[1, 2], [0, 0]]
    assert table.graph(-1).num_sources == 3
    with pytest.raises(IndexError, match="holds 2 graph.s. .got 2."):
        table.graph(2)
    with pytest.raises(ValueError, match="does not tell graphs apart.*4, 2"):
        table.flatten().graph(0)
