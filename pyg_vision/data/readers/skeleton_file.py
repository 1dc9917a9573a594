r"""What the readers of skeleton files share: errors that name file, frame and person."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Sequence
from itertools import chain
from os import PathLike
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from torch_geometric.data import Data

from pyg_vision.data.layout import SkeletonLayout
from pyg_vision.data.layouts import layouts_of, skeleton_layout
from pyg_vision.data.skeleton import skeleton_sequence

Name = TypeVar("Name")
Array = np.ndarray[Any, np.dtype[np.float32]]

# 256 MiB of coordinates: five people of 25 joints for an hour. A file may declare anything, and
# is refused before memory is taken for it.
_MAX_VALUES = 2**26


class SkeletonFileError(ValueError):
    r"""The error of a malformed skeleton file, whose message names the file, the problem and,
    where known, the frame and the person.

    Args:
        path (pathlib.Path): The file.
        problem (str): The description of the problem.
        frame (int, optional): The frame, counted from zero. (default: :obj:`None`)
        person (int, optional): The person, counted from zero. (default: :obj:`None`)

    Example:
        >>> from pyg_vision.data.readers import SkeletonFileError, read_nw_ucla
        >>> try:
        ...     data = read_nw_ucla("data/broken/a04_s01_e00_v01.json")
        ... except SkeletonFileError as error:
        ...     print(error)
        'data/broken/a04_s01_e00_v01.json', frame 2: expected 20 joints (got 19)
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


class NoPersonError(SkeletonFileError):
    r"""Says that a sound file holds no person."""


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


def read_any_json(path: Path) -> Any:
    r"""Reads a JSON file."""
    text = read_text(path)
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SkeletonFileError(path, f"is no JSON ({type(error).__name__}: {error})") from error


def read_json(path: Path) -> dict[str, Any]:
    r"""Reads a JSON file that must hold an object."""
    value = read_any_json(path)
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
    if not _are_numbers(value):
        raise SkeletonFileError(path, f"expected {what} (got other values)", frame, person)
    try:
        with np.errstate(over="ignore"):
            array = np.array(value, dtype=np.float32)
    except OverflowError as error:
        raise SkeletonFileError(path, f"a number is too large ({error})", frame, person) from error
    if not np.isfinite(array).all():
        raise SkeletonFileError(path, "a value is NaN or infinite", frame, person)
    return array


def points(path: Path, frames: list[Any], num_joints: int, num_dims: int) -> Array:
    r"""Returns lists of frames of joints of finite numbers as an array."""
    array = whole_array(frames, num_joints, num_dims)
    if array is not None:
        return array
    # Something is wrong: say where.
    array = np.empty((len(frames), num_joints, num_dims), dtype=np.float32)
    for t, frame in enumerate(frames):
        if not isinstance(frame, list) or len(frame) != num_joints:
            found = len(frame) if isinstance(frame, list) else type(frame).__name__
            raise SkeletonFileError(path, f"expected {num_joints} joints (got {found})", t)
        for v, joint in enumerate(frame):
            array[t, v] = numbers(path, joint, num_dims, t)
    return array


def whole_array(frames: list[Any], num_joints: int, num_dims: int) -> Array | None:
    r"""Returns the array, :obj:`None` if anything is wrong with it."""
    if not _are_lists(frames, num_joints):
        return None
    joints = list(chain.from_iterable(frames))
    if not _are_lists(joints, num_dims):
        return None
    values = list(chain.from_iterable(joints))
    if not _are_numbers(values):
        return None
    try:
        with np.errstate(over="ignore"):
            array = np.array(values, dtype=np.float32)
    except OverflowError:
        return None
    if not np.isfinite(array).all():
        return None
    return array.reshape(len(frames), num_joints, num_dims)


def _are_lists(values: list[Any], length: int) -> bool:
    return set(map(type, values)) <= {list} and set(map(len, values)) <= {length}


def _are_numbers(values: list[Any]) -> bool:
    return set(map(type, values)) <= {int, float}


def known_layout(layout: str | SkeletonLayout | None, num_joints: int) -> SkeletonLayout:
    r"""Returns the layout, which must be given: the number of joints does not tell it."""
    if layout is not None:
        return skeleton_layout(layout)
    names = " or ".join(map(repr, layouts_of(num_joints)))
    raise ValueError(
        f"'layout' must say which skeleton these {num_joints} joints are"
        + (f", such as {names}" if names else ", as a SkeletonLayout")
    )


def told_layout(value: Any, layout: str | SkeletonLayout | None = None) -> SkeletonLayout:
    r"""Returns the layout that a file tells as plain data, see :meth:`SkeletonLayout.to_dict`, or
    the one that is given, which must have the same joints.
    """
    try:
        told = SkeletonLayout.from_dict(value)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ValueError(f"its 'layout' is none ({reason})") from error
    given = told if layout is None else skeleton_layout(layout)
    if given.joints != told.joints:
        raise ValueError(f"it holds the joints of layout '{told.name}', not of '{given.name}'")
    return given


def check_score(score: np.ndarray[Any, Any] | None, layout: SkeletonLayout) -> None:
    r"""Refuses scores below zero, which are coordinates."""
    if score is not None and score.size and score.min() < 0:
        others = [name for name in layouts_of(layout.num_joints) if name != layout.name]
        names = f", such as {' or '.join(map(repr, others))}" if others else ""
        raise ValueError(
            f"a score is negative (got {score.min():g}): the channel is rather a coordinate, of "
            f"another 'layout' than '{layout.name}'{names}, or with score=False where that is asked"
        )


def check_size(path: Path, shape: Sequence[int]) -> None:
    r"""Refuses an array that no recording needs, before it is allocated."""
    if math.prod(shape) > _MAX_VALUES:
        sizes = " × ".join(show(size) for size in shape)
        raise SkeletonFileError(
            path,
            f"needs an array of {sizes} values (persons, frames, joints, channels); more than "
            f"{_MAX_VALUES} are refused",
        )


class Budget:
    r"""Counts the values of all sequences of a file, of which a small one may declare many.

    Args:
        path (pathlib.Path): The file.
        most (int, optional): How many are allowed. (default: no more than of one sequence)
    """

    def __init__(self, path: Path, most: int = _MAX_VALUES) -> None:
        self.path, self.most, self.left = path, most, most

    def take(self, shape: Sequence[int]) -> None:
        r"""Counts an array, and refuses the file if all are too many.

        Args:
            shape (tuple): The shape of the array.
        """
        check_size(self.path, shape)
        self.left -= math.prod(shape)
        if self.left < 0:
            raise SkeletonFileError(
                self.path, f"its sequences need more than {self.most} values together"
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
        check_score(score, layout)
        return skeleton_sequence(keypoints, layout, y=y, score=score)
    except (TypeError, ValueError) as error:
        raise SkeletonFileError(path, str(error)) from error
