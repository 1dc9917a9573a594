r"""Isotropic Vision GNN as published: the baseline and the proof of parity."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn import BatchNorm2d

from pyg_vision.nn.dense.dense_blocks import DenseFFN, DenseGrapher
from pyg_vision.nn.dense.dense_layers import Conv1x1
from pyg_vision.nn.models._knn_vision_gnn import KNNVisionGNN
from pyg_vision.nn.models._vision_block import KNNVisionBlock
from pyg_vision.nn.models.vig import ViG


class DenseVisionBlock(KNNVisionBlock):
    r"""A block whose halves take maps."""

    @staticmethod
    def to_nodes(x: Tensor) -> Tensor:
        r"""Returns maps as they are."""
        return x

    @staticmethod
    def to_map(x: Tensor, height: int, width: int) -> Tensor:
        r"""Returns maps as they are."""
        return x


class DenseVisionGNN(KNNVisionGNN):
    r"""What the dense twins of Vision GNNs share: features that are maps throughout."""

    _memory_format = torch.contiguous_format
    _block = DenseVisionBlock

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(  # type: ignore[misc, call-arg]
            *args,
            grapher=DenseGrapher,
            ffn=DenseFFN,
            linear=Conv1x1,
            norm_layer=BatchNorm2d,
            **kwargs,
        )

    def _of_different_sizes(self, x: object) -> list[Tensor] | None:
        return None  # as published: images of one size

    def forward_head(self, x: Tensor, pre_logits: bool = False) -> Tensor:
        r"""Pools and classifies the map of :meth:`forward_features`.

        Args:
            x (torch.Tensor): The map.
            pre_logits (bool, optional): If :obj:`True`, only pools. (default: :obj:`False`)
        """
        pooled = F.adaptive_avg_pool2d(x, 1)
        out: Tensor = pooled if pre_logits else self.head(pooled)
        return out.squeeze(-1).squeeze(-1)


class DenseViG(DenseVisionGNN, ViG):
    r"""The :term:`dense twin` of :class:`ViG`, keeping the published sequence of operations.

    Maps :math:`(B, C, H, W)`, 1x1 convolutions, :func:`torch.topk` on the full distance matrix,
    gathering both ends of every edge and a maximum over the last axis, as in the `"Vision GNN: An
    Image is Worth Graph of Nodes" <https://arxiv.org/abs/2206.00272>`_ paper. It takes the same
    arguments as :class:`ViG` but for its parts, and shares its state dict. Its features are maps
    :math:`(B, C, H, W)`.

    Args:
        *args (optional): Arguments of :class:`ViG`.
        **kwargs (optional): Arguments of :class:`ViG`.

    Shapes:
        - **input:** images :math:`(B, C_{in}, H, W)`, or a PyG batch of patch graphs
        - **output:** logits :math:`(B, \textrm{num_classes})`

    Example:
        >>> import torch
        >>> from pyg_vision.nn import DenseViG, ViG
        >>> options = {"channels": 48, "depth": 2, "num_classes": 10}
        >>> model, twin = ViG(**options).eval(), DenseViG(**options).eval()
        >>> twin.load_state_dict(model.state_dict())
        <All keys matched successfully>
        >>> twin(torch.rand(2, 3, 224, 224)).shape
        torch.Size([2, 10])
    """
