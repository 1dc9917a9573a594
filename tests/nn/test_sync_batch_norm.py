"""torch.nn.SyncBatchNorm in place of every batch norm of our layers and models."""

import copy

import pytest
import torch
from torch.nn import SyncBatchNorm
from torch.nn.modules.batchnorm import _BatchNorm
from torch_geometric.data import Batch

from pyg_vision.data import skeleton_sequence
from pyg_vision.nn import (
    FFN,
    STGCN,
    DenseSTGCN,
    DenseViG,
    Grapher,
    MRConv,
    STGCNBlock,
    ViG,
    ViGEdgeConv,
    ViGGINConv,
    ViGSAGEConv,
)
from pyg_vision.ops import knn

SMALL = {"image_size": 32, "patch_size": 8, "k": 3, "num_classes": 5}


def images():
    return torch.randn(3, 3, 32, 32)


def motion():
    return torch.randn(2, 3, 8, 18, 1)


def packed():
    sequences = [
        skeleton_sequence(torch.rand(m, t, 18, 3), "openpose") for m, t in ((1, 9), (2, 6))
    ]
    return Batch.from_data_list(sequences)


def on_table(conv):
    x = torch.randn(2, 8, 8)
    return conv(8, 8, norm="batch", act="gelu"), (x, knn(x, 3))


CASES = {
    **{
        conv.__name__: lambda conv=conv: on_table(conv)
        for conv in (MRConv, ViGEdgeConv, ViGSAGEConv, ViGGINConv)
    },
    # As many nodes as channels: rows cannot be taken for columns unnoticed.
    "Grapher": lambda: (Grapher(16, 3), (torch.randn(2, 16, 16),)),
    "Grapher of nodes": lambda: (Grapher(16, 3), (torch.randn(16, 16),)),
    "FFN": lambda: (FFN(16), (torch.randn(2, 16, 16),)),
    "ViG": lambda: (ViG(16, 2, **SMALL), (images(),)),
    "ViG of other channels": lambda: (ViG(32, 2, conv="edge", **SMALL), (images(),)),
    "DenseViG": lambda: (DenseViG(16, 2, **SMALL), (images(),)),
    "STGCNBlock": lambda: (
        STGCNBlock(4, 8),
        (torch.randn(36, 4), [(1, 12, 3)], torch.tensor([[0, 1], [1, 2]]), torch.tensor([1, 2])),
    ),
    "STGCN": lambda: (STGCN(3, 5), (motion(),)),
    "STGCN of a batch": lambda: (STGCN(3, 5), (packed(),)),
    "DenseSTGCN": lambda: (DenseSTGCN(3, 5), (motion(),)),
}


@pytest.mark.parametrize("name", CASES)
def test_conversion_changes_no_number(name):
    torch.manual_seed(0)
    model, inputs = CASES[name]()
    model(*inputs)  # running statistics that are not those of a new norm
    converted = SyncBatchNorm.convert_sync_batchnorm(copy.deepcopy(model))
    norms = [m for m in model.modules() if isinstance(m, _BatchNorm)]
    assert len(norms) > 0
    found = [m for m in converted.modules() if isinstance(m, _BatchNorm)]
    assert len(found) == len(norms)
    assert all(type(m) is SyncBatchNorm for m in found)
    assert list(converted.state_dict()) == list(model.state_dict())
    for training in (True, False):
        model.train(training)
        converted.train(training)
        expected = model(*inputs)
        out = converted(*inputs)
        expected, out = (v[0] if isinstance(v, tuple) else v for v in (expected, out))
        torch.testing.assert_close(out, expected)
        for actual, wanted in zip(found, norms, strict=True):
            torch.testing.assert_close(actual.running_mean, wanted.running_mean)
            torch.testing.assert_close(actual.running_var, wanted.running_var)
    back = type(model).load_state_dict
    back(model, converted.state_dict())


def test_norms_are_those_of_torch():
    """A subclass would be replaced as well, and its own forward lost."""
    for make in CASES.values():
        norms = [m for m in make()[0].modules() if isinstance(m, _BatchNorm)]
        assert all(type(m).__module__ == "torch.nn.modules.batchnorm" for m in norms)
