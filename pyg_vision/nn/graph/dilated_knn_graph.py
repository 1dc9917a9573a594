r"""The module that builds the graph of a Vision GNN block."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn import Module

from pyg_vision._checks import check_int
from pyg_vision.ops import NeighborTable, knn
from pyg_vision.typing import Backend, Bias, SmallGraphs


class Reach(NamedTuple):
    r"""The neighbourhood of a node: how many neighbours, and every which of the nearest."""

    k: int
    dilation: int


def fit_reach(reach: Reach, num_sources: int, widest: int | None = None) -> Reach:
    r"""Lowers a neighbourhood to so many sources.

    Args:
        reach (Reach): The neighbourhood asked for.
        num_sources (int): The number of sources.
        widest (int, optional): The neighbours that the dilation leaves room for, of the block
            that has most of them. (default: those of the neighbourhood)
    """
    most = min(reach.k if widest is None else widest, num_sources)
    return Reach(min(reach.k, num_sources), min(reach.dilation, max(num_sources // most, 1)))


class DilatedKNNGraph(Module):
    r"""Connects each node to every :math:`d`-th of its :math:`k \cdot d` nearest neighbours in
    feature space, from the `"Vision GNN: An Image is Worth Graph of Nodes"
    <https://arxiv.org/abs/2206.00272>`_ paper.

    .. math::
        \mathcal{N}(i) = \textrm{every } d\textrm{-th of the } k \cdot d \textrm{ smallest }
        {\Big\| \frac{\mathbf{x}_i}{\| \mathbf{x}_i \|} - \frac{\mathbf{y}_j}{\| \mathbf{y}_j \|}
        \Big\|}^2_2 + b_{ij}

    The graph takes no gradient, and its features are normalised in at least :obj:`float32`. A
    node is among its own candidates, as published.

    Args:
        k (int, optional): The number of neighbours. (default: :obj:`9`)
        dilation (int, optional): The dilation :math:`d`. (default: :obj:`1`)
        stochastic (bool, optional): If :obj:`True`, takes :math:`k` random ones of the
            :math:`k \cdot d` nearest with probability :obj:`epsilon` in training.
            (default: :obj:`False`)
        epsilon (float, optional): That probability. (default: :obj:`0.2`)
        loop (bool, optional): Whether a node may be its own neighbour. (default: :obj:`True`)
        normalize (bool, optional): Whether to scale features to unit length first.
            (default: :obj:`True`)
        backend (str, optional): The search, see :func:`pyg_vision.ops.knn`.
            (default: :obj:`"auto"`)

    Shapes:
        - **input:** node features :math:`(B, N, C)`, or :math:`(|\mathcal{V}|, C)` with
          :obj:`batch`; sources :math:`(B, M, C)` *(optional)*
        - **output:** :class:`~pyg_vision.ops.NeighborTable` of :math:`(B, N, k)` or
          :math:`(|\mathcal{V}|, k)`

    Example:
        >>> import torch
        >>> from pyg_vision.nn import DilatedKNNGraph
        >>> graph = DilatedKNNGraph(k=9, dilation=2)
        >>> table = graph(torch.randn(2, 196, 64))
        >>> table.index.shape, table.edge_index.shape
        (torch.Size([2, 196, 9]), torch.Size([2, 3528]))
    """

    explain = False  # a graph builder passes no messages

    def __init__(
        self,
        k: int = 9,
        dilation: int = 1,
        stochastic: bool = False,
        epsilon: float = 0.2,
        loop: bool = True,
        normalize: bool = True,
        backend: Backend = "auto",
    ) -> None:
        super().__init__()
        if not 0.0 <= epsilon <= 1.0:
            raise ValueError(f"'epsilon' must be a probability (got {epsilon})")
        if backend not in ("auto", "torch", "torch_cluster"):
            raise ValueError(
                f"the kNN backend must be 'auto', 'torch' or 'torch_cluster' (got {backend!r})"
            )
        self.k = check_int("k", k)
        self.dilation = check_int("dilation", dilation)
        self.stochastic = stochastic
        self.epsilon = epsilon
        self.loop = loop
        self.normalize = normalize
        self.backend = backend

    def forward(
        self,
        x: Tensor,
        sources: Tensor | None = None,
        *,
        bias: Bias | None = None,
        mask: Tensor | None = None,
        batch: Tensor | None = None,
        batch_sources: Tensor | None = None,
        batch_size: int | None = None,
        max_num_nodes: int | None = None,
        small_graphs: SmallGraphs = "error",
        k: int | None = None,
        dilation: int | None = None,
    ) -> NeighborTable:
        r"""Builds the graph.

        Args:
            x (torch.Tensor): The node features.
            sources (torch.Tensor, optional): The candidates, if not the nodes themselves.
                (default: :obj:`None`)
            bias (torch.Tensor or Callable, optional): Added to the distances, see
                :func:`pyg_vision.ops.knn`. (default: :obj:`None`)
            mask (torch.Tensor, optional): Which edges are allowed. (default: :obj:`None`)
            batch (torch.Tensor, optional): The graph of each node. (default: :obj:`None`)
            batch_sources (torch.Tensor, optional): The graph of each source.
                (default: :obj:`None`)
            batch_size (int, optional): The number of graphs. (default: :obj:`None`)
            max_num_nodes (int, optional): The size of the largest graph.
                (default: :obj:`None`)
            small_graphs (str, optional): :obj:`"error"` or :obj:`"self"`.
                (default: :obj:`"error"`)
            k (int, optional): Overrides the number of neighbours. (default: :obj:`None`)
            dilation (int, optional): Overrides the dilation. (default: :obj:`None`)
        """
        return knn(
            self._features(x),
            self.k if k is None else k,
            None if sources is None else self._features(sources),
            bias=bias,
            mask=mask,
            dilation=self.dilation if dilation is None else dilation,
            loop=self.loop,
            epsilon=self.epsilon if self.stochastic else 0.0,
            training=self.training,
            batch=batch,
            batch_sources=batch_sources,
            batch_size=batch_size,
            max_num_nodes=max_num_nodes,
            small_graphs=small_graphs,
            backend=self.backend,
        )

    def _features(self, x: Tensor) -> Tensor:
        x = x.detach()
        if not self.normalize:
            return x
        return F.normalize(x.to(torch.promote_types(x.dtype, torch.float32)), dim=-1)

    def extra_repr(self) -> str:
        r"""The settings."""
        text = f"k={self.k}, dilation={self.dilation}"
        if self.stochastic:
            text += f", epsilon={self.epsilon}"
        return text if self.backend == "auto" else f"{text}, backend={self.backend!r}"
