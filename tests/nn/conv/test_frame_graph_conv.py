import pytest
import torch

from pyg_vision.nn.conv.frame_graph_conv import FrameGraphConv


def test_a_base_says_nothing_of_its_own():
    conv = FrameGraphConv(torch.rand(2, 3, 3))
    conv.in_channels = 4
    x = torch.randn(1, 3, 4)
    for ask in (conv, conv.sent, conv.merged, lambda x: conv.edge_weights(x, None)):
        with pytest.raises(NotImplementedError):
            ask(x)
    assert conv.edge_index.shape == (2, 9)
    assert conv.complete
