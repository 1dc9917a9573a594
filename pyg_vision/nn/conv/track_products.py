r"""Sums over joints with a matrix for each channel of each track."""

from __future__ import annotations

import torch
from torch import Tensor

from pyg_vision.data.tracks import Tracks


def channel_products(matrices: Tensor, x: Tensor, tracks: Tracks | None) -> Tensor:
    r"""Multiplies the channels of each frame by the matrices of its track.

    .. math::
        y_{f,i,c} = \sum_j M_{c,i,j} \, x_{f,j,c}

    Args:
        matrices (torch.Tensor): The matrices :math:`(\textrm{num_tracks}, C, I, J)`.
        x (torch.Tensor): The frames :math:`(F, J, C)`.
        tracks (Tracks, optional): The tracks of the frames, :obj:`None` for one of all.
    """
    size = matrices.size(2), x.size(2)
    if tracks is None or tracks.regular:
        num = 1 if tracks is None else tracks.num_tracks
        # Frames are the columns of a product for each track and channel.
        columns = x.reshape(num, -1, *x.shape[1:]).permute(0, 3, 2, 1)
        return (matrices @ columns).permute(0, 3, 2, 1).reshape(-1, *size)
    if hasattr(tracks, "lengths"):
        parts = torch.split(x, list(tracks.lengths))
        pairs = zip(matrices.unbind(0), parts, strict=True)
        return torch.cat([(m @ part.permute(2, 1, 0)).permute(2, 1, 0) for m, part in pairs])
    # A compiler's tracks do not tell their lengths: the matrices of each frame, one by one.
    own = matrices.index_select(0, tracks.track_of_frame(x.device))
    return (own @ x.permute(0, 2, 1).unsqueeze(-1)).squeeze(-1).permute(0, 2, 1)
