import pytest

from pyg_vision.nn import DenseSTGCNBlock, STGCNBlock
from tests.nn.golden_st_gcn import RECORDED, check_evaluation, check_training, make


def run(block, x, adj):
    return block(x, adj)


@pytest.mark.parametrize("name", RECORDED)
def test_recorded_evaluation(name, load_golden):
    check_evaluation(*make(DenseSTGCNBlock, load_golden, name), run)


@pytest.mark.parametrize("name", RECORDED)
def test_recorded_training_step(name, load_golden):
    check_training(*make(DenseSTGCNBlock, load_golden, name), run)


@pytest.mark.parametrize("options", [{}, {"stride": 2}, {"residual": False}])
def test_state_is_that_of_the_sparse_twin(options):
    dense, sparse = DenseSTGCNBlock(4, 6, **options), STGCNBlock(4, 6, **options)
    assert {k: v.shape for k, v in dense.state_dict().items()} == {
        k: v.shape for k, v in sparse.state_dict().items()
    }


def test_even_kernels_are_refused():
    with pytest.raises(ValueError, match=r"'kernel_size' must be odd \(got 4\)"):
        DenseSTGCNBlock(4, 6, kernel_size=4)
