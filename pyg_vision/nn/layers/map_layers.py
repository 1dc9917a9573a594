r"""Linear layers of the patches of a map."""

from __future__ import annotations

from torch import Tensor
from torch.fx import Proxy

from pyg_vision._record import record_module
from pyg_vision.nn.layers.mlp import NodeMLP, node_mlp


class MapMLP(NodeMLP):
    r"""Layers on the channels of maps :math:`(B, C, H, W)`, which cost least where those are stored
    channels-last: nodes are a view of them.
    """

    def forward(self, input: Tensor) -> Tensor:
        r"""Runs the layers."""
        if isinstance(input, Proxy):
            return record_module(self, input)
        return super().forward(input.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


def map_mlp(
    in_channels: int,
    out_channels: int,
    groups: int = 1,
    bias: bool = True,
    norm: str | None = None,
    act: str | None = None,
) -> MapMLP:
    r"""Returns a linear map, then norm, then activation, on maps."""
    return MapMLP(*node_mlp(in_channels, out_channels, groups, bias, norm, act))
