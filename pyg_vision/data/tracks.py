r"""Tracks: the frames of one person each, packed behind one another without padding."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import NamedTuple

import torch
from torch import Tensor
from torch_geometric.data import Data

from pyg_vision.data.skeleton import SkeletonShape, common_joints, is_shape, read_shapes


class Spacing(NamedTuple):
    r"""The places of packed frames in a padded layout, in which free places follow each track, so
    that a temporal convolution does not mix tracks; see :meth:`~pyg_vision.data.Tracks.spacing`.

    Args:
        rows (torch.Tensor): The place of each frame.
        after (torch.Tensor): The place of each frame after a convolution with the stride, in the
            layout of every :obj:`stride`-th place.
        places (torch.Tensor): An empty tensor :math:`(P, 0)`, where :math:`P` is the number of
            places.

    Example:
        >>> import torch
        >>> from pyg_vision.data import Tracks
        >>> tracks = Tracks.of([(1, 3, 18), (1, 2, 18)])
        >>> spacing = tracks.spacing(gap=2, stride=2, device=torch.device("cpu"))
        >>> spacing.rows
        tensor([0, 1, 2, 6, 7])
        >>> spacing.after
        tensor([0, 1, 3])
        >>> spacing.places.size(0)
        10
    """

    rows: Tensor
    after: Tensor
    places: Tensor


class Tracks:
    r"""The layout of :term:`packed` skeleton features: which rows belong to which frame, person
    and sequence.

    A track is one person of one sequence. The features :math:`(F \cdot V, C)` of a batch hold the
    frames of all tracks one after the other. The layout is computed from Python metadata only, so
    there is no GPU synchronisation.

    Args:
        lengths (list of int): The number of frames of each track.
        persons (list of int): The number of tracks of each sequence.
        num_joints (int): The number of joints :math:`V`.

    Example:
        >>> import torch
        >>> from pyg_vision.data import Tracks
        >>> tracks = Tracks.of([(2, 3, 18), (1, 5, 18)])
        >>> tracks.lengths
        (3, 3, 5)
        >>> tracks.num_nodes
        198
        >>> tracks.sequence_of_track(torch.device("cpu"))
        tensor([0, 0, 1])
    """

    def __init__(self, lengths: Sequence[int], persons: Sequence[int], num_joints: int) -> None:
        self.lengths = tuple(lengths)
        self.persons = tuple(persons)
        self.num_joints = num_joints
        self._plans: dict[tuple[object, torch.device], Tensor] = {}
        self._strided: dict[int, Tracks] = {}
        self._joints: dict[int, Tracks] = {}

    @classmethod
    def of(cls, data: Data | Sequence[Sequence[int]] | Sequence[int]) -> Tracks:
        r"""Reads the tracks of a graph, or of one or several shapes :math:`(M, T, V)`.

        Args:
            data (Data or list): The graph, its :obj:`skeleton_shape`, or a list of shapes.

        Raises:
            TypeError: If :obj:`data` is none of these.
            ValueError: If sequences have different numbers of joints.
        """
        if isinstance(data, Data):
            shapes = read_shapes(data)
        else:
            values = [data] if is_shape(data) else list(data)
            if not values or not all(map(is_shape, values)):
                raise TypeError(
                    f"expected shapes (persons, frames, joints) of Python integers (got {data!r})"
                )
            shapes = [SkeletonShape(*shape) for shape in values]
        joints = common_joints(shapes)
        lengths = [shape.num_frames for shape in shapes for _ in range(shape.num_persons)]
        return cls(lengths, [shape.num_persons for shape in shapes], joints)

    @property
    def num_tracks(self) -> int:
        r"""The number of tracks of all sequences together."""
        return len(self.lengths)

    @property
    def num_sequences(self) -> int:
        r"""The number of sequences."""
        return len(self.persons)

    @property
    def num_frames(self) -> int:
        r"""The number of frames of all tracks together."""
        return sum(self.lengths)

    @property
    def num_nodes(self) -> int:
        r"""The number of nodes, which are the joints of all frames."""
        return self.num_frames * self.num_joints

    @property
    def regular(self) -> bool:
        r"""Whether all tracks have the same length."""
        return len(set(self.lengths)) == 1

    @property
    def length(self) -> int:
        r"""The number of frames of the first track, and of all tracks if they are
        :obj:`regular`.
        """
        return self.lengths[0]

    @property
    def even(self) -> bool:
        r"""Whether all sequences have the same number of tracks."""
        return len(set(self.persons)) == 1

    @property
    def shapes(self) -> list[SkeletonShape]:
        r"""The shape :math:`(M, T, V)` of each sequence."""
        starts = accumulate(self.persons, initial=0)
        return [
            SkeletonShape(persons, self.lengths[start], self.num_joints)
            for persons, start in zip(self.persons, starts, strict=False)
        ]

    def strided(self, stride: int) -> Tracks:
        r"""Returns the tracks of every :obj:`stride`-th frame, starting with the first.

        Args:
            stride (int): The stride.
        """
        if stride == 1:
            return self
        if stride not in self._strided:
            lengths = [(length - 1) // stride + 1 for length in self.lengths]
            self._strided[stride] = Tracks(lengths, self.persons, self.num_joints)
        return self._strided[stride]

    def with_joints(self, num_joints: int) -> Tracks:
        r"""Returns the same tracks of frames of another number of joints.

        Args:
            num_joints (int): The number of joints.
        """
        if num_joints not in self._joints:
            self._joints[num_joints] = Tracks(self.lengths, self.persons, num_joints)
        return self._joints[num_joints]

    def spaced(self, gap: int, stride: int) -> list[int]:
        r"""Returns the start of each track in a padded layout, in which at least :obj:`gap` free
        places follow each track, and the end of the last one; all are multiples of :obj:`stride`.

        Args:
            gap (int): The least number of free places.
            stride (int): The stride.
        """
        starts = [0]
        for length in self.lengths:
            starts.append(-(-(starts[-1] + length + gap) // stride) * stride)
        return starts

    def rows(self, starts: Sequence[int], device: torch.device) -> Tensor:
        r"""Returns the place of each packed frame in a padded layout, see :meth:`spaced`.

        Args:
            starts (list of int): The start of each track.
            device (torch.device): The device of the result.
        """
        starts = tuple(starts[: len(self.lengths)])
        return self._plan((starts, device), lambda: self._spread(starts))

    def spacing(self, gap: int, stride: int, device: torch.device) -> Spacing:
        r"""Returns the places of the frames in a padded layout, in which free places follow each
        track.

        Args:
            gap (int): The least number of free places.
            stride (int): The stride; each track starts at a multiple of it.
            device (torch.device): The device of the result.
        """
        starts = self.spaced(gap, stride)
        after = self.strided(stride)
        return Spacing(
            self.rows(starts, device),
            after.rows([start // stride for start in starts], device),
            torch.empty(starts[-1], 0, device=device),
        )

    def track_of_frame(self, device: torch.device) -> Tensor:
        r"""Returns the index of the track of each frame.

        Args:
            device (torch.device): The device of the result.
        """
        return self._plan(("track", device), lambda: _repeat(self.lengths))

    def sequence_of_track(self, device: torch.device) -> Tensor:
        r"""Returns the index of the sequence of each track.

        Args:
            device (torch.device): The device of the result.
        """
        return self._plan(("sequence", device), lambda: _repeat(self.persons))

    def first_frames(self, device: torch.device) -> Tensor:
        r"""Returns the index of the first frame of each track.

        Args:
            device (torch.device): The device of the result.
        """
        return self._plan(("first", device), self._starts)

    def last_frames(self, device: torch.device) -> Tensor:
        r"""Returns the index of the last frame of each track.

        Args:
            device (torch.device): The device of the result.
        """
        return self._plan(("last", device), lambda: _on_host(self.lengths).cumsum(0) - 1)

    def _starts(self) -> Tensor:
        lengths = _on_host(self.lengths)
        return lengths.cumsum(0) - lengths

    def _spread(self, starts: Sequence[int]) -> Tensor:
        track = _repeat(self.lengths)
        shift = _on_host(starts) - self._starts()
        return torch.arange(self.num_frames, device="cpu") + shift[track]

    def _plan(self, key: tuple[object, torch.device], make: Callable[[], Tensor]) -> Tensor:
        r"""Makes an index once for all layers that ask for it, and brings it to the device."""
        if key not in self._plans:
            # What is kept must serve training as well, even if inference asks for it first.
            with torch.inference_mode(False):
                self._plans[key] = make().to(key[1], non_blocking=True)
        return self._plans[key]


def _on_host(values: Sequence[int]) -> Tensor:
    return torch.tensor(values, device="cpu")


def _repeat(counts: Sequence[int]) -> Tensor:
    r"""Returns each position as often as it counts."""
    return torch.arange(len(counts), device="cpu").repeat_interleave(_on_host(counts))
