r"""From pixels to patch embeddings."""

from __future__ import annotations

from torch.nn import BatchNorm2d, Conv2d, Module, Sequential

from pyg_vision._checks import check_int
from pyg_vision.nn.layers.activations import make_act

PATCH_SIZES = (1, 2, 4, 8, 16)


class Stem(Sequential):
    r"""The convolutional stem from the `"Vision GNN: An Image is Worth Graph of Nodes"
    <https://arxiv.org/abs/2206.00272>`_ paper.

    One 3x3 convolution of stride two for each halving of the resolution, doubling the channels
    each time and ending with :obj:`channels`, then one of stride one.

    Args:
        in_channels (int): The channels of the image.
        channels (int): Size of each patch embedding.
        patch_size (int, optional): The side of a patch in pixels, 1, 2, 4, 8 or 16 (published).
            (default: :obj:`16`)
        act (str, optional): The activation. (default: :obj:`"gelu"`)

    Shapes:
        - **input:** images :math:`(B, C_{in}, H, W)`
        - **output:** patch embeddings :math:`(B, C, \lceil H / p \rceil, \lceil W / p \rceil)`

    Example:
        >>> import torch
        >>> from pyg_vision.nn import Stem
        >>> Stem(3, 48, patch_size=16)(torch.randn(2, 3, 224, 224)).shape
        torch.Size([2, 48, 14, 14])
    """

    def __init__(
        self, in_channels: int, channels: int, patch_size: int = 16, act: str = "gelu"
    ) -> None:
        if patch_size not in PATCH_SIZES:
            raise ValueError(f"'patch_size' must be one of {PATCH_SIZES} (got {patch_size})")
        check_int("in_channels", in_channels)
        check_int("channels", channels)
        halvings = patch_size.bit_length() - 1
        divisor = 2 ** max(halvings - 1, 0)
        if channels % divisor:
            raise ValueError(
                f"'channels' must be divisible by {divisor} for patches of {patch_size} pixels "
                f"(got {channels})"
            )
        layers: list[Module] = []
        width = in_channels
        for left in reversed(range(halvings)):
            out = channels // 2**left
            layers += [Conv2d(width, out, 3, stride=2, padding=1), BatchNorm2d(out), make_act(act)]
            width = out
        layers += [Conv2d(width, channels, 3, padding=1), BatchNorm2d(channels)]
        super().__init__(*layers)
