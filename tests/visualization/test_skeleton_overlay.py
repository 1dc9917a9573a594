import numpy as np
import pytest
import torch

from pyg_vision.data import skeleton_sequence
from pyg_vision.visualization import SkeletonOverlay

BLACK = np.zeros((64, 96, 3), np.uint8)
SCALE = 7  # to about 640 columns


def person(dims=2):
    torch.manual_seed(0)
    pos = torch.rand(1, 4, 17, dims) * 40 + 10
    return skeleton_sequence(pos, "coco")


def near(image, color, tolerance=40):
    wanted = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)])
    return (np.abs(image.astype(int) - wanted) < tolerance).all(axis=-1)


def test_joints_and_bones_lie_where_they_were_found():
    data = person()
    image = SkeletonOverlay(data).draw(BLACK, 2)
    assert image.shape == (64 * SCALE, 96 * SCALE, 3)
    drawn = image.any(axis=-1)
    points = ((data.pos.view(4, 17, 2)[2].numpy() + 0.5) * SCALE).round().astype(int)
    assert drawn[points[:, 1], points[:, 0]].all()
    rows, columns = drawn.nonzero()
    low, high = points.min(axis=0) - 10, points.max(axis=0) + 10
    assert (columns.min(), rows.min()) >= tuple(low)
    assert columns.max() <= high[0]
    assert rows.max() <= high[1]
    assert near(image, "#0072B2").any()  # two relations
    assert near(image, "#E69F00").any()


def test_pixels_are_preferred():
    data = person()
    shares = data.clone()
    shares.pixels = data.pos
    shares.pos = data.pos / 96
    expected = SkeletonOverlay(data).draw(BLACK, 0)
    assert (SkeletonOverlay(shares).draw(BLACK, 0) == expected).all()
    metres = person(dims=3)
    with pytest.raises(ValueError, match="'pixels' tells it"):
        SkeletonOverlay(metres)
    metres.pixels = data.pos
    assert (SkeletonOverlay(metres).draw(BLACK, 0) == expected).all()


def test_persons_who_are_not_seen_are_not_drawn():
    data = person()
    data.pos.view(4, 17, 2)[1] = 0
    data.x = data.pos.clone()
    overlay = SkeletonOverlay(data, labels=[["walk"] * 4])
    assert not overlay.draw(BLACK, 1).any()
    assert near(overlay.draw(BLACK, 0), "#ffffff").sum() > near(
        SkeletonOverlay(data).draw(BLACK, 0), "#ffffff").sum()  # fmt: skip


def test_joints_of_a_large_response_are_large():
    data = person()
    response = torch.zeros(1, 4, 17)
    response[0, :, 9] = 1.0
    yellow = near(SkeletonOverlay(data, response).draw(BLACK, 0), "#f2b90c", 12)
    rows, columns = yellow.nonzero()
    x, y = (data.pos.view(4, 17, 2)[0, 9].numpy() + 0.5) * SCALE
    assert np.abs(columns.mean() - x) < 3
    assert np.abs(rows.mean() - y) < 3
    half = near(SkeletonOverlay(data, response / 2).draw(BLACK, 0), "#f2b90c", 12).sum()
    assert yellow.sum() > 1.5 * half > 0


def test_the_chart_grows_with_time():
    scores = np.array([[0.9, 0.1], [0.9, 0.1], [0.1, 0.9], [0.1, 0.9]])
    overlay = SkeletonOverlay(person(), scores=scores, classes=["sit", "a very long name " * 3])
    charts = [overlay.draw(BLACK, t)[64 * SCALE :] for t in range(4)]
    right = int(0.45 * charts[0].shape[1])
    counts = [near(chart[:, right:], "#0072B2").sum() for chart in charts]
    assert counts == sorted(counts)
    assert counts[0] < counts[3]
    assert charts[0].shape[0] % 2 == 0
    single = SkeletonOverlay(person(), scores=np.ones((4, 1)), classes=["only"])
    assert single.draw(BLACK, 0).shape[1] == 96 * SCALE


def test_what_does_not_fit():
    data = person()
    with pytest.raises(ValueError, match=r"'response' must be .* = \[1, 4, 17\]"):
        SkeletonOverlay(data, torch.zeros(1, 4, 16))
    with pytest.raises(ValueError, match=r"'scores' must be \[frames, classes\] = \[4, 2\]"):
        SkeletonOverlay(data, scores=np.zeros((4, 3)), classes=["a", "b"])
    with pytest.raises(ValueError, match="'labels' must be 1 lists of 4 texts"):
        SkeletonOverlay(data, labels=[["a"]])
