r"""Reads arrays of numbers from MATLAB files of level 5, those of MATLAB 5 to 7.2.

SciPy reads more of them, but a damaged file can end the process inside its compiled code.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from pyg_vision.data.readers.skeleton_file import SkeletonFileError, show

_HEADER = 128
_INT8, _INT32, _UINT32, _MATRIX, _COMPRESSED = 1, 5, 6, 14, 15
_NUMBERS = {
    1: "i1",
    2: "u1",
    3: "i2",
    4: "u2",
    5: "i4",
    6: "u4",
    7: "f4",
    9: "f8",
    12: "i8",
    13: "u8",
}
_NUMERIC_CLASSES = range(6, 16)  # double, single, and integers; not cells, structures or text
_COMPLEX = 0x0800
# Flags, dimensions and name of a variable are at its beginning.
_MAX_HEAD = 4096


class MatlabArray(NamedTuple):
    r"""A variable whose numbers are not yet read.

    Args:
        name (str): Its name.
        shape (tuple of int): Its shape.
        numeric (bool): Whether it is an array of real numbers.
        packed (bytes, optional): Its compressed content, if it is compressed.
        content (bytes): Its content, of a compressed one only the beginning.
        start (int): Where in the content its numbers are.
        order (str): The order of bytes, :obj:`"<"` or :obj:`">"`.
    """

    name: str
    shape: tuple[int, ...]
    numeric: bool
    packed: bytes | None
    content: bytes
    start: int
    order: str


def matlab_arrays(path: Path) -> list[MatlabArray]:
    r"""Lists the variables of a file.

    Args:
        path (pathlib.Path): The file.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is no MATLAB file of level 5.
    """
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise SkeletonFileError(path, f"cannot be read ({type(error).__name__})") from error
    order = {b"IM": "<", b"MI": ">"}.get(raw[126:128])
    if order is None:
        raise SkeletonFileError(path, "is no MATLAB file of the versions 5 to 7.2")
    try:
        (version,) = struct.unpack(f"{order}H", raw[124:126])
        if version != 0x0100:
            raise ValueError(
                f"its version is {version:#06x}; files of MATLAB 7.3 are HDF5, save it with '-v7'"
            )
        return list(_variables(raw, order))
    except (ValueError, struct.error, zlib.error) as error:
        raise SkeletonFileError(path, f"is no sound MATLAB file ({error})") from error


def read_matlab(path: Path, array: MatlabArray) -> np.ndarray[Any, Any]:
    r"""Reads the numbers of a variable.

    Args:
        path (pathlib.Path): The file.
        array (MatlabArray): The variable, of real numbers. Its shape must have been checked.

    Raises:
        ValueError: If there are no such numbers.
    """
    count = math.prod(array.shape)
    try:
        content = array.content
        if array.packed is not None:
            content = _unpack(array.packed, array.start + 8 * count + 16)
        kind, data, _ = _element(content, array.start, array.order)
        if kind not in _NUMBERS:
            raise ValueError(f"'{array.name}' holds data of the kind {kind}")
        dtype = np.dtype(array.order + _NUMBERS[kind])
        if len(data) != count * dtype.itemsize:
            raise ValueError(f"'{array.name}' has {len(data)} bytes for {count} numbers")
        return np.frombuffer(data, dtype).reshape(array.shape, order="F")
    except (ValueError, struct.error, zlib.error) as error:
        raise SkeletonFileError(path, f"is no sound MATLAB file ({error})") from error


def _variables(raw: bytes, order: str) -> Iterator[MatlabArray]:
    position = _HEADER
    while position < len(raw):
        kind, size = struct.unpack_from(f"{order}II", raw, position)
        data = raw[position + 8 : position + 8 + size]
        if len(data) != size:
            raise ValueError("it is cut off")
        position += 8 + size
        packed, start = None, 0
        if kind == _COMPRESSED:
            packed, start = data, 8
            data = _unpack(packed, _MAX_HEAD)
            (kind,) = struct.unpack_from(f"{order}I", data)
        if kind == _MATRIX:
            yield _variable(data, start, packed, order)


def _variable(data: bytes, start: int, packed: bytes | None, order: str) -> MatlabArray:
    kind, flags, start = _element(data, start, order)
    if kind != _UINT32 or len(flags) != 8:
        raise ValueError("a variable has no flags")
    (flag,) = struct.unpack_from(f"{order}I", flags)
    kind, sizes, start = _element(data, start, order)
    if kind != _INT32 or len(sizes) % 4 or not 8 <= len(sizes) <= 4 * 32:
        raise ValueError("a variable has no dimensions")
    shape = struct.unpack(f"{order}{len(sizes) // 4}i", sizes)
    kind, name, start = _element(data, start, order)
    if kind != _INT8 or min(shape) < 0:
        raise ValueError(f"a variable has no name, or the shape {list(shape)}")
    return MatlabArray(
        name=name.decode("latin1"),
        shape=shape,
        numeric=flag & 0xFF in _NUMERIC_CLASSES and not flag & _COMPLEX,
        packed=packed,
        content=data,
        start=start,
        order=order,
    )


def _element(data: bytes, position: int, order: str) -> tuple[int, bytes, int]:
    r"""Returns the kind and the bytes of an element, and where the next one begins."""
    (word,) = struct.unpack_from(f"{order}I", data, position)
    if word >> 16:  # up to four bytes are packed into the tag
        kind, size, start, end = word & 0xFFFF, word >> 16, position + 4, position + 8
        if size > 4:
            raise ValueError(f"an element has the kind {show(word)}")
    else:
        kind, start = word, position + 8
        (size,) = struct.unpack_from(f"{order}I", data, position + 4)
        end = start + size + -size % 8
    content = data[start : start + size]
    if len(content) != size:
        raise ValueError("it is cut off")
    return kind, content, end


def _unpack(packed: bytes, limit: int) -> bytes:
    return zlib.decompressobj().decompress(packed, limit)
