r"""Who is who in a sequence, and who is kept."""

from __future__ import annotations

import torch
from torch import Tensor
from torch_geometric.data import Data
from torch_geometric.data.datapipes import functional_transform

from pyg_vision._checks import check_int
from pyg_vision.transforms._skeleton import (
    SkeletonTransform,
    coordinates,
    has_score,
    rearrange,
    score_of,
    seen,
    shape_of,
    take_persons,
)


@functional_transform("top_persons")
class TopPersons(SkeletonTransform):
    r"""Keeps the persons whose joints the pose estimator is surest of, or, of sequences without
    a score, those who move most (functional name: :obj:`top_persons`).

    How much someone moves is the sum of the standard deviations of the coordinates over the
    joints and frames in which they were seen, as in 2s-AGCN.

    Args:
        num_persons (int): How many are kept, the best first. Sequences with fewer stay as they
            are.
        every_frame (bool, optional): Whether persons are ranked in each frame by itself, as the
            published reader of Kinetics-Skeleton does before persons are tracked, instead of by
            their mean score over the sequence. (default: :obj:`False`)

    Raises:
        TypeError: If the number is no integer.
        ValueError: If the number is not positive; when called, if persons are to be ranked in
            every frame and the sequence has no score.

    Example:
        >>> import torch
        >>> from pyg_vision.data import skeleton_sequence
        >>> from pyg_vision.transforms import TopPersons
        >>> keypoints = torch.rand(3, 10, 17, 2) + 0.1  # persons, frames, joints, coordinates
        >>> data = skeleton_sequence(keypoints, "coco", score=torch.rand(3, 10, 17))
        >>> tuple(TopPersons(2)(data).skeleton_shape)
        (2, 10, 17)
    """

    def __init__(self, num_persons: int, every_frame: bool = False) -> None:
        self.num_persons = check_int("num_persons", num_persons)
        self.every_frame = every_frame

    def forward(self, data: Data) -> Data:
        r"""Keeps the persons."""
        if not self.every_frame:
            pos = coordinates(data)
            rank = score_of(data).sum(dim=(1, 2)) if has_score(data) else _movement(pos)
            order = rank.argsort(descending=True, stable=True)
            return take_persons(data, order[: self.num_persons])
        score = score_of(data).sum(dim=2)
        order = score.argsort(dim=0, descending=True, stable=True)[: self.num_persons]
        return _rearrange(data, order)


@functional_transform("first_persons")
class FirstPersons(SkeletonTransform):
    r"""Keeps the persons that are listed first, as :obj:`FormatGCNInput` of `pyskl
    <https://github.com/kennymckormick/pyskl>`_ does (functional name: :obj:`first_persons`).

    Persons who are not seen in any frame do not count; where nobody is seen, the first one stays.

    Args:
        num_persons (int): How many are kept. Sequences with fewer stay as they are.

    Raises:
        TypeError: If the number is no integer.
        ValueError: If the number is not positive.

    Example:
        >>> import torch
        >>> from pyg_vision.data import skeleton_sequence
        >>> from pyg_vision.transforms import FirstPersons
        >>> data = skeleton_sequence(torch.rand(3, 10, 17, 2), "coco")
        >>> tuple(FirstPersons(2)(data).skeleton_shape)
        (2, 10, 17)
    """

    def __init__(self, num_persons: int) -> None:
        self.num_persons = check_int("num_persons", num_persons)

    def forward(self, data: Data) -> Data:
        r"""Keeps the persons."""
        there = (data.x != 0).view(shape_of(data).num_persons, -1).any(dim=1).cpu()
        chosen = there.nonzero().flatten()[: self.num_persons]
        return take_persons(data, chosen if len(chosen) else torch.arange(1, device="cpu"))


