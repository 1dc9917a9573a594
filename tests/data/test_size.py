import pytest
import torch
from torch_geometric.data import Batch, Data, InMemoryDataset

from pyg_vision.data import Size2D, read_sizes
from pyg_vision.data.size import as_size, describe_sizes


@pytest.mark.parametrize("value", [(3, 5), [3, 5], Size2D(3, 5)])
def test_as_size_takes_pairs(value):
    size = as_size("grid_size", value)
    assert isinstance(size, Size2D)
    assert size == (3, 5)
    assert (size.height, size.width) == (3, 5)


def test_as_size_takes_one_number_for_both():
    assert as_size("patch_size", 16) == (16, 16)


@pytest.mark.parametrize(
    "value", [1.0, "16", None, True, (1,), (1, 2, 3), (1, 2.0), (True, 2), torch.tensor([1, 2])]
)
def test_as_size_rejects_other_types(value):
    with pytest.raises(TypeError, match="'patch_size' must be an integer or a pair"):
        as_size("patch_size", value)


@pytest.mark.parametrize("value", [0, -1, (0, 4), (4, -2)])
def test_as_size_rejects_what_is_not_positive(value):
    with pytest.raises(ValueError, match="'patch_size' must be at least 1 in height and width"):
        as_size("patch_size", value)


def test_sizes_stay_tuples_where_plain_ones_become_lists():
    data = Data(x=torch.zeros(6, 1), grid_size=Size2D(2, 3), plain=(2, 3))
    for copy in (data.to("cpu"), data.clone(), Batch.from_data_list([data]).to("cpu")[0]):
        assert copy.grid_size == (2, 3)
        assert isinstance(copy.grid_size, tuple)
        assert copy.plain == [2, 3]  # what Size2D is there for


def test_sizes_are_saved_and_loaded_by_pyg_without_a_warning(tmp_path, recwarn):
    path = str(tmp_path / "data.pt")
    InMemoryDataset.save([Data(x=torch.zeros(6, 1), grid_size=Size2D(2, 3))] * 2, path)

    class Saved(InMemoryDataset):
        def __init__(self):
            super().__init__()
            self.load(path)

    assert [data.grid_size for data in Saved()] == [(2, 3), (2, 3)]
    assert not [w for w in recwarn if "weights_only" in str(w.message)]


def test_read_sizes_of_one_graph_and_of_a_batch():
    graphs = [Data(x=torch.zeros(6, 1), grid_size=size) for size in ((2, 3), (3, 2))]
    assert read_sizes(graphs[0], "grid_size") == [(2, 3)]
    assert read_sizes(graphs[0].to("cpu"), "grid_size") == [(2, 3)]  # a list by now
    batch = Batch.from_data_list(graphs)
    assert read_sizes(batch, "grid_size") == [(2, 3), (3, 2)]
    assert read_sizes(batch.to("cpu"), "grid_size") == [(2, 3), (3, 2)]
    assert read_sizes(Batch.from_data_list(graphs[:1]), "grid_size") == [(2, 3)]


def test_read_sizes_of_two_graphs_is_not_taken_for_one_pair():
    batch = Batch.from_data_list([Data(x=torch.zeros(4, 1), grid_size=(2, 2))] * 2)
    assert read_sizes(batch, "grid_size") == [(2, 2), (2, 2)]


def test_read_sizes_names_what_is_missing():
    with pytest.raises(ValueError, match=r"no 'grid_size' \(got the attributes \['x'\]\)"):
        read_sizes(Data(x=torch.zeros(6, 1)), "grid_size")


def test_read_sizes_refuses_tensors():
    batch = Batch.from_data_list([Data(x=torch.zeros(6, 1), patch_size=4)] * 3)
    with pytest.raises(TypeError, match=r"got a tensor of shape \[3\]"):
        read_sizes(batch, "patch_size")


@pytest.mark.parametrize("value", [4, "4x4", [], [(2, 3), 4], (2.0, 3.0)])
def test_read_sizes_refuses_other_values(value):
    with pytest.raises(TypeError, match="'grid_size' must be a tuple"):
        read_sizes(Data(x=torch.zeros(6, 1), grid_size=value), "grid_size")


def test_describe_sizes_counts():
    sizes = [Size2D(2, 3), Size2D(4, 4), Size2D(2, 3)]
    assert describe_sizes(sizes) == "2×3 (2 of them), 4×4 (1 of them)"
