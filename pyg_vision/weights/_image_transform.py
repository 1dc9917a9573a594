r"""The preprocessing of images that published models are evaluated with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from pyg_vision.typing import Interpolation


def image_transform(
    image_size: int,
    crop: float,
    interpolation: Interpolation,
    mean: Sequence[float],
    std: Sequence[float],
) -> Callable[[Any], Tensor]:
    r"""Returns a transform that resizes an image, crops its centre and normalises it.

    Args:
        image_size (int): The height and width of the result.
        crop (float): The share of the image that is seen, in height and width.
        interpolation (str): How it is resized.
        mean (list of float): The mean of each channel.
        std (list of float): The standard deviation of each channel.

    Example:
        >>> from PIL import Image
        >>> from pyg_vision.weights import image_transform
        >>> transform = image_transform(32, 0.9, "bicubic", [0.5] * 3, [0.5] * 3)
        >>> transform(Image.new("RGB", (64, 48))).shape
        torch.Size([3, 32, 32])
    """
    from torchvision.transforms import InterpolationMode, v2

    mode = InterpolationMode(interpolation)
    resize = v2.Resize(int(image_size / crop), interpolation=mode, antialias=True)
    transform: Callable[[Any], Tensor] = v2.Compose(
        [resize, v2.CenterCrop(image_size), *to_normalized(mean, std)]
    )
    return transform


def to_normalized(mean: Sequence[float], std: Sequence[float]) -> list[Any]:
    r"""Returns the transforms from an image to a normalised tensor.

    Args:
        mean (list of float): The mean of each channel.
        std (list of float): The standard deviation of each channel.

    Example:
        >>> import numpy as np
        >>> from torchvision.transforms.v2 import Compose
        >>> from pyg_vision.weights import to_normalized
        >>> image = np.full((1, 1, 3), 255, dtype=np.uint8)
        >>> Compose(to_normalized([0.5] * 3, [0.5] * 3))(image).flatten()
        tensor([1., 1., 1.])
    """
    from torchvision.transforms import v2

    return [
        v2.ToImage(),
        v2.ToDtype(torch.float32, scale=True),
        v2.Normalize(list(mean), list(std)),
        v2.ToPureTensor(),
    ]
