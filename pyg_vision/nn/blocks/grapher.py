r"""The graph block of Vision GNN: the one place where building and convolving a graph meet."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal, TypeVar, overload

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn import Module

from pyg_vision._checks import check_int
from pyg_vision.nn.blocks.packed_images import PackedImages, join_tables
from pyg_vision.nn.conv.mr_conv import MRConv
from pyg_vision.nn.conv.neighbor_conv import NeighborConv
from pyg_vision.nn.conv.vig_edge_conv import ViGEdgeConv
from pyg_vision.nn.conv.vig_gin_conv import ViGGINConv
from pyg_vision.nn.conv.vig_sage_conv import ViGSAGEConv
from pyg_vision.nn.graph.dilated_knn_graph import DilatedKNNGraph
from pyg_vision.nn.graph.relative_position import RelativePosition
from pyg_vision.nn.layers.drop_path import DropPath
from pyg_vision.nn.layers.mlp import node_mlp
from pyg_vision.ops import NeighborTable
from pyg_vision.typing import Backend, Bias, SmallGraphs

CONVS: dict[str, Callable[..., NeighborConv]] = {
    "mr": MRConv,
    "edge": ViGEdgeConv,
    "sage": ViGSAGEConv,
    "gin": ViGGINConv,
}
GROUPS = 4
Conv = TypeVar("Conv")


class Grapher(Module):
    r"""The graph block from the `"Vision GNN: An Image is Worth Graph of Nodes"
    <https://arxiv.org/abs/2206.00272>`_ paper.

    .. math::
        \mathbf{X}^{\prime} = \mathbf{X} + \textrm{BN}(\mathbf{W}_{out} \,
        \sigma(\textrm{GraphConv}(\textrm{BN}(\mathbf{W}_{in} \mathbf{X}))))

    The graph is built anew from :math:`\textrm{BN}(\mathbf{W}_{in} \mathbf{X})` by
    :class:`~pyg_vision.nn.DilatedKNNGraph`, unless one is given. With a :obj:`reduce_ratio`
    :math:`r`, neighbours are taken from means over :math:`r \times r` patches: the graph is
    bipartite, from :math:`\lfloor H/r \rfloor \lfloor W/r \rfloor` sources to all nodes.

    Args:
        channels (int): Size of each input and output.
        k (int, optional): The number of neighbours. (default: :obj:`9`)
        dilation (int, optional): The dilation. (default: :obj:`1`)
        conv (str, optional): :obj:`"mr"`, :obj:`"edge"`, :obj:`"sage"` or :obj:`"gin"`.
            (default: :obj:`"mr"`)
        act (str, optional): The activation. (default: :obj:`"gelu"`)
        norm (str, optional): The norm of the graph convolution, :obj:`"batch"`,
            :obj:`"instance"` or :obj:`None`. (default: :obj:`"batch"`)
        bias (bool, optional): Whether the graph convolution has a bias. (default: :obj:`True`)
        stochastic (bool, optional): Stochastic dilation in training. (default: :obj:`False`)
        epsilon (float, optional): Its probability. (default: :obj:`0.2`)
        drop_path (float, optional): Probability of stochastic depth. (default: :obj:`0.0`)
        knn_backend (str, optional): The search, see :func:`pyg_vision.ops.knn`.
            (default: :obj:`"auto"`)
        reduce_ratio (int, optional): The side of the squares of patches that neighbours are means
            of. (default: :obj:`1`)
        relative_pos (RelativePosition, optional): The bias of distances. (default: :obj:`None`)

    Shapes:
        - **input:** node features :math:`(B, N, C)`, or :math:`(|\mathcal{V}|, C)` with
          :obj:`batch`
        - **output:** the same

    Example:
        >>> import torch
        >>> from pyg_vision.nn import Grapher
        >>> grapher = Grapher(48, k=9)
        >>> x = torch.randn(2, 196, 48)
        >>> grapher(x).shape
        torch.Size([2, 196, 48])
        >>> _, table = grapher(x, return_graph=True)
        >>> table.k
        9
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
        self.norm = norm
        self.reduce_ratio = check_int("reduce_ratio", reduce_ratio)
        self.relative_pos = relative_pos
        self.fc1 = node_mlp(channels, channels, norm="batch")
        self.graph = DilatedKNNGraph(k, dilation, stochastic, epsilon, backend=knn_backend)
        options = {"interleave": True} if conv == "mr" else {}
        self.conv = find_conv(conv, CONVS)(
            channels, 2 * channels, bias=bias, groups=GROUPS, norm=norm, act=act, **options
        )
        self.fc2 = node_mlp(2 * channels, channels, norm="batch")
        self.drop_path = DropPath(drop_path)

    @overload
    def forward(
        self,
        x: Tensor,
        neighbors: NeighborTable | None = None,
        *,
        batch: Tensor | None = None,
        batch_size: int | None = None,
        max_num_nodes: int | None = None,
        small_graphs: SmallGraphs = "error",
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
        batch: Tensor | None = None,
        batch_size: int | None = None,
        max_num_nodes: int | None = None,
        small_graphs: SmallGraphs = "error",
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
        batch: Tensor | None = None,
        batch_size: int | None = None,
        max_num_nodes: int | None = None,
        small_graphs: SmallGraphs = "error",
        k: int | None = None,
        dilation: int | None = None,
        grid_size: tuple[int, int] | None = None,
        return_graph: bool = False,
    ) -> Tensor | tuple[Tensor, NeighborTable]:
        r"""Runs the block.

        Args:
            x (torch.Tensor): The node features.
            neighbors (NeighborTable, optional): The graph to use instead of a new one.
                (default: :obj:`None`)
            batch (torch.Tensor, optional): The graph of each node. (default: :obj:`None`)
            batch_size (int, optional): The number of graphs. (default: :obj:`None`)
            max_num_nodes (int, optional): The size of the largest graph. (default: :obj:`None`)
            small_graphs (str, optional): :obj:`"error"` or :obj:`"self"`, see
                :func:`pyg_vision.ops.knn`. (default: :obj:`"error"`)
            k (int, optional): Overrides the number of neighbours. (default: :obj:`None`)
            dilation (int, optional): Overrides the dilation. (default: :obj:`None`)
            grid_size (tuple, optional): Rows and columns of patches, which a :obj:`reduce_ratio`
                and a :obj:`relative_pos` need. (default: :obj:`None`)
            return_graph (bool, optional): If :obj:`True`, also returns the graph that was used.
                (default: :obj:`False`)
        """
        if batch is not None and self.norm == "instance":
            raise ValueError(
                "norm='instance' normalises each graph of [B, N, C]; it cannot tell apart those of "
                "a 'batch' vector"
            )
        h = self.fc1(x)
        grid = None
        if self.reduce_ratio > 1 or self.relative_pos is not None:
            grid = _checked_grid(x, batch, grid_size, self.reduce_ratio)
        sources = self._pool(h, grid)
        if neighbors is None:
            neighbors = self.graph(
                h,
                sources,
                bias=self._bias(grid),
                batch=batch,
                batch_size=batch_size,
                max_num_nodes=max_num_nodes,
                small_graphs=small_graphs,
                k=k,
                dilation=dilation,
            )
        h = self.conv(h if sources is None else (sources, h), neighbors)
        out = x + self.drop_path(self.fc2(h), batch, batch_size)
        return (out, neighbors) if return_graph else out

    def forward_packed(
        self, x: Tensor, images: PackedImages, reaches: Sequence[tuple[int, int]], batch: Tensor
    ) -> Tensor:
        r"""Runs the block on images of different sizes.

        Args:
            x (torch.Tensor): All nodes :math:`(|\mathcal{V}|, C)`.
            images (PackedImages): Which rows are which image.
            reaches (list of tuple): Neighbours and dilation for each size.
            batch (torch.Tensor): The image of each node.
        """
        if self.norm == "instance":
            raise ValueError(
                "norm='instance' normalises each graph of [B, N, C]; it takes no images of "
                "different sizes"
            )
        h = self.fc1(x)
        sources, tables = [], []
        for nodes, grid, (k, dilation) in zip(images.graphs(h), images.grids, reaches, strict=True):
            pooled = self._pool(nodes, grid)
            tables.append(self.graph(nodes, pooled, bias=self._bias(grid), k=k, dilation=dilation))
            sources.append((nodes if pooled is None else pooled).flatten(0, 1))
        pair = h if self.reduce_ratio == 1 else (torch.cat(sources), h)
        h = self.fc2(self.conv(pair, join_tables(tables)))
        return x + self.drop_path(h, batch, images.num_images)

    def _pool(self, h: Tensor, grid: tuple[int, int] | None) -> Tensor | None:
        if grid is None or self.reduce_ratio == 1:
            return None
        return pool_nodes(h, grid, self.reduce_ratio)

    def _bias(self, grid: tuple[int, int] | None) -> Bias | None:
        if grid is None or self.relative_pos is None:
            return None
        bias: Bias = self.relative_pos(grid)
        return bias


