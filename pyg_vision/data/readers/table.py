r"""Skeletons in tables whose columns the user names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from torch_geometric.data import Data

from pyg_vision.data.layout import SkeletonLayout
from pyg_vision.data.layouts import skeleton_layout
from pyg_vision.data.readers._rows import LARGEST, csv_rows, read_number_text
from pyg_vision.data.readers.skeleton_file import (
    Budget,
    NoPersonError,
    SkeletonFileError,
    check_size,
    file_sequence,
    show,
)


class TableColumns(NamedTuple):
    r"""Which column of a table is what.

    Args:
        coordinates (tuple of str): Those of the two or three coordinates.
        frame (str): That of the number of the frame.
        joint (str): That of the joint, by its index or its name in the layout.
        score (str, optional): That of the score of a joint. (default: :obj:`None`)
        person (str, optional): That of the person, a number or a name. (default: one person)
        sequence (str, optional): That of the sequence, a number or a name. (default: one sequence)
        label (str, optional): That of the class, a number. (default: :obj:`None`)

    Example:
        >>> from pyg_vision.data.readers import TableColumns
        >>> TableColumns(coordinates=("px", "py"), frame="t", joint="marker").frame
        't'
    """

    coordinates: tuple[str, ...] = ("x", "y")
    frame: str = "frame"
    joint: str = "joint"
    score: str | None = None
    person: str | None = None
    sequence: str | None = None
    label: str | None = None


def read_table(
    path: str | PathLike[str],
    layout: str | SkeletonLayout,
    columns: TableColumns = TableColumns(),  # noqa: B008  # which cannot be changed
    joints: Mapping[str, str | int] | None = None,
) -> list[Data]:
    r"""Reads skeletons from a table with a row for each joint, whatever its columns are called.

    Frames are numbered from any whole number on; those between the first and the last of a sequence
    that are not listed are zeros, as are joints without a row or without coordinates. Persons are
    in the order in which they first come.

    Args:
        path (str or path): The file: :obj:`.csv` or :obj:`.tsv` with a line of column names, or
            :obj:`.parquet`, which needs :obj:`pip install pyg-vision[parquet]`.
        layout (str or SkeletonLayout): The skeleton.
        columns (TableColumns, optional): Which column is what; others are not read.
            (default: :obj:`"frame"`, :obj:`"joint"`, :obj:`"x"`, :obj:`"y"`)
        joints (dict, optional): How the table calls the joints, with name or index of each in the
            layout; rows of other joints are left out. (default: as the layout does)

    Returns:
        list: The sequences in the order in which they first come, each with its :obj:`name` where
        the table tells sequences apart, see :func:`~pyg_vision.data.skeleton_sequence`.

    Raises:
        FileNotFoundError: If there is no such file.
        ImportError: If Parquet cannot be read.
        ValueError: If a column is missing or a value malformed; the error names the row.

    Example:
        >>> from pyg_vision.data.readers import TableColumns, read_table
        >>> with open("track.csv", "w") as file:
        ...     points = ((clip, t, v) for clip in "ab" for t in range(3) for v in range(17))
        ...     rows = [f"{clip},{t},{v},{t},{v}" for clip, t, v in points]
        ...     print("clip,time,marker,px,py", *rows, sep="\n", file=file)
        >>> columns = TableColumns(("px", "py"), "time", "marker", sequence="clip")
        >>> [data.name for data in read_table("track.csv", "coco", columns)]
        ['a', 'b']
    """
    path, known = Path(path), skeleton_layout(layout)
    if len(columns.coordinates) not in (2, 3):
        raise ValueError(f"'coordinates' must be two or three (got {columns.coordinates!r})")
    wanted = [name for name in (*columns.coordinates, *columns[1:]) if isinstance(name, str)]
    if len(set(wanted)) < len(wanted):
        raise ValueError(f"a column must be named once (got {', '.join(wanted)})")
    places = _places(known, joints)
    read = _read_parquet if path.suffix.lower() == ".parquet" else _read_text
    sequences: dict[str, _Sequence] = {}
    for number, row in read(path, wanted):
        name = "" if columns.sequence is None else _key(path, row[columns.sequence], number)
        sequences.setdefault(name, _Sequence()).add(path, row, number, columns, places, joints)
    if not sequences:
        raise SkeletonFileError(path, "holds no rows")
    budget = Budget(path)
    found = []
    for name, sequence in sequences.items():
        budget.take(sequence.size(known, columns))
        data = sequence.data(Path(f"{path}[{name}]") if name else path, known, columns)
        if columns.sequence is not None:
            data.name = name
        found.append(data)
    return found


class _Sequence:
    r"""Collects the rows of a sequence."""

    def __init__(self) -> None:
        self.persons: dict[str, int] = {}
        self.points: dict[tuple[int, int, int], list[float]] = {}
        self.frames: set[int] = set()
        self.label: int | None = None

    def add(
        self,
        path: Path,
        row: dict[str, Any],
        number: int,
        columns: TableColumns,
        places: dict[str, int],
        renamed: Mapping[str, str | int] | None,
    ) -> None:
        r"""Takes a row."""
        frame = _whole(path, row[columns.frame], number, columns.frame)
        self.frames.add(frame)
        person = "" if columns.person is None else _key(path, row[columns.person], number)
        who = self.persons.setdefault(person, len(self.persons))
        if columns.label is not None:
            label = _whole(path, row[columns.label], number, columns.label)
            if self.label not in (None, label):
                raise SkeletonFileError(path, f"row {number}: the class of a sequence changes")
            self.label = label
        name = _key(path, row[columns.joint], number).lower()
        if name not in places:
            if renamed is not None:
                return
            raise SkeletonFileError(path, f"row {number}: the layout has no joint {show(name)}")
        names = [*columns.coordinates, *([columns.score] if columns.score else [])]
        cells = [row[name] for name in names]
        if all(_is_empty(cell) for cell in cells[: len(columns.coordinates)]):
            return  # the joint was not found
        place = (who, frame, places[name])
        if place in self.points:
            raise SkeletonFileError(
                path, f"row {number}: joint {place[2]} of frame {frame} is listed twice"
            )
        self.points[place] = [
            _number(path, cell, number, name) for cell, name in zip(cells, names, strict=True)
        ]

    def size(self, layout: SkeletonLayout, columns: TableColumns) -> tuple[int, int, int, int]:
        r"""Returns the shape of the array of the sequence."""
        channels = len(columns.coordinates) + int(columns.score is not None)
        frames = max(self.frames) - min(self.frames) + 1
        return len(self.persons), frames, layout.num_joints, channels

    def data(self, path: Path, layout: SkeletonLayout, columns: TableColumns) -> Data:
        r"""Returns the sequence."""
        if not self.points:
            raise NoPersonError(path, "no joint of the layout has coordinates")
        first, dims = min(self.frames), len(columns.coordinates)
        values = np.zeros(self.size(layout, columns), dtype=np.float32)
        for (person, frame, joint), point in self.points.items():
            values[person, frame - first, joint] = point
        score = values[..., dims] if columns.score is not None else None
        return file_sequence(path, values[..., :dims], layout, self.label, score)


def _places(layout: SkeletonLayout, renamed: Mapping[str, str | int] | None) -> dict[str, int]:
    if renamed is None:
        names = {name.lower(): i for i, name in enumerate(layout.joints)}
        return names | {str(i): i for i in range(layout.num_joints)}
    places = {}
    for name, joint in renamed.items():
        index = layout.joint(joint) if isinstance(joint, str) else joint
        if not 0 <= index < layout.num_joints:
            raise ValueError(
                f"layout '{layout.name}' has joints 0 to {layout.num_joints - 1} (got {joint!r})"
            )
        if str(name).lower() in places:
            raise ValueError(f"'joints' names {str(name)!r} twice, but for upper and lower case")
        places[str(name).lower()] = index
    return places


def _read_text(path: Path, wanted: Sequence[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    rows = csv_rows(path, "\t" if path.suffix.lower() == ".tsv" else None)
    if not rows:
        raise SkeletonFileError(path, "must have a line of column names")
    header = [name.strip() for name in rows[0][1]]
    _check_columns(path, header, wanted)
    for number, row in rows[1:]:
        if len(row) != len(header):
            raise SkeletonFileError(
                path, f"row {number}: expected {len(header)} columns (got {len(row)})"
            )
        yield number, {name: row[header.index(name)].strip() for name in wanted}


def _read_parquet(path: Path, wanted: Sequence[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        from pyarrow import ArrowException, parquet
    except ImportError as error:
        raise ImportError("Parquet needs pyarrow: pip install pyg-vision[parquet]") from error
    try:
        with path.open("rb") as stream:
            file = parquet.ParquetFile(stream)
            _check_columns(path, list(file.schema_arrow.names), wanted)
            check_size(path, (file.metadata.num_rows, len(wanted)))
            table = file.read(columns=list(wanted))
        columns = [table.column(name).to_pylist() for name in wanted]
    except FileNotFoundError:
        raise
    except SkeletonFileError:
        raise
    except (ArrowException, OSError, ValueError, OverflowError) as error:
        text = str(error).splitlines()[0] if str(error) else ""
        raise SkeletonFileError(
            path, f"is no Parquet file ({type(error).__name__}: {text})"
        ) from error
    for i, values in enumerate(zip(*columns, strict=True)):
        yield i + 1, dict(zip(wanted, values, strict=True))


def _check_columns(path: Path, header: list[str], wanted: Sequence[str]) -> None:
    missing = [name for name in wanted if header.count(name) != 1]
    if missing:
        raise SkeletonFileError(
            path,
            f"must have the column {show(missing[0])} once (got {show(', '.join(header))})",
        )


def _is_empty(cell: Any) -> bool:
    if cell is None or (isinstance(cell, float) and cell != cell):
        return True
    return isinstance(cell, str) and cell.lower() in ("", "nan")


def _number(path: Path, cell: Any, number: int, name: str) -> float:
    if isinstance(cell, str):
        return read_number_text(path, cell, number, name)
    if isinstance(cell, bool) or not isinstance(cell, int | float) or not abs(cell) < LARGEST:
        raise SkeletonFileError(path, f"row {number}: '{name}' must be a number (got {show(cell)})")
    return float(cell)


def _whole(path: Path, cell: Any, number: int, name: str) -> int:
    value = _number(path, cell, number, name)
    if not value.is_integer() or not 0 <= value < 2**31:
        raise SkeletonFileError(
            path, f"row {number}: '{name}' must be a whole number from 0 on (got {show(cell)})"
        )
    return int(value)


def _key(path: Path, cell: Any, number: int) -> str:
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    if not isinstance(cell, str | int) or isinstance(cell, bool) or cell == "":
        raise SkeletonFileError(
            path, f"row {number}: expected a number or a name (got {show(cell)})"
        )
    return str(cell)
