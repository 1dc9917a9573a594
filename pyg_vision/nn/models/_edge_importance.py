r"""One learned weight for each typed edge and block."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import Parameter, ParameterList

from pyg_vision.data.partition import SkeletonGraph


class EdgeImportance(ParameterList):
    r"""The weights, saved as the published masks :math:`(K, V, V)` with ones elsewhere.

    Args:
        graph (SkeletonGraph): The typed edges.
        shape (tuple): The shape :math:`(K, V, V)` of a mask.
        num_blocks (int): The number of blocks.
    """

    def __init__(self, graph: SkeletonGraph, shape: tuple[int, int, int], num_blocks: int) -> None:
        # Not a buffer: where an edge is in a mask is no state, and is read on the host.
        self._where = tuple(
            value.cpu() for value in (graph.edge_type, graph.edge_index[0], graph.edge_index[1])
        )
        self._shape = shape
        super().__init__(Parameter(torch.ones(graph.edge_type.numel())) for _ in range(num_blocks))

    def reset_parameters(self) -> None:
        r"""Resets all weights to one."""
        for weight in self:
            torch.nn.init.ones_(weight)

    def to_mask(self, weight: Tensor) -> Tensor:
        r"""Spreads the weights of the edges into a mask."""
        return weight.new_ones(self._shape).index_put(self._where_on(weight), weight)

    def from_mask(self, mask: Tensor) -> Tensor:
        r"""Gathers the weights of the edges out of a mask."""
        return mask[self._where_on(mask)]

    def _where_on(self, value: Tensor) -> tuple[Tensor, ...]:
        return tuple(index.to(value.device) for index in self._where)

    def _save_to_state_dict(
        self, destination: dict[str, Any], prefix: str, keep_vars: bool
    ) -> None:
        super()._save_to_state_dict(destination, prefix, keep_vars)
        for name in self._parameters:
            destination[prefix + name] = self.to_mask(destination[prefix + name])

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *args: Any) -> None:
        state_dict = dict(state_dict)  # a copy: the caller's dictionary stays as it is
        for name in self._parameters:
            value = state_dict.get(prefix + name)
            if isinstance(value, Tensor) and value.shape == self._shape:
                state_dict[prefix + name] = self.from_mask(value)
        super()._load_from_state_dict(state_dict, prefix, *args)
