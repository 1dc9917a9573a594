r"""Max-relative graph convolution."""

from typing import Any, Optional, Union

import torch
from torch import Tensor
from torch_geometric.typing import Adj, PairTensor, Size

from pyg_vision.nn.conv.neighbor_conv import NeighborConv
from pyg_vision.nn.layers.grouped_linear import GroupedLinear
from pyg_vision.nn.layers.mlp import node_mlp, run_layers
from pyg_vision.ops import NeighborTable, max_relative


class MRConv(NeighborConv):
    r"""The max-relative graph convolution from the `"DeepGCNs: Can GCNs Go as Deep as CNNs?"
    <https://arxiv.org/abs/1904.03751>`_ paper, as the `"Vision GNN: An Image is Worth Graph of
    Nodes" <https://arxiv.org/abs/2206.00272>`_ paper uses it.

    .. math::
        \mathbf{x}^{\prime}_i = h_{\mathbf{\Theta}} \Big( \mathbf{x}_i \, \Vert \,
        \max_{j \in \mathcal{N}(i)} ( \mathbf{x}_j - \mathbf{x}_i ) \Big)

    where :math:`h_{\mathbf{\Theta}}` is a linear map, followed by the norm and the activation if
    there are any. By default it is the textbook layer; Vision GNN sets :obj:`groups=4`,
    :obj:`interleave=True`, :obj:`norm="batch"` and :obj:`act="gelu"`.

    Args:
        in_channels (int or tuple): Size of each input, :obj:`-1` to take it from the first input.
            A tuple gives the (equal) sizes of sources and destinations.
        out_channels (int): Size of each output.
        bias (bool, optional): Whether the linear map has a bias. (default: :obj:`True`)
        groups (int, optional): The blocks of the linear map. (default: :obj:`1`)
        interleave (bool, optional): If :obj:`True`, concatenates channel by channel,
            :math:`x_0, m_0, x_1, m_1, \ldots`, so that each group sees both parts.
            (default: :obj:`False`)
        norm (str, optional): :obj:`"batch"`, or :obj:`"instance"`, which normalises each graph
            of :math:`(B, N, C)`, and all of :math:`(N, C)` as one. (default: :obj:`None`)
        act (str, optional): :obj:`"relu"`, :obj:`"leakyrelu"`, :obj:`"prelu"`, :obj:`"gelu"` or
            :obj:`"hswish"`. (default: :obj:`None`)
        reverse (bool, optional): If :obj:`True`, differences are those of a node to its neighbours,
            :math:`\mathbf{x}_i - \mathbf{x}_j`, as in MobileViG. (default: :obj:`False`)
        **kwargs (optional): Additional arguments of
            :class:`torch_geometric.nn.conv.MessagePassing`.

    Shapes:
        - **input:** node features :math:`(|\mathcal{V}|, C_{in})`, or
          :math:`((|\mathcal{V}_s|, C_{in}), (|\mathcal{V}_t|, C_{in}))` if bipartite; also
          :math:`(B, |\mathcal{V}|, C_{in})` with a table of :math:`B` graphs or one static graph;
          the graph as :class:`~pyg_vision.ops.NeighborTable`, :obj:`edge_index` or sparse tensor
        - **output:** node features :math:`(|\mathcal{V}_t|, C_{out})`, batched as the input

    Example:
        >>> import torch
        >>> from pyg_vision.nn import MRConv
        >>> from pyg_vision.ops import knn, knn_graph
        >>> conv = MRConv(16, 32)
        >>> x = torch.randn(100, 16)
        >>> conv(x, knn_graph(x, k=9)).shape
        torch.Size([100, 32])
        >>> x = torch.randn(2, 49, 16)  # a batch of graphs of one size, by a table
        >>> conv(x, knn(x, k=9)).shape
        torch.Size([2, 49, 32])
    """

    def __init__(
        self,
        in_channels: Union[int, tuple[int, int]],
        out_channels: int,
        bias: bool = True,
        groups: int = 1,
        interleave: bool = False,
        norm: Optional[str] = None,
        act: Optional[str] = None,
        reverse: bool = False,
        **kwargs: Any,
    ) -> None:
        kwargs.setdefault("aggr", "max")
        super().__init__(in_channels, out_channels, **kwargs)
        self.interleave = interleave
        self.reverse = reverse
        self.nn = node_mlp(self.both_channels, out_channels, groups, bias, norm, act)
        self.reset_parameters()

    def forward(
        self,
        x: Union[Tensor, PairTensor],
        edge_index: Union[Adj, NeighborTable],
        size: Size = None,
    ) -> Tensor:
        r"""Runs the layer.

        Args:
            x (torch.Tensor or (torch.Tensor, torch.Tensor)): The node features.
            edge_index (Adj or NeighborTable): The graph.
            size ((int, int), optional): The number of sources and destinations.
        """
        return self._transform(*self.neighborhood(x, edge_index, size))

    def fused(self, x: PairTensor, graph: Union[Adj, NeighborTable]) -> Tensor:
        r"""Takes the maximum without the differences, over a graph of any form."""
        return max_relative((-x[0], -x[1]) if self.reverse else x, graph)

    def message(self, x_i: Tensor, x_j: Tensor) -> Tensor:
        r"""The difference to the neighbour."""
        return x_i - x_j if self.reverse else x_j - x_i

    def _transform(self, x: Tensor, m: Tensor) -> Tensor:
        if not self.interleave:
            return self.nn(torch.cat([x, m], dim=-1))
        linear: GroupedLinear = self.nn[0]  # type: ignore[assignment]
        if linear.in_channels < 0 or x.size(-1) % linear.groups:  # not yet sized, or odd
            return self.nn(torch.stack([x, m], dim=-1).flatten(-2))
        # Interleaving nodes is slow; put the columns of each group of the weight in order instead.
        out_channels, width = linear.weight.shape
        weight = linear.weight.view(out_channels, width // 2, 2).transpose(1, 2).flatten(1)
        groups = (*x.shape[:-1], linear.groups, width // 2)
        parts = torch.cat([x.reshape(groups), m.reshape(groups)], dim=-1)
        return run_layers(list(self.nn)[1:], linear(parts.flatten(-2), weight))
