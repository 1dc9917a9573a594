r"""The graph block of the models whose graphs are rules."""

from __future__ import annotations

from typing import Literal, overload

from torch import Tensor
from torch.nn import Module

from pyg_vision._checks import check_int
from pyg_vision.nn.layers.conditional_position import ConditionalPosition
from pyg_vision.nn.layers.drop_path import DropPath
from pyg_vision.nn.layers.layer_scale import LayerScale, fold_scale
from pyg_vision.nn.layers.mlp import node_mlp
from pyg_vision.ops import NeighborTable
from pyg_vision.typing import Grid


class GraphMixer(Module):
    r"""A graph convolution between linear layers, beside a residual: what the `"MobileViG"
    <https://arxiv.org/abs/2307.00395>`_, `"MobileViGv2" <https://arxiv.org/abs/2406.05850>`_,
    `"GreedyViG" <https://arxiv.org/abs/2405.06849>`_, `"AdaptViG"
    <https://arxiv.org/abs/2511.09942>`_ and `"WiGNet" <https://arxiv.org/abs/2410.00807>`_ papers
    put in the place of :class:`Grapher`.

    .. math::
        \mathbf{X}^{\prime} = \mathbf{X} + \boldsymbol{\lambda} \odot \textrm{BN}(\mathbf{W}_{out}
        \, \textrm{conv}(\textrm{BN}(\mathbf{W}_{in} \, \textrm{position}(\mathbf{X}))))

    Args:
        channels (int): Size of each input and output.
        graph (torch.nn.Module): Builds the graph of nodes :math:`(B, N, C)` and their rows and
            columns, as :class:`AxialGraph`, :class:`DynamicAxialGraph` and
            :class:`WindowedKNNGraph` do.
        conv (torch.nn.Module): The convolution over it.
        conv_channels (int): Size of each output of the convolution.
        position (bool, optional): Whether there is a :class:`ConditionalPosition`.
            (default: :obj:`False`)
        layer_scale (float, optional): The first value of the layer scale, :obj:`None` for none.
            (default: :obj:`None`)
        drop_path (float, optional): Probability of stochastic depth. (default: :obj:`0.0`)

    Shapes:
        - **input:** node features :math:`(B, N, C)`, and the rows and columns of patches
        - **output:** the same

    Example:
        >>> import torch
        >>> from pyg_vision.nn import AxialGraph, GraphMixer, MRConv
        >>> mixer = GraphMixer(16, AxialGraph("svga", 2), MRConv(16, 32, act="gelu"), 32)
        >>> mixer(torch.randn(2, 49, 16), grid_size=(7, 7)).shape
        torch.Size([2, 49, 16])
    """

    position: ConditionalPosition | None
    scale: LayerScale | None

    def __init__(
        self,
        channels: int,
        graph: Module,
        conv: Module,
        conv_channels: int,
        position: bool = False,
        layer_scale: float | None = None,
        drop_path: float = 0.0,
    ) -> None:
        super().__init__()
        check_int("conv_channels", conv_channels)
        self.position = ConditionalPosition(channels) if position else None
        self.fc1 = node_mlp(channels, channels, norm="batch")
        self.graph = graph
        self.conv = conv
        self.fc2 = node_mlp(conv_channels, channels, norm="batch")
        self.scale = None if layer_scale is None else LayerScale(channels, layer_scale)
        self.drop_path = DropPath(drop_path)

    def fuse_layers(self) -> None:
        r"""Folds the layer scale into the norm before it."""
        self.scale = fold_scale(self.scale, self.fc2[-1])

    @overload
    def forward(
        self,
        x: Tensor,
        neighbors: NeighborTable | None = None,
        *,
        grid_size: Grid,
        return_graph: Literal[False] = False,
    ) -> Tensor: ...

    @overload
    def forward(
        self,
        x: Tensor,
        neighbors: NeighborTable | None = None,
        *,
        grid_size: Grid,
        return_graph: Literal[True],
    ) -> tuple[Tensor, NeighborTable]: ...

    def forward(
        self,
        x: Tensor,
        neighbors: NeighborTable | None = None,
        *,
        grid_size: Grid,
        return_graph: bool = False,
    ) -> Tensor | tuple[Tensor, NeighborTable]:
        r"""Runs the block.

        Args:
            x (torch.Tensor): The node features.
            neighbors (NeighborTable, optional): The graph to use instead of a new one.
                (default: :obj:`None`)
            grid_size (tuple): Rows and columns of patches.
            return_graph (bool, optional): If :obj:`True`, also returns the graph that was used.
                (default: :obj:`False`)
        """
        h = x
        if self.position is not None:
            maps = x.reshape(x.size(0), *grid_size, -1).permute(0, 3, 1, 2)
            h = self.position(maps).permute(0, 2, 3, 1).flatten(1, 2)
        h = self.fc1(h)
        given = neighbors is not None
        table = self.graph(h, grid_size) if neighbors is None else neighbors
        h = self.fc2(self._convolve(h, table, grid_size, given))
        h = h if self.scale is None else self.scale(h)
        out = x + self.drop_path(h)
        return (out, table) if return_graph else out

    def _convolve(self, x: Tensor, table: NeighborTable, grid_size: Grid, given: bool) -> Tensor:
        out: Tensor = self.conv(x, table)
        return out
