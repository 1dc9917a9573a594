import torch

from pyg_vision.data import Tracks, hop_adjacency
from pyg_vision.nn import MSG3DBlock, WindowGraphConv
from tests.laws import close


def block(stride, first=False):
    torch.manual_seed(0)
    windows = {size: hop_adjacency("coco", 2, size).float() for size in (3, 5)}
    frame = hop_adjacency("coco", 3).float()
    return MSG3DBlock(4, 6, 8, frame, windows, stride, first).double().eval()


def test_packed_sequences_are_one_by_one():
    for stride in (1, 2):
        made, shapes = block(stride), [(1, 5, 17), (2, 8, 17), (1, 1, 17)]
        parts = [torch.randn(m * t * v, 4).double() for m, t, v in shapes]
        alone = [made(p, Tracks.of([shape])) for p, shape in zip(parts, shapes, strict=True)]
        close(made(torch.cat(parts), Tracks.of(shapes)), torch.cat(alone))


def test_the_first_block_widens_windows_at_once():
    assert block(1).gcn3d[0].conv.conv.out_channels == 4
    assert block(1, first=True).gcn3d[0].conv.conv.out_channels == 8


def test_a_window_becomes_a_frame():
    conv = WindowGraphConv(2, 3, 5, hop_adjacency("coco", 2, 3).float(), 3).double().eval()
    x, tracks = torch.randn(6, 17, 2).double(), Tracks.of([(1, 6, 17)])
    h = conv.bn(conv.conv(conv.windows(x, tracks)).flatten(0, 1)).relu().view(6, 3, 17, 3)
    expected = torch.einsum("fwvc,ocw->fvo", h, conv.weight[:, :, 0, :, 0]) + conv.bias
    close(conv(x, tracks), conv.out_bn(expected.flatten(0, 1)).view(6, 17, 5))
