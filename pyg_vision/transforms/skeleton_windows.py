r"""Windows of long sequences."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch_geometric.data import Data

from pyg_vision._checks import check_int
from pyg_vision.transforms._skeleton import coordinates, seen, shape_of, take_frames, take_persons


class Window(NamedTuple):
    r"""A part of a sequence.

    Args:
        data (torch_geometric.data.Data): The part.
        start (int): Its first frame.
        stop (int): The frame behind its last one.
        person (int, optional): Whom it shows, if one person. (default: :obj:`None`)

    Example:
        >>> from pyg_vision.datasets import SyntheticMotion
        >>> from pyg_vision.transforms import Window
        >>> Window(SyntheticMotion()[0], start=0, stop=60).person is None
        True
    """

    data: Data
    start: int
    stop: int
    person: int | None = None


def cut_windows(
    data: Data, window: int | None = None, stride: int | None = None, per_person: bool = False
) -> list[Window]:
    r"""Cuts a sequence into windows of equal length, one behind the other.

    The last one ends with the sequence, so that no frame is left out; a shorter sequence is one
    window. Windows in which no one is seen are left out.

    Args:
        data (torch_geometric.data.Data): A single sequence.
        window (int, optional): The frames of a window. (default: all)
        stride (int, optional): From one window to the next. (default: :obj:`window`)
        per_person (bool, optional): Whether each person has windows of their own.
            (default: :obj:`False`)

    Raises:
        ValueError: If a number is not positive.

    Example:
        >>> from pyg_vision.datasets import SyntheticMotion
        >>> from pyg_vision.transforms import cut_windows
        >>> data = SyntheticMotion(num_sequences=1, num_frames=50)[0]
        >>> [(part.start, part.stop) for part in cut_windows(data, window=20)]
        [(0, 20), (20, 40), (30, 50)]
    """
    shape = shape_of(data)
    length = shape.num_frames if window is None else check_int("window", window)
    step = length if stride is None else check_int("stride", stride)
    last = max(shape.num_frames - length, 0)
    starts = [*range(0, last, step), last]
    present = seen(coordinates(data)).flatten(1)
    found = []
    for start in starts:
        stop = min(start + length, shape.num_frames)
        for person in range(shape.num_persons) if per_person else (None,):
            shown = present[:, start:stop] if person is None else present[person, start:stop]
            if not bool(shown.any()):
                continue
            part = take_frames(data.__copy__(), torch.arange(start, stop, device="cpu"))
            if person is not None:
                part = take_persons(part, torch.tensor([person], device="cpu"))
            found.append(Window(part, start, stop, person))
    return found
