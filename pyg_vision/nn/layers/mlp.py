r"""Linear map, norm and activation, one behind the other."""

from __future__ import annotations

from collections.abc import Iterable

from torch import Tensor
from torch.nn import LazyBatchNorm1d, Module, Sequential
from torch.nn.modules.batchnorm import _BatchNorm

from pyg_vision.nn.layers.activations import make_act
from pyg_vision.nn.layers.grouped_linear import GroupedLinear
from pyg_vision.nn.layers.norms import make_norm
from pyg_vision.nn.layers.overwriting import act_in_place, norm_in_place


class NodeMLP(Sequential):
    r"""Layers on features :math:`(*, C)`, batch norm among them over all leading dimensions.

    Norms are those of torch, fed with rows :math:`(N, C)`: what
    :meth:`torch.nn.SyncBatchNorm.convert_sync_batchnorm` puts in their place, which takes dimension
    one for the channels, computes the same.
    """

    def forward(self, input: Tensor) -> Tensor:
        r"""Runs the layers."""
        return run_layers(self, input)


def run_layers(layers: Iterable[Module], x: Tensor) -> Tensor:
    r"""Runs layers on features :math:`(*, C)`, see :class:`NodeMLP`."""
    before: Module | None = None
    for layer in layers:
        owned = norm_in_place(before, layer, x)
        if owned is None and isinstance(before, _BatchNorm):
            owned = act_in_place(before, layer, x)
        if owned is not None:
            x = owned
        elif x.dim() != 2 and isinstance(layer, _BatchNorm):
            x = layer(x.reshape(-1, x.size(-1))).reshape(x.shape)
        else:
            x = layer(x)
        before = layer
    return x


def node_mlp(
    in_channels: int,
    out_channels: int,
    groups: int = 1,
    bias: bool = True,
    norm: str | None = None,
    act: str | None = None,
) -> NodeMLP:
    r"""Returns a linear map, then norm, then activation: the published order."""
    layers: list[Module] = [GroupedLinear(in_channels, out_channels, groups, bias)]
    if norm is not None:
        layers.append(make_norm(norm, out_channels))
    if act is not None:
        layers.append(make_act(act))
    return NodeMLP(*layers)


def reset_mlp(mlp: Sequential) -> None:
    r"""Resets every layer that can be reset."""
    for layer in mlp:
        reset = getattr(layer, "reset_parameters", None)
        if reset is not None and not isinstance(layer, LazyBatchNorm1d):
            reset()
