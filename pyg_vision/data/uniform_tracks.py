r"""Tracks whose numbers may be symbols of a compiler."""

from __future__ import annotations

import torch
from torch import Tensor

from pyg_vision.data.tracks import Tracks


class UniformTracks(Tracks):
    r"""Tracks that are all of the same length, as many in each sequence.

    Nothing here depends on the values of these numbers.

    Args:
        num_sequences (int): The number of sequences.
        num_persons (int): The number of tracks of each.
        length (int): The number of frames of each track.
        num_joints (int): The number of joints :math:`V`.
    """

    regular = True
    even = True

    def __init__(self, num_sequences: int, num_persons: int, length: int, num_joints: int) -> None:
        self._num_sequences = num_sequences
        self.num_persons = num_persons
        self._length = length
        self.num_joints = num_joints
        self._plans = {}

    @property
    def lengths(self) -> tuple[int, ...]:  # type: ignore[override]
        r"""The number of frames of each track."""
        return (self._length,) * self.num_tracks

    @property
    def persons(self) -> tuple[int, ...]:  # type: ignore[override]
        r"""The number of tracks of each sequence."""
        return (self.num_persons,) * self.num_sequences

    @property
    def num_sequences(self) -> int:
        r"""The number of sequences."""
        return self._num_sequences

    @property
    def length(self) -> int:
        r"""The number of frames of each track."""
        return self._length

    @property
    def num_tracks(self) -> int:
        r"""The number of tracks of all sequences together."""
        return self.num_sequences * self.num_persons

    @property
    def num_frames(self) -> int:
        r"""The frames of all tracks together."""
        return self.num_tracks * self._length

    def strided(self, stride: int) -> UniformTracks:
        r"""Returns the tracks of every :obj:`stride`-th frame, the first one included.

        Args:
            stride (int): The stride.
        """
        length = (self._length - 1) // stride + 1
        return UniformTracks(self.num_sequences, self.num_persons, length, self.num_joints)

    def with_joints(self, num_joints: int) -> UniformTracks:
        r"""Returns the same tracks of frames of another number of joints.

        Args:
            num_joints (int): The number of joints.
        """
        return UniformTracks(self._num_sequences, self.num_persons, self._length, num_joints)

    def first_frames(self, device: torch.device) -> Tensor:
        r"""Returns the first frame of each track.

        Args:
            device (torch.device): Where the result is wanted.
        """
        return torch.arange(self.num_tracks, device=device) * self._length

    def last_frames(self, device: torch.device) -> Tensor:
        r"""Returns the last frame of each track.

        Args:
            device (torch.device): Where the result is wanted.
        """
        return self.first_frames(device) + (self._length - 1)
