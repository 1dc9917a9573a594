import pytest
import torch

from pyg_vision.nn import CompleteGraph


def test_all_patches_are_neighbours():
    table = CompleteGraph()(torch.zeros(2, 12, 3), (3, 4))
    assert torch.equal(table.index, torch.arange(12).expand(2, 12, 12))
    assert table.index.untyped_storage().nbytes() == 12 * 8
    with pytest.raises(ValueError, match="'x' must be nodes"):
        CompleteGraph()(torch.zeros(2, 12, 3), (3, 5))
