import pytest
import torch

from pyg_vision.data import SkeletonLayout, Tracks, skeleton_sequence

STICK = SkeletonLayout("stick", ("a", "b", "c"), ((1, 0), (2, 1)), center=0)
CPU = torch.device("cpu")


def test_tracks_of_graphs_and_shapes():
    data = skeleton_sequence(torch.zeros(2, 4, 3, 3), STICK)
    for source in (data, (2, 4, 3), [(2, 4, 3)], data.skeleton_shape):
        tracks = Tracks.of(source)
        assert tracks.lengths == (4, 4)
        assert tracks.persons == (2,)
        assert tracks.num_joints == 3
        assert tracks.regular
        assert tracks.num_frames == 8
        assert tracks.num_nodes == 24
        assert tracks.shapes == [(2, 4, 3)]


def test_ragged_tracks():
    tracks = Tracks.of([(1, 5, 3), (2, 2, 3)])
    assert tracks.lengths == (5, 2, 2)
    assert not tracks.regular
    assert tracks.shapes == [(1, 5, 3), (2, 2, 3)]
    assert tracks.track_of_frame(CPU).tolist() == [0] * 5 + [1] * 2 + [2] * 2
    assert tracks.sequence_of_track(CPU).tolist() == [0, 1, 1]
    assert tracks.first_frames(CPU).tolist() == [0, 5, 7]
    assert tracks.last_frames(CPU).tolist() == [4, 6, 8]


def test_strides_keep_the_first_frame():
    tracks = Tracks.of([(1, 5, 3), (2, 2, 3), (1, 1, 3)])
    halved = tracks.strided(2)
    assert halved.lengths == (3, 1, 1, 1)
    assert halved.shapes == [(1, 3, 3), (2, 1, 3), (1, 1, 3)]
    assert tracks.strided(1) is tracks
    assert tracks.strided(2) is halved  # so that all layers share its indices


@pytest.mark.parametrize("stride", [1, 2, 3])
def test_spaced_tracks_leave_room(stride):
    tracks = Tracks.of([(1, 5, 3), (2, 2, 3)])
    starts = tracks.spaced(4, stride)
    assert all(start % stride == 0 for start in starts)
    ends = [start + length for start, length in zip(starts, tracks.lengths, strict=False)]
    assert all(after - end >= 4 for end, after in zip(ends, starts[1:], strict=True))
    expected = [
        start + t for start, n in zip(starts, tracks.lengths, strict=False) for t in range(n)
    ]
    assert tracks.rows(starts, CPU).tolist() == expected


def test_indices_made_in_inference_serve_training():
    tracks = Tracks.of([(1, 5, 3), (2, 2, 3)])
    with torch.inference_mode():
        tracks.track_of_frame(CPU)
        tracks.rows(tracks.spaced(4, 1), CPU)
    assert not any(index.is_inference() for index in tracks._plans.values())


def test_a_default_device_does_not_matter():
    with torch.device("meta"):
        tracks = Tracks.of([(1, 5, 3), (2, 2, 3)])
        assert tracks.last_frames(CPU).tolist() == [4, 6, 8]
        assert tracks.track_of_frame(CPU).tolist() == [0] * 5 + [1] * 2 + [2] * 2
        assert tracks.rows([0, 9, 15], CPU).tolist() == [0, 1, 2, 3, 4, 9, 10, 15, 16]


def test_what_is_no_track_is_named():
    with pytest.raises(TypeError, match=r"expected shapes .*\[5, 3\]"):
        Tracks.of([5, 3])
    with pytest.raises(TypeError, match="expected shapes"):
        Tracks.of([])
    with pytest.raises(ValueError, match=r"different numbers of joints.*\[3, 4\]"):
        Tracks.of([(1, 2, 3), (1, 2, 4)])
