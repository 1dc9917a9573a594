import torch

from pyg_vision.data import Tracks
from pyg_vision.data.packed_tracks import Level, PackedTracks
from pyg_vision.nn.conv.track_products import channel_products
from tests.laws import close


def test_each_frame_has_the_matrices_of_its_track():
    tracks = Tracks.of([(1, 5, 3), (2, 2, 3)])
    matrices = torch.randn(3, 4, 2, 6, dtype=torch.double)
    x = torch.randn(9, 6, 4, dtype=torch.double)
    own = matrices[tracks.track_of_frame(torch.device("cpu"))]
    expected = torch.einsum("fcij,fjc->fic", own, x)
    close(channel_products(matrices, x, tracks), expected)
    regular = Tracks.of([(3, 3, 3)])
    own = matrices.repeat_interleave(3, 0)
    close(channel_products(matrices, x, regular), torch.einsum("fcij,fjc->fic", own, x))
    alone = channel_products(matrices[:1], x, None)
    close(alone, torch.einsum("cij,fjc->fic", matrices[0], x))


def test_tracks_of_a_compiler_do_not_tell_their_lengths():
    tracks = Tracks.of([(1, 5, 3), (2, 2, 3)])
    packed = PackedTracks(tracks, [Level((), 1)], torch.device("cpu")).unpack(3)
    matrices = torch.randn(4, 4, 2, 6, dtype=torch.double)
    x = torch.randn(9, 6, 4, dtype=torch.double)
    close(channel_products(matrices, x, packed), channel_products(matrices[:3], x, tracks))
