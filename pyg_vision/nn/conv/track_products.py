r"""Products of the frames of each track with matrices of its own."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from pyg_vision.data.tracks import Tracks


def map_tracks(
    run: Callable[[Tensor, Tensor], Tensor], x: Tensor, matrices: Tensor, tracks: Tracks | None
) -> Tensor | None:
    r"""Runs a function on the frames of tracks of one length, and returns all results, or
    :obj:`None` where a compiler's tracks do not tell their lengths.

    Args:
        run (Callable): Takes frames :math:`(N, T, V, C)` and what their tracks have, and returns
            as many frames.
        x (torch.Tensor): The frames :math:`(F, V, C)`.
        matrices (torch.Tensor): What each track has, :math:`(\textrm{num_tracks}, *)`.
        tracks (Tracks, optional): The tracks of the frames, :obj:`None` for one of all.
    """
    if tracks is None or tracks.regular:
        num = 1 if tracks is None else tracks.num_tracks
        return run(x.reshape(num, -1, *x.shape[1:]), matrices).flatten(0, 1)
    if not hasattr(tracks, "lengths"):
        return None
    parts = torch.split(x, list(tracks.lengths))
    pairs = zip(parts, torch.split(matrices, 1), strict=True)
    return torch.cat([run(part.unsqueeze(0), own)[0] for part, own in pairs])


def frame_products(matrices: Tensor, x: Tensor, tracks: Tracks) -> Tensor:
    r"""Multiplies the channels of each frame by the matrices of its track, frame by frame.

    .. math::
        y_{f,i,c} = \sum_j M_{c,j,i} \, x_{f,j,c}

    Args:
        matrices (torch.Tensor): The matrices :math:`(\textrm{num_tracks}, C, J, I)`.
        x (torch.Tensor): The frames :math:`(F, J, C)`.
        tracks (Tracks): The tracks of the frames.
    """
    own = matrices.index_select(0, tracks.track_of_frame(x.device))
    return (x.transpose(1, 2).unsqueeze(2) @ own).squeeze(2).transpose(1, 2)


def channels_first(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    r"""Maps nodes :math:`(N, L, C_{in})` to maps :math:`(N, C_{out}, L)`.

    A product writes them in this order, where what a linear map returns would have to be turned.

    Args:
        x (torch.Tensor): The nodes.
        weight (torch.Tensor): The weight :math:`(C_{out}, C_{in})`.
        bias (torch.Tensor): The bias :math:`(C_{out})`.
    """
    return torch.baddbmm(bias.view(1, -1, 1), weight.expand(x.size(0), -1, -1), x.mT)


def channels_last(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    r"""Maps maps :math:`(N, C_{in}, L)` to nodes :math:`(N, L, C_{out})`.

    Args:
        x (torch.Tensor): The maps.
        weight (torch.Tensor): The weight :math:`(C_{out}, C_{in})`.
        bias (torch.Tensor): The bias :math:`(C_{out})`.
    """
    return torch.baddbmm(bias, x.mT, weight.t().expand(x.size(0), -1, -1))
