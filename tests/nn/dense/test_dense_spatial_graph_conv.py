import pytest
import torch

from pyg_vision.nn import DenseSpatialGraphConv, SpatialGraphConv


def test_is_the_published_einsum():
    conv = DenseSpatialGraphConv(2, 3, 4).double()
    x, adj = torch.randn(2, 2, 5, 6).double(), torch.randn(4, 6, 6).double()
    state = conv.state_dict()
    expected = torch.zeros(2, 3, 5, 6, dtype=torch.double)
    for k in range(4):
        h = torch.einsum("nitv,io->notv", x, state["weight"][k])
        h = h + state["bias"][k].view(1, 3, 1, 1)
        expected += h @ adj[k]  # from row to column
    torch.testing.assert_close(conv(x, adj), expected)


@pytest.mark.parametrize("bias", [True, False])
def test_state_is_that_of_the_sparse_twin(bias):
    dense, sparse = DenseSpatialGraphConv(2, 3, 4, bias), SpatialGraphConv(2, 3, 4, bias=bias)
    state = dense.state_dict()
    assert {k: v.shape for k, v in state.items()} == {
        k: v.shape for k, v in sparse.state_dict().items()
    }
    x, adj = torch.randn(2, 2, 5, 6), torch.randn(4, 6, 6)
    torch.testing.assert_close(torch.func.functional_call(dense, state, (x, adj)), dense(x, adj))
    assert DenseSpatialGraphConv(-1, 3, 4, bias)(x, adj).shape == (2, 3, 5, 6)


def test_wrong_number_of_relations_is_named():
    with pytest.raises(ValueError, match=r"num_relations=4 matrices \(got 3\)"):
        DenseSpatialGraphConv(2, 3, 4)(torch.zeros(1, 2, 5, 6), torch.zeros(3, 6, 6))
