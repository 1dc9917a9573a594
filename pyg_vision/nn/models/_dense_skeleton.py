r"""What the dense twins of skeleton models share: maps, and a head that is a convolution."""

from __future__ import annotations

from typing import Any

import torch.nn.functional as F
from torch import Tensor
from torch.nn import Identity, Linear
from torch_geometric.data import Data

from pyg_vision.data.tracks import Tracks
from pyg_vision.nn.layers.person_norm import PersonNorm
from pyg_vision.nn.models._skeleton_classifier import SkeletonClassifier


class DenseSkeleton(SkeletonClassifier):
    r"""A classifier of dense tensors :math:`(N, C, T, V, M)` as published, which a dense twin puts
    before the class whose twin it is.
    """

    takes_graphs = False

    def __init__(self, in_channels: int, num_classes: int, **kwargs: Any) -> None:
        if kwargs.get("padding") is not None or kwargs.get("window") is not None:
            raise TypeError(f"{type(self).__name__} takes no 'padding' and no 'window'")
        super().__init__(in_channels, num_classes, **kwargs)

    def _run_dense(self, x: Tensor) -> Tensor:
        self._check_dense(x)
        num, persons = x.size(0), x.size(4)
        h = self._maps(x)
        h = F.avg_pool2d(h, h.shape[2:])
        h = h.view(num, persons, -1, 1, 1).mean(dim=1)
        return self._classify(h).view(num, -1)

    def _extract_dense(self, x: Tensor) -> tuple[Tensor, Tensor]:
        self._check_dense(x)
        h = self._maps(x)
        scores, features = (
            value.view(x.size(0), x.size(4), *value.shape[1:]).permute(0, 2, 3, 4, 1)
            for value in (self._classify(h), h)
        )
        return scores, features

    def _pack(self, x: Tensor | Data) -> tuple[Tensor, Tracks]:
        raise TypeError(
            f"{type(self).__name__} takes a tensor (N, C, T, V, M) (got '{type(x).__name__}'); "
            f"pyg_vision.data.skeletons_to_dense makes one of a Batch"
        )

    def _maps(self, x: Tensor) -> Tensor:
        r"""Returns the maps :math:`(N \cdot M, C, T, V)` after the last block."""
        num, channels, frames, joints, persons = x.shape
        h = x.permute(0, 4, 3, 1, 2).contiguous()
        data_bn: Any = self.data_bn
        if isinstance(data_bn, PersonNorm):  # the person is part of the feature
            h = data_bn.norm(h.view(num, persons * joints * channels, frames))
        else:
            h = data_bn(h.view(num * persons, joints * channels, frames))
        h = h.view(num, persons, joints, channels, frames).permute(0, 1, 3, 4, 2).contiguous()
        return self._run_blocks(h.view(num * persons, channels, frames, joints))

    def _run_blocks(self, h: Tensor) -> Tensor:
        for block in self.blocks:  # type: ignore[union-attr]
            h = block(h)
        return h

    def _classify(self, h: Tensor) -> Tensor:
        r"""Runs the head as the 1x1 convolution that is published."""
        if isinstance(self.fcn, Identity):
            return h
        head: Linear = self.fcn  # type: ignore[assignment]
        return F.conv2d(h, head.weight[:, :, None, None], head.bias)
