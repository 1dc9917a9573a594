r"""Nodes of the graphs that torch.fx records, for what it cannot look into."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from torch import Tensor
from torch.fx import Proxy
from torch.nn import Module


def record_call(function: Callable[..., Tensor], x: Proxy, *args: Any) -> Tensor:
    r"""Records the call of a function of the top level of a module as one node.

    Args:
        function (Callable): The function.
        x (torch.fx.Proxy): Its first argument.
        *args (optional): The others.
    """
    return cast(Tensor, x.tracer.create_proxy("call_function", function, (x, *args), {}))


def record_module(module: Module, x: Proxy, *args: Any) -> Tensor:
    r"""Records the call of a module as one node.

    Args:
        module (torch.nn.Module): The module.
        x (torch.fx.Proxy): Its first argument.
        *args (optional): The others.
    """
    path = x.tracer.path_of_module(module)  # type: ignore[attr-defined]
    return cast(Tensor, x.tracer.create_proxy("call_module", path, (x, *args), {}))
