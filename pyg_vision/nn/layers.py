r"""Layers that act on each node by itself: grouped linear maps, norms and activations.

Features are node-major, :math:`(*, C)`; a 1x1 convolution of a published model is a linear map.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor
from torch.nn import BatchNorm1d, LazyBatchNorm1d, Module, Parameter, Sequential
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.parameter import UninitializedParameter, is_lazy
from torch.utils.hooks import RemovableHandle

from pyg_vision.ops._node_linear import node_linear

NORMS = ("batch", "instance")
ACTIVATIONS = ("relu", "leakyrelu", "prelu", "gelu", "hswish")


class LazyWeight(Module):
    r"""A layer whose :obj:`weight` may take its size from the first input, or from a state dict.

    A subclass says in :meth:`materialize` how, and in :meth:`channels_of` of how many input
    channels a weight is.
    """

    channel_dim = -1
    weight: Parameter | UninitializedParameter
    _hook: RemovableHandle | None = None

    def wait_for_channels(self) -> None:
        r"""Leaves the weight without a size until there is an input."""
        self.weight = UninitializedParameter()
        self._hook = self.register_forward_pre_hook(_infer_channels)

    def materialize(self, in_channels: int) -> None:
        r"""Gives lazy parameters their size."""
        if self._hook is not None:
            self._hook.remove()
            self._hook = None

    def channels_of(self, weight: Tensor) -> int:
        r"""Returns the input channels of a weight."""
        raise NotImplementedError

    def _save_to_state_dict(
        self, destination: dict[str, Any], prefix: str, keep_vars: bool
    ) -> None:
        if not is_lazy(self.weight):
            super()._save_to_state_dict(destination, prefix, keep_vars)
            return
        for name, parameter in self._parameters.items():
            if parameter is not None:  # not even detaching is possible before it has a size
                destination[prefix + name] = parameter

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *args: Any) -> None:
        weight = state_dict.get(prefix + "weight")
        if is_lazy(self.weight) and isinstance(weight, Tensor):
            if is_lazy(weight):
                return
            self.materialize(self.channels_of(weight))
        super()._load_from_state_dict(state_dict, prefix, *args)


def _infer_channels(module: LazyWeight, args: tuple[Any, ...]) -> None:
    x = args[0][0] if isinstance(args[0], tuple | list) else args[0]
    module.materialize(x.size(module.channel_dim))


class GroupedLinear(LazyWeight):
    r"""A linear map that is block-diagonal in :obj:`groups` blocks: a grouped 1x1 convolution.

    .. math::
        \mathbf{x}^{\prime} = \textrm{diag}(\mathbf{W}_1, \ldots, \mathbf{W}_G) \, \mathbf{x}
        + \mathbf{b}

    Weights are initialised as in the published ViG: Kaiming normal, biases zero.

    Args:
        in_channels (int): Size of each input, or :obj:`-1` to take it from the first input.
        out_channels (int): Size of each output, or :obj:`-1` for that of the input.
        groups (int, optional): The number of blocks. (default: :obj:`1`)
        bias (bool, optional): Whether to add a bias. (default: :obj:`True`)

    Shapes:
        - **input:** features :math:`(*, C_{in})`
        - **output:** features :math:`(*, C_{out})`
    """

    bias: Parameter | None

    def __init__(
        self, in_channels: int, out_channels: int, groups: int = 1, bias: bool = True
    ) -> None:
        super().__init__()
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.groups = groups
        if in_channels > 0 and out_channels > 0:
            _check_groups(in_channels, out_channels, groups)
            self.weight = Parameter(torch.empty(out_channels, in_channels // groups))
            self.register_parameter("bias", Parameter(torch.empty(out_channels)) if bias else None)
        else:
            self.wait_for_channels()
            self.bias = UninitializedParameter() if bias else None  # type: ignore[assignment]
        self.reset_parameters()

    def reset_parameters(self) -> None:
        r"""Resets all learnable parameters of the module."""
        if is_lazy(self.weight):
            return
        torch.nn.init.kaiming_normal_(self.weight)
        if self.bias is not None:
            torch.nn.init.zeros_(self.bias)

    def materialize(self, in_channels: int) -> None:
        r"""Gives lazy parameters their size."""
        if not is_lazy(self.weight):
            return
        self.in_channels = in_channels
        self.out_channels = in_channels if self.out_channels < 0 else self.out_channels
        _check_groups(in_channels, self.out_channels, self.groups)
        self.weight.materialize((self.out_channels, in_channels // self.groups))
        if isinstance(self.bias, UninitializedParameter):
            self.bias.materialize((self.out_channels,))
        self.reset_parameters()
        super().materialize(in_channels)

    def channels_of(self, weight: Tensor) -> int:
        r"""Returns the input channels of a weight."""
        return weight.size(1) * self.groups

    def forward(self, x: Tensor, weight: Tensor | None = None) -> Tensor:
        r"""Runs the layer.

        Args:
            x (torch.Tensor): The input features.
            weight (torch.Tensor, optional): Used in place of the layer's own weight.
        """
        if x.size(-1) != self.in_channels:
            raise ValueError(
                f"expected features of {self.in_channels} channels (got shape {list(x.shape)})"
            )
        weight = self.weight if weight is None else weight
        if self.groups == 1:
            return node_linear(x, weight, self.bias)
        rows = x.reshape(-1, self.groups, x.size(-1) // self.groups).transpose(0, 1)
        blocks = weight.view(self.groups, -1, weight.size(1)).mT
        if self.bias is None:
            out = torch.bmm(rows, blocks)
        else:
            out = torch.baddbmm(self.bias.view(self.groups, 1, -1), rows, blocks)
        return out.transpose(0, 1).reshape(*x.shape[:-1], -1)

    def __repr__(self) -> str:
        return (
            f"{self.__class__.__name__}({self.in_channels}, {self.out_channels}, "
            f"groups={self.groups}, bias={self.bias is not None})"
        )


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
    for layer in layers:
        if x.dim() != 2 and isinstance(layer, _BatchNorm):
            x = layer(x.reshape(-1, x.size(-1))).reshape(x.shape)
        else:
            x = layer(x)
    return x


class NodeInstanceNorm(Module):
    r"""Normalises each graph of features :math:`(B, *, C)` by itself, one graph if :math:`(N, C)`.

    Without parameters, as the instance norm of the published graph convolutions.
    """

    eps = 1e-5

    def forward(self, x: Tensor) -> Tensor:
        r"""Runs the layer."""
        dims = (0,) if x.dim() == 2 else tuple(range(1, x.dim() - 1))
        var, mean = torch.var_mean(x, dim=dims, correction=0, keepdim=True)
        return (x - mean) * (var + self.eps).rsqrt()


def make_act(act: str) -> Module:
    r"""Returns the activation of that published name."""
    name = act.lower()
    if name == "relu":
        return torch.nn.ReLU()
    if name == "leakyrelu":
        return torch.nn.LeakyReLU(0.2)
    if name == "prelu":
        return torch.nn.PReLU(init=0.2)
    if name == "gelu":
        return torch.nn.GELU()
    if name == "hswish":
        return torch.nn.Hardswish()
    raise ValueError(f"'act' must be one of {', '.join(ACTIVATIONS)} (got {act!r})")


def make_norm(norm: str, channels: int) -> Module:
    r"""Returns the node-major norm of that published name."""
    if norm == "batch":
        return BatchNorm1d(channels) if channels > 0 else LazyBatchNorm1d()
    if norm == "instance":
        return NodeInstanceNorm()
    raise ValueError(f"'norm' must be one of {', '.join(NORMS)} (got {norm!r})")


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


def _check_groups(in_channels: int, out_channels: int, groups: int) -> None:
    if groups < 1 or in_channels % groups or out_channels % groups:
        raise ValueError(
            f"'groups' must divide the input and output channels "
            f"(got groups={groups}, {in_channels} and {out_channels} channels)"
        )
