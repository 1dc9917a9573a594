r"""The spatial graph convolution as published."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import Conv2d


class DenseSpatialGraphConv(Conv2d):
    r"""The dense twin of :class:`SpatialGraphConv`: a 1x1 convolution to all relations, and an
    einsum with the adjacency of each, see :class:`SpatialGraphConv`.

    It shares the state dict of its twin, whose weight is :math:`(R, C_{in}, C_{out})`.

    Args:
        in_channels (int): Size of each input.
        out_channels (int): Size of each output.
        num_relations (int): The number of relations :math:`R`.
        bias (bool, optional): Whether messages have a bias. (default: :obj:`True`)

    Shapes:
        - **input:** features :math:`(N, C_{in}, T, V)`, adjacency :math:`(R, V, V)` from row to
          column
        - **output:** features :math:`(N, C_{out}, T, V)`
    """

    def __init__(
        self, in_channels: int, out_channels: int, num_relations: int, bias: bool = True
    ) -> None:
        super().__init__(in_channels, num_relations * out_channels, 1, bias=bias)
        self.num_relations = num_relations

    def forward(self, x: Tensor, adj: Tensor) -> Tensor:  # type: ignore[override]
        r"""Runs the layer.

        Args:
            x (torch.Tensor): The features.
            adj (torch.Tensor): The adjacency.
        """
        if adj.size(0) != self.num_relations:
            raise ValueError(
                f"'adj' must have num_relations={self.num_relations} matrices (got {adj.size(0)})"
            )
        h = super().forward(x)
        h = h.view(h.size(0), self.num_relations, -1, *h.shape[2:])
        return torch.einsum("nkctv,kvw->nctw", h, adj).contiguous()

    def _save_to_state_dict(
        self, destination: dict[str, Any], prefix: str, keep_vars: bool
    ) -> None:
        super()._save_to_state_dict(destination, prefix, keep_vars)
        for name in ("weight", "bias"):
            if (value := destination.get(prefix + name)) is not None:
                value = value.squeeze((2, 3)) if name == "weight" else value
                value = value.unflatten(0, (self.num_relations, -1))
                destination[prefix + name] = value.mT.contiguous() if name == "weight" else value

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *args: Any) -> None:
        state_dict = dict(state_dict)  # a copy: the caller's dictionary stays as it is
        weight, bias = state_dict.get(prefix + "weight"), state_dict.get(prefix + "bias")
        if isinstance(weight, Tensor) and weight.dim() == 3:
            state_dict[prefix + "weight"] = weight.mT.flatten(0, 1)[:, :, None, None]
        if isinstance(bias, Tensor) and bias.dim() == 2:
            state_dict[prefix + "bias"] = bias.flatten()
        super()._load_from_state_dict(state_dict, prefix, *args)
