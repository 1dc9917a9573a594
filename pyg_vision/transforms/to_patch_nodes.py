r"""From an image to the nodes of its patches or pixels."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image
from torch import Tensor
from torch_geometric.data import Data
from torch_geometric.data.datapipes import functional_transform

from pyg_vision.data.convert import image_to_tensor
from pyg_vision.data.image import image_graph
from pyg_vision.data.size import as_size
from pyg_vision.transforms._image import ImageTransform


@functional_transform("to_patch_nodes")
class ToPatchNodes(ImageTransform):
    r"""Cuts an image into patches and makes each of them a node, without edges (functional name:
    :obj:`to_patch_nodes`).

    This is how the `"Vision GNN: An Image is Worth Graph of Nodes"
    <https://arxiv.org/abs/2206.00272>`_ paper views an image.

    The image is a Pillow image or a tensor :math:`(C, H, W)`; see
    :func:`~pyg_vision.data.image_to_tensor` for the channels and the range of each format. The
    graph is that of :func:`~pyg_vision.data.image_graph`: :obj:`x`, :obj:`pos`, :obj:`grid_size`
    and :obj:`patch_size`. :func:`~pyg_vision.data.fold_batch` gives the image back.

    Args:
        patch_size (int or tuple): Height and width of a patch in pixels.

    Raises:
        TypeError: If the patch size is no integer or pair of integers; when called, if the input
            is no image.
        ValueError: If the patch size is smaller than one; when called, if the image does not
            divide into patches (the error names the nearest size that does).

    Example:
        >>> import torch
        >>> from pyg_vision.transforms import ToPatchNodes
        >>> data = ToPatchNodes(16)(torch.rand(3, 224, 224))
        >>> data.x.shape, data.pos.shape
        (torch.Size([196, 768]), torch.Size([196, 2]))
        >>> tuple(data.grid_size)
        (14, 14)
    """

    def __init__(self, patch_size: int | Sequence[int]) -> None:
        self.patch_size = as_size("patch_size", patch_size)

    def forward(self, data: Image.Image | Tensor) -> Data:
        r"""Turns the image into a graph of patches."""
        return image_graph(image_to_tensor(data), self.patch_size)

    def __repr__(self) -> str:
        return f"{self.__class__.__name__}(patch_size={tuple(self.patch_size)})"


@functional_transform("to_pixel_nodes")
class ToPixelNodes(ImageTransform):
    r"""Makes each pixel of an image a node, without edges (functional name:
    :obj:`to_pixel_nodes`).

    The features :obj:`x` :math:`(H \cdot W, C)` are the values of the pixel, the position
    :obj:`pos` its column and row; :obj:`grid_size` is the size of the image and
    :obj:`patch_size` is :math:`(1, 1)`. Formats are those of :class:`ToPatchNodes`.

    Raises:
        TypeError: When called, if the input is no image.
        ValueError: When called, if a tensor is not :math:`(C, H, W)`.

    Example:
        >>> import torch
        >>> from pyg_vision.transforms import ToPixelNodes
        >>> ToPixelNodes()(torch.rand(1, 28, 28)).x.shape
        torch.Size([784, 1])
    """

    def forward(self, data: Image.Image | Tensor) -> Data:
        r"""Turns the image into a graph of pixels."""
        return image_graph(image_to_tensor(data), 1)
