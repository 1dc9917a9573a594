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
        tensor (torch.Tensor): The tensor whose device decides under the default mode.
    """
    if _mode is not None:
        return _mode
    return tensor.device.type == "cpu" and not torch.compiler.is_compiling()
