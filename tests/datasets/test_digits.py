import sys

import pytest
import torch
from sklearn.datasets import load_digits
from torch_geometric.loader import DataLoader

from pyg_vision.data import fold_batch
from pyg_vision.datasets import DigitsGraphs
from pyg_vision.transforms import KNNEdges


def test_images_are_those_of_scikit_learn_in_zero_to_one():
    dataset = DigitsGraphs("all")
    assert len(dataset) == 1797
    expected = torch.from_numpy(load_digits().images).float() / 16
    assert torch.equal(dataset.images.squeeze(1), expected)
    assert torch.equal(dataset.labels, torch.from_numpy(load_digits().target))
    assert (dataset.images.min(), dataset.images.max()) == (0, 1)


@pytest.mark.parametrize(
    ("patch_size", "grid", "features"), [(2, (4, 4), 4), (1, (8, 8), 1), ((2, 1), (4, 8), 2)]
)
def test_graphs_are_the_images(patch_size, grid, features):
    dataset = DigitsGraphs("test", patch_size)
    data = dataset[5]
    assert data.validate()
    assert data.num_nodes == grid[0] * grid[1] >= 16
    assert data.grid_size == grid
    assert dataset.num_features == features
    assert torch.equal(fold_batch(data), dataset.images[5:6])
    assert torch.equal(data.y, dataset.labels[5:6])


def test_a_third_of_each_class_is_held_out():
    train, test, everything = DigitsGraphs("train"), DigitsGraphs("test"), DigitsGraphs("all")
    assert (len(train), len(test)) == (1198, 599)
    counts = torch.bincount(everything.labels).float()
    assert ((torch.bincount(test.labels) - counts / 3).abs() < 1).all()

    def rows(dataset):
        return dataset.images.flatten(1).tolist()

    assert sorted(rows(train) + rows(test)) == sorted(rows(everything))


def test_splits_depend_on_the_seed_alone():
    torch.manual_seed(1)
    first = DigitsGraphs("test").labels
    torch.manual_seed(2)
    assert torch.equal(first, DigitsGraphs("test", patch_size=1).labels)
    assert not torch.equal(first, DigitsGraphs("test", seed=1).labels)
    assert first[:10].tolist() == [1, 4, 0, 1, 4, 5, 8, 5, 6, 5]  # on every machine


@pytest.mark.parametrize("num_workers", [0, 2])
def test_batches_from_a_loader(num_workers):
    dataset = DigitsGraphs("test", transform=KNNEdges(4))
    batches = list(DataLoader(dataset, batch_size=200, num_workers=num_workers))
    assert [batch.num_graphs for batch in batches] == [200, 200, 199]
    assert all(batch.validate() for batch in batches)
    assert batches[0].num_edges == 200 * 16 * 4
    assert torch.equal(torch.cat([fold_batch(batch) for batch in batches]), dataset.images)
    assert torch.equal(torch.cat([batch.y for batch in batches]), dataset.labels)


def test_subsets_have_their_own_images_and_labels():
    dataset = DigitsGraphs("all")
    subset = dataset[torch.tensor([3, 1, 7])]
    assert subset.labels.tolist() == [3, 1, 7]
    assert torch.equal(subset.images, dataset.images[[3, 1, 7]])
    assert torch.equal(fold_batch(subset[2]), subset.images[2:])


def test_graphs_can_be_written_to():
    dataset = DigitsGraphs()
    before = dataset[0].x.clone()
    dataset[0].x.zero_()
    dataset[0].pos.zero_()
    dataset[0].y.zero_()
    assert torch.equal(dataset[0].x, before)
    assert dataset[0].pos.sum() > 0
    assert torch.equal(dataset[0].y, dataset.labels[:1])


def test_classes():
    dataset = DigitsGraphs()
    assert dataset.classes == list("0123456789")
    assert dataset.num_classes == 10
    assert str(dataset) == "DigitsGraphs(1198)"


def test_arguments_are_checked():
    with pytest.raises(ValueError, match=r"one of train, test, all \(got 'val'\)"):
        DigitsGraphs("val")
    with pytest.raises(ValueError, match=r"8×8 pixels .* 3×3 pixels; .* is 9×9"):
        DigitsGraphs(patch_size=3)
    with pytest.raises(TypeError, match="'patch_size' must be"):
        DigitsGraphs(patch_size="2")


def test_without_scikit_learn_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(ImportError, match=r"pip install pyg-vision\[vis\]"):
        DigitsGraphs()
