import torch

from pyg_vision.data import Tracks
from pyg_vision.data.packed_tracks import LEAST_PLACES, Level, PackedTracks

CPU = torch.device("cpu")
LEVELS = [Level(((4, 1), (4, 2)), 2), Level(((4, 1), (0, 2)), 2), Level(((4, 1),), 1)]


def test_unpacked_they_answer_as_before_with_one_empty_sequence_more():
    tracks = Tracks.of([(1, 9, 5), (2, 14, 5), (3, 1, 5)])
    unpacked = PackedTracks(tracks, LEVELS, CPU).unpack(5)
    for level in LEVELS:
        assert unpacked.num_sequences == tracks.num_sequences + 1
        assert unpacked.num_tracks == tracks.num_tracks + 1
        assert unpacked.num_frames == tracks.num_frames
        assert torch.equal(unpacked.track_of_frame(CPU), tracks.track_of_frame(CPU))
        more = unpacked.with_joints(6)
        assert (more.num_joints, more.num_frames) == (6, tracks.num_frames)
        for step in level.steps:
            ours, theirs = unpacked.spacing(*step, CPU), tracks.spacing(*step, CPU)
            assert torch.equal(ours.rows, theirs.rows)
            assert torch.equal(ours.after, theirs.after)
            assert ours.places.size(0) == max(theirs.places.size(0), LEAST_PLACES)
        unpacked, tracks = unpacked.strided(level.stride), tracks.strided(level.stride)
    assert torch.equal(unpacked.track_of_frame(CPU), tracks.track_of_frame(CPU))
    sequence = unpacked.sequence_of_track(CPU)
    assert torch.equal(sequence[:-1], tracks.sequence_of_track(CPU))
    assert sequence[-1] == tracks.num_sequences


def test_no_two_sizes_are_equal():
    """A compiler would take sizes that are equal once for equal always."""
    for shapes in ([(1, 1, 5)], [(2, 20, 5)] * 2, [(1, 9, 5), (2, 14, 5)]):
        packed = PackedTracks(Tracks.of(shapes), LEVELS, CPU)
        sizes = [value.size(0) for value in (*packed.counts, packed.index)]
        assert len(set(sizes)) == len(sizes)
        assert min(sizes) > 1
