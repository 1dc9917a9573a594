r"""The distances between the joints of a skeleton as relations."""

from __future__ import annotations

from typing import get_args

import torch
from torch import Tensor

from pyg_vision._checks import check_int
from pyg_vision.data.layout import SkeletonLayout
from pyg_vision.data.layouts import skeleton_layout
from pyg_vision.data.partition import hop_distance
from pyg_vision.typing import HopNorm


def hop_adjacency(
    layout: str | SkeletonLayout, num_scales: int, window: int = 1, norm: HopNorm = "target"
) -> Tensor:
    r"""Returns the matrices of the `"Disentangling and Unifying Graph Convolutions for
    Skeleton-Based Action Recognition" <https://arxiv.org/abs/2003.14111>`_ paper: one for each
    distance of joints, with self-loops.

    .. math::
        \mathbf{A}_k = [d(j, i) = k] + \mathbf{I} \quad (k > 0), \qquad \mathbf{A}_0 = \mathbf{I}

    In a window of several frames, each joint is joined to itself and its neighbours in all of them.

    Args:
        layout (str or SkeletonLayout): The skeleton, see
            :func:`~pyg_vision.data.skeleton_layout`.
        num_scales (int): The number of distances, from zero on.
        window (int, optional): The frames of a window. (default: :obj:`1`)
        norm (str, optional): :obj:`"target"`, by the degree of the target, as in pyskl, or
            :obj:`"symmetric"`, by the roots of both degrees, as in the authors' code.
            (default: :obj:`"target"`)

    Returns:
        torch.Tensor: The weights :math:`(K, w V, w V)` in double precision, from row to column.

    Raises:
        TypeError: If a number is no integer.
        ValueError: If a number is not positive, or there is no such layout or norm.

    Example:
        >>> from pyg_vision.data import hop_adjacency
        >>> hop_adjacency("coco", num_scales=3).shape
        torch.Size([3, 17, 17])
    """
    check_int("num_scales", num_scales), check_int("window", window)
    if norm not in get_args(HopNorm):
        raise ValueError(f"'norm' must be one of {', '.join(get_args(HopNorm))} (got {norm!r})")
    layout = skeleton_layout(layout)
    distance = hop_distance(layout).tile(window, window)
    same = torch.eye(distance.size(0), dtype=torch.bool, device="cpu")
    distance[(distance == 0) & ~same] = 1  # a joint in another frame
    stack = torch.stack([(distance == hop) | same for hop in range(num_scales)]).double()
    if norm == "symmetric":
        root = stack.sum(dim=2).rsqrt()
        return root.unsqueeze(2) * stack * root.unsqueeze(1)
    return stack / stack.sum(dim=1, keepdim=True)