def pool_nodes(x: Tensor, grid_size: tuple[int, int], ratio: int) -> Tensor:
    r"""Returns the means over squares of patches.

    Args:
        x (torch.Tensor): The nodes :math:`(B, N, C)`.
        grid_size (tuple): Rows and columns of patches.
        ratio (int): The side of a square.
    """
    maps = x.view(x.size(0), *grid_size, -1).permute(0, 3, 1, 2)
    return F.avg_pool2d(maps, ratio, ratio).permute(0, 2, 3, 1).flatten(1, 2)


def _checked_grid(
    x: Tensor, batch: Tensor | None, grid_size: tuple[int, int] | None, ratio: int
) -> tuple[int, int]:
    if batch is not None or x.dim() != 3:
        raise ValueError(
            f"a block with a 'reduce_ratio' or 'relative_pos' takes images of one size "
            f"[B, N, C] (got shape {list(x.shape)}{'' if batch is None else ' and a batch vector'})"
        )
    if grid_size is None or grid_size[0] * grid_size[1] != x.size(1):
        raise ValueError(
            f"'grid_size' must be the rows and columns of {x.size(1)} patches (got {grid_size})"
        )
    if min(grid_size) < ratio:
        raise ValueError(
            f"an image of {grid_size[0]} x {grid_size[1]} patches is too small for "
            f"reduce_ratio={ratio}"
        )
    return grid_size


def find_conv(conv: str, convs: Mapping[str, Conv]) -> Conv:
    r"""Returns the convolution of that published name."""
    if conv not in convs:
        raise ValueError(f"'conv' must be one of {', '.join(convs)} (got {conv!r})")
    return convs[conv]
