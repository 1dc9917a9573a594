r"""The switch for checks that must read tensor values."""

from __future__ import annotations

from types import TracebackType

import torch
from torch import Tensor

_mode: bool | None = None


class set_validation:  # noqa: N801 - named like torch.set_grad_enabled, which it mirrors
    r"""Turns the checks that read tensor values on or off, like :class:`torch.set_grad_enabled`.

    Shapes, data types and devices are always checked. NaN or infinite features, index ranges,
    unsorted :obj:`batch` vectors and the sizes of the graphs of a batch can only be checked by
    reading values, which on a GPU makes the host wait for the device. By default such checks run
    on CPU in eager mode, and neither on other devices nor under :func:`torch.compile`. Without
    them no operator reads out of range, but wrong input gives wrong numbers instead of an error.

    Args:
        mode (bool, optional): :obj:`True` checks everywhere, :obj:`False` nowhere, :obj:`None`
            restores the default. Takes effect at once; used as a context manager, the previous
            mode returns at the end of the block.

    Example:
        >>> import torch
        >>> from pyg_vision import set_validation
        >>> from pyg_vision.ops import knn
        >>> with set_validation(False):  # NaN is not looked for
        ...     table = knn(torch.randn(5, 2), k=2)
    """

    def __init__(self, mode: bool | None) -> None:
        global _mode
        if mode is not None and not isinstance(mode, bool):
            raise TypeError(f"'mode' must be True, False or None (got {mode!r})")
        self.previous = _mode
        _mode = mode

    def __enter__(self) -> set_validation:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        global _mode
        _mode = self.previous


def validation_enabled(tensor: Tensor) -> bool:
    r"""Returns whether operators read the values of :obj:`tensor` in order to check them.

    Args:
        tensor (torch.Tensor): The tensor whose device decides under the default mode. One that
            has no values to read, see :func:`is_readable`, is never checked.
    """
    if _mode is False or not is_readable(tensor):
        return False
    return _mode is True or tensor.device.type == "cpu"


def is_readable(tensor: Tensor) -> bool:
    r"""Returns whether a tensor has values that Python may look at: it is not traced, compiled,
    fake, on the meta device, or inside a transform of :mod:`torch.func`.

    Args:
        tensor (torch.Tensor): The tensor.
    """
    return not (is_traced(tensor) or is_mapped(tensor))


def is_mapped(tensor: Tensor) -> bool:
    r"""Returns whether a tensor is inside a transform of :mod:`torch.func`.

    Args:
        tensor (torch.Tensor): The tensor.
    """
    if torch.compiler.is_compiling():  # which does not know the question
        return False
    return torch._C._functorch.is_functorch_wrapped_tensor(tensor)


def is_traced(tensor: Tensor) -> bool:
    r"""Returns whether operators on a tensor are only recorded: by a compiler, a tracer, or as
    shapes without values.

    Args:
        tensor (torch.Tensor): The tensor.
    """
    if torch.compiler.is_compiling() or torch._C._get_tracing_state() is not None:
        return True
    return tensor.is_meta or type(tensor).__torch_dispatch__ is not Tensor.__torch_dispatch__
