r"""What the readers of skeleton files share: errors that name file, frame and person."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np


class SkeletonFileError(ValueError):
    r"""Says what is wrong with a skeleton file, and where.

    Args:
        path (pathlib.Path): The file.
        problem (str): What is wrong.
        frame (int, optional): In which frame, counted from zero. (default: :obj:`None`)
        person (int, optional): Of which person, counted from zero. (default: :obj:`None`)
    """

    def __init__(
        self, path: Path, problem: str, frame: int | None = None, person: int | None = None
    ) -> None:
        where = "" if frame is None else f", frame {frame}"
        where += "" if person is None else f", person {person}"
        super().__init__(f"'{path}'{where}: {problem}")


def read_json(path: Path) -> dict[str, Any]:
    r"""Reads a JSON file that must hold an object."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise
    except (ValueError, OSError, RecursionError) as error:
        raise SkeletonFileError(path, f"is no JSON ({type(error).__name__}: {error})") from error
    if not isinstance(value, dict):
        raise SkeletonFileError(path, f"must hold a JSON object (got {type(value).__name__})")
    return value


def field(path: Path, record: Any, name: str, kind: type, frame: int | None = None) -> Any:
    r"""Returns a field of a JSON object, which must be there and of that type."""
    if not isinstance(record, dict) or name not in record:
        found = sorted(record) if isinstance(record, dict) else type(record).__name__
        raise SkeletonFileError(path, f"'{name}' is missing (got {found})", frame)
    value = record[name]
    if not isinstance(value, kind) or isinstance(value, bool):
        raise SkeletonFileError(
            path, f"'{name}' must be a {kind.__name__} (got {type(value).__name__})", frame
        )
    return value


def numbers(
    path: Path, value: Any, count: int, frame: int | None = None, person: int | None = None
) -> np.ndarray[Any, np.dtype[np.float32]]:
    r"""Returns a list of that many finite numbers as an array."""
    what = f"{count} numbers"
    if not isinstance(value, list) or len(value) != count:
        found = f"{len(value)} of them" if isinstance(value, list) else type(value).__name__
        raise SkeletonFileError(path, f"expected {what} (got {found})", frame, person)
    if not all(isinstance(v, int | float) and not isinstance(v, bool) for v in value):
        raise SkeletonFileError(path, f"expected {what} (got other values)", frame, person)
    try:
        array = np.array(value, dtype=np.float32)
    except OverflowError as error:
        raise SkeletonFileError(path, f"a number is too large ({error})", frame, person) from error
    if not np.isfinite(array).all():
        raise SkeletonFileError(path, "a value is NaN or infinite", frame, person)
    return array
