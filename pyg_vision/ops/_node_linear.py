r"""Linear maps of node features by the faster of two libraries."""

from typing import Optional

import torch
import torch.nn.functional as F
from torch import Tensor


def node_linear(x: Tensor, weight: Tensor, bias: Optional[Tensor] = None) -> Tensor:
    r"""Computes :func:`torch.nn.functional.linear`.

    On a CPU torch multiplies matrices with MKL, which uses half of what an AMD core can do, but
    convolves with oneDNN, which does not; a linear map of :math:`(F, V, C)` is a 1x1 convolution
    whose layout is a view. It must have more than 15 pictures for torch to use oneDNN at all.

    Args:
        x (torch.Tensor): Features :math:`(*, C_{in})`.
        weight (torch.Tensor): The weight :math:`(C_{out}, C_{in})`.
        bias (torch.Tensor, optional): The bias :math:`(C_{out})`.
    """
    convolves = (
        x.dim() == 3
        and x.size(0) >= 16
        and x.device.type == "cpu"
        and x.dtype == torch.float32
        and torch.backends.mkldnn.is_available()
        and not torch.compiler.is_compiling()
    )
    if not convolves:
        return F.linear(x, weight, bias)
    maps = x.unsqueeze(1).permute(0, 3, 1, 2)  # [F, C, 1, V], channels last
    out = F.conv2d(maps, weight[:, :, None, None], bias)
    return out.permute(0, 2, 3, 1).squeeze(1)
