import pytest
import torch
from torch_geometric.data import Batch

from pyg_vision.data import SkeletonLayout, skeleton_sequence
from pyg_vision.nn import STGCN, DenseSTGCN, Stage, TwoStream
from tests.laws import close

STICK = SkeletonLayout("stick", ("a", "b", "c"), ((1, 0), (2, 1)), center=0)
STAGES = [Stage(8, 1), Stage(16, 1, 2)]


def model(cls=STGCN, **options):
    one = cls(2, 4, layout=STICK, stages=STAGES, **options)
    for norm in one.modules():
        if isinstance(norm, torch.nn.modules.batchnorm._BatchNorm):
            norm.running_mean.normal_()
    return TwoStream(one).double().eval()


def sequences(*shapes):
    made = [torch.randn(persons, frames, 3, 2).double() for persons, frames in shapes]
    return Batch.from_data_list([skeleton_sequence(value, STICK, y=1) for value in made])


@pytest.mark.parametrize("cls", [STGCN, DenseSTGCN])
@pytest.mark.parametrize("frames", [1, 2, 3, 8])
def test_motion_is_the_published_second_difference(cls, frames):
    made = model(cls)
    x = torch.randn(2, 2, frames, 3, 2, dtype=torch.double)
    motion = torch.zeros_like(x)
    for t in range(1, frames - 1):
        motion[:, :, t] = x[:, :, t] - 0.5 * x[:, :, t + 1] - 0.5 * x[:, :, t - 1]
    close(made(x), made.origin_stream(x) + made.motion_stream(motion))
    scores, features = made.extract_feature(x)
    streams = made.origin_stream.extract_feature(x), made.motion_stream.extract_feature(motion)
    close(scores, streams[0][0] + streams[1][0])
    close(features, torch.cat((streams[0][1], streams[1][1]), dim=1))
    assert features.size(1) == made.num_features == 32


def test_a_batch_is_its_sequences_one_by_one():
    made, batch = model(), sequences((1, 9), (2, 14), (1, 1), (3, 30), (2, 2))
    out = made.extract_feature(batch)
    assert out.x.size(1) == 32
    close(made(batch), torch.cat([made(one) for one in batch.to_data_list()]))
    one = batch[1]
    dense = one.x.view(2, 14, 3, 2).permute(3, 1, 2, 0).unsqueeze(0)
    close(made(one), made(dense))


def test_a_window_is_that_of_the_streams():
    made = model(padding="published", window=(12, 2))
    batch = sequences((1, 9), (2, 12))
    x = torch.zeros(2, 2, 12, 3, 2).double()
    for i, one in enumerate(batch.to_data_list()):
        persons, frames, _ = one.skeleton_shape
        x[i, :, :frames, :, :persons] = one.x.view(persons, frames, 3, 2).permute(3, 1, 2, 0)
    close(made(batch), made(x))


def test_streams_share_nothing():
    made = model()
    ours, theirs = (list(s.parameters()) for s in (made.origin_stream, made.motion_stream))
    assert not {id(p) for p in ours} & {id(p) for p in theirs}
    assert any((a != b).any() for a, b in zip(ours, theirs, strict=True))
    other = STGCN(2, 4, layout=STICK, stages=[Stage(4, 1)]).double().eval()
    pair = TwoStream(made.origin_stream, other)
    assert pair.motion_stream is other
    assert pair(torch.randn(1, 2, 5, 3, 1).double()).shape == (1, 4)


def test_dense_streams_take_no_batch():
    with pytest.raises(TypeError, match=r"takes a tensor \(N, C, T, V, M\)"):
        model(DenseSTGCN)(sequences((1, 9)))


def test_what_are_no_two_streams_is_named():
    one = STGCN(2, 4, layout=STICK, stages=STAGES)
    for wrong in (torch.nn.Linear(3, 4), TwoStream(one)):
        with pytest.raises(TypeError, match="'origin_stream' must be a model of skeletons"):
            TwoStream(wrong)
        with pytest.raises(TypeError, match="'motion_stream' must be a model of skeletons"):
            TwoStream(one, wrong)
    with pytest.raises(ValueError, match=r"the same 'num_classes' \(got \(4, 5\)\)"):
        TwoStream(one, STGCN(2, 5, layout=STICK, stages=STAGES))
    with pytest.raises(ValueError, match="'num_classes' must be at least 0"):
        TwoStream(one).reset_classifier(-1)
