r"""Reads pickles of plain containers and numpy arrays, and refuses everything else."""

from __future__ import annotations

import io
import math
import pickle
import pickletools
import re
import struct
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sized
from pathlib import Path
from typing import Any

import numpy as np

from pyg_vision.data.readers.skeleton_file import SkeletonFileError, show

# What pickles of protocol 2 and later are made of, without what makes instances of classes.
_OPERATIONS = frozenset(
    """
    PROTO FRAME STOP MARK NONE NEWTRUE NEWFALSE BININT BININT1 BININT2 LONG1 LONG4 BINFLOAT
    BINSTRING SHORT_BINSTRING BINBYTES SHORT_BINBYTES BINBYTES8 BYTEARRAY8 BINUNICODE
    SHORT_BINUNICODE BINUNICODE8 EMPTY_TUPLE TUPLE TUPLE1 TUPLE2 TUPLE3 EMPTY_LIST APPEND APPENDS
    EMPTY_DICT SETITEM SETITEMS EMPTY_SET ADDITEMS FROZENSET BINPUT LONG_BINPUT MEMOIZE BINGET
    LONG_BINGET GLOBAL STACK_GLOBAL REDUCE BUILD
    """.split()
)
# What an unpickler raises for files that are broken in one way or another.
MALFORMED = (
    pickle.UnpicklingError,
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    OSError,
    TypeError,
    ValueError,
    struct.error,
)


def load_pickle(path: Path) -> Any:
    r"""Loads a pickle of containers, strings, numbers and numpy arrays of numbers or strings.

    No code of the file runs: it can name nothing but the functions of this module, which make
    arrays and containers, and the keys of its containers are strings or numbers. Arrays are
    views of the bytes of the file.

    Args:
        path (pathlib.Path): The file.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is no pickle, or holds anything else.
    """
    try:
        with path.open("rb") as file:
            return _Unpickler(file, path.stat().st_size).load()
    except FileNotFoundError:
        raise
    except MALFORMED as error:
        raise SkeletonFileError(
            path,
            f"is no pickle of plain containers and arrays ({type(error).__name__}: {error})",
        ) from error


def unpickle(file: io.BufferedIOBase, size: int) -> Any:
    r"""Loads the object that :func:`numpy.save` has pickled as an array of no dimensions.

    Args:
        file (io.BufferedIOBase): The pickle.
        size (int): Its length in bytes.

    Raises:
        Exception: One of :obj:`MALFORMED` if it is no such pickle, see :func:`load_pickle`.
    """
    return _Unpickler(file, size, objects=True).load()


class _DType:
    r"""A data type that is being unpickled."""

    codes = r"[biufSU][1-9][0-9]{0,5}"

    def __init__(self, code: Any, *flags: Any) -> None:
        if not isinstance(code, str) or not re.fullmatch(self.codes, code):
            raise pickle.UnpicklingError(f"an array of the data type {show(code)} is refused")
        self.dtype = np.dtype(code)

    def build(self, state: Any) -> None:
        order, *parts = state[1:5]
        if order not in ("<", ">", "|", "=") or parts != [None, None, None]:
            raise pickle.UnpicklingError("an array of structures is refused")
        self.dtype = self.dtype.newbyteorder(order)


class _AnyDType(_DType):
    r"""The same, or that of objects."""

    codes = rf"{_DType.codes}|O[48]"


class _Array:
    r"""An array that is being unpickled."""

    def __init__(self, *shell: Any) -> None:
        self.value: Any = None

    def build(self, state: Any) -> None:
        shape, dtype, fortran, data = state[-4:]
        if isinstance(dtype, _DType) and dtype.dtype.hasobject:
            # What numpy.save makes of a dict: the object in an array of no dimensions.
            if shape != () or not isinstance(data, list) or len(data) != 1:
                raise pickle.UnpicklingError("an array of objects is refused")
            self.value = data[0]
            return
        self.value = _array(data, dtype, shape, "F" if fortran else "C")


