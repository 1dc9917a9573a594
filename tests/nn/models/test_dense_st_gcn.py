import pytest
import torch
from torch_geometric.data import Batch

from pyg_vision.data import SkeletonLayout, skeleton_sequence
from pyg_vision.nn import STGCN, DenseSTGCN
from tests.laws import close

STICK = SkeletonLayout("stick", ("a", "b", "c"), ((1, 0), (2, 1)), center=0)


def test_state_is_that_of_the_sparse_twin():
    sparse, dense = (cls(2, 4, layout=STICK) for cls in (STGCN, DenseSTGCN))
    state = sparse.state_dict()
    assert {k: v.shape for k, v in state.items()} == {
        k: v.shape for k, v in dense.state_dict().items()
    }
    dense.load_state_dict(state)
    for name, value in dense.state_dict().items():
        assert torch.equal(value, state[name]), name


def test_absent_persons_are_averaged_as_published():
    dense = DenseSTGCN(2, 4, layout=STICK, edge_importance=False).double().eval()
    x = torch.randn(1, 2, 8, 3, 2, dtype=torch.double)
    x[..., 1] = 0
    alone = [dense(x[..., i : i + 1]) for i in range(2)]
    close(dense(x), (alone[0] + alone[1]) / 2)


def test_a_batch_is_refused():
    batch = Batch.from_data_list([skeleton_sequence(torch.zeros(4, 3, 2), STICK)])
    for run in (DenseSTGCN(2, 4, layout=STICK), DenseSTGCN(2, 4, layout=STICK).extract_feature):
        with pytest.raises(TypeError, match=r"takes a tensor \(N, C, T, V, M\).*_to_dense"):
            run(batch)


def test_wrong_shapes_are_named():
    with pytest.raises(ValueError, match="3 joints of layout 'stick'"):
        DenseSTGCN(2, 4, layout=STICK)(torch.zeros(1, 2, 8, 4, 1))
    with pytest.raises(TypeError, match="window"):
        DenseSTGCN(2, 4, layout=STICK, window=(8, 1))
