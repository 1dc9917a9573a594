import pytest
import torch

from pyg_vision.nn import Stem


@pytest.mark.parametrize("patch_size", [1, 2, 4, 8, 16])
@pytest.mark.parametrize("size", [(32, 32), (33, 47)])
def test_one_node_for_each_patch(patch_size, size):
    out = Stem(2, 16, patch_size)(torch.randn(2, 2, *size))
    assert out.shape == (2, 16, -(-size[0] // patch_size), -(-size[1] // patch_size))


def test_published_layers():
    convs = [layer for layer in Stem(3, 192) if isinstance(layer, torch.nn.Conv2d)]
    assert [conv.out_channels for conv in convs] == [24, 48, 96, 192, 192]
    assert [conv.stride[0] for conv in convs] == [2, 2, 2, 2, 1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((3, 16, 5), r"'patch_size' must be one of \(1, 2, 4, 8, 16\) \(got 5\)"),
        ((0, 16, 4), "'in_channels'"),
        ((3, 20, 16), "divisible by 8 for patches of 16 pixels.*20"),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        Stem(*arguments)
