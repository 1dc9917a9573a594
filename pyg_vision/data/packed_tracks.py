r"""Tracks as tensors, so that one compiled model takes any of them.

A compiler makes Python numbers part of what it compiles: from a list of lengths, a model would be
compiled anew for each batch. Only sizes of tensors become symbols, and not all of them: sizes of
zero and one stay numbers, and sizes that are equal in the first batch become one symbol. Here all
counts are sizes of tensors without elements, made such that none of this happens.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

import torch
from torch import Tensor

from pyg_vision.data.tracks import Spacing, Tracks

# A convolution over fewer places can take another kernel, for which a compiler starts anew.
LEAST_PLACES = 256


class Level(NamedTuple):
    r"""What a model asks about its tracks up to the next stride.

    Args:
        steps (tuple): The gap and stride of each convolution, see :meth:`Tracks.spacing`.
        stride (int): The stride that leads to the next level.
    """

    steps: tuple[tuple[int, int], ...]
    stride: int


class TensorTracks(Tracks):
    r"""Tracks of which layers may ask what is known beforehand.

    Args:
        num_joints (int): The number of joints.
        counts (tuple): The number of sequences, of tracks, and of frames.
        indices (dict): The results of :meth:`sequence_of_track` and its like, by name.
        spacings (dict): The results of :meth:`spacing`.
        after (dict): The results of :meth:`strided`.
    """

    regular = False
    even = False

    def __init__(
        self,
        num_joints: int,
        counts: tuple[int, int, int],
        indices: dict[str, Tensor],
        spacings: dict[tuple[int, int], Spacing],
        after: dict[int, TensorTracks],
    ) -> None:
        self.num_joints = num_joints
        self._counts = counts
        self._indices = indices
        self._spacings = spacings
        self._after = after

    @property
    def num_sequences(self) -> int:
        return self._counts[0]

    @property
    def num_tracks(self) -> int:
        return self._counts[1]

    @property
    def num_frames(self) -> int:
        return self._counts[2]

    def strided(self, stride: int) -> TensorTracks:
        return self if stride == 1 else self._after[stride]

    def with_joints(self, num_joints: int) -> TensorTracks:
        kept = self._counts, self._indices, self._spacings
        return TensorTracks(num_joints, *kept, self._after)

    def spacing(self, gap: int, stride: int, device: torch.device) -> Spacing:
        return self._spacings[gap, stride]

    def track_of_frame(self, device: torch.device) -> Tensor:
        return self._indices["track"]

    def sequence_of_track(self, device: torch.device) -> Tensor:
        return self._indices["sequence"]

    def first_frames(self, device: torch.device) -> Tensor:
        return self._indices["first"]

    def last_frames(self, device: torch.device) -> Tensor:
        return self._indices["last"]


class PackedTracks:
    r"""Tracks as one tensor of indices, and counts as the sizes of tensors without elements.

    A sequence of one track without frames is added, so that there are at least two.

    Args:
        tracks (Tracks): The tracks.
        levels (list): What will be asked about them.
        device (torch.device): Where the result is wanted.
    """

    def __init__(self, tracks: Tracks, levels: Sequence[Level], device: torch.device) -> None:
        host = torch.device("cpu")
        self.levels = tuple(levels)
        counts = [tracks.num_sequences + 1, tracks.num_tracks + 1]
        first, last = tracks.first_frames(host), tracks.last_frames(host)
        sequence = torch.cat((tracks.sequence_of_track(host), torch.tensor([counts[0] - 1])))
        pieces = [sequence, first, first[:1], last, last[:1]]
        for steps, stride in self.levels:
            counts.append(tracks.num_frames)
            pieces.append(tracks.track_of_frame(host))
            for step in steps:
                rows, after, places = tracks.spacing(*step, host)
                counts.append(max(places.size(0), LEAST_PLACES))
                pieces += [rows] if step[1] == 1 else [rows, after]
            tracks = tracks.strided(stride)
        counts.append(tracks.num_frames)
        pieces.append(tracks.track_of_frame(host))
        # The features have a multiple of 'joints' rows. All sizes here leave a remainder of one,
        # and each another one by 'unit', so that no two sizes are ever equal.
        joints = tracks.num_joints
        unit = joints * (len(counts) + 1)
        self.counts = [
            self._mark(torch.empty(unit * count + i * joints + 1, 0, device=device))
            for i, count in enumerate(counts)
        ]
        end = (len(counts) * joints + 1 - sum(map(len, pieces))) % unit
        pieces.append(sequence.new_zeros(end))
        self.index = self._mark(torch.cat(pieces).to(device, non_blocking=True))

    @staticmethod
    def _mark(tensor: Tensor) -> Tensor:
        torch._dynamo.maybe_mark_dynamic(tensor, 0)
        return tensor

    def unpack(self, num_joints: int) -> TensorTracks:
        r"""Returns the tracks, within the compiled model.

        Args:
            num_joints (int): The number of joints, which the model knows as a constant.
        """
        unit = num_joints * (len(self.counts) + 1)
        counts = [count.size(0) // unit for count in self.counts]
        sequences, tracks = counts[:2]
        rest = iter(counts[2:])
        frames, places = [next(rest)], []
        for steps, _ in self.levels:
            places.append([next(rest) for _ in steps])
            frames.append(next(rest))
        sizes = [tracks] * 3
        for i, (steps, _) in enumerate(self.levels):
            sizes.append(frames[i])
            for _, stride in steps:
                sizes += [frames[i]] if stride == 1 else [frames[i], frames[i + 1]]
        sizes.append(frames[-1])
        ends = [0, *accumulate(sizes)]
        parts = iter(
            self.index.narrow(0, start, size) for start, size in zip(ends, sizes, strict=False)
        )
        names = {name: next(parts) for name in ("sequence", "first", "last")}
        spacings: list[dict[tuple[int, int], Spacing]] = []
        owners: list[Tensor] = []  # the track of each frame
        for i, (steps, _) in enumerate(self.levels):
            spacings.append({})
            owners.append(next(parts))
            for step, size in zip(steps, places[i], strict=True):
                rows = next(parts)
                after = rows if step[1] == 1 else next(parts)
                spacings[i][step] = Spacing(rows, after, self.index.new_empty(size, 0))
        last = {**names, "track": next(parts)}
        made = TensorTracks(num_joints, (sequences, tracks, frames[-1]), last, {}, {})
        for i in range(len(self.levels) - 1, -1, -1):
            made = TensorTracks(
                num_joints,
                (sequences, tracks, frames[i]),
                {**names, "track": owners[i]},
                spacings[i],
                {self.levels[i].stride: made},
            )
        return made
