import torch

from pyg_vision.data import Tracks
from pyg_vision.data.packed_tracks import Level, PackedTracks
from pyg_vision.nn.conv.track_products import (
    channels_first,
    channels_last,
    frame_products,
    map_tracks,
)
from tests.laws import close

CPU = torch.device("cpu")


def scaled(frames, own):
    return frames * own.view(-1, 1, 1, 1)


def test_each_track_has_its_own():
    x, own = torch.randn(9, 3, 2, dtype=torch.double), torch.tensor([2.0, 3.0, 5.0]).double()
    for tracks in (Tracks.of([(1, 5, 3), (2, 2, 3)]), Tracks.of([(3, 3, 3)])):
        expected = x * own[tracks.track_of_frame(CPU)].view(-1, 1, 1)
        close(map_tracks(scaled, x, own, tracks), expected)
    close(map_tracks(scaled, x, own[:1], None), 2 * x)


def test_tracks_of_a_compiler_do_not_tell_their_lengths():
    tracks = Tracks.of([(1, 5, 3), (2, 2, 3)])
    packed = PackedTracks(tracks, [Level((), 1)], CPU).unpack(3)
    matrices = torch.randn(4, 4, 6, 2, dtype=torch.double)
    x = torch.randn(9, 6, 4, dtype=torch.double)
    assert map_tracks(scaled, x, matrices, packed) is None
    own = matrices[tracks.track_of_frame(CPU)]
    expected = torch.einsum("fcji,fjc->fic", own, x)
    close(frame_products(matrices, x, packed), expected)
    close(frame_products(matrices, x, tracks), expected)


def test_maps_between_the_two_orders():
    x, lin = torch.randn(3, 7, 4).double(), torch.nn.Linear(4, 5).double()
    maps = channels_first(x, lin.weight, lin.bias)
    close(maps, lin(x).mT)
    assert maps.is_contiguous()
    back = torch.nn.Linear(5, 2).double()
    close(channels_last(maps, back.weight, back.bias), back(lin(x)))
