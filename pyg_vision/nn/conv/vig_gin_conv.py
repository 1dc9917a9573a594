r"""Graph isomorphism convolution as Vision GNN uses it."""

from typing import Any, Optional, Union

import torch
from torch import Tensor
from torch.nn import Parameter
from torch_geometric.typing import Adj, PairTensor, Size

from pyg_vision.nn.conv.neighbor_conv import NeighborConv
from pyg_vision.nn.layers.mlp import node_mlp
from pyg_vision.ops import NeighborTable


class ViGGINConv(NeighborConv):
    r"""The graph isomorphism convolution of the `"Vision GNN: An Image is Worth Graph of Nodes"
    <https://arxiv.org/abs/2206.00272>`_ paper, after the `"How Powerful are Graph Neural
    Networks?" <https://arxiv.org/abs/1810.00826>`_ paper.

    .. math::
        \mathbf{x}^{\prime}_i = h_{\mathbf{\Theta}} \Big( (1 + \epsilon) \cdot \mathbf{x}_i +
        \sum_{j \in \mathcal{N}(i)} \mathbf{x}_j \Big)

    where :math:`h_{\mathbf{\Theta}}` is a linear map, norm and activation, and :math:`\epsilon` is
    learned, starting from zero.

    Args:
        in_channels (int or tuple): Size of each input, :obj:`-1` to take it from the first input.
            A tuple gives the (equal) sizes of sources and destinations.
        out_channels (int): Size of each output.
        bias (bool, optional): Whether the linear map has a bias. (default: :obj:`True`)
        groups (int, optional): The blocks of the linear map. (default: :obj:`1`)
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
        >>> from pyg_vision.nn import ViGGINConv
        >>> from pyg_vision.ops import knn
        >>> x = torch.randn(2, 49, 16)
        >>> conv = ViGGINConv(16, 32)
        >>> conv(x, knn(x, k=9)).shape
        torch.Size([2, 49, 32])
    """

    fused_aggr = ("add",)

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
        kwargs.setdefault("aggr", "add")
        super().__init__(in_channels, out_channels, **kwargs)
        self.nn = node_mlp(self.in_channels, out_channels, groups, bias, norm, act)
        self.eps = Parameter(torch.empty(1))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        r"""Resets all learnable parameters of the module."""
        super().reset_parameters()
        torch.nn.init.zeros_(self.eps)

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
        return self.nn((1 + self.eps) * x + out)

    def message(self, x_j: Tensor) -> Tensor:
        r"""The neighbour as it is."""
        return x_j
