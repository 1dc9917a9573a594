r"""Stochastic depth for node-major features."""

from __future__ import annotations

from torch import Tensor
from torch.nn import Module

from pyg_vision._checks import check_rate


class DropPath(Module):
    r"""Stochastic depth per graph, from the `"Deep Networks with Stochastic Depth"
    <https://arxiv.org/abs/1603.09382>`_ paper: torchvision's, applied to graphs.

    Args:
        p (float, optional): The probability with which the residual branch of a graph is zeroed.
            (default: :obj:`0.0`)

    Shapes:
        - **input:** features :math:`(B, N, C)`, or :math:`(|\mathcal{V}|, C)` with :obj:`batch`
        - **output:** the same

    Example:
        >>> import torch
        >>> from pyg_vision.nn import DropPath
        >>> x = torch.ones(4, 49, 16)
        >>> DropPath(0.5).eval()(x).equal(x)  # only in training
        True
    """

    def __init__(self, p: float = 0.0) -> None:
        super().__init__()
        self.p = check_rate("drop_path", p)

    def forward(
        self, x: Tensor, batch: Tensor | None = None, batch_size: int | None = None
    ) -> Tensor:
        r"""Runs the layer.

        Args:
            x (torch.Tensor): The features.
            batch (torch.Tensor, optional): The graph of each node. (default: :obj:`None`)
            batch_size (int, optional): The number of graphs. (default: :obj:`None`)
        """
        if not self.training or self.p == 0.0:
            return x
        # Late, since it takes as long to import as PyG itself.
        from torchvision.ops import stochastic_depth

        if x.dim() > 2:
            return stochastic_depth(x, self.p, "row", True)
        if batch is None:
            return stochastic_depth(x, self.p, "batch", True)
        num_graphs = int(batch.max()) + 1 if batch_size is None else batch_size
        keep = stochastic_depth(x.new_ones(num_graphs, 1), self.p, "row", True)
        return x * keep[batch]

    def extra_repr(self) -> str:
        r"""The probability."""
        return f"p={self.p}"


def drop_path_rates(drop_path: float, depth: int) -> list[float]:
    r"""Returns the probability of each block, rising linearly from zero."""
    return [drop_path * i / max(depth - 1, 1) for i in range(depth)]
