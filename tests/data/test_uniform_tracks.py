import pytest
import torch

from pyg_vision.data import Tracks
from pyg_vision.data.uniform_tracks import UniformTracks

CPU = torch.device("cpu")


@pytest.mark.parametrize("length", [1, 4, 5])
def test_are_the_tracks_of_as_many_equal_sequences(length):
    ours, theirs = UniformTracks(3, 2, length, 6), Tracks.of([(2, length, 6)] * 3)
    for _ in range(2):
        for name in ("num_sequences", "num_tracks", "num_frames", "num_joints", "num_nodes",
                     "regular", "even", "length"):  # fmt: skip
            assert getattr(ours, name) == getattr(theirs, name), name
        assert list(ours.lengths) == list(theirs.lengths)
        assert list(ours.persons) == list(theirs.persons)
        for name in ("first_frames", "last_frames", "track_of_frame", "sequence_of_track"):
            assert torch.equal(getattr(ours, name)(CPU), getattr(theirs, name)(CPU)), name
        ours, theirs = ours.strided(2), theirs.strided(2)
