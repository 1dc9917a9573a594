r"""The kernels of this package in every form that a program can ask for, for compiling them ahead.

Triton compiles a kernel when it is first called. Here is, as data, what it is called with, so that
all of them can be compiled to machine code where there is no GPU.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any, NamedTuple

import triton.language as tl

from pyg_vision.ops import _knn_triton as knn
from pyg_vision.ops import _neighbor_max_triton as neighbor_max

DTYPES = ("fp32", "fp16", "bf16", "fp64")
SEARCH_DTYPES = DTYPES[:3]
NEIGHBOURS = (9, 28, 54, 128)  # each of another width of the list that is kept
BIAS_TAPS = (2, 4)  # of relative positions on a grid, and of an interpolated bias
SIZES = (
    "rows", "columns", "channels", "num", "first", "x_graph", "x_row", "y_graph", "y_row",
    "bias_graph", "bias_row", "bias_column", "mask_graph", "mask_row", "mask_column",
)  # fmt: skip
CHANNELS = 256  # of a program of the other kernels


class KernelVariant(NamedTuple):
    r"""A kernel with the types of its arguments and the values of its constants.

    Args:
        name (str): The kernel and what it is called for.
        dtype (str): The data type of the features, as Triton writes it.
        kernel (Any): The kernel.
        signature (dict): The type of each argument.
        constants (dict): The value of each constant.
        num_warps (int): The warps of a program.

    Example:
        >>> from pyg_vision.ops.kernel_variants import usual_variants
        >>> [variant.name for variant in usual_variants() if variant.dtype == "fp64"]
        ['max', 'max backward', 'max backward, deterministic']
    """

    name: str
    dtype: str
    kernel: Any
    signature: dict[str, str]
    constants: dict[str, Any]
    num_warps: int


def usual_variants() -> Iterator[KernelVariant]:
    r"""Yields each kernel once for each data type, as it is called most."""
    for dtype in DTYPES:
        yield maximum(dtype, ragged=False, with_arg=True)
        yield maximum_backward(dtype, ragged=False)
        yield maximum_deterministic(dtype)
    for dtype in SEARCH_DTYPES:
        yield search(dtype, NEIGHBOURS[0])


def all_variants() -> Iterator[KernelVariant]:
    r"""Yields every kernel with each data type and all settings of its flags."""
    for dtype, ragged in product(DTYPES, (False, True)):
        for with_arg in (False, True):
            yield maximum(dtype, ragged, with_arg)
        yield maximum_backward(dtype, ragged)
    for dtype in DTYPES:
        yield maximum_deterministic(dtype)
    for dtype, num in product(SEARCH_DTYPES, NEIGHBOURS):
        for flag in (False, True):
            yield search(dtype, num, biased=flag, masked=flag, ragged=flag)
    for own in (-1, 0, 1):
        for biased, masked, ragged in product((False, True), repeat=3):
            yield search("fp32", NEIGHBOURS[0], own, biased, masked, ragged)
    for dtype, taps in product(SEARCH_DTYPES, BIAS_TAPS):
        yield search(dtype, NEIGHBOURS[0], 0, biased=True, taps=taps)


def maximum(dtype: str, ragged: bool, with_arg: bool) -> KernelVariant:
    r"""Returns the maximum over neighbours."""
    signature = {
        "x": f"*{dtype}", "index": "*i64", "rowptr": "*i64", "out": f"*{dtype}",
        "arg": "*i32" if ragged else "*u8", "num_sources": "i32", "channels": "i32",
    }  # fmt: skip
    constants = {
        "K": 0 if ragged else 9, "RAGGED": ragged, "WITH_ARG": with_arg, "BLOCK": CHANNELS,
        "ACCUMULATE": tl.float64 if dtype == "fp64" else tl.float32,
    }  # fmt: skip
    name = "max" + (", ragged" if ragged else "") + ("" if with_arg else ", without gradient")
    return _variant(name, dtype, neighbor_max._forward_kernel, signature, constants)


def maximum_backward(dtype: str, ragged: bool) -> KernelVariant:
    r"""Returns its backward pass."""
    signature = {
        "grad": f"*{dtype}", "arg": "*i32" if ragged else "*u8", "index": "*i64",
        "rowptr": "*i64", "out": _sums(dtype), "num_sources": "i32", "channels": "i32",
    }  # fmt: skip
    constants = {"K": 0 if ragged else 9, "RAGGED": ragged, "BLOCK": CHANNELS}
    name = "max backward" + (", ragged" if ragged else "")
    return _variant(name, dtype, neighbor_max._backward_kernel, signature, constants)


def maximum_deterministic(dtype: str) -> KernelVariant:
    r"""Returns its backward pass without atomics."""
    signature = {
        "grad": f"*{dtype}", "arg": "*u8", "edge_row": "*i64", "edge_position": "*i64",
        "source_ptr": "*i64", "out": _sums(dtype), "channels": "i32",
    }  # fmt: skip
    kernel = neighbor_max._backward_deterministic_kernel
    name = "max backward, deterministic"
    return _variant(name, dtype, kernel, signature, {"BLOCK": CHANNELS})


def search(
    dtype: str,
    num: int,
    own: int = -1,
    biased: bool = False,
    masked: bool = False,
    ragged: bool = False,
    taps: int = 0,
) -> KernelVariant:
    r"""Returns the neighbour search."""
    size = knn.tile(num)
    signature = {
        "x": f"*{dtype}", "y": f"*{dtype}", "scale": "*fp32",
        "bias": "*fp32" if biased else f"*{dtype}",
        "bias_index": "*i64" if taps else f"*{dtype}",
        "bias_weight": "*fp32" if taps else f"*{dtype}",
        "mask": "*u8" if masked else f"*{dtype}",
        "num_valid": "*i64" if ragged else f"*{dtype}", "out": "*i64",
        **dict.fromkeys(SIZES, "i32"),
    }  # fmt: skip
    constants = {
        "OWN": own, "BIASED": biased, "TAPS": taps, "MASKED": masked, "RAGGED": ragged,
        "KEPT": size.kept, "BLOCK_ROWS": size.rows, "BLOCK_COLUMNS": size.columns,
    }  # fmt: skip
    flags = {"bias": biased, f"of {taps} rows": taps, "mask": masked, "ragged": ragged}
    own_name = {-1: "", 0: "other sources", 1: "no loops"}[own]
    parts = [f"search of {num}", own_name, *(name for name, is_on in flags.items() if is_on)]
    name = ", ".join(part for part in parts if part)
    return _variant(name, dtype, knn._search_kernel, signature, constants, size.num_warps)


def _sums(dtype: str) -> str:
    return "*fp64" if dtype == "fp64" else "*fp32"


def _variant(
    name: str,
    dtype: str,
    kernel: Any,
    signature: dict[str, str],
    constants: dict[str, Any],
    num_warps: int = 4,
) -> KernelVariant:
    signature = {**signature, **dict.fromkeys(constants, "constexpr")}
    return KernelVariant(name, dtype, kernel, signature, constants, num_warps)
