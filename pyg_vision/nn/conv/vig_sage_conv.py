r"""GraphSAGE as Vision GNN uses it."""

from typing import Any, Optional, Union

import torch
from torch import Tensor
from torch_geometric.typing import Adj, PairTensor, Size

from pyg_vision.nn.conv.neighbor_conv import NeighborConv
from pyg_vision.nn.layers.mlp import node_mlp
from pyg_vision.ops import NeighborTable


class ViGSAGEConv(NeighborConv):
    r"""The GraphSAGE convolution of the `"Vision GNN: An Image is Worth Graph of Nodes"
    <https://arxiv.org/abs/2206.00272>`_ paper, after the `"Inductive Representation Learning on
    Large Graphs" <https://arxiv.org/abs/1706.02216>`_ paper.

    .. math::
        \mathbf{x}^{\prime}_i = h_2 \Big( \mathbf{x}_i \, \Vert \,
        \max_{j \in \mathcal{N}(i)} h_1(\mathbf{x}_j) \Big)

    where :math:`h_1` and :math:`h_2` are each a linear map, norm and activation. In training, the
    batch statistics of :math:`h_1` are taken over edges, as published.

    Args:
        in_channels (int or tuple): Size of each input, :obj:`-1` to take it from the first input.
            A tuple gives the (equal) sizes of sources and destinations.
        out_channels (int): Size of each output.
        bias (bool, optional): Whether the linear maps have a bias. (default: :obj:`True`)
        groups (int, optional): The blocks of the linear maps. (default: :obj:`1`)
        norm (str, optional): :obj:`"batch"`, or :obj:`"instance"`, which normalises each graph
            of :math:`(B, N, C)`, and all of :math:`(N, C)` as one. (default: :obj:`None`)
        act (str, optional): The activation, see :class:`~pyg_vision.nn.MRConv`.
            (default: :obj:`None`)
        **kwargs (optional): Additional arguments of
            :class:`torch_geometric.nn.conv.MessagePassing`.

    Shapes:
        - **input:** node features and graph as for :class:`~pyg_vision.nn.MRConv`
        - **output:** node features :math:`(|\mathcal{V}_t|, C_{out})`, batched as the input

    Example:
        >>> import torch
        >>> from pyg_vision.nn import ViGSAGEConv
        >>> from pyg_vision.ops import knn
        >>> x = torch.randn(2, 49, 16)
        >>> conv = ViGSAGEConv(16, 32)
        >>> conv(x, knn(x, k=9)).shape
        torch.Size([2, 49, 32])
    """

    def __init__(
        self,
        in_channels: Union[int, tuple[int, int]],
        out_channels: int,
        bias: bool = True,
        groups: int = 1,
        norm: Optional[str] = None,
        act: Optional[str] = None,
        **kwargs: Any,
    ) -> None:
        kwargs.setdefault("aggr", "max")
        super().__init__(in_channels, out_channels, **kwargs)
        self.nn1 = node_mlp(self.in_channels, self.in_channels, groups, bias, norm, act)
        self.nn2 = node_mlp(self.both_channels, out_channels, groups, bias, norm, act)
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
        x, out = self.neighborhood(x, edge_index, size)
        return self.nn2(torch.cat([x, out], dim=-1))

    def message(self, x_j: Tensor) -> Tensor:
        r"""The transformed neighbour."""
        return self.nn1(x_j)
