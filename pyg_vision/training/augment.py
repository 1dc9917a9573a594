r"""Augmentation that torchvision lacks."""

from __future__ import annotations

import random
import re
from typing import Any

from torchvision.transforms import InterpolationMode
from torchvision.transforms import functional as F

# Of timm, whose magnitudes run from 0 to 10.
LARGEST = 10
GREY = [128, 128, 128]
PATTERN = re.compile(r"(?:rand-)?m(\d+)(?:-n(\d+))?(?:-mstd(\d+(?:\.\d+)?))?-inc1")


class RandAugmentIncreasing:
    r"""RandAugment as timm's :obj:`"rand-m9-mstd0.5-inc1"`, from the `"RandAugment: Practical
    Automated Data Augmentation with a Reduced Search Space" <https://arxiv.org/abs/1909.13719>`_
    paper.

    An image undergoes some of fifteen operations, drawn with replacement, each at even chances. Its
    magnitude is drawn from a normal distribution :math:`\mathcal{N}(m, s)`, kept within 0 and 10,
    and all operations change an image more, the larger it is (:obj:`inc`).

    Args:
        spec (str): :obj:`"m<magnitude>-n<operations>-mstd<deviation>-inc1"`, of which
            :obj:`n` (2) and :obj:`mstd` (0) may be left out.

    Raises:
        ValueError: If the text says something else.

    Example:
        >>> from PIL import Image
        >>> from pyg_vision.training import RandAugmentIncreasing
        >>> augment = RandAugmentIncreasing("m9-mstd0.5-inc1")
        >>> augment(Image.new("RGB", (48, 32))).size
        (48, 32)
    """

    def __init__(self, spec: str) -> None:
        found = PATTERN.fullmatch(spec)
        if found is None:
            raise ValueError(f"RandAugment is written as 'm9-n2-mstd0.5-inc1' (got {spec!r})")
        self.spec = spec
        self.magnitude = int(found[1])
        self.number = int(found[2] or 2)
        self.deviation = float(found[3] or 0.0)

    def __call__(self, image: Any) -> Any:
        r"""Returns an augmented copy of an RGB image."""
        for name in random.choices(OPERATIONS, k=self.number):
            if random.random() < 0.5:
                level = random.gauss(self.magnitude, self.deviation)
                image = apply(image, name, min(max(level, 0.0), LARGEST))
        return image

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.spec!r})"


OPERATIONS = (
    "auto_contrast", "equalize", "invert", "rotate", "posterize", "solarize", "solarize_add",
    "color", "contrast", "brightness", "sharpness", "shear_x", "shear_y", "translate_x",
    "translate_y",
)  # fmt: skip
ENHANCE = {
    "color": F.adjust_saturation,
    "contrast": F.adjust_contrast,
    "brightness": F.adjust_brightness,
    "sharpness": F.adjust_sharpness,
}


def apply(image: Any, name: str, level: float) -> Any:
    r"""Applies an operation to an image, in a direction drawn at random where it has two.

    Args:
        image (PIL.Image.Image): The image.
        name (str): The operation.
        level (float): Its magnitude, from 0 to 10.
    """
    share = level / LARGEST
    if name in ENHANCE:
        return ENHANCE[name](image, max(0.1, 1.0 + _either(share * 0.9)))
    if name == "auto_contrast":
        return F.autocontrast(image)
    if name == "equalize":
        return F.equalize(image)
    if name == "invert":
        return F.invert(image)
    if name == "posterize":
        bits = 4 - int(share * 4)
        return image if bits >= 8 else F.posterize(image, bits)
    if name == "solarize":
        return F.solarize(image, 256 - min(256, int(share * 256)))
    if name == "solarize_add":
        added = min(128, int(share * 110))
        return image.point([min(255, i + added) if i < 128 else i for i in range(256)] * 3)
    mode = random.choice((InterpolationMode.BILINEAR, InterpolationMode.BICUBIC))
    if name == "rotate":
        return F.rotate(image, _either(share * 30.0), mode, fill=GREY)
    value = _either(share * (0.3 if name.startswith("shear") else 0.45))
    return _warp(image, name, value, mode)


def _either(value: float) -> float:
    return -value if random.random() < 0.5 else value


def _warp(image: Any, name: str, value: float, mode: InterpolationMode) -> Any:
    r"""Shears or moves an image: of a point of the result, where it comes from."""
    width, height = image.size
    matrix = {
        "shear_x": (1, value, 0, 0, 1, 0),
        "shear_y": (1, 0, 0, value, 1, 0),
        "translate_x": (1, 0, value * width, 0, 1, 0),
        "translate_y": (1, 0, 0, 0, 1, value * height),
    }[name]
    resample = {InterpolationMode.BILINEAR: 2, InterpolationMode.BICUBIC: 3}[mode]
    from PIL import Image

    return image.transform(
        image.size, Image.Transform.AFFINE, matrix, resample=resample, fillcolor=tuple(GREY)
    )
