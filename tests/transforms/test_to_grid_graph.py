import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from torch_geometric.loader import DataLoader
from torch_geometric.utils import contains_self_loops, is_undirected

from pyg_vision.data import fold_batch
from pyg_vision.transforms import ToGridGraph, ToPatchNodes


@given(
    grid=st.tuples(st.integers(1, 5), st.integers(1, 5)),
    patch=st.integers(1, 3),
    connectivity=st.sampled_from([4, 8]),
)
def test_edges_join_nodes_whose_positions_touch(grid, patch, connectivity):
    data = ToGridGraph(patch, connectivity)(torch.rand(2, grid[0] * patch, grid[1] * patch))
    assert data.validate()
    gap = (data.pos.unsqueeze(0) - data.pos.unsqueeze(1)).abs() / patch
    distance = gap.sum(-1) if connectivity == 4 else gap.amax(-1)
    expected = (distance == 1).nonzero().T.flip(0)  # sorted by the second row
    assert torch.equal(data.edge_index, expected)
    assert not contains_self_loops(data.edge_index)
    assert is_undirected(data.edge_index, num_nodes=data.num_nodes)


def test_nodes_are_those_of_patches():
    image = torch.rand(3, 8, 12)
    data, nodes = ToGridGraph(4)(image), ToPatchNodes(4)(image)
    assert torch.equal(data.x, nodes.x)
    assert torch.equal(data.pos, nodes.pos)
    assert (data.grid_size, data.patch_size) == (nodes.grid_size, nodes.patch_size)


def test_pixels_of_a_pillow_image_by_default():
    data = ToGridGraph()(Image.new("L", (3, 2)))
    assert data.x.shape == (6, 1)
    assert data.grid_size == (2, 3)
    assert data.num_edges == 2 * 7


def test_batches_keep_the_lattices_apart():
    images = torch.rand(3, 1, 4, 6)
    data_list = [ToGridGraph(2, 8)(image) for image in images]
    batch = next(iter(DataLoader(data_list, batch_size=3)))
    assert batch.validate()
    source, target = batch.edge_index
    assert torch.equal(batch.batch[source], batch.batch[target])
    assert bool((target.diff() >= 0).all())
    assert torch.equal(batch.get_example(2).edge_index, data_list[2].edge_index)
    assert torch.equal(fold_batch(batch), images)


def test_arguments_are_checked_on_construction():
    with pytest.raises(ValueError, match=r"'connectivity' must be 4 or 8 \(got 6\)"):
        ToGridGraph(connectivity=6)
    with pytest.raises(ValueError, match="'patch_size' must be at least 1"):
        ToGridGraph(0)


def test_sizes_that_do_not_divide_are_named():
    with pytest.raises(ValueError, match=r"the nearest size that does is 4×4"):
        ToGridGraph(2)(torch.zeros(1, 4, 3))


def test_repr():
    assert str(ToGridGraph((2, 4), 8)) == "ToGridGraph(patch_size=(2, 4), connectivity=8)"
