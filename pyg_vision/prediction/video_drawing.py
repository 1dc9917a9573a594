r"""Videos with the skeletons that a model saw, and what it said."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch_geometric.data import Data

from pyg_vision.pose import Frame, VideoWriter, read_frames
from pyg_vision.prediction._prediction import Prediction
from pyg_vision.prediction.drawing import joint_response
from pyg_vision.prediction.inputs import Sample
from pyg_vision.prediction.segments import frame_probabilities
from pyg_vision.prediction.trained_model import TrainedModel
from pyg_vision.visualization import SkeletonOverlay


def draw_video(
    trained: TrainedModel,
    video: Any,
    found: Sequence[tuple[Sample, Prediction]],
    path: str | os.PathLike[str],
    response: bool = True,
    progress: Callable[[Iterable[Frame]], Iterable[Frame]] | None = None,
) -> Path:
    r"""Writes a video with skeletons over its pictures, the label of each person, and a chart of
    the scores of classes below, and returns its path.

    Joints are the larger the more they speak for the predicted class, as
    :func:`joint_response` says. Where windows overlap, the mean counts.

    Args:
        trained (TrainedModel): The model.
        video: The video, see :func:`~pyg_vision.pose.read_frames`.
        found (list): What :meth:`Predictor.predict_each` yielded for it, with all classes: the
            windows of the video, each with its prediction.
        path (str or path): The file to write, such as :obj:`.mp4`.
        response (bool, optional): Whether joints show their response. (default: :obj:`True`)
        progress (Callable, optional): Wraps the frames, such as :obj:`tqdm.tqdm`.
            (default: :obj:`None`)

    Raises:
        ImportError: If :obj:`av` or :obj:`matplotlib` is not installed.
        ValueError: If there is no prediction, or not of all classes, or the joints have no place in
            the pictures.

    Example:
        >>> from pyg_vision.nn import STGCN
        >>> from pyg_vision.pose import MediaPipePose
        >>> from pyg_vision.prediction import Predictor, TrainedModel, draw_video
        >>> model = STGCN(3, num_classes=2, layout="mediapipe", stages=[(8, 1)]).eval()
        >>> trained = TrainedModel.of(model, ["stand", "walk"])
        >>> with MediaPipePose() as source:
        ...     found = [*Predictor(trained).predict_each("walk.mkv", pose=source, window=2)]
        >>> draw_video(trained, "walk.mkv", found, "drawn.mp4").name
        'drawn.mp4'
    """
    if not found:
        raise ValueError("there is no prediction to draw")
    windows = [_placed(sample.value, prediction) for sample, prediction in found]
    length = max(stop for _, (_, stop), _ in windows)
    persons = 1 + max(
        sample.value.skeleton_shape[0] - 1 if row.person is None else row.person
        for sample, row in found
    )
    whole = _joined([(data, frames, row.person) for data, frames, row in windows], persons, length)
    rows = [row for _, _, row in windows]
    scores = frame_probabilities(rows, trained.classes, length)
    labels = None
    if any(row.person is not None for row in rows):
        labels = [_labels(rows, m, trained.classes, length) for m in range(persons)]
    values = _responses(trained, windows, persons, length) if response else None
    overlay = SkeletonOverlay(whole, values, scores, trained.classes, labels)
    frames: Iterable[Frame] = read_frames(video)
    with VideoWriter(path) as out:
        for i, frame in enumerate(frames if progress is None else progress(frames)):
            out.write(Frame(overlay.draw(frame.image, i), frame.time))
    return Path(path)


def _placed(data: Data, row: Prediction) -> tuple[Data, tuple[int, int], Prediction]:
    r"""Returns a window with its first frame and the one behind its last."""
    frames = (0, data.skeleton_shape[1]) if row.frames is None else row.frames
    return data, frames, replace(row, frames=frames)


def _joined(
    windows: Sequence[tuple[Data, tuple[int, int], int | None]], persons: int, length: int
) -> Data:
    r"""Returns the sequence that windows were cut from, with the places of its joints alone."""
    first = windows[0][0]
    joints = first.skeleton_shape[2]
    array = torch.zeros(persons, length, joints, 2)
    for data, (start, stop), person in windows:
        given = data.pixels if "pixels" in data else data.pos
        if given.size(1) != 2 or ("pixels" not in data and not bool((given.abs() > 2).any())):
            what = "three coordinates" if given.size(1) != 2 else "shares of a frame"
            raise ValueError(f"{what} have no place in a picture; 'pixels' tells it")
        rows = given.view(*data.skeleton_shape, 2).cpu().float()
        where = slice(0, len(rows)) if person is None else slice(person, person + 1)
        array[where, start:stop] = rows
    found = Data(x=array.flatten(0, 2), pos=array.flatten(0, 2))
    found.skeleton_shape = (persons, length, joints)
    found.layout = first.layout
    return found


def _labels(
    rows: Sequence[Prediction], person: int, classes: Sequence[str], length: int
) -> list[str]:
    own = [row for row in rows if row.person == person]
    shares = frame_probabilities(own, classes, length)
    return [
        f"{classes[int(np.argmax(row))]} {100 * row.max():.0f}%" if row.any() else ""
        for row in shares
    ]


def _responses(
    trained: TrainedModel,
    windows: Sequence[tuple[Data, tuple[int, int], Prediction]],
    persons: int,
    length: int,
) -> Tensor:
    joints = windows[0][0].skeleton_shape[2]
    total, count = torch.zeros(persons, length, joints), torch.zeros(persons, length, 1)
    for data, (start, stop), row in windows:
        value = joint_response(trained, data, trained.classes.index(row.label))
        where = slice(0, len(value)) if row.person is None else slice(row.person, row.person + 1)
        total[where, start:stop] += value
        count[where, start:stop] += 1
    return total / count.clamp(min=1)
