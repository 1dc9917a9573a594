r"""What of a model runs before the part that :func:`torch.compile` compiles."""

from __future__ import annotations

from collections.abc import Callable
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any, TypeVar

import torch

if TYPE_CHECKING:
    from torch._dynamo.types import DynamoCallbackFn

Function = TypeVar("Function", bound=Callable[..., Any])

try:
    from torch._C._dynamo.eval_frame import get_eval_frame_callback
    from torch._dynamo.eval_frame import skip_code
except ImportError:  # a torch that has moved them: models compile as they did before

    def skip_code(code: CodeType) -> None: ...

    def get_eval_frame_callback() -> DynamoCallbackFn | bool | None: ...


def uncompiled_frame(function: Function) -> Function:
    r"""Marks the function with which a compiled model begins: it runs as it is, and the functions
    that it calls are compiled.

    Unlike :func:`torch.compiler.disable`, it does not stand in the way of a model around it, of
    which it is compiled as a part.

    Args:
        function (callable): The function.
    """
    if isinstance(function, FunctionType):
        skip_code(function.__code__)
    return function


@uncompiled_frame
def frames_are_compiled() -> bool:
    r"""Returns whether the functions called from here will be compiled, each by itself."""
    return not torch.compiler.is_compiling() and callable(get_eval_frame_callback())


@uncompiled_frame
def without_compiling(function: Function) -> Function:
    r"""Returns a function that neither it nor what it calls is compiled.

    Args:
        function (callable): The function.
    """
    return torch.compiler.disable(function)  # type: ignore[no-untyped-call]
