import pytest
import torch

from pyg_vision.data import Tracks
from pyg_vision.nn import TemporalWindows
from tests.laws import close


@pytest.mark.parametrize("shapes", [[(1, 5, 2), (2, 7, 2), (1, 1, 2)], [(2, 6, 2)]])
@pytest.mark.parametrize("size", [1, 3, 5])
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_frames_around_a_frame_of_its_track(shapes, size, stride):
    tracks, reach = Tracks.of(shapes), size // 2
    x = torch.randn(tracks.num_frames, 2, 3, dtype=torch.double, requires_grad=True)
    expected = []
    for part in x.split(list(tracks.lengths)):
        zeros = part.new_zeros(reach, 2, 3)
        padded = torch.cat((zeros, part, zeros))
        expected += [padded[t : t + size].flatten(0, 1) for t in range(0, len(part), stride)]
    out = TemporalWindows(size, stride)(x, tracks)
    close(out, torch.stack(expected))
    probe = torch.randn_like(out)
    found, wanted = (
        torch.autograd.grad((y * probe).sum(), x)[0] for y in (out, torch.stack(expected))
    )
    close(found, wanted)


def test_wrong_arguments():
    with pytest.raises(ValueError, match="'size' must be odd"):
        TemporalWindows(2)
    assert repr(TemporalWindows(3, 2)) == "TemporalWindows(size=3, stride=2)"
