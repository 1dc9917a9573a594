r"""Maxima along the track of each joint."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor
from torch.nn import Module
from torch_geometric.data import Data

from pyg_vision._checks import check_int
from pyg_vision.data.tracks import Tracks


class TemporalMaxPool(Module):
    r"""The largest value of each channel in neighbouring frames, a branch of the multi-scale
    temporal convolutions from the `"Disentangling and Unifying Graph Convolutions for
    Skeleton-Based Action Recognition" <https://arxiv.org/abs/2003.14111>`_ paper.

    .. math::
        \mathbf{x}^{\prime}_{v, t} = \max_{|\tau| \leq (k - 1) / 2} \mathbf{x}_{v, s t + \tau}

    over the frames that the track of a person has. Persons and sequences never mix. A track of
    :math:`T` frames becomes one of :math:`\lceil T / s \rceil`.

    Args:
        kernel_size (int, optional): The frames :math:`k`, an odd number. (default: :obj:`3`)
        stride (int, optional): The stride :math:`s`. (default: :obj:`1`)

    Shapes:
        - **input:** node features :math:`(|\mathcal{V}|, C)` in the order person, frame, joint
        - **output:** node features :math:`(|\mathcal{V}^{\prime}|, C)` in the same order

    Raises:
        TypeError: If a size is no integer.
        ValueError: If a size is not positive or the kernel size even; when called, if the
            features do not fit the tracks.

    Example:
        >>> import torch
        >>> from pyg_vision.nn import TemporalMaxPool
        >>> x = torch.tensor([1.0, 3.0, 2.0, 0.0, 5.0]).view(5, 1)  # one joint
        >>> TemporalMaxPool(3)(x, [(1, 3, 1), (1, 2, 1)]).flatten()
        tensor([3., 3., 3., 5., 5.])
    """

    def __init__(self, kernel_size: int = 3, stride: int = 1) -> None:
        super().__init__()
        self.kernel_size = check_int("kernel_size", kernel_size)
        self.stride = check_int("stride", stride)
        if kernel_size % 2 == 0:
            raise ValueError(f"'kernel_size' must be odd (got {kernel_size})")

    @property
    def reach(self) -> int:
        r"""How many frames before and after its own an output sees."""
        return self.kernel_size // 2

    def forward(self, x: Tensor, tracks: Tracks | Data | Sequence[Sequence[int]]) -> Tensor:
        r"""Runs the layer.

        Args:
            x (torch.Tensor): The node features.
            tracks (Tracks, Data or list of tuples): The graph that the nodes belong to,
                its :obj:`skeleton_shape`, or :class:`~pyg_vision.data.Tracks`.
        """
        tracks = tracks if isinstance(tracks, Tracks) else Tracks.of(tracks)
        if x.dim() != 2 or x.size(0) != tracks.num_nodes:
            raise ValueError(
                f"'x' must be [{tracks.num_nodes} nodes, channels] for {tracks.num_tracks} "
                f"track(s) of {tracks.num_frames} frames and {tracks.num_joints} joints (got "
                f"shape {list(x.shape)})"
            )
        joints, channels = tracks.num_joints, x.size(1)
        if tracks.regular:
            frames = x.reshape(tracks.num_frames, joints, channels)
            maps = frames.reshape(tracks.num_tracks, tracks.length, joints, channels)
            return self._pool(maps).flatten(0, 1).flatten(0, 1)
        # Tracks behind one another, apart by what is never the largest.
        rows, after, places = tracks.spacing(self.reach, self.stride, x.device)
        spaced = x.new_full((places.size(0), joints * channels), -math.inf)
        spaced = spaced.index_copy(0, rows, x.reshape(-1, joints * channels))
        out = self._pool(spaced.view(1, -1, joints, channels))
        out = out.reshape(-1, joints * channels).index_select(0, after)
        return out.view(-1, channels)

    def _pool(self, x: Tensor) -> Tensor:
        r"""Pools :math:`(N, T, V, C)` along :math:`T`."""
        maps = x.permute(0, 3, 1, 2)
        size, stride = (self.kernel_size, 1), (self.stride, 1)
        return F.max_pool2d(maps, size, stride, (self.reach, 0)).permute(0, 2, 3, 1)

    def __repr__(self) -> str:
        return f"{self.__class__.__name__}(kernel_size={self.kernel_size}, stride={self.stride})"
