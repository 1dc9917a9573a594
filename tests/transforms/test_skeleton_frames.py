from itertools import pairwise

import numpy as np
import pytest
import torch
from torch_geometric.loader import DataLoader

from pyg_vision.data import SkeletonLayout, skeleton_sequence
from pyg_vision.transforms import (
    CropResizeFrames,
    FirstPersons,
    PadFrames,
    RandomChooseFrames,
    RandomFlipSkeleton,
    RandomShiftFrames,
    SampleFrames,
    SkeletonEdges,
    TopPersons,
    TrackPersons,
    UniformSampleFrames,
)

STICK = SkeletonLayout("stick", ("a", "b"), ((1, 0),), center=0)


def sequence(frames, persons=2):
    """Every coordinate tells its frame, counted from one."""
    keypoints = torch.arange(1.0, frames + 1).view(1, -1, 1, 1).repeat(persons, 1, 2, 3)
    return skeleton_sequence(keypoints, STICK, y=1)


def frames_of(data):
    persons, frames, joints = data.skeleton_shape
    assert data.num_nodes == persons * frames * joints
    assert torch.equal(data.x, data.pos)
    array = data.x.view(persons, frames, joints, 3)
    assert (array == array[:1, :, :1, :1]).all(), "persons and joints stay together"
    return array[0, :, 0, 0].int().tolist()


@pytest.mark.parametrize("frames", [1, 3, 8, 100])
def test_even_samples_span_the_sequence(frames):
    taken = frames_of(SampleFrames(8)(sequence(frames)))
    assert len(taken) == 8
    assert taken[0] == 1
    assert taken[-1] == frames
    assert taken == sorted(taken)
    # Which the published reader of NW-UCLA takes.
    assert taken == (1 + np.linspace(0, frames - 1, 8).astype(int)).tolist()
    assert frames_of(SampleFrames(1)(sequence(frames))) == [1]


@pytest.mark.parametrize("frames", [1, 3, 100])
def test_random_samples_are_sorted(frames):
    data = sequence(frames)
    drawn = [frames_of(SampleFrames(8, random=True)(data)) for _ in range(20)]
    assert all(taken == sorted(taken) and len(taken) == 8 for taken in drawn)
    assert {frame for taken in drawn for frame in taken} <= set(range(1, frames + 1))
    if frames > 3:
        assert len(set(map(tuple, drawn))) > 1


