import numpy as np
import pytest
import torch
from matplotlib.figure import Figure

from pyg_vision.visualization import draw_attribution

GREY = np.full((20, 30, 3), 100, dtype=np.uint8)


def drawn(attribution, **options):
    ax = draw_attribution(GREY, attribution, **options)
    return ax, ax.images[0].get_array().astype(int)


def test_what_speaks_for_a_class_is_orange_and_against_it_blue():
    found = torch.zeros(20, 30)
    found[2:9, 2:9] = 1.0
    found[11:18, 20:27] = -1.0
    ax, pixels = drawn(found, title="cat", window=1)
    assert ax.get_title(loc="left") == "cat"
    red, _, blue = np.moveaxis(pixels, 2, 0)
    assert (red - blue)[5, 5] > 100
    assert (red - blue)[14, 23] < -100
    assert len(set(pixels[0, 15])) == 1  # the rest is grey


def test_twice_as_much_is_drawn_stronger_and_scale_does_not_count():
    found = torch.zeros(20, 30)
    found[:, :10], found[:, 10:20] = 1.0, 0.5
    _, pixels = drawn(found, window=1)
    gap = pixels[..., 0] - pixels[..., 2]
    assert gap[5, 5] > gap[5, 15] > gap[5, 25] == 0
    _, scaled = drawn(1e-6 * found, window=1)
    np.testing.assert_allclose(scaled, pixels, atol=1)


def test_single_pixels_are_averaged():
    found = torch.zeros(20, 30, dtype=torch.float64, requires_grad=True).detach()
    found[10, 10] = 1.0
    _, pixels = drawn(found, window=3)
    coloured = (pixels[..., 0] != pixels[..., 2]).nonzero()
    assert {int(i) for i in coloured[0]} == {9, 10, 11}
    _, nothing = drawn(torch.zeros(20, 30))
    assert (nothing[..., 0] == nothing[..., 2]).all()


def test_axes_of_your_own():
    ax = Figure().add_subplot()
    assert draw_attribution(GREY, torch.rand(20, 30), ax) is ax


def test_what_cannot_be_drawn():
    with pytest.raises(
        ValueError, match=r"height and width of the image, \[20, 30\] \(got \[30, 20\]\)"
    ):
        draw_attribution(GREY, torch.zeros(30, 20))
    with pytest.raises(ValueError, match="'attribution' must be a tensor"):
        draw_attribution(GREY, [[1.0]])
    with pytest.raises(ValueError, match="'attribution' must be finite"):
        draw_attribution(GREY, torch.full((20, 30), torch.nan))
    with pytest.raises(ValueError, match="'window' must be odd"):
        draw_attribution(GREY, torch.zeros(20, 30), window=4)
