r"""Linear maps of node features by the faster of two libraries."""

import torch
import torch.nn.functional as F
from torch import Tensor

from pyg_vision._processor import NARROW, convolves_narrow_products, convolves_products

# From so many images on, torch gives a 1x1 convolution to oneDNN on one thread, too.
IMAGES = 16
# Of fewer pixels each, oneDNN takes several times as long as MKL: 49 rows of 512 channels to 2048
# as 49 images of one pixel 4.1 ms, as a product 1.2; 196 rows as 28 images of seven 1.1 and 1.0.
PIXELS = 4


def node_linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    r"""Computes :func:`torch.nn.functional.linear`.

    On a CPU torch multiplies matrices with MKL but convolves with oneDNN, which is faster on some
    processors. A linear map of nodes :math:`(*, C)` is a 1x1 convolution of a few large images with
    channels last, and these are a view.

    Args:
        x (torch.Tensor): Features :math:`(*, C_{in})`.
        weight (torch.Tensor): The weight :math:`(C_{out}, C_{in})`.
        bias (torch.Tensor, optional): The bias :math:`(C_{out})`.
    """
    images = 0 if torch.compiler.is_compiling() else _images(x, weight)
    if images == 0:
        return F.linear(x, weight, bias)
    maps = x.view(images, -1, 1, x.size(-1)).permute(0, 3, 1, 2)
    out = F.conv2d(maps, weight[:, :, None, None], bias)
    return out.permute(0, 2, 3, 1).reshape(*x.shape[:-1], weight.size(0))


def _images(x: Tensor, weight: Tensor) -> int:
    r"""Returns into how many images features are divided, :obj:`0` for no convolution."""
    suits = (
        (convolves_products() or _narrow_inference(x, weight))
        and x.dim() > 1
        and x.device.type == "cpu"
        and x.dtype == torch.float32
        and x.is_contiguous()
    )
    rows = x.numel() // max(x.size(-1), 1)
    most = min(rows // PIXELS, 8 * IMAGES) if suits else 0
    return next((count for count in range(IMAGES, most + 1) if rows % count == 0), 0)


def _narrow_inference(x: Tensor, weight: Tensor) -> bool:
    needed = torch.is_grad_enabled() and (x.requires_grad or weight.requires_grad)
    return x.size(-1) < NARROW and not needed and convolves_narrow_products()
