r"""What the transforms from images to graphs share."""

from __future__ import annotations

from PIL import Image
from torch import Tensor
from torch_geometric.data import Data
from torch_geometric.transforms import BaseTransform


class ImageTransform(BaseTransform):
    r"""A transform that makes a graph of an image, and leaves the image alone.

    :class:`~torch_geometric.transforms.BaseTransform` copies its argument, since transforms of
    graphs write to it. A copy of an image is a copy of all pixels, made for nothing.
    """

    def __call__(self, data: Image.Image | Tensor) -> Data:
        return self.forward(data)

    def forward(self, data: Image.Image | Tensor) -> Data:
        r"""Turns the image into a graph."""
        raise NotImplementedError
