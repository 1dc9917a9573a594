r"""Linear maps in groups."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.fx import Proxy
from torch.nn import Parameter
from torch.nn.parameter import UninitializedParameter, is_lazy

from pyg_vision._record import record_module
from pyg_vision.nn.layers.lazy_weight import LazyWeight
from pyg_vision.nn.layers.linear_map import node_linear


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

    Example:
        >>> import torch
        >>> from pyg_vision.nn import GroupedLinear
        >>> linear = GroupedLinear(16, 32, groups=4)
        >>> linear(torch.randn(2, 49, 16)).shape, linear.weight.shape
        (torch.Size([2, 49, 32]), torch.Size([32, 4]))
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
        if isinstance(x, Proxy):
            return record_module(self, x, weight)
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


def _check_groups(in_channels: int, out_channels: int, groups: int) -> None:
    if groups < 1 or in_channels % groups or out_channels % groups:
        raise ValueError(
            f"'groups' must divide the input and output channels "
            f"(got groups={groups}, {in_channels} and {out_channels} channels)"
        )
