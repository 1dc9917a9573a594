r"""Motion: differences between the frames of a track."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from pyg_vision.data.tracks import Tracks


def first_difference(x: Tensor, tracks: Tracks) -> Tensor:
    r"""Returns how each joint moves to the next frame, zero in the last frame of a track.

    .. math::
        \mathbf{m}_t = \mathbf{x}_{t + 1} - \mathbf{x}_t

    Args:
        x (torch.Tensor): The node features :math:`(|\mathcal{V}|, C)`.
        tracks (Tracks): The persons, frames and joints that the nodes are.
    """
    frames = x.reshape(tracks.num_frames, -1)
    steps = F.pad(frames[1:] - frames[:-1], (0, 0, 0, 1))
    return steps.index_fill(0, tracks.last_frames(x.device), 0).view_as(x)


def second_difference(x: Tensor, tracks: Tracks) -> Tensor:
    r"""Returns how each joint departs from the mean of the frames before and after, as the motion
    stream of two-stream ST-GCN does; zero in the first and the last frame of a track.

    .. math::
        \mathbf{m}_t = \mathbf{x}_t - \frac{\mathbf{x}_{t + 1} + \mathbf{x}_{t - 1}}{2}

    Args:
        x (torch.Tensor): The node features :math:`(|\mathcal{V}|, C)`.
        tracks (Tracks): The persons, frames and joints that the nodes are.
    """
    frames = x.reshape(tracks.num_frames, -1)
    if tracks.num_frames < 3:
        return x.new_zeros(x.shape)
    inner = frames[1:-1] - 0.5 * frames[2:] - 0.5 * frames[:-2]
    steps = F.pad(inner, (0, 0, 1, 1))
    steps = steps.index_fill(0, tracks.first_frames(x.device), 0)
    return steps.index_fill(0, tracks.last_frames(x.device), 0).view_as(x)


def dense_second_difference(x: Tensor) -> Tensor:
    r"""Returns the same of sequences that are one dense tensor, frames padded with zeros included.

    Args:
        x (torch.Tensor): The motion :math:`(N, C, T, V, M)`.
    """
    motion = torch.zeros_like(x)
    motion[:, :, 1:-1] = x[:, :, 1:-1] - 0.5 * x[:, :, 2:] - 0.5 * x[:, :, :-2]
    return motion
