"""Windows against the published code: a rolled map, windows, a mask of 1e6, topk, rolled back."""

import pytest
import torch
import torch.nn.functional as F

from pyg_vision.nn import RelativePosition, WindowedKNNGraph
from pyg_vision.ops import max_relative


def windows_of(x, window):
    """As Swin: [B, H, W, C] to [B * windows, window ** 2, C]."""
    b, h, w, c = x.shape
    x = x.view(b, h // window, window, w // window, window, c)
    return x.permute(0, 1, 3, 2, 4, 5).reshape(-1, window * window, c)


def published(x, window, shift, k, bias, adapt):
    """The maximum of relative features of a map [B, H, W, C]."""
    b, height, width, c = x.shape
    if shift:
        x = torch.roll(x, (-shift, -shift), (1, 2))
    parts = windows_of(x, window)
    unit = F.normalize(parts, dim=-1)
    distance = torch.cdist(unit, unit) ** 2 + bias
    index = None
    if shift:
        regions, count = torch.zeros(1, height, width, 1), 0
        slices = (slice(0, -window), slice(-window, -shift), slice(-shift, None))
        for rows in slices:
            for columns in slices:
                regions[:, rows, columns] = count
                count += 1
        region = windows_of(regions, window).squeeze(-1)
        apart = region.unsqueeze(1) != region.unsqueeze(2)
        area = window * window
        distance = (distance.view(b, -1, area, area) + apart * 1e6).flatten(0, 1)
        index = distance.topk(k, largest=False).indices
        if adapt:
            kept = (k * (~apart).sum(-1) // area).clamp(min=3).repeat(b, 1).unsqueeze(-1)
            own = torch.arange(area).view(1, -1, 1)
            index = torch.where(torch.arange(k) < kept, index, own)
    else:
        index = distance.topk(k, largest=False).indices
    neighbours = torch.stack([part[i] for part, i in zip(parts, index, strict=True)])
    m = (neighbours - parts.unsqueeze(2)).amax(2)
    m = m.view(b, height // window, width // window, window, window, c)
    m = m.permute(0, 1, 3, 2, 4, 5).reshape(b, height, width, c)
    return torch.roll(m, (shift, shift), (1, 2)) if shift else m


@pytest.mark.parametrize("grid", [(14, 14), (14, 21), (28, 28)])
@pytest.mark.parametrize("shift", [0, 3])
@pytest.mark.parametrize("adapt", [False, True])
def test_reproduces_the_published_code(grid, shift, adapt):
    torch.manual_seed(0)
    maps = torch.randn(2, *grid, 8, dtype=torch.double)
    position = RelativePosition(8, (7, 7)).double()
    graph = WindowedKNNGraph(9, 7, shift, adapt, position)
    x = maps.flatten(1, 2)
    expected = published(maps, 7, shift, 9, position((7, 7)), adapt)
    assert torch.equal(max_relative(x, graph(x, grid)), expected.flatten(1, 2))


@pytest.mark.parametrize("shift", [0, 3])
def test_a_map_of_one_window_is_searched_whole(shift):
    torch.manual_seed(0)
    x = torch.randn(2, 42, 8)
    graph = WindowedKNNGraph(9, 7, shift)
    assert torch.equal(graph(x, (6, 7)).index, graph.knn(x).index)


@pytest.mark.parametrize("grid", [(9, 10), (15, 8), (1, 20), (3, 3), (1, 1), (2, 8)])
@pytest.mark.parametrize("shift", [0, 3])
def test_grids_of_any_size(grid, shift):
    """Neighbours lie in the window, and none is an edge that the patch alone could not have."""
    torch.manual_seed(0)
    num = grid[0] * grid[1]
    x = torch.randn(2, num, 4)
    table = WindowedKNNGraph(9, 7, shift)(x, grid)
    assert table.index.shape == (2, num, 9)
    if max(grid) <= 7:
        return
    rows, columns = torch.arange(num) // grid[1], torch.arange(num) % grid[1]
    high, wide = (-(-side // 7) * 7 for side in grid)

    def place(position, length):  # the window of a shifted position, and the side of the seam
        return (position - shift) % length // 7, (position < shift) & (shift > 0)

    for position, length in ((rows, high), (columns, wide)):
        window, side = place(position, length)
        for found in (window, side):
            assert torch.equal(found[table.index], found.view(1, -1, 1).expand_as(table.index))
    # A slot holds another patch as long as there is one.
    own = torch.arange(num).view(1, -1, 1)
    key = torch.stack([*place(rows, high), *place(columns, wide)], -1).long()
    size = (key.unsqueeze(0) == key.unsqueeze(1)).all(-1).sum(-1)
    others = (table.index != own).sum(-1)
    assert torch.equal(others, (size - 1).clamp(max=8).expand_as(others))


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match=r"'shift' must be less than window=7 \(got 7\)"):
        WindowedKNNGraph(9, 7, 7)
    with pytest.raises(ValueError, match="'window' must be at least 1"):
        WindowedKNNGraph(9, 0)
    with pytest.raises(ValueError, match=r"'x' must be nodes \[B, 7 \* 8, C\]"):
        WindowedKNNGraph()(torch.zeros(1, 49, 3), (7, 8))


def test_repr():
    assert "window=7, shift=3, adapt_knn=True" in str(WindowedKNNGraph(9, 7, 3, True))
