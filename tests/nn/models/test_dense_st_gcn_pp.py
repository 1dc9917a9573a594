import pytest
import torch
from torch_geometric.data import Batch

from pyg_vision.data import skeleton_sequence
from pyg_vision.nn import DenseAAGCN, DenseAGCN, DenseCTRGCN, DenseDGSTGCN, DenseSTGCNPP
from tests.nn.models.test_st_gcn import BODY
from tests.nn.skeleton_families import SMALL

TWINS = [DenseSTGCNPP, DenseAGCN, DenseAAGCN, DenseCTRGCN, DenseDGSTGCN]


@pytest.mark.parametrize("cls", TWINS)
def test_a_batch_is_refused(cls):
    batch = Batch.from_data_list([skeleton_sequence(torch.zeros(4, 6, 3), BODY)])
    with pytest.raises(TypeError, match=rf"{cls.__name__} takes a tensor \(N, C, T, V, M\)"):
        cls(3, 4, layout=BODY, stages=SMALL)(batch)
    with pytest.raises(TypeError, match="window|padding"):
        cls(3, 4, layout=BODY, stages=SMALL, padding="published", window=(8, 2))
