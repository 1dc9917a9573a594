r"""Checks of arguments; every message names what was found."""

from __future__ import annotations

import math
import numbers
from collections.abc import Sequence

import torch
from torch import Tensor


def check_features(name: str, x: object, dims: tuple[int, ...]) -> Tensor:
    r"""Returns :obj:`x` if it is a floating-point tensor of one of the given dimensionalities."""
    if not isinstance(x, Tensor):
        raise TypeError(f"'{name}' must be a tensor (got '{type(x).__name__}')")
    if not x.is_floating_point():
        raise TypeError(f"'{name}' must hold floating-point features (got {x.dtype})")
    if x.dim() not in dims:
        wanted = " or ".join(str(d) for d in dims)
        raise ValueError(f"'{name}' must have {wanted} dimensions (got shape {list(x.shape)})")
    return x


def check_finite(name: str, x: Tensor) -> None:
    r"""Raises if :obj:`x` holds a NaN or an infinity; reads values."""
    if x.numel() == 0:
        return
    low, high = x.detach().aminmax()  # one pass, no temporary; NaN propagates into both
    if math.isfinite(low.item()) and math.isfinite(high.item()):
        return
    bad = (~torch.isfinite(x.detach())).nonzero()
    where = bad[0].tolist()
    raise ValueError(
        f"'{name}' must be finite (got {x[tuple(where)].item()} at {where}, "
        f"{bad.size(0)} such value(s) in all)"
    )


def check_same_place(name: str, x: Tensor, other_name: str, other: Tensor) -> None:
    r"""Raises unless both tensors share device and dtype."""
    if x.device != other.device:
        raise ValueError(
            f"'{name}' and '{other_name}' must be on the same device "
            f"(got {x.device} and {other.device})"
        )
    if x.dtype != other.dtype:
        raise TypeError(
            f"'{name}' and '{other_name}' must share a dtype (got {x.dtype} and {other.dtype})"
        )


def check_index(name: str, index: Tensor, device: torch.device) -> None:
    r"""Raises unless :obj:`index` is an integer tensor on the given device."""
    if not isinstance(index, Tensor) or index.dtype not in (torch.int64, torch.int32):
        found = index.dtype if isinstance(index, Tensor) else type(index).__name__
        raise TypeError(f"'{name}' must be an int64 or int32 tensor (got {found})")
    if index.device != device:
        raise ValueError(f"'{name}' must be on {device} like the features (got {index.device})")


def check_range(name: str, index: Tensor, size: int) -> None:
    r"""Raises if an entry of :obj:`index` is not in :math:`[0, \textrm{size})`; reads values."""
    if index.numel() == 0:
        return
    low, high = (int(v) for v in index.aminmax())
    if low < 0 or high >= size:
        raise ValueError(
            f"'{name}' must point to one of {size} nodes, 0 … {size - 1} "
            f"(got values from {low} to {high})"
        )


def check_int(name: str, value: object, least: int = 1) -> int:
    r"""Returns :obj:`value` if it is an integer of at least :obj:`least`."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise TypeError(f"'{name}' must be an integer (got {value!r})")
    if value < least:
        raise ValueError(f"'{name}' must be at least {least} (got {value})")
    return int(value)


def check_ints(name: str, value: object, least: int = 1) -> tuple[int, ...]:
    r"""Returns integers as a tuple after checking each."""
    if not isinstance(value, Sequence) or isinstance(value, str) or len(value) == 0:
        raise TypeError(f"'{name}' must be a sequence of integers (got {value!r})")
    return tuple(check_int(name, number, least) for number in value)


def check_channels(value: object) -> int:
    r"""Returns :obj:`in_channels` if it is a size, or -1, which is read from the first input."""
    return -1 if type(value) is int and value == -1 else check_int("in_channels", value)


def check_rate(name: str, value: float) -> float:
    r"""Returns the probability of dropping something, which must not be everything."""
    if not 0.0 <= value < 1.0:
        raise ValueError(f"'{name}' must be in [0, 1) (got {value})")
    return value
