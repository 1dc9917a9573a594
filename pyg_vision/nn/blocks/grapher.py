r"""The graph block of Vision GNN: the one place where building and convolving a graph meet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, TypeVar, overload

from torch import Tensor
from torch.nn import Module

from pyg_vision.nn.conv.mr_conv import MRConv
from pyg_vision.nn.conv.neighbor_conv import NeighborConv
from pyg_vision.nn.conv.vig_edge_conv import ViGEdgeConv
from pyg_vision.nn.conv.vig_gin_conv import ViGGINConv
from pyg_vision.nn.conv.vig_sage_conv import ViGSAGEConv
from pyg_vision.nn.graph.dilated_knn_graph import DilatedKNNGraph
from pyg_vision.nn.layers.drop_path import DropPath
from pyg_vision.nn.layers.mlp import node_mlp
from pyg_vision.ops import NeighborTable
from pyg_vision.typing import Backend, SmallGraphs

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
    :class:`~pyg_vision.nn.DilatedKNNGraph`, unless one is given.

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
    ) -> None:
        super().__init__()
        self.norm = norm
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
            return_graph (bool, optional): If :obj:`True`, also returns the graph that was used.
                (default: :obj:`False`)
        """
        if batch is not None and self.norm == "instance":
            raise ValueError(
                "norm='instance' normalises each graph of [B, N, C]; it cannot tell apart those of "
                "a 'batch' vector"
            )
        h = self.fc1(x)
        if neighbors is None:
            neighbors = self.graph(
                h,
                batch=batch,
                batch_size=batch_size,
                max_num_nodes=max_num_nodes,
                small_graphs=small_graphs,
                k=k,
                dilation=dilation,
            )
        out = x + self.drop_path(self.fc2(self.conv(h, neighbors)), batch, batch_size)
        return (out, neighbors) if return_graph else out


def find_conv(conv: str, convs: Mapping[str, Conv]) -> Conv:
    r"""Returns the convolution of that published name."""
    if conv not in convs:
        raise ValueError(f"'conv' must be one of {', '.join(convs)} (got {conv!r})")
    return convs[conv]
