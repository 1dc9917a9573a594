import pytest
import torch

from pyg_vision.data import Tracks
from pyg_vision.nn import DenseSkeletonAttention, SkeletonAttention
from tests.laws import close


@pytest.mark.parametrize("joints", [1, 4, 5])
def test_equals_the_dense_twin(joints):
    sparse, dense = (c(6, joints).double() for c in (SkeletonAttention, DenseSkeletonAttention))
    dense.load_state_dict(sparse.state_dict())
    x = torch.randn(2 * 7 * joints, 6, dtype=torch.double)
    out = sparse(x, Tracks.of([(2, 7, joints)]))
    maps = x.view(2, 7, joints, 6).permute(0, 3, 1, 2)
    close(out, dense(maps).permute(0, 2, 3, 1).reshape(out.shape))


def test_tracks_are_attended_to_one_by_one():
    attention, shapes = SkeletonAttention(6, 4).double(), [(1, 5, 4), (2, 3, 4), (1, 1, 4)]
    tracks = Tracks.of(shapes)
    x = torch.randn(tracks.num_nodes, 6, dtype=torch.double)
    parts = x.split([length * 4 for length in tracks.lengths])
    alone = [attention(part, Tracks.of([(1, len(part) // 4, 4)])) for part in parts]
    close(attention(x, tracks), torch.cat(alone))


def test_other_joints():
    with pytest.raises(ValueError, match=r"2 frames of 4 joints, channels=6"):
        SkeletonAttention(6, 4)(torch.randn(10, 6), Tracks.of([(1, 2, 5)]))
