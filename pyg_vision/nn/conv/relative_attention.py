r"""Attention as the aggregation of a max-relative convolution."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn import LayerNorm, Module

from pyg_vision._checks import check_int
from pyg_vision.nn.layers.grouped_linear import GroupedLinear
from pyg_vision.nn.layers.mlp import node_mlp
from pyg_vision.ops import NeighborTable
from pyg_vision.ops.adjacency import fit_table

REDUCTION = 4  # published: channels of queries and keys are so many times fewer


class RelativeAttention(Module):
    r"""The global attention of the last stage of the `"AdaptViG: Adaptive Vision GNN with
    Exponential Decay Gating" <https://arxiv.org/abs/2511.09942>`_ paper.

    .. math::
        \mathbf{x}^{\prime}_i = h_{\mathbf{\Theta}} \Big( \mathbf{x}_i \, \Vert \,
        \max \Big( 0, \sum_{j \in \mathcal{N}(i)} \alpha_{ij} \mathbf{W}_v \mathbf{x}_j -
        \mathbf{x}_i \Big) \Big), \qquad
        \alpha_{ij} = \mathop{\textrm{softmax}}_j \frac{\mathbf{q}_i \cdot \mathbf{k}_j}
        {\sqrt{C / 4}}

    with :math:`\mathbf{q} = \textrm{LN}(\mathbf{W}_q \mathbf{x})` and :math:`\mathbf{k} =
    \textrm{LN}(\mathbf{W}_k \mathbf{x})` of :math:`C / 4` channels. The neighbours are all nodes,
    unless a graph is given.

    Args:
        channels (int): Size of each input, divisible by four.
        out_channels (int): Size of each output.
        norm (str, optional): :obj:`"batch"`, or :obj:`None`. (default: :obj:`None`)
        act (str, optional): The activation, see :class:`MRConv`. (default: :obj:`None`)

    Shapes:
        - **input:** node features :math:`(B, N, C)`
        - **output:** node features :math:`(B, N, C_{out})`

    Raises:
        ValueError: If the channels are not divisible by four, or the input is of another shape.

    Example:
        >>> import torch
        >>> from pyg_vision.nn import RelativeAttention
        >>> RelativeAttention(16, 32)(torch.randn(2, 49, 16)).shape
        torch.Size([2, 49, 32])
    """

    def __init__(
        self, channels: int, out_channels: int, norm: str | None = None, act: str | None = None
    ) -> None:
        super().__init__()
        if check_int("channels", channels) % REDUCTION:
            raise ValueError(f"'channels' must be divisible by {REDUCTION} (got {channels})")
        narrow = channels // REDUCTION
        self.q = GroupedLinear(channels, narrow, bias=False)
        self.k = GroupedLinear(channels, narrow, bias=False)
        self.v = GroupedLinear(channels, channels, bias=False)
        self.q_norm = LayerNorm(narrow)
        self.k_norm = LayerNorm(narrow)
        self.nn = node_mlp(2 * channels, out_channels, norm=norm, act=act)

    def forward(self, x: Tensor, neighbors: NeighborTable | None = None) -> Tensor:
        r"""Runs the layer.

        Args:
            x (torch.Tensor): The node features.
            neighbors (NeighborTable, optional): The neighbours of each node. (default: all)
        """
        self._check(x)
        mask = self._mask(x, neighbors)
        # With a dimension for one head, which ONNX asks for.
        q, k, v = (
            h.unsqueeze(1) for h in (self.q_norm(self.q(x)), self.k_norm(self.k(x)), self.v(x))
        )
        mask = None if mask is None else mask.unsqueeze(1)
        told = F.scaled_dot_product_attention(q, k, v, attn_mask=mask).squeeze(1)
        m = torch.relu(told - x)
        out: Tensor = self.nn(torch.cat([x, m], dim=-1))
        return out

    def weights(self, x: Tensor, neighbors: NeighborTable | None = None) -> Tensor:
        r"""Returns how much each node attends to each, :math:`(B, N, N)`.

        Args:
            x (torch.Tensor): The node features.
            neighbors (NeighborTable, optional): The neighbours of each node. (default: all)
        """
        self._check(x)
        q, k = self.q_norm(self.q(x)), self.k_norm(self.k(x))
        scores = q @ k.mT / q.size(-1) ** 0.5
        mask = self._mask(x, neighbors)
        if mask is not None:
            scores = scores.masked_fill(~mask, -torch.inf)
        return scores.softmax(dim=-1)

    def _check(self, x: Tensor) -> None:
        if x.dim() != 3 or x.size(-1) != self.v.in_channels:
            raise ValueError(
                f"'x' must be nodes [graphs, nodes, {self.v.in_channels}] (got shape "
                f"{list(x.shape)})"
            )

    def _mask(self, x: Tensor, neighbors: NeighborTable | None) -> Tensor | None:
        if neighbors is None:
            return None
        index = fit_table(neighbors, x, x).index.expand(x.size(0), -1, -1)
        mask = x.new_zeros(x.size(0), x.size(1), x.size(1), dtype=torch.bool)
        return mask.scatter(2, index, True)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.v.in_channels}, {self.nn[0].out_channels})"
