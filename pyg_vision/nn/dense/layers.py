r"""What the dense twins are made of: 1x1 convolutions that share the state of linear maps."""

from __future__ import annotations

from typing import Any

from torch import Tensor
from torch.nn import BatchNorm2d, Conv2d, InstanceNorm2d, Module, Sequential

from pyg_vision.nn.layers import NORMS, make_act


class Conv1x1(Conv2d):
    r"""A 1x1 convolution whose weight is saved as that of a linear map, and loads either.

    Args:
        in_channels (int): Channels of the input.
        out_channels (int): Channels of the output.
        groups (int, optional): The number of groups. (default: :obj:`1`)
        bias (bool, optional): Whether there is a bias. (default: :obj:`True`)
    """

    def __init__(
        self, in_channels: int, out_channels: int, groups: int = 1, bias: bool = True
    ) -> None:
        super().__init__(in_channels, out_channels, 1, groups=groups, bias=bias)

    def _save_to_state_dict(
        self, destination: dict[str, Any], prefix: str, keep_vars: bool
    ) -> None:
        super()._save_to_state_dict(destination, prefix, keep_vars)
        destination[prefix + "weight"] = destination[prefix + "weight"].flatten(1)

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *args: Any) -> None:
        weight = state_dict.get(prefix + "weight")
        if isinstance(weight, Tensor) and weight.dim() == 2:
            # A copy: the caller's dictionary stays as it is.
            state_dict = {**state_dict, prefix + "weight": weight[:, :, None, None]}
        super()._load_from_state_dict(state_dict, prefix, *args)


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
