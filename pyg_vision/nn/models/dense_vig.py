r"""Isotropic Vision GNN as published: the baseline and the proof of parity."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch.nn.functional as F
from torch import Tensor
from torch.nn import BatchNorm2d, Module, ModuleDict
from torch_geometric.data import Data

from pyg_vision.nn.dense.dense_blocks import DenseFFN, DenseGrapher
from pyg_vision.nn.dense.layers import Conv1x1
from pyg_vision.nn.models._vig_plan import Reach
from pyg_vision.nn.models.vig import ViG
from pyg_vision.ops import NeighborTable
from pyg_vision.ops.knn import Backend


class DenseViG(ViG):
    r"""The dense twin of :class:`ViG`, keeping the published sequence of operations.

    Maps :math:`(B, C, H, W)`, 1x1 convolutions, :func:`torch.topk` on the full distance matrix,
    gathering both ends of every edge and a maximum over the last axis, as in the `"Vision GNN: An
    Image is Worth Graph of Nodes" <https://arxiv.org/abs/2206.00272>`_ paper. It takes the same
    arguments as :class:`ViG` and shares its state dict, key by key and shape by shape.

    Args:
        **kwargs (optional): Arguments of :class:`ViG`.

    Shapes:
        - **input:** pictures :math:`(B, C_{in}, H, W)`, or a PyG batch of patch graphs
        - **output:** logits :math:`(B, \textrm{num\_classes})`
    """

    _linear = Conv1x1
    _norm = BatchNorm2d

    def forward_features(
        self,
        x: Tensor | Data,
        neighbors: Sequence[NeighborTable] | None = None,
        return_graphs: bool = False,
    ) -> Any:
        r"""Returns the map after the last block, :math:`(B, C, H, W)`, see :class:`ViG`."""
        x = self._embed(x)
        return self._run_blocks(x, x.size(-2) * x.size(-1), neighbors, return_graphs)

    def forward_head(self, x: Tensor, pre_logits: bool = False) -> Tensor:
        r"""Pools and classifies the map of :meth:`forward_features`.

        Args:
            x (torch.Tensor): The map.
            pre_logits (bool, optional): If :obj:`True`, only pools. (default: :obj:`False`)
        """
        pooled = F.adaptive_avg_pool2d(x, 1)
        out: Tensor = pooled if pre_logits else self.head(pooled)
        return out.squeeze(-1).squeeze(-1)

    def _arrange(self, x: Tensor) -> Tensor:
        return x

    def _make_block(
        self,
        channels: int,
        reach: Reach,
        drop_path: float,
        options: dict[str, Any],
        knn_backend: Backend,
    ) -> Module:
        if knn_backend not in ("auto", "torch"):
            raise ValueError(
                f"DenseViG searches as published; it takes no 'knn_backend' (got {knn_backend!r})"
            )
        grapher = DenseGrapher(channels, *reach, drop_path=drop_path, **options)
        ffn = DenseFFN(channels, act=options["act"], drop_path=drop_path)
        return ModuleDict({"grapher": grapher, "ffn": ffn})
