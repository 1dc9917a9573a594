r"""People listed frame by frame, as pose estimators write them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from torch_geometric.data import Data

from pyg_vision.data.layout import SkeletonLayout
from pyg_vision.data.layouts import layouts_of, skeleton_layout
from pyg_vision.data.readers.skeleton_file import (
    Array,
    NoPersonError,
    SkeletonFileError,
    check_size,
    file_sequence,
    numbers,
    show,
    whole_array,
)

Size = tuple[float, float]


class Person(NamedTuple):
    r"""A person in a frame.

    Args:
        frame (int): The number of the frame.
        track (int, optional): Who it is, :obj:`None` where the file does not say.
        joints (numpy.ndarray): Coordinates, and the score where there is one, :math:`(V, C)`.
    """

    frame: int
    track: int | None
    joints: Array


def place_people(
    people: Sequence[tuple[int, int | None]], twice: Callable[[int, int], Exception]
) -> list[int]:
    r"""Returns which person of the sequence each person of a frame is: those that are tracked in
    the order of their numbers, then the others in the order in which they are listed.

    Args:
        people (list of tuple): The frame of each, and who it is.
        twice (Callable): Makes the error of somebody who is listed twice in a frame, from the
            position in the list and the number.
    """
    known = sorted({track for _, track in people if track is not None})
    place_of = {track: place for place, track in enumerate(known)}
    unknown: dict[int, int] = {}
    seen: set[tuple[int, int]] = set()
    places = []
    for i, (frame, track) in enumerate(people):
        if track is None:
            places.append(unknown.setdefault(frame, len(known)))
            unknown[frame] += 1
            continue
        if (frame, track) in seen:
            raise twice(i, track)
        seen.add((frame, track))
        places.append(place_of[track])
    return places


def people_sequence(
    path: Path,
    people: Sequence[Person],
    layout: SkeletonLayout | None,
    frames: Sequence[int],
    scored: bool,
    scale: Sequence[float] = (1.0, 1.0),
    listed_only: bool = True,
) -> Data:
    r"""Makes the sequence of the people of a file.

    Args:
        path (pathlib.Path): The file.
        people (list of Person): Who was seen in which frame.
        layout (SkeletonLayout, optional): The skeleton, which a file without people lacks.
        frames (list of int): The numbers of the frames of the file, in any order.
        scored (bool): Whether the last channel of the joints is a score.
        scale (tuple, optional): What each coordinate is multiplied by. (default: ones)
        listed_only (bool, optional): Whether a number that no frame has is left out rather than a
            frame of zeros. (default: :obj:`True`)
    """
    if not people or layout is None:
        raise NoPersonError(path, f"there is no person in any of {len(set(frames))} frames")
    numbers = sorted(set(frames))
    if not listed_only:
        check_size(path, (numbers[-1] - numbers[0] + 1,))
        numbers = list(range(numbers[0], numbers[-1] + 1))
    at = {number: t for t, number in enumerate(numbers)}

    def twice(i: int, track: int) -> Exception:
        return SkeletonFileError(path, f"lists person {track} twice", at[people[i].frame])

    places = place_people([(p.frame, p.track) for p in people], twice)
    channels = people[0].joints.shape[1]
    shape = (max(places) + 1, len(numbers), layout.num_joints, channels)
    check_size(path, shape)
    values: Array = np.zeros(shape, dtype=np.float32)
    for place, person in zip(places, people, strict=True):
        values[place, at[person.frame]] = person.joints
    dims = channels - int(scored)
    factors = [*scale, *scale[:1]][:dims]  # a depth is on the scale of x
    return file_sequence(
        path,
        values[..., :dims] * np.array(factors, dtype=np.float32),
        layout,
        score=values[..., dims] if scored else None,
    )


def read_size(size: Size | None) -> Size:
    r"""Returns width and height, ones if they are not given."""
    if size is None:
        return 1.0, 1.0
    if not isinstance(size, tuple | list) or len(size) != 2:
        raise TypeError(f"'size' must be a tuple (width, height) (got {size!r})")
    width, height = (read_number("size", value) for value in size)
    if width <= 0 or height <= 0:
        raise ValueError(f"'size' must be positive (got {size!r})")
    return width, height


def shrink(size: Size | None) -> Size:
    r"""Returns what pixels are multiplied by to become shares of width and height."""
    width, height = read_size(size)
    return 1 / width, 1 / height


def read_number(name: str, value: Any) -> float:
    r"""Returns an argument that must be a number, finite and not negative."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise TypeError(f"'{name}' must hold numbers (got {value!r})")
    if not math.isfinite(value) or value < 0:
        raise ValueError(f"'{name}' must be finite and not negative (got {value!r})")
    return float(value)


def layout_by_count(
    path: Path,
    layout: str | SkeletonLayout | None,
    num_joints: int,
    usual: dict[int, str],
    frame: int | None = None,
    person: int | None = None,
) -> SkeletonLayout:
    r"""Returns the layout that is given, which must fit, or the usual one of so many joints."""
    if layout is None and num_joints in usual:
        return skeleton_layout(usual[num_joints])
    if layout is None:
        known = " or ".join(f"{count} ('{name}')" for count, name in usual.items())
        others = layouts_of(num_joints)
        hint = f", such as {' or '.join(map(repr, others))}" if others else ""
        raise SkeletonFileError(
            path,
            f"expected {known} joints (got {num_joints}); 'layout' says which other skeleton "
            f"these are{hint}",
            frame,
            person,
        )
    found = skeleton_layout(layout)
    if found.num_joints != num_joints:
        raise SkeletonFileError(
            path,
            f"layout '{found.name}' has {found.num_joints} joints (got {num_joints})",
            frame,
            person,
        )
    return found


_DIGITS = re.compile(r"(\d+)\D*$", re.ASCII)


def last_number(path: Path, name: str, what: str) -> int:
    r"""Returns the last number of a name, which says when the frame was."""
    match = _DIGITS.search(Path(name).stem)
    if match is None or len(match[1]) > 15:
        raise SkeletonFileError(
            path, f"{what} must end in the number of a frame (got {show(name)})"
        )
    return int(match[1])


def whole(path: Path, value: Any, name: str, frame: int | None = None) -> int:
    r"""Returns a value of a file that must be a whole number from 0 on."""
    if type(value) is float and value.is_integer():
        value = int(value)
    if type(value) is not int or not 0 <= value < 10**15:
        raise SkeletonFileError(
            path, f"'{name}' must be a whole number from 0 on (got {show(value)})", frame
        )
    return value


def joint_rows(
    path: Path, values: list[Any], num_joints: int, dims: int, frame: int, person: int
) -> Array:
    r"""Returns the joints :math:`(V, D)` of a person, each a list of numbers."""
    if len(values) != num_joints:
        raise SkeletonFileError(
            path, f"expected {num_joints} joints (got {len(values)})", frame, person
        )
    array = whole_array([values], num_joints, dims)
    if array is not None:
        found: Array = array[0]
        return found
    return np.stack([numbers(path, joint, dims, frame, person) for joint in values])
