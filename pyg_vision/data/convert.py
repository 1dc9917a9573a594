r"""Images of any format as float tensors."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image
from torch import Tensor

_GRAY = ("1", "L", "LA", "La")
_COLOR = ("RGB", "RGBX", "RGBA", "RGBa", "P", "PA", "CMYK", "YCbCr", "LAB", "HSV")
_WIDE = ("I;16", "I;16B", "I;16L", "I;16N", "I")
# Pillow reaches these modes' colours only through the mode with separate, plain alpha.
_VIA = {"La": "LA", "RGBa": "RGBA", "P": "RGBA", "PA": "RGBA"}


def image_to_tensor(image: Image.Image | Tensor) -> Tensor:
    r"""Converts an image to a float tensor :math:`(C, H, W)`; integers are scaled to [0, 1].

    ===================================================  ==============  =========================
    input                                                channels        values
    ===================================================  ==============  =========================
    float tensor                                         unchanged       unchanged
    :obj:`uint8`, :obj:`uint16` tensor                   unchanged       divided by 255, 65535
    Pillow :obj:`1`, :obj:`L`                            1               divided by 255
    Pillow :obj:`LA`, :obj:`La`                          1, no alpha     divided by 255
    Pillow :obj:`RGB`, :obj:`RGBX`                       3               divided by 255
    Pillow :obj:`RGBA`, :obj:`RGBa`                      3, no alpha     divided by 255
    Pillow :obj:`P`, :obj:`PA` (palette)                 3, no alpha     colours, divided by 255
    Pillow :obj:`CMYK`, :obj:`YCbCr`                     3               as RGB, divided by 255
    Pillow :obj:`HSV`, :obj:`LAB`                        3               as RGB, divided by 255
    Pillow :obj:`I;16` and its variants, :obj:`I`        1               16 bits, divided by 65535
    Pillow :obj:`F`                                      1               unchanged
    ===================================================  ==============  =========================

    An alpha channel is dropped, not blended with a background, as in
    :func:`torchvision.datasets.folder.default_loader`. CMYK is converted without a colour
    profile.

    Args:
        image (PIL.Image.Image or torch.Tensor): The image; a tensor is :math:`(C, H, W)`.

    Raises:
        TypeError: If the image is neither, or a tensor of another data type.
        ValueError: If a tensor is not :math:`(C, H, W)`, if the mode of an image is unknown, or
            if the values of a 32-bit integer image do not fit into 16 bits.

    Example:
        >>> from PIL import Image
        >>> from pyg_vision.data import image_to_tensor
        >>> x = image_to_tensor(Image.new("RGBA", (48, 32), "white"))
        >>> x.shape
        torch.Size([3, 32, 48])
        >>> x.max()
        tensor(1.)
    """
    if isinstance(image, Tensor):
        return _scale_tensor(image)
    if not isinstance(image, Image.Image):
        raise TypeError(
            f"an image must be a PIL image or a tensor [channels, height, width] (got "
            f"'{type(image).__module__}.{type(image).__qualname__}')"
        )
    if image.mode == "F":
        return torch.from_numpy(np.array(image, dtype=np.float32)).unsqueeze(0)
    if image.mode in _WIDE:
        values = torch.from_numpy(_read_wide(image))
        return values.to(torch.get_default_dtype()).div_(65535).unsqueeze(0)
    pixels = np.array(_as_gray(image) if image.mode in _GRAY else image_to_rgb(image))
    values = torch.from_numpy(pixels).to(torch.get_default_dtype()).div_(255)
    return values.unsqueeze(0) if values.dim() == 2 else values.permute(2, 0, 1).contiguous()


def image_to_rgb(image: Image.Image) -> Image.Image:
    r"""Converts a Pillow image of any mode to RGB with 8 bits per channel.

    Other than :meth:`PIL.Image.Image.convert`, it scales 16-bit greyscale, where Pillow clips
    values at 255, so that most pixels become white.

    Args:
        image (PIL.Image.Image): The image, see :func:`image_to_tensor` for its modes.

    Raises:
        ValueError: If the mode is unknown or has no fixed range of values (:obj:`"F"`), or if the
            values of a 32-bit integer image do not fit into 16 bits.

    Example:
        >>> from PIL import Image
        >>> from pyg_vision.data import image_to_rgb
        >>> image = Image.new("I;16", (48, 32), 25700)
        >>> image_to_rgb(image).getpixel((0, 0))
        (100, 100, 100)
    """
    if image.mode == "RGB":
        return image
    if image.mode in _WIDE:
        gray = np.round(_read_wide(image) / 257).astype(np.uint8)
        return Image.fromarray(gray).convert("RGB")
    if image.mode not in _COLOR + _GRAY:
        known = ", ".join(_GRAY + _COLOR + _WIDE)
        raise ValueError(
            f"cannot convert an image of mode {image.mode!r} to RGB (known modes: {known})"
        )
    if image.mode in _VIA:
        image = image.convert(_VIA[image.mode])
    return image.convert("RGB")


def _as_gray(image: Image.Image) -> Image.Image:
    if image.mode in _VIA:
        image = image.convert(_VIA[image.mode])
    return image.convert("L")


def _read_wide(image: Image.Image) -> np.ndarray[tuple[int, ...], np.dtype[np.int32]]:
    r"""Reads 16-bit greyscale, which Pillow also stores in 32 bits."""
    values = np.array(image).astype(np.int32)  # also brings big-endian files into native order
    low, high = int(values.min()), int(values.max())
    if low < 0 or high > 65535:
        raise ValueError(
            f"the values of an integer image of mode {image.mode!r} must lie in 0 … 65535 (got "
            f"{low} … {high}); scale it to a float tensor first"
        )
    return values


def _scale_tensor(image: Tensor) -> Tensor:
    if image.dim() != 3:
        hint = "; add the channel with image.unsqueeze(0)" if image.dim() == 2 else ""
        raise ValueError(
            f"an image tensor must be [channels, height, width] (got shape "
            f"{list(image.shape)}){hint}"
        )
    image = image.as_subclass(Tensor)  # torchvision's tv_tensors are images, node features not
    if image.is_floating_point():
        return image
    scale = {torch.uint8: 255, torch.uint16: 65535}.get(image.dtype)
    if scale is None:
        raise TypeError(
            f"an image tensor must be floating-point, torch.uint8 or torch.uint16 "
            f"(got {image.dtype})"
        )
    return image.to(torch.get_default_dtype()).div_(scale)
