import torch

from pyg_vision.nn import AxialGraph, GraphMixer, MRConv


def make(**options):
    torch.manual_seed(0)
    conv = MRConv(8, 16, norm="batch", act="gelu")
    return GraphMixer(8, AxialGraph("svga", 2), conv, 16, **options).double()


def test_is_the_formula():
    mixer = make(position=True, layer_scale=0.5).eval()
    x = torch.randn(2, 42, 8, dtype=torch.double)
    out, table = mixer(x, grid_size=(6, 7), return_graph=True)
    maps = x.view(2, 6, 7, 8).permute(0, 3, 1, 2)
    h = mixer.fc1((maps + mixer.position.conv(maps)).permute(0, 2, 3, 1).flatten(1, 2))
    assert torch.equal(table.index, AxialGraph("svga", 2)(h, (6, 7)).index)
    expected = x + 0.5 * mixer.fc2(mixer.conv(h, table))
    torch.testing.assert_close(out, expected)
    mixer.fuse_layers()
    assert mixer.scale is None
    torch.testing.assert_close(mixer(x, grid_size=(6, 7)), expected)


def test_a_given_graph_is_used():
    mixer = make().eval()
    x = torch.randn(2, 42, 8, dtype=torch.double)
    other = AxialGraph("mgc", 1)(x, (6, 7))
    out, table = mixer(x, other, grid_size=(6, 7), return_graph=True)
    assert table is other
    assert not torch.equal(out, mixer(x, grid_size=(6, 7)))
