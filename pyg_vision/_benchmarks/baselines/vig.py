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
from pyg_vision.nn import Grapher, GroupedLinear, ViG
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
        return_graph: bool = False,
        **unused: Any,
    ) -> Tensor | tuple[Tensor, NeighborTable]:
        h: Tensor = self.fc1(x)
        if neighbors is None:
            with torch.no_grad():
                unit = F.normalize(h.detach().float(), dim=-1)
                index = best_search(unit, k or self.graph.k, dilation or self.graph.dilation)
            neighbors = NeighborTable(index, x.size(1))
        m = best_max_relative(h, to_columns(neighbors.index, x.size(1)))
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
