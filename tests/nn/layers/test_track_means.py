import torch

from pyg_vision.data import Tracks
from pyg_vision.nn.layers.track_means import to_frames, track_mean
from tests.laws import close


def test_means_of_tracks_and_back():
    x = torch.randn(9, 3, 2, dtype=torch.double)
    for tracks in (Tracks.of([(1, 5, 3), (2, 2, 3)]), Tracks.of([(3, 3, 3)])):
        parts = x.split(list(tracks.lengths))
        mean = track_mean(x, tracks)
        close(mean, torch.stack([part.mean(0) for part in parts]))
        back = torch.cat([m.expand_as(p) for m, p in zip(mean, parts, strict=True)])
        close(to_frames(mean, tracks, 9), back)
    close(track_mean(x, None), x.mean(0, keepdim=True))
    assert to_frames(x[:1], None, 4).shape == (4, 3, 2)