@functional_transform("track_persons")
class TrackPersons(SkeletonTransform):
    r"""Gives each person one track, where a pose estimator lists the persons of each frame in any
    order (functional name: :obj:`track_persons`).

    From frame to frame, each person seen is matched to the track whose last skeleton is nearest
    by the mean distance of joints, so that the sum of all distances is least. A person whose
    distance to each track is larger than :obj:`max_distance`, or for whom no track is left, begins
    a new one. Tracks are in the order in which they begin.

    Args:
        max_distance (float, optional): In the units of the coordinates. (default: no limit)
        max_gap (int, optional): For how many frames a track that was lost waits to be continued.
            (default: no limit)

    Raises:
        ValueError: If a number is negative.

    Example:
        >>> import torch
        >>> from pyg_vision.data import skeleton_sequence
        >>> from pyg_vision.transforms import TrackPersons
        >>> keypoints = torch.rand(3, 10, 17, 2) + 0.1  # persons, frames, joints, coordinates
        >>> data = skeleton_sequence(keypoints, "coco", score=torch.rand(3, 10, 17))
        >>> tuple(TrackPersons()(data).skeleton_shape)
        (3, 10, 17)
    """

    def __init__(self, max_distance: float | None = None, max_gap: int | None = None) -> None:
        for name, value in (("max_distance", max_distance), ("max_gap", max_gap)):
            if value is not None and not value >= 0:
                raise ValueError(f"'{name}' must not be negative (got {value!r})")
        self.max_distance = max_distance
        self.max_gap = max_gap

    def forward(self, data: Data) -> Data:
        r"""Sorts the persons of each frame into tracks."""
        pos = coordinates(data)
        present = seen(pos).flatten(1)
        last: list[Tensor] = []  # the last skeleton of each track
        when: list[int] = []  # and its frame
        places: list[tuple[int, int, int]] = []  # track, frame, person
        for frame in range(pos.size(1)):
            persons = present[:, frame].nonzero().flatten().tolist()
            waiting = [
                track
                for track, at in enumerate(when)
                if self.max_gap is None or frame - at <= self.max_gap + 1
            ]
            match = self._match(pos[persons, frame], [last[track] for track in waiting])
            for person, choice in zip(persons, match, strict=True):
                track = len(last) if choice is None else waiting[choice]
                if choice is None:
                    last.append(pos[person, frame])
                    when.append(frame)
                last[track], when[track] = pos[person, frame], frame
                places.append((track, frame, person))
        if not places:
            return data
        order = torch.full((len(last), pos.size(1)), -1, device="cpu")
        for track, frame, person in places:
            order[track, frame] = person
        return _rearrange(data, order)

    def _match(self, persons: Tensor, tracks: list[Tensor]) -> list[int | None]:
        r"""Returns the track of each person, or :obj:`None` for a new one."""
        match: list[int | None] = [None] * persons.size(0)
        if not tracks or not match:
            return match
        joints = torch.stack(tracks)
        distance = (persons.unsqueeze(1) - joints.unsqueeze(0)).norm(dim=-1).mean(dim=-1)
        limit = float("inf") if self.max_distance is None else self.max_distance
        for person, track in _assign(distance.clamp(max=limit + 1)):
            if float(distance[person, track]) <= limit:
                match[person] = track
        return match


def _assign(cost: Tensor) -> list[tuple[int, int]]:
    r"""Pairs rows with columns at the least sum."""
    try:
        from scipy.optimize import linear_sum_assignment  # type: ignore[import-untyped]
    except ImportError as error:
        raise ImportError("TrackPersons needs scipy: pip install pyg-vision[vis]") from error

    rows, columns = linear_sum_assignment(cost.double().cpu().numpy())
    return list(zip(rows.tolist(), columns.tolist(), strict=True))


def _movement(pos: Tensor) -> Tensor:
    r"""Returns how much each person moves."""
    present = seen(pos)[:, :, 0, 0]
    moved = [
        person[frames].flatten(0, 1).std(dim=0, correction=0).sum()
        if bool(frames.any())
        else pos.new_zeros(())
        for person, frames in zip(pos, present, strict=True)
    ]
    return torch.stack(moved)


def _rearrange(data: Data, order: Tensor) -> Data:
    r"""Puts person :obj:`order[m, t]` of frame :math:`t` into track :math:`m`; -1 is no one."""
    shape, order = shape_of(data), order.to(data.x.device)
    frames = torch.arange(shape.num_frames, device=order.device)
    missing = (order < 0)[:, :, None, None]
    time = data.time.view(shape).amax(dim=(0, 2)) if "time" in data else None
    data = rearrange(data, lambda value: value[order.clamp(min=0), frames].masked_fill(missing, 0))
    if time is not None:  # that of frames without anybody, too
        data.time = time.repeat_interleave(shape.num_joints).repeat(order.size(0))
    return data
