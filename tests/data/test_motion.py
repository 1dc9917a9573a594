import pytest
import torch

from pyg_vision.data import Tracks
from pyg_vision.data.motion import first_difference, second_difference

SHAPES = [(1, 5, 3), (2, 4, 3), (1, 1, 3), (1, 2, 3)]


def per_track(x, change):
    parts = x.split([t * v for m, t, v in SHAPES for _ in range(m)])
    return torch.cat([change(part.view(-1, 3, 2)).reshape(-1, 2) for part in parts])


def first(x):
    out = torch.zeros_like(x)
    for t in range(len(x) - 1):
        out[t] = x[t + 1] - x[t]
    return out


def second(x):
    out = torch.zeros_like(x)
    for t in range(1, len(x) - 1):
        out[t] = x[t] - 0.5 * x[t + 1] - 0.5 * x[t - 1]
    return out


@pytest.mark.parametrize(
    ("ours", "formula"), [(first_difference, first), (second_difference, second)]
)
def test_differences_stay_within_a_track(ours, formula):
    tracks = Tracks.of(SHAPES)
    x = torch.randn(tracks.num_nodes, 2, dtype=torch.double, requires_grad=True)
    torch.testing.assert_close(ours(x, tracks), per_track(x, formula))
    assert torch.autograd.gradcheck(lambda x: ours(x, tracks), x)


def test_a_single_frame_does_not_move():
    tracks = Tracks.of((1, 1, 3))
    x = torch.randn(3, 2)
    assert torch.equal(first_difference(x, tracks), torch.zeros(3, 2))
    assert torch.equal(second_difference(x, tracks), torch.zeros(3, 2))
