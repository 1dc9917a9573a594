r"""What the readers of skeleton files share: errors that name file, frame and person."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Sequence
from os import PathLike
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from torch_geometric.data import Data

from pyg_vision.data.skeleton import skeleton_sequence
from pyg_vision.data.skeleton_layout import SkeletonLayout

Name = TypeVar("Name")
Array = np.ndarray[Any, np.dtype[np.float32]]

# 256 MiB of coordinates: five people of 25 joints for an hour. A file may declare anything, and
# is refused before memory is taken for it.
_MAX_VALUES = 2**26


class SkeletonFileError(ValueError):
    r"""Says what is wrong with a skeleton file, and where.

    Args:
        path (pathlib.Path): The file.
        problem (str): What is wrong.
        frame (int, optional): In which frame, counted from zero. (default: :obj:`None`)
        person (int, optional): Of which person, counted from zero. (default: :obj:`None`)
    """

    def __init__(
        self,
        path: Path | str,
        problem: str | None = None,
        frame: int | None = None,
        person: int | None = None,
    ) -> None:
        if problem is None:  # made again from its message, behind the border of a process
            super().__init__(path)
            return
        where = "" if frame is None else f", frame {frame}"
        where += "" if person is None else f", person {person}"
        super().__init__(f"'{path}'{where}: {problem}")


def read_name(
    path: str | PathLike[str], pattern: re.Pattern[str], form: str, kind: Callable[..., Name]
) -> Name:
    r"""Reads the numbers that the name of a file tells."""
    match = pattern.fullmatch(Path(path).stem)
    if match is None:
        raise SkeletonFileError(Path(path), f"the name must be {form}")
    return kind(*(int(number) for number in match.groups()))


def show(value: object) -> str:
    r"""Describes a value from a file in a few characters, whatever it is."""
    if isinstance(value, np.generic):
        value = value.item()
    short = value is None or isinstance(value, bool | float | str)
    if short or (isinstance(value, int) and abs(value) < 10**20):
        text = repr(value)
        return text if len(text) <= 40 else f"{text[:40]}…"
    return type(value).__name__


def read_text(path: Path) -> str:
    r"""Reads a text file."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise
    except (ValueError, OSError) as error:
        raise SkeletonFileError(path, f"is no text ({type(error).__name__}: {error})") from error


def read_json(path: Path) -> dict[str, Any]:
    r"""Reads a JSON file that must hold an object."""
    text = read_text(path)
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SkeletonFileError(path, f"is no JSON ({type(error).__name__}: {error})") from error
    if not isinstance(value, dict):
        raise SkeletonFileError(path, f"must hold a JSON object (got {type(value).__name__})")
    return value


def field(
    path: Path,
    record: Any,
    name: str,
    kind: type,
    frame: int | None = None,
    person: int | None = None,
) -> Any:
    r"""Returns a field of a JSON object, which must be there and of that type."""
    if not isinstance(record, dict) or name not in record:
        found = sorted(record)[:20] if isinstance(record, dict) else type(record).__name__
        raise SkeletonFileError(path, f"'{name}' is missing (got {found})", frame, person)
    value = record[name]
    if not isinstance(value, kind) or isinstance(value, bool):
        raise SkeletonFileError(
            path, f"'{name}' must be a {kind.__name__} (got {type(value).__name__})", frame, person
        )
    return value


def numbers(
    path: Path, value: Any, count: int, frame: int | None = None, person: int | None = None
) -> Array:
    r"""Returns a list of that many finite numbers as an array."""
    what = f"{count} numbers"
    if not isinstance(value, list) or len(value) != count:
        found = f"{len(value)} of them" if isinstance(value, list) else type(value).__name__
        raise SkeletonFileError(path, f"expected {what} (got {found})", frame, person)
    if not all(isinstance(v, int | float) and not isinstance(v, bool) for v in value):
        raise SkeletonFileError(path, f"expected {what} (got other values)", frame, person)
    try:
        with np.errstate(over="ignore"):
            array = np.array(value, dtype=np.float32)
    except OverflowError as error:
        raise SkeletonFileError(path, f"a number is too large ({error})", frame, person) from error
    if not np.isfinite(array).all():
        raise SkeletonFileError(path, "a value is NaN or infinite", frame, person)
    return array


def check_size(path: Path, shape: Sequence[int]) -> None:
    r"""Refuses an array that no recording needs, before it is allocated."""
    if math.prod(shape) > _MAX_VALUES:
        sizes = " × ".join(show(size) for size in shape)
        raise SkeletonFileError(
            path,
            f"needs an array of {sizes} values (persons, frames, joints, channels); more than "
            f"{_MAX_VALUES} are refused",
        )


def to_float32(array: np.ndarray[Any, Any]) -> Array:
    r"""Copies an array; a value that is too large becomes infinite, which is found later."""
    with np.errstate(over="ignore"):
        return np.array(array, dtype=np.float32)


def file_sequence(
    path: Path,
    keypoints: np.ndarray[Any, Any],
    layout: SkeletonLayout,
    y: int | None = None,
    score: np.ndarray[Any, Any] | None = None,
) -> Data:
    r"""Makes the sequence of a file, whose errors name it."""
    try:
        return skeleton_sequence(keypoints, layout, y=y, score=score)
    except (TypeError, ValueError) as error:
        raise SkeletonFileError(path, str(error)) from error
