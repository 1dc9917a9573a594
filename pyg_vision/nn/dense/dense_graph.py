r"""The graph as published: the full distance matrix, then topk."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn import Module

# Published: larger graphs are searched in parts of this many nodes.
PART = 10000


class DenseDilatedKNNGraph(Module):
    r"""The :term:`dense twin` of :class:`~pyg_vision.nn.DilatedKNNGraph`.

    Args:
        k (int, optional): The number of neighbours. (default: :obj:`9`)
        dilation (int, optional): Takes every :obj:`dilation`-th. (default: :obj:`1`)
        stochastic (bool, optional): Stochastic dilation in training. (default: :obj:`False`)
        epsilon (float, optional): Its probability. (default: :obj:`0.2`)

    Shapes:
        - **input:** features :math:`(B, C, N, 1)`, sources :math:`(B, C, M, 1)` *(optional)*
        - **output:** edges :math:`(2, B, N, k)`: neighbours, centres

    Example:
        >>> import torch
        >>> from pyg_vision.nn import DenseDilatedKNNGraph
        >>> DenseDilatedKNNGraph(k=9)(torch.randn(2, 64, 196, 1)).shape  # neighbours and centres
        torch.Size([2, 2, 196, 9])
    """

    def __init__(
        self, k: int = 9, dilation: int = 1, stochastic: bool = False, epsilon: float = 0.2
    ) -> None:
        super().__init__()
        self.k = k
        self.dilation = dilation
        self.stochastic = stochastic
        self.epsilon = epsilon

    def forward(
        self,
        x: Tensor,
        y: Tensor | None = None,
        relative_pos: Tensor | None = None,
        *,
        k: int | None = None,
        dilation: int | None = None,
    ) -> Tensor:
        r"""Builds the graph.

        Args:
            x (torch.Tensor): The features.
            y (torch.Tensor, optional): The candidates. (default: :obj:`None`)
            relative_pos (torch.Tensor, optional): Added to the distances,
                :math:`(1, N, M)`. (default: :obj:`None`)
            k (int, optional): Overrides the number of neighbours. (default: :obj:`None`)
            dilation (int, optional): Overrides the dilation. (default: :obj:`None`)
        """
        k = self.k if k is None else k
        dilation = self.dilation if dilation is None else dilation
        with torch.no_grad():
            x = F.normalize(x, p=2.0, dim=1).transpose(2, 1).squeeze(-1).detach()
            if y is not None:
                y = F.normalize(y, p=2.0, dim=1).transpose(2, 1).squeeze(-1).detach()
            num = x.size(1)
            if y is None and num > PART:
                parts = []
                for start in range(0, num, PART):
                    dist = _distance(x[:, start : start + PART], x)
                    if relative_pos is not None:
                        dist += relative_pos[:, start : start + PART]
                    parts.append(torch.topk(-dist, k=k * dilation)[1])
                index = torch.cat(parts, dim=1)
            else:
                dist = _distance(x, x if y is None else y)
                if relative_pos is not None:
                    dist += relative_pos
                index = torch.topk(-dist, k=k * dilation)[1]
            center = torch.arange(0, num, device=x.device)
            center = center.repeat(x.size(0), k * dilation, 1).transpose(2, 1)
            return self._dilate(torch.stack((index, center), dim=0), k, dilation)

    def _dilate(self, edge_index: Tensor, k: int, dilation: int) -> Tensor:
        if self.stochastic and self.training and bool(torch.rand(1) < self.epsilon):
            return edge_index[:, :, :, torch.randperm(k * dilation)[:k]]
        return edge_index[:, :, :, ::dilation]


def _distance(x: Tensor, y: Tensor) -> Tensor:
    inner = -2 * torch.matmul(x, y.transpose(2, 1))
    x_square = torch.sum(torch.mul(x, x), dim=-1, keepdim=True)
    # The published square case takes the second norm from the first.
    y_square = x_square if x is y else torch.sum(torch.mul(y, y), dim=-1, keepdim=True)
    return x_square + inner + y_square.transpose(2, 1)
