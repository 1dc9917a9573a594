import logging
import pickle
import re

import numpy as np
import pytest
import torch
from PIL import Image
from torch_geometric.loader import DataLoader
from torchvision.datasets import ImageFolder
from torchvision.transforms import CenterCrop, Compose, Resize

from pyg_vision.data import fold_batch, image_to_tensor
from pyg_vision.datasets import ImageFolderGraphs, ImageGraphDataset, load_rgb
from pyg_vision.transforms import KNNEdges, ToPatchNodes

CLASSES = ["n01440764", "n02102040", "n03000684"]  # three of Imagenette


def noise(height=8, width=12):
    generator = np.random.default_rng(0)
    return Image.fromarray(generator.integers(0, 256, (height, width, 3), dtype=np.uint8))


@pytest.fixture
def root(tmp_path):
    for name in CLASSES:
        (tmp_path / name).mkdir()
        for i in range(3):
            noise().save(tmp_path / name / f"{name}_{i}.JPEG")
    return tmp_path


def truncate(path):
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


BROKEN = {
    "truncated.jpg": lambda path: (noise(64, 64).save(path), truncate(path)),
    "truncated.png": lambda path: (noise(64, 64).save(path), truncate(path)),
    "empty.jpg": lambda path: path.write_bytes(b""),
    "text.png": lambda path: path.write_text("<html>404 Not Found</html>"),
    "header.bmp": lambda path: path.write_bytes(b"BM" + b"\0" * 60),
    "float.tiff": lambda path: Image.new("F", (8, 8)).save(path),
}


def test_files_become_graphs_with_the_index_of_their_folder(root):
    dataset = ImageFolderGraphs(root, ToPatchNodes(4), KNNEdges(2))
    assert len(dataset) == 9
    assert dataset.classes == CLASSES
    assert dataset.num_classes == 3
    assert [data.y.item() for data in dataset] == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert dataset[0].validate()
    assert dataset[0].num_edges == 6 * 2
    assert dataset.paths[4] == str(root / CLASSES[1] / f"{CLASSES[1]}_1.JPEG")
    assert dataset[4:6].paths == dataset.paths[4:6]


def test_the_same_as_the_folder_of_torchvision(root):
    ours = ImageFolderGraphs(root, ToPatchNodes(4))
    theirs = ImageGraphDataset(ImageFolder(root), ToPatchNodes(4))
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs, strict=True):
        assert torch.equal(a.x, b.x)
        assert torch.equal(a.y, b.y)


def test_every_mode_becomes_rgb(root):
    for mode, suffix in {"L": "jpg", "CMYK": "jpg", "1": "png", "RGBA": "png", "P": "png"}.items():
        noise().convert(mode).save(root / CLASSES[0] / f"{mode}.{suffix}")
    wide = Image.fromarray(np.full((8, 12), 257 * 100, dtype=np.uint16))
    wide.save(root / CLASSES[0] / "wide.png")
    dataset = ImageFolderGraphs(root, ToPatchNodes(4))
    assert len(dataset) == 9 + 6
    assert {data.x.shape for data in dataset} == {(6, 48)}
    index = dataset.paths.index(str(root / CLASSES[0] / "wide.png"))
    torch.testing.assert_close(dataset[index].x, torch.full((6, 48), 100 / 255))


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_named_when_it_is_read(root, name):
    path = root / CLASSES[1] / name
    BROKEN[name](path)
    dataset = ImageFolderGraphs(root, ToPatchNodes(4))
    index = dataset.paths.index(str(path))
    assert dataset[index - 1].num_nodes == 6
    with pytest.raises(
        ValueError, match=re.escape(f"cannot decode the image file '{path}'")
    ) as info:
        dataset[index]
    assert "on_error='skip'" in str(info.value)
    assert info.value.__cause__ is not None


def test_a_broken_file_is_named_by_the_workers_of_a_loader(root):
    (root / CLASSES[0] / "empty.png").write_bytes(b"")
    loader = DataLoader(ImageFolderGraphs(root, ToPatchNodes(4)), batch_size=5, num_workers=2)
    with pytest.raises(ValueError, match=r"cannot decode the image file .*empty\.png"):
        list(loader)


