import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from pyg_vision.nn import RelativePosition
from pyg_vision.nn.graph.relative_position import cubic_taps
from pyg_vision.ops import RowBias


def code(channels, height, width):
    """The published position code, one patch at a time."""
    rows = []
    for y in range(height):
        for x in range(width):
            omega = [10000 ** (-4 * d / channels) for d in range(channels // 4)]
            rows.append(
                [math.sin(x * w) for w in omega] + [math.cos(x * w) for w in omega]
                + [math.sin(y * w) for w in omega] + [math.cos(y * w) for w in omega]
            )  # fmt: skip
    return torch.tensor(rows, dtype=torch.double)


def rows_of(bias):
    return bias(0, bias.index.size(0)).unsqueeze(0) if isinstance(bias, RowBias) else bias


@pytest.mark.parametrize("kind", ["published", "grid"])
def test_definition(kind):
    position = RelativePosition(16, (5, 7), kind=kind).double()
    e = code(16, 5, 7)
    expected = -2 / 16 * e @ e.T
    torch.testing.assert_close(rows_of(position((5, 7)))[0], expected, rtol=0, atol=1e-6)
    assert not any(p.requires_grad for p in position.parameters())
    assert list(position.state_dict()) == (["table"] if kind == "published" else [])


def test_true_positions_of_pooled_sources():
    """A source lies in the middle of its patches, whatever the size of the image."""
    position = RelativePosition(8, (8, 8), 2, kind="grid").double()
    bias = rows_of(position((16, 16)))[0]
    assert bias.shape == (256, 64)
    omega = torch.tensor([1.0, 10000**-0.5], dtype=torch.double)

    def expected(row, column, source_row, source_column):
        # A patch of this image is half as large as one of the grid that the module is made for.
        dy = ((row + 0.5) - (source_row + 0.5) * 2) / 2
        dx = ((column + 0.5) - (source_column + 0.5) * 2) / 2
        return -2 / 8 * (torch.cos(omega * dx) + torch.cos(omega * dy)).sum()

    for node, source in (((0, 0), (0, 0)), ((3, 10), (7, 2)), ((15, 15), (0, 5))):
        found = bias[node[0] * 16 + node[1], source[0] * 8 + source[1]]
        torch.testing.assert_close(found, expected(*node, *source))
    nearest = bias.argmin(1).view(16, 16)
    assert nearest[5, 9] == 2 * 8 + 4  # row 5 and column 9 of 16 are in square (2, 4)


def test_the_published_table_is_resampled_along_its_flat_axis():
    """Source 1 of 56 x 56 patches pooled by 4 gets the bias of row 0 and column 23.5."""
    e = code(16, 12, 12)
    full = -2 / 16 * e @ e.T
    table = RelativePosition(16, (12, 12), 4).table[0].double()
    assert table.shape == (144, 9)
    axis = F.interpolate(full[None, None], (144, 9), mode="bicubic", align_corners=False)
    torch.testing.assert_close(table, axis[0, 0], rtol=0, atol=1e-6)


@settings(max_examples=20)
@given(
    st.sampled_from(["published", "grid"]), st.integers(4, 12), st.integers(4, 12),
    st.sampled_from([1, 2, 4]), st.sampled_from([torch.float32, torch.float64]),
)  # fmt: skip
def test_rows_are_those_of_the_whole_matrix(kind, height, width, ratio, dtype):
    position = RelativePosition(8, (8, 8), ratio, kind=kind).to(dtype)
    if position.table is not None:
        torch.nn.init.normal_(position.table)
    full = position.full((height, width))
    bias = position((height, width))
    assert full.shape == (1, height * width, (height // ratio) * (width // ratio))
    assert full.dtype == dtype
    # torch interpolates at places in the data type of the table.
    tolerance = 1e-4 if dtype == torch.float32 else 1e-12
    torch.testing.assert_close(rows_of(bias), full, rtol=0, atol=tolerance)


@pytest.mark.parametrize(("size", "new"), [(7, 7), (7, 20), (20, 7), (1, 5), (3, 1)])
def test_taps_are_those_of_torch(size, new):
    x = torch.randn(1, 1, size, 3, dtype=torch.double)
    index, weight = cubic_taps(size, new, x)
    found = (x[0, 0][index] * weight.unsqueeze(-1)).sum(1)
    expected = F.interpolate(x, (new, 3), mode="bicubic", align_corners=False)[0, 0]
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)


def test_half_precision_is_resampled_in_float32():
    position = RelativePosition(8, (8, 8), 2).to(torch.bfloat16)
    assert position((8, 8)).dtype == torch.bfloat16
    assert position((9, 12)).table.dtype == torch.float32
    assert RelativePosition(8, (8, 8), kind="grid").half()((8, 8)).table.dtype == torch.float32


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((6, (4, 4)), "divisible by 4.*6"),
        ((8, (4, 4), 0), "'reduce_ratio'"),
        ((8, (4, 4), 1, "learned"), "'kind'.*'learned'"),
    ],
)
def test_wrong_options_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        RelativePosition(*arguments)
