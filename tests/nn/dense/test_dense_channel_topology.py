import pytest
import torch

from pyg_vision.data import Tracks
from pyg_vision.nn import ChannelTopologyConv, DenseChannelTopologyConv
from tests.laws import close
from tests.nn.frame_convs import make


@pytest.mark.parametrize("options", [{}])
def test_each_map_is_a_track(options):
    sparse, dense = make(ChannelTopologyConv, **options), make(DenseChannelTopologyConv, **options)
    dense.load_state_dict(sparse.state_dict())
    x = torch.randn(3, 5, 7, 4, dtype=torch.double, requires_grad=True)
    frames = x.permute(0, 2, 3, 1).reshape(21, 4, 5)
    out = sparse(frames, Tracks.of([(3, 7, 4)])).view(3, 7, 4, 8).permute(0, 3, 1, 2)
    expected = dense(x)
    close(out, expected)
    probe = torch.randn_like(out)
    found, wanted = (torch.autograd.grad((y * probe).sum(), x)[0] for y in (out, expected))
    close(found, wanted)
