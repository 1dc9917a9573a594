import pytest
import torch

from pyg_vision.data import skeleton_sequence
from pyg_vision.transforms import cut_windows


def sequence(persons=2, frames=10):
    x = torch.arange(persons * frames * 17 * 2).float().view(persons, frames, 17, 2) + 1
    return skeleton_sequence(x, "coco"), x


@pytest.mark.parametrize(
    ("window", "stride", "spans"),
    [
        (None, None, [(0, 10)]),
        (4, None, [(0, 4), (4, 8), (6, 10)]),
        (4, 3, [(0, 4), (3, 7), (6, 10)]),
        (5, None, [(0, 5), (5, 10)]),
        (20, 5, [(0, 10)]),
        (1, 4, [(0, 1), (4, 5), (8, 9), (9, 10)]),
    ],
)
def test_windows_cover_every_frame(window, stride, spans):
    data, x = sequence()
    found = cut_windows(data, window, stride)
    assert [(part.start, part.stop) for part in found] == spans
    for part in found:
        assert part.person is None
        expected = x[:, part.start : part.stop]
        assert torch.equal(part.data.x.view_as(expected), expected)
    assert torch.equal(data.x.view_as(x), x)


def test_persons_have_windows_while_they_are_seen():
    data, x = sequence()
    data.x.view_as(x)[1, :4] = 0
    data.pos.view_as(x)[1, :4] = 0
    found = cut_windows(data, 4, per_person=True)
    assert [(part.person, part.start) for part in found] == [(0, 0), (0, 4), (1, 4), (0, 6), (1, 6)]
    assert torch.equal(found[2].data.x.view(4, 17, 2), x[1, 4:8])


@pytest.mark.parametrize("options", [{"window": 0}, {"stride": 0}, {"window": 2, "stride": -1}])
def test_numbers_must_be_positive(options):
    with pytest.raises(ValueError, match=f"'{list(options)[-1]}' must"):
        cut_windows(sequence()[0], **options)
