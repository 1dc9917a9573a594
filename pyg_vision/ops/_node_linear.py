r"""Linear maps of node features by the faster of two libraries."""

from typing import Optional

import torch
import torch.nn.functional as F
from torch import Tensor

# Asked once: torch.compile cannot trace the question.
ONEDNN = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
# From so many pictures on, torch gives a 1x1 convolution to oneDNN on one thread, too.
PICTURES = 16


def node_linear(x: Tensor, weight: Tensor, bias: Optional[Tensor] = None) -> Tensor:
    r"""Computes :func:`torch.nn.functional.linear`.

    On a CPU torch multiplies matrices with MKL, which uses half of what an AMD core can do, but
    convolves with oneDNN, which uses all. A linear map of :math:`(F, V, C)` is a 1x1 convolution
    of a few large pictures with channels last, and these are a view.

    Args:
        x (torch.Tensor): Features :math:`(*, C_{in})`.
        weight (torch.Tensor): The weight :math:`(C_{out}, C_{in})`.
        bias (torch.Tensor, optional): The bias :math:`(C_{out})`.
    """
    convolves = (
        not torch.compiler.is_compiling()
        and x.dim() == 3
        and x.size(0) >= PICTURES
        and x.is_contiguous()
        and x.device.type == "cpu"
        and x.dtype == torch.float32
        and ONEDNN
    )
    if not convolves:
        return F.linear(x, weight, bias)
    pictures = _few(x.size(0))
    maps = x.view(pictures, -1, 1, x.size(2)).permute(0, 3, 1, 2)
    out = F.conv2d(maps, weight[:, :, None, None], bias)
    return out.permute(0, 2, 3, 1).reshape(*x.shape[:2], -1)


def _few(count: int) -> int:
    r"""Returns the smallest divisor that is enough pictures."""
    largest = range(PICTURES, min(count, 8 * PICTURES) + 1)
    return next((divisor for divisor in largest if count % divisor == 0), count)
