r"""Rows of text files: numbers between blanks, and tables of commas."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from pyg_vision.data.readers.skeleton_file import SkeletonFileError, read_text, show

LARGEST = 3e38  # of float32


def text_rows(path: Path) -> list[tuple[int, list[str]]]:
    r"""Returns number and words of each line that is not empty."""
    lines = read_text(path).removeprefix("\ufeff").split("\n")
    return [(i, words) for i, line in enumerate(lines, 1) if (words := line.split())]


def csv_rows(
    path: Path, delimiter: str | None = None, empty: bool = False
) -> list[tuple[int, list[str]]]:
    r"""Returns number and cells of each line that is not empty.

    Args:
        path (pathlib.Path): The file.
        delimiter (str, optional): What stands between the cells. (default: a semicolon or a tab
            where the first line has one and no comma, else a comma)
        empty (bool, optional): Whether lines of empty cells are kept. (default: :obj:`False`)
    """
    text = read_text(path).removeprefix("\ufeff")  # which Excel writes
    if delimiter is None:
        first = text.lstrip().partition("\n")[0]
        delimiter = next((c for c in ";\t" if c in first and "," not in first), ",")
    reader = csv.reader(io.StringIO(text), skipinitialspace=True, delimiter=delimiter)
    try:
        return [(reader.line_num, row) for row in reader if any(row) or (empty and len(row) > 1)]
    except csv.Error as error:
        raise SkeletonFileError(path, f"is no CSV file ({error})") from error


def read_number_text(path: Path, text: str, line: int, name: str = "") -> float:
    r"""Returns the finite number that a text says."""
    what = f"'{name}'" if name else "a value"
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not abs(value) < LARGEST or "_" in text:
        raise SkeletonFileError(path, f"line {line}: {what} must be a number (got {show(text)})")
    return value
