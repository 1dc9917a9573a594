r"""Arrays in a :obj:`.npz` file, whose headers are checked before memory is taken for them."""

from __future__ import annotations

import io
import lzma
import math
import tokenize
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pyg_vision.data.readers._pickle import MALFORMED, unpickle
from pyg_vision.data.readers.skeleton_file import SkeletonFileError, show

_NO_ARRAY = (
    *MALFORMED,
    NotImplementedError,
    RuntimeError,
    SyntaxError,
    tokenize.TokenError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
)
# What is padded with zeros becomes a tenth as large; far less is a small file that declares much.
_SMALLEST = 64
_LARGE = 2**24  # bytes


def npz_names(path: Path) -> list[str]:
    r"""Returns the names of the arrays of a file.

    Args:
        path (pathlib.Path): The file.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is no such file.
    """
    try:
        with zipfile.ZipFile(path) as file:
            return [name.removesuffix(".npy") for name in file.namelist() if name.endswith(".npy")]
    except FileNotFoundError:
        raise
    except _NO_ARRAY as error:
        raise SkeletonFileError(
            path, f"is no .npz file ({type(error).__name__}: {error})"
        ) from error


def read_npz(path: Path, name: str, objects: bool = False) -> Any:
    r"""Reads an array of a file, or the object in it, of which no code can run.

    Args:
        path (pathlib.Path): The file.
        name (str): The name of the array.
        objects (bool, optional): Whether it may be an array of no dimensions that holds an object
            of plain containers and arrays. (default: :obj:`False`)

    Raises:
        ValueError: If it is neither, or shorter than its header declares.
    """
    try:
        with zipfile.ZipFile(path) as file:
            info = file.getinfo(f"{name}.npy")
            if info.file_size > max(_LARGE, _SMALLEST * info.compress_size):
                raise ValueError(f"declares {info.file_size} bytes, packed in {info.compress_size}")
            with file.open(info) as member:
                shape, fortran, dtype = _header(member)
                begin = member.tell()
                rest = info.file_size - begin
                if dtype.hasobject:
                    if not objects or shape != ():
                        raise ValueError(f"an array of {dtype} is refused")
                    return unpickle(io.BytesIO(member.read(rest)), rest)
                if dtype.kind not in "fiub" or math.prod(shape) * dtype.itemsize != rest:
                    raise ValueError(f"an array of {dtype} {list(shape)} has {rest} bytes")
                data = member.read(rest)
        array = np.frombuffer(data, dtype)
        return array.reshape(shape, order="F" if fortran else "C")
    except _NO_ARRAY as error:
        raise SkeletonFileError(
            path,
            f"{show(name)} is no array of numbers "
            f"({type(error).__name__}: {' '.join(str(error).split())[:200]})",
        ) from error


def _header(member: Any) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    version = np.lib.format.read_magic(member)
    read: Mapping[tuple[int, int], Any] = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    if version not in read:
        raise ValueError(f"the version {version} of the header is unknown")
    shape, fortran, dtype = read[version](member)
    return shape, fortran, dtype