def _array(
    data: Any, dtype: Any, shape: Any, order: Any, axes: Any = None
) -> np.ndarray[Any, np.dtype[Any]]:
    if not isinstance(dtype, _DType) or not isinstance(shape, tuple):
        raise pickle.UnpicklingError("an array has no data type or shape")
    if not all(isinstance(size, int) and 0 <= size < 2**40 for size in shape):
        raise pickle.UnpicklingError("the shape of an array is malformed")
    if isinstance(data, str):  # the bytes of Python 2
        data = data.encode("latin1")
    if not isinstance(data, bytes | bytearray):
        raise pickle.UnpicklingError(f"the data of an array are a {type(data).__name__}")
    if dtype.dtype.hasobject or math.prod(shape) * dtype.dtype.itemsize != len(data):
        raise pickle.UnpicklingError(
            f"an array of shape {shape} and type {dtype.dtype} has {len(data)} bytes"
        )
    if not data:
        return np.empty(shape, dtype.dtype)
    values = np.frombuffer(data, dtype.dtype)
    if order == "K" and axes is not None:
        return values.reshape(shape).transpose(axes)
    return values.reshape(shape, order="F" if order == "F" else "C")


def _scalar(dtype: Any, data: Any) -> Any:
    return _array(data, dtype, (1,), "C")[0]


def _encode(text: Any, encoding: Any) -> bytes:
    r"""Protocol 2 writes bytes as a call of :func:`codecs.encode`."""
    if not isinstance(text, str) or encoding != "latin1":
        raise pickle.UnpicklingError("it encodes something else than bytes")
    return text.encode("latin1")


def _keys(items: Iterable[Any]) -> list[Any]:
    r"""Refuses other keys: hashing a tuple that is nested deep enough ends the process."""
    keys = list(items)
    for key in keys:
        if not isinstance(key, str | bytes | int | float | np.generic | None):
            raise pickle.UnpicklingError(f"a {type(key).__name__} in a set or as a key is refused")
    return keys


def _set(items: Iterable[Any] = ()) -> set[Any]:
    return set(_keys(items))


def _frozenset(items: Iterable[Any] = ()) -> frozenset[Any]:
    return frozenset(_keys(items))


def _dict(items: Iterable[Any] = ()) -> OrderedDict[Any, Any]:
    pairs = [(key, value) for key, value in items]
    _keys(key for key, _ in pairs)
    return OrderedDict(pairs)


def _list(items: Iterable[Any] = ()) -> list[Any]:
    return list(items)


def _tuple(items: Iterable[Any] = ()) -> tuple[Any, ...]:
    return tuple(items)


def _bytes(data: bytes = b"") -> bytes:
    if not isinstance(data, bytes):  # bytes(10**12) takes that much memory
        raise pickle.UnpicklingError("it makes bytes of something else")
    return data


def _bytearray(data: bytes = b"") -> bytearray:
    return bytearray(_bytes(data))


def _ndarray(*arguments: Any) -> None:
    r"""Stands for the class, which pickles only pass on to :obj:`_reconstruct`."""
    raise pickle.UnpicklingError("it makes an array without data")


# Both names of numpy's core package, and of the built-in functions.
_GLOBALS: dict[tuple[str, str], Callable[..., Any]] = {
    ("numpy", "ndarray"): _ndarray,
    ("numpy", "dtype"): _DType,
    **{
        (f"numpy.{core}.{module}", name): function
        for core in ("core", "_core")
        for module, name, function in (
            ("multiarray", "_reconstruct", _Array),
            ("multiarray", "scalar", _scalar),
            ("numeric", "_frombuffer", _array),
        )
    },
    ("_codecs", "encode"): _encode,
    ("codecs", "encode"): _encode,
    ("collections", "OrderedDict"): _dict,
    **{
        (module, name): function
        for module in ("builtins", "__builtin__")
        for name, function in (
            ("set", _set),
            ("frozenset", _frozenset),
            ("dict", _dict),
            ("list", _list),
            ("tuple", _tuple),
            ("bytes", _bytes),
            ("bytearray", _bytearray),
        )
    },
}


class _Dispatch(dict[int, Callable[[Any], None]]):
    def __missing__(self, code: int) -> Callable[[Any], None]:
        names = [op.name for op in pickletools.opcodes if ord(op.code) == code]
        raise pickle.UnpicklingError(f"the operation {(*names, hex(code))[0]} is refused")