def test_uniform_samples_take_one_of_each_stretch():
    for _ in range(20):
        taken = frames_of(UniformSampleFrames(5)(sequence(23)))
        edges = [23 * i // 5 for i in range(6)]
        for frame, low, high in zip(taken, edges[:-1], edges[1:], strict=True):
            assert low < frame <= high
    looped = frames_of(UniformSampleFrames(7)(sequence(3)))
    assert all((b - a) % 3 == 1 for a, b in pairwise(looped))


def pyskl_test_clips(length, clip, num_clips, seed):
    """pyskl's UniformSampleFrames._get_test_clips with p_interval=1, and its modulo."""
    np.random.seed(seed)
    clips = []
    for i in range(num_clips):
        seen = int((np.random.rand() * 0 + 1) * length)
        off = np.random.randint(length - seen + 1)
        if seen < clip:
            start = i if seen < num_clips else i * seen // num_clips
            index = np.arange(start, start + clip)
        elif clip <= seen < clip * 2:
            basic = np.arange(clip)
            index = np.random.choice(clip + 1, seen - clip, replace=False)
            offset = np.zeros(clip + 1, dtype=np.int64)
            offset[index] = 1
            offset = np.cumsum(offset)
            index = basic + offset[:-1]
        else:
            bids = np.array([j * seen // clip for j in range(clip + 1)])
            bsize = np.diff(bids)
            bst = bids[:clip]
            offset = np.random.randint(bsize)
            index = bst + offset
        clips.append(np.mod(index + off, length).tolist())
    return clips


@pytest.mark.parametrize("length", [1, 5, 8, 9, 12, 15, 16, 17, 40, 101])
def test_clips_of_a_test_are_those_of_pyskl(length):
    state = np.random.get_state()[1].copy()
    clips = UniformSampleFrames(8, num_clips=10, seed=255)(sequence(length))
    assert (np.random.get_state()[1] == state).all()  # the caller's numbers stay the caller's
    expected = pyskl_test_clips(length, 8, 10, 255)
    # sequence() numbers its frames from one
    assert [[frame - 1 for frame in frames_of(clip)] for clip in clips] == expected


def test_frames_between_one_and_two_clips_skip_single_frames():
    for _ in range(20):
        taken = frames_of(UniformSampleFrames(8)(sequence(12)))
        steps = {b - a for a, b in pairwise(taken)}
        assert steps <= {1, 2}
    assert frames_of(UniformSampleFrames(8)(sequence(8))) == list(range(1, 9))


def test_clips_of_a_test_are_the_same_every_time():
    data, transform = sequence(40), UniformSampleFrames(5, num_clips=3, seed=255)
    clips = transform(data)
    assert len(clips) == 3
    assert len({tuple(frames_of(clip)) for clip in clips}) > 1
    assert [frames_of(c) for c in transform(data)] == [frames_of(c) for c in clips]
    batches = next(iter(DataLoader([clips, transform(sequence(9))], batch_size=2)))
    assert len(batches) == 3
    assert batches[0].skeleton_shape == [(2, 5, 2)] * 2
    assert batches[0].y.tolist() == [1, 1]


def test_a_window_is_consecutive():
    starts = set()
    for _ in range(40):
        taken = frames_of(RandomChooseFrames(4)(sequence(7)))
        assert taken == list(range(taken[0], taken[0] + 4))
        starts.add(taken[0])
    assert starts == {1, 2, 3, 4}
    assert frames_of(RandomChooseFrames(7)(sequence(7))) == list(range(1, 8))


def test_a_short_sequence_is_placed_among_zeros():
    begins = set()
    for _ in range(40):
        taken = frames_of(RandomChooseFrames(5)(sequence(3)))
        begin = taken.index(1)
        assert taken == [0] * begin + [1, 2, 3] + [0] * (2 - begin)
        begins.add(begin)
    assert begins == {0, 1, 2}


def test_what_is_seen_is_moved_in_time():
    data = PadFrames(6, "zero")(sequence(3))
    seen = set()
    for _ in range(60):
        taken = frames_of(RandomShiftFrames()(data))
        begin = taken.index(1)
        assert taken == [0] * begin + [1, 2, 3] + [0] * (3 - begin)
        seen.add(begin)
    assert seen == {0, 1, 2, 3}
    nobody = skeleton_sequence(torch.zeros(1, 4, 2, 3), STICK)
    assert torch.equal(RandomShiftFrames()(nobody).x, nobody.x)


def test_padding():
    assert frames_of(PadFrames(7)(sequence(3))) == [1, 2, 3, 1, 2, 3, 1]
    assert frames_of(PadFrames(5, "zero")(sequence(3))) == [1, 2, 3, 0, 0]
    assert frames_of(PadFrames(2)(sequence(3))) == [1, 2, 3]


@pytest.mark.parametrize(
    "transform", [SampleFrames(3), UniformSampleFrames(3), RandomChooseFrames(3), PadFrames(9)]
)
def test_edges_of_other_nodes_are_dropped(transform):
    data = SkeletonEdges()(sequence(5))
    out = transform(data)
    assert not {"edge_index", "edge_type", "edge_weight"} & set(out.keys())
    assert "edge_index" in data
    assert SkeletonEdges()(out).validate()


@pytest.mark.parametrize(
    "make",
    [SampleFrames, UniformSampleFrames, RandomChooseFrames, PadFrames,
     lambda n: UniformSampleFrames(3, num_clips=n)],
)  # fmt: skip
@pytest.mark.parametrize("count", [0, 2.5, True])
def test_wrong_counts_are_named(make, count):
    with pytest.raises((TypeError, ValueError), match="must be (at least 1|an integer)"):
        make(count)


def test_unknown_mode_is_named():
    with pytest.raises(ValueError, match="'mode' must be 'loop', 'zero' or"):
        PadFrames(3, "mirror")


def valid_crop_resize(data, share, window, least=64):
    """The function of CTR-GCN's feeder for arrays (C, T, V, M) without empty frames."""
    channels, frames, joints, persons = data.shape
    if isinstance(share, float):
        bias = int((1 - share) * frames / 2)
        data = data[:, bias : frames - bias]
    else:
        p = float(torch.rand(1)) * (share[1] - share[0]) + share[0]
        length = min(max(int(np.floor(frames * p)), least), frames)
        bias = int(torch.randint(frames - length + 1, (1,)))
        data = data[:, bias : bias + length]
    cut = data.shape[1]
    rows = data.permute(0, 2, 3, 1).reshape(channels * joints * persons, cut)[None, None]
    size = (channels * joints * persons, window)
    out = torch.nn.functional.interpolate(rows, size=size, mode="bilinear", align_corners=False)
    return out[0, 0].view(channels, joints, persons, window).permute(0, 3, 1, 2)


@pytest.mark.parametrize("share", [0.95, 0.5, (0.5, 1.0)])
@pytest.mark.parametrize("frames", [1, 7, 64, 90, 201])
def test_crop_and_resize_as_in_ctr_gcn(share, frames):
    keypoints = torch.randn(2, frames, 20, 3, dtype=torch.float64)
    data = skeleton_sequence(keypoints, "kinect")
    for seed in range(3):
        torch.manual_seed(seed)
        wanted = valid_crop_resize(keypoints.permute(3, 1, 2, 0), share, 64)
        torch.manual_seed(seed)
        out = CropResizeFrames(64, share)(data)
        assert out.skeleton_shape == (2, 64, 20)
        found = out.x.view(2, 64, 20, 3).permute(3, 1, 2, 0)
        torch.testing.assert_close(found, wanted)
        assert torch.equal(out.x, out.pos)


@pytest.mark.parametrize("share", [0.0, 1.5, (0.9, 0.5), (0.1, 0.2, 0.3)])
def test_a_share_is_one(share):
    with pytest.raises(ValueError, match="'share' must be one above 0"):
        CropResizeFrames(64, share)


def test_persons_are_looped_by_themselves_as_in_2s_agcn():
    keypoints = torch.randn(3, 7, 25, 3)
    keypoints[0, 5:] = 0  # gone after five frames
    keypoints[0, 2] = 0  # and once in between
    keypoints[1, :4] = 0  # there from frame 4 on
    keypoints[2] = 0
    data = PadFrames(12, mode="loop_persons")(skeleton_sequence(keypoints, "ntu"))
    out = data.pos.view(3, 12, 25, 3)
    assert torch.equal(out[0], keypoints[0][[0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 0, 1]])
    assert torch.equal(out[1], keypoints[1][[4, 5, 6] * 4])
    assert not out[2].any()
    assert torch.equal(data.x, data.pos)


@pytest.mark.parametrize(
    "transform",
    [
        SampleFrames(4),
        SampleFrames(30, random=True),
        UniformSampleFrames(9, seed=1),
        CropResizeFrames(8, share=1.0),
        RandomChooseFrames(20),
        RandomShiftFrames(),
        PadFrames(20),
        PadFrames(20, "zero"),
        PadFrames(20, "loop_persons"),
        TopPersons(1),
        TopPersons(1, every_frame=True),
        FirstPersons(1),
        TrackPersons(),
        RandomFlipSkeleton(p=1.0),
    ],
)
def test_what_else_a_joint_has_goes_with_it(transform):
    torch.manual_seed(0)
    data = skeleton_sequence(torch.rand(2, 12, 17, 2) + 0.1, "coco", score=torch.rand(2, 12, 17))
    data.own = data.x[:, 2].clone()
    data.twice = torch.stack((data.own, 2 * data.own), dim=1)
    data.count = torch.arange(data.num_nodes) + 1
    data.y = torch.tensor([3])
    out = transform(data)
    torch.testing.assert_close(out.own, out.x[:, 2])
    torch.testing.assert_close(out.twice, torch.stack((out.own, 2 * out.own), dim=1))
    assert out.count.shape == out.own.shape
    assert out.count.dtype == torch.long
    assert out.y.tolist() == [3]
    assert data.own.shape == (2 * 12 * 17,)
    assert out.validate()


def test_time_goes_on_in_frames_of_zeros():
    data = skeleton_sequence(torch.rand(2, 4, 17, 2) + 0.1, "coco")
    data.time = torch.tensor([2.0, 2.5, 3.0, 3.5]).double().repeat_interleave(17).repeat(2)
    out = PadFrames(6, "zero")(data.clone())
    times = out.time.view(2, 6, 17)
    assert (times == torch.tensor([2.0, 2.5, 3, 3.5, 4, 4.5]).double()[:, None]).all()
    taken = SampleFrames(2)(data.clone()).time.view(2, 2, 17)
    assert (taken == torch.tensor([2.0, 3.5]).double()[:, None]).all()
