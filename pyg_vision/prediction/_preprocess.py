r"""What is done to an input before a model sees it, from plain data."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch_geometric.transforms import Compose
from torchvision.transforms import InterpolationMode, v2

from pyg_vision import transforms
from pyg_vision.typing import Interpolation

Steps = Sequence[Mapping[str, Mapping[str, Any]]]


def image_transform(
    image_size: int,
    crop: float,
    interpolation: Interpolation,
    mean: Sequence[float],
    std: Sequence[float],
) -> v2.Transform:
    r"""Returns a transform that resizes an image, crops its centre and normalises it.

    Args:
        image_size (int): The height and width of the result.
        crop (float): The share of the image that is seen, in height and width.
        interpolation (str): How it is resized.
        mean (list of float): The mean of each channel.
        std (list of float): The standard deviation of each channel.

    Example:
        >>> from PIL import Image
        >>> from pyg_vision.prediction import image_transform
        >>> transform = image_transform(32, 0.9, "bicubic", [0.5] * 3, [0.5] * 3)
        >>> transform(Image.new("RGB", (64, 48))).shape
        torch.Size([3, 32, 32])
    """
    mode = InterpolationMode(interpolation)
    resize = v2.Resize(int(image_size / crop), interpolation=mode, antialias=True)
    return v2.Compose([resize, v2.CenterCrop(image_size), *to_normalized(mean, std)])


def to_normalized(mean: Sequence[float], std: Sequence[float]) -> list[v2.Transform]:
    r"""Returns the transforms from an image to a normalised tensor.

    Args:
        mean (list of float): The mean of each channel.
        std (list of float): The standard deviation of each channel.

    Example:
        >>> import numpy as np
        >>> from torchvision.transforms.v2 import Compose
        >>> from pyg_vision.prediction import to_normalized
        >>> image = np.full((1, 1, 3), 255, dtype=np.uint8)
        >>> Compose(to_normalized([0.5] * 3, [0.5] * 3))(image).flatten()
        tensor([1., 1., 1.])
    """
    return [
        v2.ToImage(),
        v2.ToDtype(torch.float32, scale=True),
        v2.Normalize(list(mean), list(std)),
        v2.ToPureTensor(),
    ]


def make_transforms(steps: Steps) -> Compose:
    r"""Returns the transforms of graphs that names and arguments stand for.

    Args:
        steps (list of dict): A name of :mod:`pyg_vision.transforms` with its arguments each.

    Raises:
        ValueError: If there is no such transform, or it takes no such arguments.

    Example:
        >>> from pyg_vision.prediction import make_transforms
        >>> make_transforms([{"SampleFrames": {"num_frames": 52}}])
        Compose([
          SampleFrames(num_frames=52, random=False)
        ])
    """
    made = []
    for step in steps:
        if not isinstance(step, Mapping) or len(step) != 1:
            raise ValueError(f"a transform is one name with its arguments (got {step!r})")
        ((name, arguments),) = step.items()
        kind = getattr(transforms, name, None)
        if not isinstance(kind, type):
            raise ValueError(f"pyg_vision.transforms has no '{name}'")
        try:
            made.append(kind(**(arguments or {})))
        except TypeError as error:
            raise ValueError(f"'{name}': {error}") from error
    return Compose(made)


def make_input(given: Mapping[str, Any]) -> Callable[[Any], Any]:
    r"""Returns the transform that the plain data of a checkpoint stand for.

    Args:
        given (dict): What a data module said of its inputs.

    Raises:
        ValueError: If it is of no known kind.
    """
    rest = {key: value for key, value in given.items() if key != "kind"}
    if given.get("kind") == "image":
        return image_transform(**rest)
    if given.get("kind") == "skeleton":
        return make_transforms(rest["transforms"])
    if given.get("kind") == "digits":
        nodes = transforms.ToPatchNodes(rest["patch_size"])
        return v2.Compose([v2.Grayscale(), v2.Resize((8, 8), antialias=True), nodes])
    raise ValueError(f"there are no inputs of the kind {given.get('kind')!r}")
