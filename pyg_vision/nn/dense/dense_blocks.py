r"""The blocks as published, on maps :math:`(B, C, H, W)`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, overload

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn import Module

from pyg_vision._checks import check_int
from pyg_vision.nn.blocks.ffn import FFN
from pyg_vision.nn.blocks.grapher import GROUPS, find_conv
from pyg_vision.nn.dense.dense_conv import (
    DenseMRConv,
    DenseViGEdgeConv,
    DenseViGGINConv,
    DenseViGSAGEConv,
)
from pyg_vision.nn.dense.dense_graph import DenseDilatedKNNGraph
from pyg_vision.nn.dense.dense_layers import dense_mlp
from pyg_vision.nn.graph.relative_position import RelativePosition
from pyg_vision.nn.layers.drop_path import DropPath
from pyg_vision.ops import NeighborTable
from pyg_vision.ops.adjacency import in_range
from pyg_vision.typing import Backend

DENSE_CONVS: dict[str, Callable[..., Module]] = {
    "mr": DenseMRConv,
    "edge": DenseViGEdgeConv,
    "sage": DenseViGSAGEConv,
    "gin": DenseViGGINConv,
}


class DenseGrapher(Module):
    r"""The :term:`dense twin` of :class:`~pyg_vision.nn.Grapher`; the two share one state dict.

    Args:
        channels (int): Channels of input and output.
        k (int, optional): The number of neighbours. (default: :obj:`9`)
        dilation (int, optional): The dilation. (default: :obj:`1`)
        conv (str, optional): :obj:`"mr"`, :obj:`"edge"`, :obj:`"sage"` or :obj:`"gin"`.
            (default: :obj:`"mr"`)
        act (str, optional): The activation. (default: :obj:`"gelu"`)
        norm (str, optional): The norm of the graph convolution. (default: :obj:`"batch"`)
        bias (bool, optional): Whether the graph convolution has a bias. (default: :obj:`True`)
        stochastic (bool, optional): Stochastic dilation in training. (default: :obj:`False`)
        epsilon (float, optional): Its probability. (default: :obj:`0.2`)
        drop_path (float, optional): Probability of stochastic depth. (default: :obj:`0.0`)
        knn_backend (str, optional): :obj:`"auto"` or :obj:`"torch"`, the published search.
            (default: :obj:`"auto"`)
        reduce_ratio (int, optional): The side of the squares of patches that neighbours are means
            of. (default: :obj:`1`)
        relative_pos (RelativePosition, optional): The bias of distances. (default: :obj:`None`)

    Shapes:
        - **input:** features :math:`(B, C, H, W)`
        - **output:** the same

    Example:
        >>> import torch
        >>> from pyg_vision.nn import DenseGrapher
        >>> DenseGrapher(48, k=9)(torch.randn(2, 48, 14, 14)).shape
        torch.Size([2, 48, 14, 14])
    """

    def __init__(
        self,
        channels: int,
        k: int = 9,
        dilation: int = 1,
        conv: str = "mr",
        act: str = "gelu",
        norm: str | None = "batch",
        bias: bool = True,
        stochastic: bool = False,
        epsilon: float = 0.2,
        drop_path: float = 0.0,
        knn_backend: Backend = "auto",
        reduce_ratio: int = 1,
        relative_pos: RelativePosition | None = None,
    ) -> None:
        super().__init__()
        if knn_backend not in ("auto", "torch"):
            raise ValueError(
                f"the dense twin searches as published; it takes no 'knn_backend' (got "
                f"{knn_backend!r})"
            )
        self.reduce_ratio = check_int("reduce_ratio", reduce_ratio)
        self.relative_pos = relative_pos
        self.fc1 = dense_mlp(channels, channels, norm="batch")
        self.graph = DenseDilatedKNNGraph(k, dilation, stochastic, epsilon)
        self.conv = find_conv(conv, DENSE_CONVS)(
            channels, 2 * channels, bias=bias, groups=GROUPS, norm=norm, act=act
        )
        self.fc2 = dense_mlp(2 * channels, channels, norm="batch")
        self.drop_path = DropPath(drop_path)

    @overload
    def forward(
        self,
        x: Tensor,
        neighbors: NeighborTable | None = None,
        *,
        k: int | None = None,
        dilation: int | None = None,
        grid_size: tuple[int, int] | None = None,
        return_graph: Literal[False] = False,
    ) -> Tensor: ...

    @overload
    def forward(
        self,
        x: Tensor,
        neighbors: NeighborTable | None = None,
        *,
        k: int | None = None,
        dilation: int | None = None,
        grid_size: tuple[int, int] | None = None,
        return_graph: Literal[True],
    ) -> tuple[Tensor, NeighborTable]: ...

    def forward(
        self,
        x: Tensor,
        neighbors: NeighborTable | None = None,
        *,
        k: int | None = None,
        dilation: int | None = None,
        grid_size: tuple[int, int] | None = None,
        return_graph: bool = False,
    ) -> Tensor | tuple[Tensor, NeighborTable]:
        r"""Runs the block.

        Args:
            x (torch.Tensor): The features.
            neighbors (NeighborTable, optional): The graph to use instead of a new one.
                (default: :obj:`None`)
            k (int, optional): Overrides the number of neighbours. (default: :obj:`None`)
            dilation (int, optional): Overrides the dilation. (default: :obj:`None`)
            grid_size (tuple, optional): Rows and columns of patches, as those of the features.
                (default: :obj:`None`)
            return_graph (bool, optional): If :obj:`True`, also returns the graph that was used.
                (default: :obj:`False`)
        """
        h = self.fc1(x)
        b, c, height, width = h.shape
        y = None
        if self.reduce_ratio > 1:
            pooled = F.avg_pool2d(h, self.reduce_ratio, self.reduce_ratio)
            y = pooled.reshape(b, c, -1, 1).contiguous()
        num_sources = height * width if y is None else y.size(2)
        h = h.reshape(b, c, -1, 1).contiguous()
        if neighbors is None:
            bias = None if self.relative_pos is None else self.relative_pos.full((height, width))
            edge_index = self.graph(h, y, bias, k=k, dilation=dilation)
        else:
            edge_index = _edges(neighbors.index, b, height * width, num_sources)
        out = self.conv(h, edge_index, y).reshape(b, -1, height, width).contiguous()
        out = self.drop_path(self.fc2(out)) + x
        return (out, NeighborTable(edge_index[0], num_sources)) if return_graph else out


class DenseFFN(FFN):
    r"""The :term:`dense twin` of :class:`~pyg_vision.nn.FFN`; the two share one state dict.

    Args:
        channels (int): Channels of input and output.
        hidden_channels (int, optional): Channels between. (default: four times as many)
        act (str, optional): The activation. (default: :obj:`"gelu"`)
        drop_path (float, optional): Probability of stochastic depth. (default: :obj:`0.0`)
        layer_scale (float, optional): The first value of a :class:`~pyg_vision.nn.LayerScale` of
            the branch, :obj:`None` for none. (default: :obj:`None`)

    Shapes:
        - **input:** features :math:`(B, C, H, W)`
        - **output:** the same

    Example:
        >>> import torch
        >>> from pyg_vision.nn import DenseFFN
        >>> DenseFFN(48)(torch.randn(2, 48, 14, 14)).shape
        torch.Size([2, 48, 14, 14])
    """

    _maps = True

    def __init__(
        self,
        channels: int,
        hidden_channels: int | None = None,
        act: str = "gelu",
        drop_path: float = 0.0,
        layer_scale: float | None = None,
    ) -> None:
        super().__init__(channels, hidden_channels, act, drop_path, dense_mlp, layer_scale)


def _edges(index: Tensor, batch_size: int, num_nodes: int, num_sources: int) -> Tensor:
    if index.dim() != 3 or index.shape[:2] != (batch_size, num_nodes):
        raise ValueError(
            f"'neighbors' must hold {batch_size} graphs of {num_nodes} nodes "
            f"(got a table of shape {list(index.shape)})"
        )
    index = in_range("neighbors.index", index, num_sources)
    center = torch.arange(num_nodes, device=index.device).view(1, -1, 1).expand_as(index)
    return torch.stack((index, center), dim=0)
