r"""Attention to joints, frames and channels."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn import Conv1d, Linear, Module

from pyg_vision._checks import check_int
from pyg_vision.data.tracks import Tracks
from pyg_vision.nn.layers.temporal_conv import TemporalConv
from pyg_vision.nn.layers.track_means import to_frames, track_mean


class SkeletonAttention(Module):
    r"""The attention module from the `"Skeleton-Based Action Recognition with Multi-Stream Adaptive
    Graph Convolutional Networks" <https://arxiv.org/abs/1912.06971>`_ paper, to joints, frames and
    channels in this order.

    .. math::
        \mathbf{X} \leftarrow \mathbf{X} \odot \mathbf{a} + \mathbf{X}

    * Of joints, :math:`\mathbf{a} = \sigma(\textrm{conv}(\frac{1}{T} \sum_t \mathbf{X}_t))`,
      a convolution along the joints in their order, which reaches over all of them.
    * Of frames, :math:`\mathbf{a} = \sigma(\textrm{conv}(\frac{1}{V} \sum_v \mathbf{X}_v))`,
      a convolution over nine frames.
    * Of channels, :math:`\mathbf{a} = \sigma(\mathbf{W}_2 \, \textrm{ReLU}(\mathbf{W}_1
      \frac{1}{T V} \sum_{t,v} \mathbf{X}_{t,v}))`.

    Args:
        channels (int): Size of each input and output.
        num_joints (int): The joints of a frame.

    Shapes:
        - **input:** node features :math:`(|\mathcal{V}|, C)` in the order person, frame, joint
        - **output:** the same

    Raises:
        TypeError: If a size is no integer.
        ValueError: If a size is not positive; when called, if features do not fit.

    Example:
        >>> import torch
        >>> from pyg_vision.data import Tracks
        >>> from pyg_vision.nn import SkeletonAttention
        >>> attention = SkeletonAttention(16, num_joints=17)
        >>> tracks = Tracks.of([(2, 15, 17)])
        >>> attention(torch.randn(30 * 17, 16), tracks).shape
        torch.Size([510, 16])
    """

    def __init__(self, channels: int, num_joints: int) -> None:
        super().__init__()
        self.channels = check_int("channels", channels)
        self.num_joints = check_int("num_joints", num_joints)
        size = num_joints if num_joints % 2 else num_joints - 1
        self.joints = Conv1d(channels, 1, max(size, 1), padding=max(size, 1) // 2)
        self.frames = TemporalConv(channels, 1, 9)
        self.fc1 = Linear(channels, channels // 2)
        self.fc2 = Linear(channels // 2, channels)

    def forward(self, x: Tensor, tracks: Tracks) -> Tensor:
        r"""Runs the layer.

        Args:
            x (torch.Tensor): The node features.
            tracks (Tracks): Their tracks.
        """
        count, joints = tracks.num_frames, self.num_joints
        if x.dim() != 2 or tracks.num_joints != joints or x.size(0) != count * joints:
            raise ValueError(
                f"'x' must be [{count} frames of {joints} joints, channels={self.channels}] (got "
                f"shape {list(x.shape)} of {tracks.num_joints} joints)"
            )
        y = x.view(count, joints, self.channels)
        share = self.joints(track_mean(y, tracks).mT).sigmoid().mT
        y = y * to_frames(share, tracks, count) + y
        share = self.frames(y.mean(dim=1), tracks.with_joints(1)).sigmoid()
        y = y * share.unsqueeze(1) + y
        share = torch.sigmoid(self.fc2(F.relu(self.fc1(track_mean(y.mean(dim=1), tracks)))))
        y = y * to_frames(share.unsqueeze(1), tracks, count) + y
        return y.flatten(0, 1)