def test_broken_files_are_skipped_and_counted(root, caplog):
    for name, make in BROKEN.items():
        make(root / CLASSES[1] / name)
    with caplog.at_level(logging.WARNING):
        dataset = ImageFolderGraphs(root, ToPatchNodes(4), on_error="skip")
    assert len(dataset) == 9
    assert dataset.num_skipped == len(BROKEN) == 6
    assert dataset.skipped == sorted(str(root / CLASSES[1] / name) for name in BROKEN)
    assert [data.y.item() for data in dataset] == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert dataset.folder.targets == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    (record,) = caplog.records
    message = record.getMessage()
    assert f"skipped 6 of 15 image files below '{root}'" in message
    assert "empty.jpg" in message
    assert message.endswith(" and 1 more")


def test_nothing_is_logged_if_all_files_are_sound(root, caplog):
    dataset = ImageFolderGraphs(root, ToPatchNodes(4), on_error="skip")
    assert (dataset.num_skipped, dataset.skipped, caplog.records) == (0, [], [])


def test_a_folder_of_broken_files_only(tmp_path):
    (tmp_path / "cat").mkdir()
    (tmp_path / "cat" / "a.png").write_bytes(b"")
    with pytest.raises(ValueError, match=r"none of the 1 image files below .*a\.png'"):
        ImageFolderGraphs(tmp_path, ToPatchNodes(4), on_error="skip")


def test_a_missing_file_is_not_called_corrupt(root):
    dataset = ImageFolderGraphs(root, ToPatchNodes(4))
    (root / CLASSES[0] / f"{CLASSES[0]}_0.JPEG").unlink()
    with pytest.raises(FileNotFoundError, match=f"{CLASSES[0]}_0.JPEG"):
        dataset[0]


def test_errors_of_transforms_are_not_blamed_on_the_file(root):
    with pytest.raises(ValueError, match=r"8×12 pixels .* does not divide"):
        ImageFolderGraphs(root, ToPatchNodes(5))[0]


def test_a_loader_of_ones_own(root):
    dataset = ImageFolderGraphs(
        root, ToPatchNodes(4), loader=lambda path: load_rgb(path).convert("L")
    )
    assert dataset[0].x.shape == (6, 16)


def test_arguments_are_checked_on_construction(root):
    with pytest.raises(ValueError, match=r"'on_error' must be 'raise' or 'skip' \(got 'ignore'\)"):
        ImageFolderGraphs(root, ToPatchNodes(4), on_error="ignore")
    with pytest.raises(FileNotFoundError):
        ImageFolderGraphs(root / "nowhere", ToPatchNodes(4))


def test_pickle(root):
    dataset = ImageFolderGraphs(root, ToPatchNodes(4), on_error="skip")
    assert torch.equal(pickle.loads(pickle.dumps(dataset))[2].x, dataset[2].x)


def test_real_photographs_of_cifar10(shared):
    train = ImageFolderGraphs(shared / "data" / "cifar10_subset" / "train", ToPatchNodes(4))
    assert (len(train), train.num_classes) == (6000, 10)
    assert train.classes[0] == "airplane"
    batch = next(iter(DataLoader(train, batch_size=16, shuffle=True, num_workers=2)))
    assert batch.x.shape == (16 * 64, 48)
    assert fold_batch(batch).shape == (16, 3, 32, 32)
    test = ImageFolderGraphs(
        shared / "data" / "cifar10_subset" / "test", ToPatchNodes(4), on_error="skip"
    )
    assert (len(test), test.num_skipped) == (2000, 0)


def test_real_photographs_of_imagenet(shared, tmp_path):
    photos = sorted((shared / "data" / "imagenet_samples").glob("*.JPEG"))
    assert len(photos) == 18
    for path in photos:
        folder = tmp_path / path.name.split("_")[0]
        folder.mkdir()
        (folder / path.name).symlink_to(path)
    crop = Compose([Resize(224), CenterCrop(224)])
    dataset = ImageFolderGraphs(
        tmp_path, Compose([crop, ToPatchNodes(16)]), KNNEdges(9), on_error="skip"
    )
    assert (len(dataset), dataset.num_classes, dataset.num_skipped) == (18, 18, 0)
    batch = next(iter(DataLoader(dataset, batch_size=4)))
    assert batch.validate()
    assert batch.x.shape == (4 * 196, 768)
    assert batch.num_edges == 4 * 196 * 9
    expected = image_to_tensor(crop(load_rgb(str(photos[2]))))
    assert torch.equal(fold_batch(batch)[2], expected)
