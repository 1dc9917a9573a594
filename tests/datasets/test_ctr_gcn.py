import pickle

import numpy as np
import pytest
import torch

from pyg_vision.datasets import CTRGCNDataset


@pytest.fixture
def path(tmp_path):
    x = np.zeros((3, 6, 150), dtype=np.float32)
    x[0] = 1
    x[1, :4, :75] = 2
    x[2, :2] = np.nan
    y = np.eye(120)[[49, 3, 70]]
    np.savez(tmp_path / "NTU120_CSub.npz", x_train=x, y_train=y, x_test=x[:0], y_test=y[:0])
    return tmp_path / "NTU120_CSub.npz"


def test_sequences_and_classes(path):
    dataset = CTRGCNDataset(path)
    assert dataset.labels == [49, 3, 70]
    assert dataset.num_classes == 120
    assert dataset[0].skeleton_shape == (2, 6, 25)
    assert dataset[1].skeleton_shape == (1, 4, 25)
    assert torch.equal(dataset[1].x, torch.full((100, 3), 2.0))
    again = pickle.loads(pickle.dumps(dataset))  # to a worker of a loader
    assert torch.equal(again[1].x, dataset[1].x)


def test_malformed_sequences(path):
    with pytest.raises(ValueError, match=r"NTU120_CSub.npz\[train 2\]': .*NaN"):
        CTRGCNDataset(path)[2]
    dataset = CTRGCNDataset(path, on_error="skip")
    assert dataset.labels == [49, 3]
    assert dataset.num_skipped == 1


def test_an_empty_split(path):
    with pytest.raises(ValueError, match="split 'test' has no sequences"):
        CTRGCNDataset(path, split="test")
