r"""What finds the joints of people in pictures, and the sequences that are made of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice
from types import TracebackType
from typing import Any, NamedTuple

import numpy as np
import torch
from torch_geometric.data import Data

from pyg_vision._checks import check_int
from pyg_vision.data import SkeletonLayout, skeleton_sequence
from pyg_vision.pose.video import Frame, Picture, VideoError, read_frames
from pyg_vision.transforms import InterpolateJoints, TrackPersons

Array = np.ndarray[Any, np.dtype[np.float32]]


class FoundPeople(NamedTuple):
    r"""The people of one picture.

    Args:
        joints (numpy.ndarray): The joints :math:`(P, V, D)`, in pixels, or metres of a source that
            says so.
        score (numpy.ndarray): How sure each of them is, from 0 to 1, :math:`(P, V)`.
        pixels (numpy.ndarray, optional): Where they are in the picture, :math:`(P, V, 2)`, if
            :obj:`joints` are metres. (default: :obj:`None`)

    Example:
        >>> import numpy as np
        >>> from pyg_vision.pose import FoundPeople
        >>> FoundPeople(np.zeros((2, 17, 2)), np.ones((2, 17))).score.shape
        (2, 17)
    """

    joints: Array
    score: Array
    pixels: Array | None = None


class PoseSource:
    r"""Finds the joints of people in pictures, used in a :obj:`with` statement.

    A subclass sets :obj:`layout`, the skeleton of what it finds, and implements :meth:`find`.

    Example:
        >>> import numpy as np
        >>> from pyg_vision.data import skeleton_layout
        >>> from pyg_vision.pose import FoundPeople, PoseSource, estimate_pose
        >>> class Middle(PoseSource):
        ...     layout = skeleton_layout("coco")
        ...
        ...     def find(self, frame):
        ...         height, width, _ = frame.image.shape
        ...         joints = np.full((1, 17, 2), (width / 2, height / 2))
        ...         return FoundPeople(joints, np.ones((1, 17)))
        >>> with Middle() as source:
        ...     data = estimate_pose([np.zeros((48, 64, 3), np.uint8)] * 5, source)
        >>> data.skeleton_shape, data.pos[0].tolist(), data.frame_size
        (SkeletonShape(num_persons=1, num_frames=5, num_joints=17), [32.0, 24.0], (64, 48))
    """

    layout: SkeletonLayout

    def find(self, frame: Frame) -> FoundPeople:
        r"""Finds the people of a picture.

        Args:
            frame (Frame): The picture. Those of a video come in their order.
        """
        raise NotImplementedError

    def reset(self) -> None:
        r"""Forgets the pictures before, as another video begins."""

    def close(self) -> None:
        r"""Frees what the source holds."""

    def __enter__(self) -> PoseSource:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def estimate_pose(
    frames: Any,
    source: PoseSource,
    num_persons: int | None = None,
    track: bool = True,
    max_gap: int = 10,
    progress: Callable[[Iterable[Frame]], Iterable[Frame]] | None = None,
    max_frames: int | None = None,
) -> Data:
    r"""Finds the joints of the people of a video.

    Args:
        frames: The video, see :func:`read_frames`.
        source (PoseSource): What finds them.
        num_persons (int, optional): The most persons of a picture, those with the highest scores.
            (default: all)
        track (bool, optional): Whether persons are followed from frame to frame, see
            :class:`~pyg_vision.transforms.TrackPersons`, if there are several in one; else they are
            as they were found. (default: :obj:`True`)
        max_gap (int, optional): The longest gap in the track of a joint that is filled, see
            :class:`~pyg_vision.transforms.InterpolateJoints`, in frames; :obj:`0` for none.
            (default: :obj:`10`)
        progress (Callable, optional): Wraps the frames, such as :obj:`tqdm.tqdm`.
            (default: :obj:`None`)
        max_frames (int, optional): How many frames are seen. (default: all)

    Returns:
        torch_geometric.data.Data: The sequence, see :func:`~pyg_vision.data.skeleton_sequence`,
        with scores, in pixels; divided by :obj:`frame_size`, its width and height, they are in
        :math:`[0, 1]` (:obj:`NormalizePixels("share")`). :obj:`time` is that of each joint, in
        seconds. Of a source of metres, :obj:`pixels` are where the joints are in the picture.

    Raises:
        ValueError: If nobody is found in any frame, or the pictures differ in size.
        VideoError: If the video cannot be read.

    Example:
        >>> from pyg_vision.pose import MediaPipePose, estimate_pose
        >>> with MediaPipePose() as source:
        ...     data = estimate_pose("walk.mkv", source)
        >>> data.skeleton_shape
        SkeletonShape(num_persons=1, num_frames=4, num_joints=33)
    """
    for name, value in (("num_persons", num_persons), ("max_frames", max_frames)):
        if value is not None:
            check_int(name, value)
    check_int("max_gap", max_gap, 0)
    source.reset()
    shown: Iterable[Frame] = islice(read_frames(frames), max_frames)
    found: list[FoundPeople] = []
    times: list[float] = []
    size: tuple[int, int] | None = None
    for frame in shown if progress is None else progress(shown):
        size = _size_of(frame.image, size)
        found.append(best_people(source.find(frame), num_persons))
        times.append(frame.time)
    if size is None:
        raise VideoError("the video holds no pictures")
    if not any(len(people.joints) for people in found):
        raise ValueError(f"nobody is found in any of {len(found)} frames")
    return people_to_sequence(found, source.layout, times, size, track, max_gap)


def people_to_sequence(
    found: list[FoundPeople],
    layout: SkeletonLayout,
    times: list[float],
    size: tuple[int, int],
    track: bool,
    max_gap: int,
) -> Data:
    r"""Returns the people of each picture as a sequence, see :func:`estimate_pose`.

    Args:
        found (list of FoundPeople): The people of each picture, of one person at least.
        layout (SkeletonLayout): Their skeleton.
        times (list of float): When each picture is shown.
        size (tuple): Width and height of the pictures.
        track (bool): Whether persons are followed.
        max_gap (int): The longest gap that is filled.
    """
    most = max(len(people.joints) for people in found)
    some = next(people for people in found if len(people.joints))

    def fill(rows: list[Any], last: int) -> Array:
        array = np.zeros((most, len(found), layout.num_joints, last), dtype=np.float32)
        for t, row in enumerate(rows):
            if row is not None and len(row):
                array[: len(row), t] = row
        return array

    joints = fill([people.joints for people in found], some.joints.shape[-1])
    score = fill([people.score[..., None] for people in found], 1)[..., 0]
    data = skeleton_sequence(joints, layout, score=score)
    if some.pixels is not None:
        pixels = fill([people.pixels for people in found], 2)
        data.pixels = torch.from_numpy(pixels).flatten(0, 2)
    time = torch.tensor(times, dtype=torch.double)
    data.time = time.repeat_interleave(layout.num_joints).repeat(most)
    data.frame_size = size
    data = TrackPersons()(data) if track and most > 1 else data
    return InterpolateJoints(max_gap)(data) if max_gap else data


def best_people(people: FoundPeople, num_persons: int | None) -> FoundPeople:
    r"""Returns the people with the highest scores, in the order in which they were found.

    Args:
        people (FoundPeople): The people of a picture.
        num_persons (int, optional): How many of them at most.
    """
    if num_persons is None or len(people.joints) <= num_persons:
        return people
    chosen = np.sort(np.argsort(-people.score.sum(axis=1), kind="stable")[:num_persons])
    pixels = None if people.pixels is None else people.pixels[chosen]
    return FoundPeople(people.joints[chosen], people.score[chosen], pixels)


def _size_of(image: Picture, before: tuple[int, int] | None) -> tuple[int, int]:
    size = (image.shape[1], image.shape[0])
    if before is not None and size != before:
        raise ValueError(
            f"all pictures of a video must be of one size (got {size[0]} x {size[1]} after "
            f"{before[0]} x {before[1]})"
        )
    return size