class _Unpickler(pickle._Unpickler):
    r"""Python's unpickler with few of its operations left, most of them unchanged.

    It is the one that is written in Python: that in C takes memory for whatever index a file
    declares before it looks further.
    """

    stack: list[Any]
    memo: dict[int, Any]
    append: Callable[[Any], None]
    read: Callable[[int], bytes]
    pop_mark: Callable[[], list[Any]]

    def __init__(self, file: io.BufferedIOBase, size: int, objects: bool = False) -> None:
        super().__init__(file, encoding="latin1")  # for the strings of Python 2
        self._size = size
        self._dtype = _AnyDType if objects else _DType
        self._copies = 4 * size + 2**10  # short names may be asked for by less than their length

    def find_class(self, module: str, name: str) -> Any:
        function = _GLOBALS.get((module, name))
        if function is None:
            raise pickle.UnpicklingError(f"it asks for {show(module)}, {show(name)}: refused")
        return self._dtype if function is _DType else function

    def load_reduce(self) -> None:
        args = self.stack.pop()
        function = self.stack[-1]
        if not any(function is allowed for allowed in (*_GLOBALS.values(), self._dtype)):
            raise pickle.UnpicklingError(f"it calls a {type(function).__name__}")
        self._copy(args)
        self.stack[-1] = function(*args)

    def load_build(self) -> None:
        state = self.stack.pop()
        instance = self.stack[-1]
        if not isinstance(instance, _DType | _Array):
            raise pickle.UnpicklingError(f"it sets the state of a {type(instance).__name__}")
        self._copy(state)
        instance.build(state)
        if isinstance(instance, _Array):
            self.stack[-1] = instance.value

    def _copy(self, values: Iterable[Any]) -> None:
        r"""Keeps count: one of many short calls may copy what is long."""
        self._copies -= sum(len(value) for value in values if isinstance(value, Sized))
        if self._copies < 0:
            raise pickle.UnpicklingError("it copies more than it holds")

    def load_append(self) -> None:
        value = self.stack.pop()
        self._container(list).append(value)

    def load_appends(self) -> None:
        values = self.pop_mark()
        self._container(list).extend(values)

    def load_setitem(self) -> None:
        value = self.stack.pop()
        key = self.stack.pop()
        self._container(dict)[_keys([key])[0]] = value

    def load_setitems(self) -> None:
        items = self.pop_mark()
        self._container(dict).update(zip(_keys(items[::2]), items[1::2], strict=True))

    def load_additems(self) -> None:
        items = self.pop_mark()
        self._container(set).update(_keys(items))

    def load_frozenset(self) -> None:
        items = self.pop_mark()  # which replaces self.append
        self.append(frozenset(_keys(items)))

    def load_bytearray8(self) -> None:
        (length,) = struct.unpack("<Q", self.read(8))
        if length > self._size:
            raise EOFError("it is cut off")
        self.append(bytearray(self.read(length)))

    def load_binget(self) -> None:
        self._get(self.read(1)[0])

    def load_long_binget(self) -> None:
        self._get(struct.unpack("<I", self.read(4))[0])

    def _get(self, index: int) -> None:
        value = self.memo[index]
        self.append(value.value if isinstance(value, _Array) and value.value is not None else value)

    def _container(self, kind: type) -> Any:
        if not isinstance(self.stack[-1], kind):
            raise pickle.UnpicklingError(f"it fills a {type(self.stack[-1]).__name__}")
        return self.stack[-1]

    dispatch = _Dispatch(
        {
            ord(operation.code): pickle._Unpickler.dispatch[ord(operation.code)]
            for operation in pickletools.opcodes
            if operation.name in _OPERATIONS
        }
        | {
            pickle.REDUCE[0]: load_reduce,
            pickle.BUILD[0]: load_build,
            pickle.APPEND[0]: load_append,
            pickle.APPENDS[0]: load_appends,
            pickle.SETITEM[0]: load_setitem,
            pickle.SETITEMS[0]: load_setitems,
            pickle.ADDITEMS[0]: load_additems,
            pickle.FROZENSET[0]: load_frozenset,
            pickle.BYTEARRAY8[0]: load_bytearray8,
            pickle.BINGET[0]: load_binget,
            pickle.LONG_BINGET[0]: load_long_binget,
        }
    )
