r"""Layers of maps that are stored channels-last."""

from __future__ import annotations

from torch import Tensor
from torch.fx import Proxy
from torch.nn import BatchNorm2d, Module, Sequential

from pyg_vision._record import record_module
from pyg_vision.nn.layers.mlp import NodeMLP, node_mlp
from pyg_vision.nn.layers.overwriting import act_in_place, norm_in_place


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


class MapLayers(Sequential):
    r"""Convolutions, norms and activations of maps :math:`(B, C, H, W)`, in place where nobody else
    needs what they overwrite.
    """

    def forward(self, input: Tensor) -> Tensor:
        r"""Runs the layers."""
        if isinstance(input, Proxy):
            return super().forward(input)
        x = input
        before: Module | None = None
        for layer in self:
            rows = x.permute(0, 2, 3, 1)
            owned = norm_in_place(before, layer, rows)
            if owned is None and type(before) is BatchNorm2d:
                owned = act_in_place(before, layer, rows)
            x = layer(x) if owned is None else owned.permute(0, 3, 1, 2)
            before = layer
        return x
