r"""Weights that take their size from the first input."""

from __future__ import annotations

from typing import Any

from torch import Tensor
from torch.nn import Module, Parameter
from torch.nn.parameter import UninitializedParameter, is_lazy
from torch.utils.hooks import RemovableHandle


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
