r"""Means over the frames of a track, and back."""

from __future__ import annotations

from torch import Tensor
from torch_geometric.utils import scatter

from pyg_vision.data.tracks import Tracks


def track_mean(x: Tensor, tracks: Tracks | None) -> Tensor:
    r"""Returns the mean over the frames of each track.

    Args:
        x (torch.Tensor): What each frame has, :math:`(F, *)`.
        tracks (Tracks, optional): The tracks of the frames, :obj:`None` for one of all.

    Returns:
        torch.Tensor: What each track has, :math:`(\textrm{num_tracks}, *)`.
    """
    if tracks is None:
        return x.mean(dim=0, keepdim=True)
    if tracks.regular:
        return x.reshape(tracks.num_tracks, tracks.length, *x.shape[1:]).mean(dim=1)
    track = tracks.track_of_frame(x.device)
    return scatter(x, track, dim=0, dim_size=tracks.num_tracks, reduce="mean")


def to_frames(x: Tensor, tracks: Tracks | None, num_frames: int) -> Tensor:
    r"""Returns what each track has for each of its frames.

    Args:
        x (torch.Tensor): What each track has, :math:`(\textrm{num_tracks}, *)`.
        tracks (Tracks, optional): The tracks of the frames, :obj:`None` for one of all.
        num_frames (int): The number of frames of all tracks together.
    """
    if tracks is None:
        return x.expand(num_frames, *x.shape[1:])
    if tracks.regular:
        shape = (tracks.num_tracks, tracks.length, *x.shape[1:])
        return x.unsqueeze(1).expand(shape).flatten(0, 1)
    return x.index_select(0, tracks.track_of_frame(x.device))
