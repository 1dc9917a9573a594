import numpy as np
import pytest
import torch
import torch_geometric.transforms as T
from PIL import Image
from torch.utils.data import Subset, TensorDataset
from torch_geometric.data import Data
from torch_geometric.loader import DataLoader
from torchvision.datasets import FakeData
from torchvision.transforms import Compose, Resize

from pyg_vision.data import fold_batch, image_to_tensor
from pyg_vision.datasets import ImageGraphDataset
from pyg_vision.transforms import KNNEdges, ToGridGraph, ToPatchNodes


def fake(size=6, **kwargs):
    return FakeData(size=size, image_size=(3, 8, 12), num_classes=4, **kwargs)


def labelled(label):
    return [(torch.rand(1, 4, 4), label)]


def test_items_are_graphs_with_labels():
    images = fake()
    dataset = ImageGraphDataset(images, ToPatchNodes(4))
    assert len(dataset) == 6
    for i in range(6):
        data, (image, label) = dataset[i], images[i]
        assert data.validate()
        assert data.y.tolist() == [label]
        assert torch.equal(fold_batch(data)[0], image_to_tensor(image))


@pytest.mark.parametrize("num_workers", [0, 2])
def test_batches_from_a_loader(num_workers):
    images = fake(5)
    dataset = ImageGraphDataset(images, ToPatchNodes(4), KNNEdges(2))
    loader = DataLoader(dataset, batch_size=2, num_workers=num_workers)
    batches = list(loader)
    assert [batch.num_graphs for batch in batches] == [2, 2, 1]
    assert torch.cat([batch.y for batch in batches]).tolist() == [images[i][1] for i in range(5)]
    folded = torch.cat([fold_batch(batch) for batch in batches])
    assert torch.equal(folded, torch.stack([image_to_tensor(image) for image, _ in images]))
    assert all(batch.validate() and batch.num_edges == batch.num_nodes * 2 for batch in batches)


def test_transforms_run_in_order_and_see_the_label():
    seen = []

    def look(data):
        seen.append((data.num_nodes, data.num_edges, data.y.tolist()))
        return data

    dataset = ImageGraphDataset(
        fake(),
        image_transform=Compose([Resize((4, 4)), ToGridGraph(2)]),
        transform=T.Compose([look, T.AddSelfLoops(), look]),
    )
    label = fake()[3][1]
    assert dataset[3].num_nodes == 4
    assert seen == [(4, 8, [label]), (4, 12, [label])]


def test_a_dataset_that_returns_graphs_needs_no_transform():
    dataset = ImageGraphDataset(fake(transform=ToPatchNodes(4)))
    assert dataset[0].grid_size == (2, 3)


def test_graphs_that_the_dataset_keeps_are_not_written_to():
    kept = Data(x=torch.rand(4, 1))
    assert ImageGraphDataset([(kept, 7)])[0].y.tolist() == [7]
    assert "y" not in kept


def test_pyg_indexing():
    dataset = ImageGraphDataset(fake(10), ToPatchNodes(4))
    labels = [data.y.item() for data in dataset]
    assert [data.y.item() for data in dataset[2:5]] == labels[2:5]
    mask = torch.arange(10) % 2 == 0
    assert [data.y.item() for data in dataset[mask]] == labels[::2]
    shuffled, order = dataset.shuffle(return_perm=True)
    assert [data.y.item() for data in shuffled] == [labels[i] for i in order]


def test_classes_are_asked_of_the_dataset_before_images_are_read():
    class Named(FakeData):
        classes = ("cat", "dog", "frog")

        def __getitem__(self, index):
            raise AssertionError("an image was read")

    dataset = ImageGraphDataset(Named(), ToPatchNodes(4))
    assert dataset.classes == ["cat", "dog", "frog"]
    assert dataset.num_classes == 3


def test_classes_are_counted_where_the_dataset_does_not_say():
    assert ImageGraphDataset(fake(), ToPatchNodes(4)).num_classes == 4  # FakeData has a number
    dataset = ImageGraphDataset(Subset(fake(), range(6)), ToPatchNodes(4))
    assert dataset.classes is None
    assert dataset.num_classes == max(fake()[i][1] for i in range(6)) + 1
    assert dataset.num_features == 3 * 16


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        (3, torch.tensor([3])),
        (np.int64(3), torch.tensor([3])),
        (torch.tensor(3), torch.tensor([3])),
        (0.5, torch.tensor([0.5])),
        (True, torch.tensor([True])),
        (torch.tensor([1, 0, 1]), torch.tensor([[1, 0, 1]])),
        (np.array([1.0, 2.0]), torch.tensor([[1.0, 2.0]]).double()),
    ],
)
def test_labels_get_a_dimension_to_batch_along(label, expected):
    dataset = ImageGraphDataset(labelled(label) * 2, ToPatchNodes(2))
    assert torch.equal(dataset[0].y, expected)
    assert dataset[0].y.dtype == expected.dtype
    batch = next(iter(DataLoader(dataset, batch_size=2)))
    assert torch.equal(batch.y, torch.cat([expected, expected]))


@pytest.mark.parametrize("label", ["cat", None, (1, 2)])
def test_other_labels_are_refused(label):
    with pytest.raises(TypeError, match="a label must be a number or a tensor"):
        ImageGraphDataset(labelled(label), ToPatchNodes(2))[0]


def test_tensor_datasets():
    images, labels = torch.rand(4, 1, 8, 8), torch.tensor([3, 1, 0, 2])
    dataset = ImageGraphDataset(TensorDataset(images, labels), ToPatchNodes(2))
    batch = next(iter(DataLoader(dataset, batch_size=4)))
    assert torch.equal(fold_batch(batch), images)
    assert torch.equal(batch.y, labels)


def test_items_must_be_pairs():
    with pytest.raises(TypeError, match=r"item 0 of list must be a pair .* \(got 'Image'\)"):
        ImageGraphDataset([Image.new("L", (4, 4))], ToPatchNodes(2))[0]
    with pytest.raises(TypeError, match="got a tuple of 3"):
        ImageGraphDataset([(1, 2, 3)], ToPatchNodes(2))[0]


def test_images_must_become_graphs():
    with pytest.raises(TypeError, match=r"must become a graph \(got 'Image'\).*ToPatchNodes"):
        ImageGraphDataset(fake())[0]


def test_arguments_are_checked_on_construction():
    with pytest.raises(TypeError, match=r"map-style dataset .* \(got 'generator'\)"):
        ImageGraphDataset(image for image in [])
    with pytest.raises(TypeError, match="'image_transform' must be callable"):
        ImageGraphDataset(fake(), 16)
    with pytest.raises(TypeError, match="'transform' must be callable"):
        ImageGraphDataset(fake(), ToPatchNodes(4), "knn_edges")
