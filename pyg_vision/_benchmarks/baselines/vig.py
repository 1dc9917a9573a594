"""ViG's block and model by the best dense code.

Node-major and channels-last as the sparse ones, whose parameters and linear layers they share, so
that the difference to those is the graph alone: the full distance matrix, and the gathered maximum
instead of the operators of this package.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from pyg_vision._benchmarks.baselines.max_relative import best_max_relative, to_columns
from pyg_vision._benchmarks.baselines.search import best_search
from pyg_vision.nn import Grapher, GroupedLinear, PyramidViG, ViG
from pyg_vision.nn.blocks.grapher import pool_nodes
from pyg_vision.nn.layers.mlp import run_layers
from pyg_vision.ops import NeighborTable


class BestGrapher(Grapher):
    """The graph block on node features ``[B, N, C]``."""

    def forward(  # type: ignore[override]
        self,
        x: Tensor,
        neighbors: NeighborTable | None = None,
        *,
        k: int | None = None,
        dilation: int | None = None,
        grid_size: tuple[int, int] | None = None,
        return_graph: bool = False,
        **unused: Any,
    ) -> Tensor | tuple[Tensor, NeighborTable]:
        h: Tensor = self.fc1(x)
        y = h
        if self.reduce_ratio > 1:
            assert grid_size is not None
            y = pool_nodes(h, grid_size, self.reduce_ratio)
        if neighbors is None:
            with torch.no_grad():
                rows, columns = (F.normalize(v.detach().float(), dim=-1) for v in (h, y))
                bias = None
                if self.relative_pos is not None:
                    assert grid_size is not None
                    bias = self.relative_pos.full(grid_size)
                reach = k or self.graph.k, dilation or self.graph.dilation
                index = best_search(rows, *reach, None if y is h else columns, bias)
            neighbors = NeighborTable(index, y.size(1))
        m = best_max_relative(h, to_columns(neighbors.index, y.size(1)), y)
        out = x + self.drop_path(self.fc2(self._linear(h, m)))
        return (out, neighbors) if return_graph else out

    def _linear(self, h: Tensor, m: Tensor) -> Tensor:
        """Reorders the weight instead of interleaving the nodes."""
        linear, *rest = self.conv.nn
        assert isinstance(linear, GroupedLinear)
        groups = (*h.shape[:-1], linear.groups, -1)
        parts = torch.cat([h.view(groups), m.view(groups)], dim=-1)
        weight = linear.weight.view(linear.out_channels, -1, 2).transpose(1, 2).flatten(1)
        return run_layers(rest, linear(parts.flatten(-2), weight))


class BestViG(ViG):
    """The model, with every graph block replaced."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(grapher=BestGrapher, **kwargs)


class BestPyramidViG(PyramidViG):
    """The pyramid likewise, with the whole matrix of distances and bias."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(grapher=BestGrapher, **kwargs)
