r"""What the dense twins are made of: linear maps as 1x1 convolutions."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor
from torch.nn import BatchNorm2d, InstanceNorm2d, Module, Sequential

from pyg_vision.nn.layers.activations import make_act
from pyg_vision.nn.layers.grouped_linear import GroupedLinear
from pyg_vision.nn.layers.norms import NORMS


class Conv1x1(GroupedLinear):
    r"""A linear map as a 1x1 convolution over maps; it has the parameters of its twin.

    Args:
        in_channels (int): Channels of the input.
        out_channels (int): Channels of the output.
        groups (int, optional): The number of groups. (default: :obj:`1`)
        bias (bool, optional): Whether there is a bias. (default: :obj:`True`)

    Shapes:
        - **input:** features :math:`(B, C_{in}, H, W)`
        - **output:** features :math:`(B, C_{out}, H, W)`
    """

    channel_dim = 1

    def forward(self, x: Tensor) -> Tensor:  # type: ignore[override]
        r"""Runs the layer."""
        return F.conv2d(x, self.weight[:, :, None, None], self.bias, groups=self.groups)


def dense_mlp(
    in_channels: int,
    out_channels: int,
    groups: int = 1,
    bias: bool = True,
    norm: str | None = None,
    act: str | None = None,
) -> Sequential:
    r"""Returns a 1x1 convolution, norm and activation on :math:`(B, C, *, *)`."""
    layers: list[Module] = [Conv1x1(in_channels, out_channels, groups, bias)]
    if norm is not None:
        if norm not in NORMS:
            raise ValueError(f"'norm' must be one of {', '.join(NORMS)} (got {norm!r})")
        batch = norm == "batch"
        layers.append(BatchNorm2d(out_channels) if batch else InstanceNorm2d(out_channels))
    if act is not None:
        layers.append(make_act(act))
    return Sequential(*layers)
