r"""What overlapping windows say together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pyg_vision.prediction._prediction import Prediction

Array = np.ndarray[Any, np.dtype[np.float64]]


def frame_probabilities(
    predictions: Sequence[Prediction], classes: Sequence[str], num_frames: int
) -> Array:
    r"""Returns the probability of each class in each frame, :math:`(T, K)`: the mean over the
    windows that the frame is in, zero in frames that are in none.

    Args:
        predictions (list of Prediction): Those of windows, with all classes.
        classes (list of str): The names of the classes.
        num_frames (int): The number of frames :math:`T`.

    Raises:
        ValueError: If a prediction is of no window, or does not have all classes.

    Example:
        >>> from pyg_vision.prediction import Prediction, frame_probabilities
        >>> windows = [Prediction("a", ["sit", "run"], [0.9, 0.1], (0, 2)),
        ...            Prediction("a", ["run", "sit"], [0.7, 0.3], (1, 3))]
        >>> frame_probabilities(windows, ["sit", "run"], 4).round(1).tolist()
        [[0.9, 0.1], [0.6, 0.4], [0.3, 0.7], [0.0, 0.0]]
    """
    total, count = np.zeros((num_frames, len(classes))), np.zeros((num_frames, 1))
    place = {name: i for i, name in enumerate(classes)}
    for row in predictions:
        if row.frames is None:
            raise ValueError(f"the prediction of '{row.source}' is of no window")
        if len(row.classes) != len(classes):
            raise ValueError(
                f"windows are merged by the probabilities of all {len(classes)} classes (got "
                f"{len(row.classes)}); give 'top_k' their number"
            )
        start, stop = row.frames
        total[start:stop, [place[name] for name in row.classes]] += row.probabilities
        count[start:stop] += 1
    return total / count.clip(min=1)


def merge_windows(predictions: Sequence[Prediction]) -> list[Prediction]:
    r"""Merges windows, which may overlap, into segments of one class.

    The probability of a class in a frame is the mean over the windows that the frame is in;
    neighbouring frames whose most probable class is the same are a segment, of which the mean over
    its frames is returned. Sources and persons are merged by themselves.

    Args:
        predictions (list of Prediction): Those of windows, with all classes.

    Raises:
        ValueError: If a prediction is of no window, or does not have all classes.

    Example:
        >>> from pyg_vision.prediction import Prediction, merge_windows
        >>> windows = [Prediction("a", ["sit", "run"], [0.9, 0.1], (0, 20)),
        ...            Prediction("a", ["run", "sit"], [0.6, 0.4], (10, 30))]
        >>> [(part.frames, part.label) for part in merge_windows(windows)]
        [((0, 20), 'sit'), ((20, 30), 'run')]
    """
    groups: dict[tuple[str, int | None], list[Prediction]] = {}
    for row in predictions:
        groups.setdefault((row.source, row.person), []).append(row)
    found: list[Prediction] = []
    for (source, person), rows in groups.items():
        classes = sorted({name for row in rows for name in row.classes})
        last = max(0 if row.frames is None else row.frames[1] for row in rows)
        shares = frame_probabilities(rows, classes, last)
        labels = np.where(shares.any(axis=1), shares.argmax(axis=1), -1)
        edges = np.flatnonzero(np.diff(labels, prepend=-2, append=-2))
        for start, stop in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
            if labels[start] < 0:
                continue  # in no window: nobody is seen
            mean = shares[start:stop].mean(axis=0)
            order = np.argsort(-mean, kind="stable")
            names = [classes[i] for i in order]
            seconds = _seconds(rows, start, stop)
            found.append(
                Prediction(source, names, mean[order].tolist(), (start, stop), person, seconds)
            )
    return found


def _seconds(rows: Sequence[Prediction], start: int, stop: int) -> tuple[float, float] | None:
    r"""Returns when frames begin and end, as the windows around them tell it."""
    known = [
        (frame, time)
        for row in rows
        if row.frames is not None and row.seconds is not None
        for frame, time in zip(row.frames, row.seconds, strict=True)
    ]
    if not known:
        return None
    frames, times = zip(*sorted(set(known)), strict=True)
    begin, end = np.interp([start, stop], frames, times)
    return float(begin), float(end)
