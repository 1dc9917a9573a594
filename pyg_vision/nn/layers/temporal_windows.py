r"""Windows of neighbouring frames."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn import Module

from pyg_vision._checks import check_int
from pyg_vision.data.tracks import Tracks


class TemporalWindows(Module):
    r"""The windows of the `"Disentangling and Unifying Graph Convolutions for Skeleton-Based Action
    Recognition" <https://arxiv.org/abs/2003.14111>`_ paper: the joints of frames around a frame.

    Before the first and behind the last frame of a track there are zeros. Persons and sequences
    never mix.

    Args:
        size (int): The frames of a window, an odd number.
        stride (int, optional): The frames from one window to the next. (default: :obj:`1`)

    Shapes:
        - **input:** the joints of frames :math:`(F, V, C)`
        - **output:** the joints of windows :math:`(F^{\prime}, w V, C)`

    Raises:
        TypeError: If a size is no integer.
        ValueError: If a size is not positive, or even.

    Example:
        >>> import torch
        >>> from pyg_vision.data import Tracks
        >>> from pyg_vision.nn import TemporalWindows
        >>> frames = torch.arange(1.0, 6.0).view(5, 1, 1)
        >>> TemporalWindows(3)(frames, Tracks.of([(1, 3, 1), (1, 2, 1)])).squeeze(-1)
        tensor([[0., 1., 2.],
                [1., 2., 3.],
                [2., 3., 0.],
                [0., 4., 5.],
                [4., 5., 0.]])
    """

    def __init__(self, size: int, stride: int = 1) -> None:
        super().__init__()
        self.size = check_int("size", size)
        self.stride = check_int("stride", stride)
        if size % 2 == 0:
            raise ValueError(f"'size' must be odd (got {size})")

    @property
    def reach(self) -> int:
        r"""How many frames before and after its own a window has."""
        return self.size // 2

    def forward(self, x: Tensor, tracks: Tracks) -> Tensor:
        r"""Runs the layer.

        Args:
            x (torch.Tensor): The joints of frames.
            tracks (Tracks): Their tracks.
        """
        joints, channels = x.shape[1:]
        if tracks.regular:
            frames = x.reshape(tracks.num_tracks, tracks.length, joints * channels)
            padded = F.pad(frames, (0, 0, self.reach, self.reach))
            # As slices, whose gradient is a sum of them: that of Tensor.unfold takes twice as long.
            shifted = (padded[:, i : i + tracks.length : self.stride] for i in range(self.size))
            windows = torch.stack(list(shifted), dim=2)
            return windows.view(-1, self.size * joints, channels)
        rows, after, places = tracks.spacing(self.reach, self.stride, x.device)
        spaced = x.new_zeros(self.reach + places.size(0) + self.reach, joints * channels)
        spaced = spaced.index_copy(0, rows + self.reach, x.reshape(-1, joints * channels))
        around = torch.arange(self.size, device=x.device)
        index = (after * self.stride).unsqueeze(1) + around
        windows = spaced.index_select(0, index.flatten())
        return windows.view(-1, self.size * joints, channels)

    def __repr__(self) -> str:
        return f"{self.__class__.__name__}(size={self.size}, stride={self.stride})"
