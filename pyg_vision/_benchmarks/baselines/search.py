"""kNN by the full distance matrix."""

from __future__ import annotations

import torch
from torch import Tensor

# Published: larger graphs are searched in parts of this many nodes.
PART = 10000


def published_search(x: Tensor, k: int, dilation: int) -> Tensor:
    """The published search, line by line, without the normalisation that precedes it.

    :class:`pyg_vision.nn.DenseDilatedKNNGraph` is the same with it.

    Args:
        x: Features ``[B, C, N, 1]``.
        k: The number of neighbours.
        dilation: Takes every ``dilation``-th.

    Returns:
        Edges ``[2, B, N, k]``: neighbours, centres.
    """
    with torch.no_grad():
        x = x.transpose(2, 1).squeeze(-1)
        batch_size, num, _ = x.shape
        if num > PART:
            parts = []
            for start in range(0, num, PART):
                parts.append(_topk(_distance(x[:, start : start + PART], x), k * dilation))
            index = torch.cat(parts, dim=1)
        else:
            index = _topk(_distance(x, x), k * dilation)
        center = torch.arange(0, num, device=x.device)
        center = center.repeat(batch_size, k * dilation, 1).transpose(2, 1)
        return torch.stack((index, center), dim=0)[:, :, :, ::dilation]


def _distance(x: Tensor, y: Tensor) -> Tensor:
    inner = -2 * torch.matmul(x, y.transpose(2, 1))
    x_square = torch.sum(torch.mul(x, x), dim=-1, keepdim=True)
    y_square = x_square if x is y else torch.sum(torch.mul(y, y), dim=-1, keepdim=True)
    return x_square + inner + y_square.transpose(2, 1)


def _topk(dist: Tensor, num: int) -> Tensor:
    return torch.topk(-dist, k=num)[1]


@torch.no_grad()
def best_search(
    x: Tensor, k: int, dilation: int, sources: Tensor | None = None, bias: Tensor | None = None
) -> Tensor:
    """One fused product and topk, in float32.

    The squared norm of the query changes no ranking and is left out, and ranks beyond the last
    one taken are not searched.

    Args:
        x: Features ``[B, N, C]``.
        k: The number of neighbours.
        dilation: Takes every ``dilation``-th.
        sources: The candidates ``[B, M, C]``, if not the nodes themselves.
        bias: Added to the distances, ``[1, N, M]``.

    Returns:
        Indices ``[B, N, k]``.
    """
    x = x.float()
    y = x if sources is None else sources.float()
    norm = torch.linalg.vecdot(y, y).unsqueeze(1)
    dist = torch.baddbmm(norm if bias is None else norm + bias, x, y.mT, alpha=-2.0)
    index = dist.topk(k * dilation - dilation + 1, largest=False).indices
    return index if dilation == 1 else index[..., ::dilation]
