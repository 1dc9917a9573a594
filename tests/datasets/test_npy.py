import logging
import pickle

import numpy as np
import pytest
import torch
from torch_geometric.loader import DataLoader

from pyg_vision.data import skeletons_to_dense
from pyg_vision.datasets.npy import SkeletonArrays

LABELS = [4, 0, 2]


@pytest.fixture
def values():
    array = np.random.default_rng(0).uniform(1, 2, (3, 3, 5, 18, 2)).astype(np.float32)
    array[2, :, 3:] = 0
    return array


@pytest.fixture
def paths(tmp_path, values):
    np.save(tmp_path / "data.npy", values)
    (tmp_path / "label.pkl").write_bytes(pickle.dumps((["a", "b", "c"], LABELS)))
    np.save(tmp_path / "label.npy", np.array(LABELS))
    return tmp_path / "data.npy", tmp_path / "label.pkl"


def test_an_array_becomes_sequences(paths, values):
    dataset = SkeletonArrays(*paths, layout="openpose")
    assert len(dataset) == 3
    for data, value in zip(dataset, values, strict=True):
        assert torch.equal(skeletons_to_dense(data)[0], torch.from_numpy(value))
    assert dataset.labels == [data.y.item() for data in dataset] == LABELS
    assert dataset.names == ["a", "b", "c"]
    assert dataset.classes == ["0", "1", "2", "3", "4"]
    assert dataset[0].layout.name == "openpose"
    assert dataset[0].pos.size(1) == 2


def test_labels_without_names(paths):
    dataset = SkeletonArrays(paths[0], paths[0].with_name("label.npy"), layout="openpose")
    assert (dataset.labels, dataset.names) == (LABELS, ["0", "1", "2"])


def test_no_labels(paths):
    dataset = SkeletonArrays(paths[0], layout="openpose")
    assert "y" not in dataset[0]
    assert dataset.classes == []
    with pytest.raises(ValueError, match=r"data.npy\[0\]' has no label"):
        dataset.labels  # noqa: B018


def test_layout_score_and_trim(paths):
    dataset = SkeletonArrays(*paths, layout="openpose", score=False, trim=True)
    assert dataset[0].pos.size(1) == 3
    assert [data.skeleton_shape for data in dataset] == [(2, 5, 18), (2, 5, 18), (2, 3, 18)]
    with pytest.raises(ValueError, match=r"data.npy': layout 'ntu' has 25 joints"):
        SkeletonArrays(*paths, layout="ntu")
    with pytest.raises(ValueError, match=r"data.npy': 'layout' must say which skeleton these 18"):
        SkeletonArrays(*paths)
    with pytest.raises(ValueError, match="'layout' must be one of"):
        SkeletonArrays(*paths, layout="dog")


def test_malformed_values(paths, values, caplog):
    values[1, 0, 0, 0, 0] = np.nan
    np.save(paths[0], values)
    dataset = SkeletonArrays(*paths, layout="openpose")
    assert dataset[2].y.item() == 2
    with pytest.raises(ValueError, match=r"data.npy\[1\]': .*NaN or infinite"):
        dataset[1]
    with caplog.at_level(logging.WARNING):
        dataset = SkeletonArrays(*paths, layout="openpose", on_error="skip")
    assert dataset.skipped == (f"{paths[0]}[1]",)
    assert dataset.names == ["a", "c"]
    assert dataset.labels == [data.y.item() for data in dataset] == [4, 2]
    assert torch.equal(skeletons_to_dense(dataset[1])[0], torch.from_numpy(values[2]))
    assert "skipped 1 of 3" in caplog.text


def test_copies_are_small(paths, values):
    dataset = SkeletonArrays(*paths, layout="openpose")
    copy = pickle.dumps(dataset)
    assert len(copy) < values[0].nbytes
    assert torch.equal(pickle.loads(copy)[1].x, dataset[1].x)
    assert dataset._array is not None


def test_parts_and_batches(paths):
    dataset = SkeletonArrays(*paths, layout="openpose")[torch.tensor([2, 0])]
    assert (dataset.names, dataset.labels) == (["c", "a"], [2, 4])
    batch = next(iter(DataLoader(dataset, batch_size=2, num_workers=1)))
    assert batch.y.tolist() == [2, 4]


def test_files_must_fit(paths):
    np.save(paths[0].with_name("label.npy"), np.array([1, 2]))
    with pytest.raises(ValueError, match="label.npy': has 2 labels, for 3 sequences"):
        SkeletonArrays(paths[0], paths[0].with_name("label.npy"), layout="openpose")
    with pytest.raises(FileNotFoundError):
        SkeletonArrays(paths[0].with_name("nowhere.npy"))
    np.save(paths[0], np.zeros((3, 18, 2)))
    with pytest.raises(ValueError, match=r"must be \[sequences, 2 to 4 channels"):
        SkeletonArrays(*paths, layout="openpose")
