import torch

from pyg_vision.nn import MSG3D, DenseMSG3D
from tests.laws import close
from tests.nn.models.test_ms_g3d import SMALL
from tests.nn.skeleton_families import small


def test_absent_persons_are_averaged_as_published():
    sparse, dense = small(MSG3D, **SMALL), small(DenseMSG3D, **SMALL)
    dense.load_state_dict(sparse.state_dict())
    x = torch.randn(2, 3, 8, 6, 2, dtype=torch.double)
    x[..., 1] = 0
    close(dense(x), sparse(x))
