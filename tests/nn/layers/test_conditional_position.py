import pytest
import torch

from pyg_vision.nn import ConditionalPosition


@pytest.mark.parametrize("kernel_size", [1, 3, 7])
def test_merged_is_equal(kernel_size):
    torch.manual_seed(0)
    layer = ConditionalPosition(4, kernel_size).double()
    x = torch.randn(2, 4, 5, 9, dtype=torch.double)
    expected = layer(x)
    torch.testing.assert_close(expected, x + layer.conv(x))
    layer.fuse_layers()
    layer.fuse_layers()  # once is enough
    torch.testing.assert_close(layer(x), expected)


def test_even_kernels_have_no_centre():
    with pytest.raises(ValueError, match=r"'kernel_size' must be odd \(got 4\)"):
        ConditionalPosition(4, 4)
