import pytest
import torch

from pyg_vision.data import Tracks
from pyg_vision.nn import TemporalMaxPool
from tests.laws import close

RAGGED = [(1, 5, 3), (2, 12, 3), (1, 1, 3), (2, 2, 3)]


def one_by_one(x, shapes, size, stride):
    """The maximum over a window of each track alone, cut off at its ends."""
    outs = []
    sizes = [(t, v) for m, t, v in shapes for _ in range(m)]
    for part, (t, v) in zip(x.split([t * v for t, v in sizes]), sizes, strict=True):
        frames = part.view(t, v, -1)
        half = size // 2
        outs += [frames[max(i - half, 0) : i + half + 1].amax(0) for i in range(0, t, stride)]
    return torch.cat(outs)


@pytest.mark.parametrize("shapes", [RAGGED, [(2, 7, 3), (1, 7, 3)]])
@pytest.mark.parametrize("size", [1, 3, 5])
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_tracks_never_mix(shapes, size, stride):
    tracks = Tracks.of(shapes)
    x = torch.randn(tracks.num_nodes, 4, dtype=torch.double, requires_grad=True)
    out, expected = TemporalMaxPool(size, stride)(x, tracks), one_by_one(x, shapes, size, stride)
    close(out, expected)
    probe = torch.randn_like(out)
    found, wanted = (torch.autograd.grad((y * probe).sum(), x)[0] for y in (out, expected))
    close(found, wanted)


def test_negative_values_are_not_lost():
    x = -torch.ones(5, 2)
    assert torch.equal(TemporalMaxPool()(x, [(1, 3, 1), (1, 2, 1)]), x)


def test_wrong_arguments():
    with pytest.raises(ValueError, match="must be odd"):
        TemporalMaxPool(2)
    with pytest.raises(ValueError, match=r"'x' must be \[5 nodes, channels\]"):
        TemporalMaxPool()(torch.randn(4, 2), [(1, 5, 1)])
    assert repr(TemporalMaxPool(3, 2)) == "TemporalMaxPool(kernel_size=3, stride=2)"
