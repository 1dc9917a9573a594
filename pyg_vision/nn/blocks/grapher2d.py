r"""The graph block of Vision GNN on the feature maps of other networks."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import Identity, Module

from pyg_vision._warn import warn
from pyg_vision.nn.blocks.ffn import FFN
from pyg_vision.nn.blocks.grapher import Grapher
from pyg_vision.nn.graph.dilated_knn_graph import Reach, fit_reach
from pyg_vision.ops import NeighborTable


class Grapher2d(Module):
    r"""The block of the `"Vision GNN: An Image is Worth Graph of Nodes"
    <https://arxiv.org/abs/2206.00272>`_ paper on feature maps :math:`(B, C, H, W)`, for use in
    other networks, such as the last stage of a ResNet or the decoder of a U-Net.

    .. math::
        \mathbf{X}^{\prime} = \textrm{FFN}(\textrm{Grapher}(\mathbf{X}))

    Each position of a map is a node, see :class:`Grapher`. On a map of fewer positions than
    neighbours are asked for, it takes fewer, and warns once.

    Args:
        channels (int): Size of each input and output.
        k (int, optional): The number of neighbours. (default: :obj:`9`)
        dilation (int, optional): The dilation. (default: :obj:`1`)
        ffn (bool, optional): Whether an :class:`FFN` follows. (default: :obj:`True`)
        **kwargs (optional): Further arguments of :class:`Grapher`, such as
            :obj:`reduce_ratio=2`, which makes large maps cheaper.

    Shapes:
        - **input:** :math:`(B, C, H, W)`
        - **output:** the same, in the memory format of the input

    Raises:
        ValueError: If the input is no map of so many channels, or smaller than the
            :obj:`reduce_ratio`.

    Example:
        >>> import torch
        >>> from torchvision.models import resnet18
        >>> from pyg_vision.nn import Grapher2d
        >>> model = resnet18()
        >>> model.layer4 = torch.nn.Sequential(model.layer4, Grapher2d(512))
        >>> model(torch.randn(2, 3, 224, 224)).shape
        torch.Size([2, 1000])
    """

    def __init__(
        self, channels: int, k: int = 9, dilation: int = 1, ffn: bool = True, **kwargs: Any
    ) -> None:
        super().__init__()
        self.channels = channels
        self.grapher = Grapher(channels, k, dilation, **kwargs)
        options = {name: kwargs[name] for name in ("act", "drop_path") if name in kwargs}
        self.ffn: Module = FFN(channels, **options) if ffn else Identity()
        self._warned = False

    def forward(self, x: Tensor) -> Tensor:
        r"""Runs the block.

        Args:
            x (torch.Tensor): The maps.
        """
        return self.forward_graph(x)[0]

    def forward_graph(self, x: Tensor) -> tuple[Tensor, NeighborTable]:
        r"""Returns the maps, and the graph that was used.

        Args:
            x (torch.Tensor): The maps.
        """
        if x.dim() != 4 or x.size(1) != self.channels:
            raise ValueError(
                f"the input must be maps [B, {self.channels}, H, W] (got shape {list(x.shape)})"
            )
        height, width = x.size(-2), x.size(-1)
        nodes = x.permute(0, 2, 3, 1).flatten(1, 2)
        k, dilation = self._fit(height, width)
        nodes, graph = self.grapher(
            nodes, k=k, dilation=dilation, grid_size=(height, width), return_graph=True
        )
        out = self.ffn(nodes).unflatten(1, (height, width)).permute(0, 3, 1, 2)
        # In a map one position wide the formats cannot be told apart, and torch's batch norm has
        # returned wrong gradients for the strides of channels-last ones.
        if width == 1 or not x.is_contiguous(memory_format=torch.channels_last):
            out = out.contiguous()
        return out, graph

    def _fit(self, height: int, width: int) -> Reach:
        r"""Returns the neighbourhood, lowered to what there is; warns once."""
        ratio, graph = self.grapher.reduce_ratio, self.grapher.graph
        wanted = Reach(graph.k, graph.dilation)
        sources = (height // ratio) * (width // ratio)
        if sources == 0:  # which the block refuses
            return wanted
        fitted = fit_reach(wanted, sources)
        if fitted != wanted and not self._warned and not torch.compiler.is_compiling():
            self._warned = True
            warn(
                f"a map of {height} x {width} positions is too small for k={wanted.k} and "
                f"dilation={wanted.dilation}; it uses k={fitted.k} and dilation={fitted.dilation}"
            )
        return fitted
