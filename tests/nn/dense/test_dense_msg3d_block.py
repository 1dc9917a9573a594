import pytest
import torch

from pyg_vision.data import Tracks, hop_adjacency
from pyg_vision.nn import DenseMSG3DBlock, DenseWindowGraphConv, MSG3DBlock, WindowGraphConv
from tests.laws import close


@pytest.mark.parametrize("stride", [1, 2])
def test_blocks_are_those_of_the_twin(stride):
    windows = {size: hop_adjacency("coco", 2, size).float() for size in (3, 5)}
    frame = hop_adjacency("coco", 3).float()
    sparse, dense = (
        cls(4, 6, 8, frame, windows, stride).double().eval()
        for cls in (MSG3DBlock, DenseMSG3DBlock)
    )
    dense.load_state_dict(sparse.state_dict())
    x = torch.randn(2, 4, 7, 17, dtype=torch.double)
    out = sparse(x.permute(0, 2, 3, 1).reshape(-1, 4), Tracks.of([(2, 7, 17)]))
    expected = dense(x).permute(0, 2, 3, 1).reshape(out.shape)
    close(out, expected)


def test_windows_are_those_of_the_twin():
    weights = hop_adjacency("coco", 2, 3).float()
    sparse, dense = (
        cls(4, 5, 6, weights, 3, 2).double().eval()
        for cls in (WindowGraphConv, DenseWindowGraphConv)
    )
    dense.load_state_dict(sparse.state_dict())
    x = torch.randn(2, 4, 7, 17, dtype=torch.double)
    out = sparse(x.permute(0, 2, 3, 1).reshape(14, 17, 4), Tracks.of([(2, 7, 17)]))
    close(out.view(2, 4, 17, 6).permute(0, 3, 1, 2), dense(x))
