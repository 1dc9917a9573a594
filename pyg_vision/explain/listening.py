r"""Which patches a patch listens to in each block of a Vision GNN."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch_geometric.nn import MessagePassing

from pyg_vision.explain._inputs import ImageModel, evaluating, graph_blocks, one_image
from pyg_vision.nn import RelativeAttention
from pyg_vision.ops import NeighborTable
from pyg_vision.typing import Grid


class BlockGraph(NamedTuple):
    r"""The graph of one block for one image.

    Args:
        table (NeighborTable): The neighbours of each patch :math:`(N, k)`, the nearest first.
        grid_size (tuple): Rows and columns of the patches.
        source_grid_size (tuple): Those that neighbours are chosen from, which in the first stages
            of a pyramid are means over squares of patches.
        share (torch.Tensor): How much of what the patch hears comes from each neighbour,
            :math:`(N, k)`, each row of sum one: of a maximum over neighbours, the share of
            channels in which a neighbour is the largest.

    Example:
        >>> import torch
        >>> from pyg_vision.explain import BlockGraph
        >>> from pyg_vision.ops import NeighborTable
        >>> table = NeighborTable(torch.tensor([[0, 1], [1, 0]]), num_sources=2)
        >>> graph = BlockGraph(table, (1, 2), (1, 2), torch.tensor([[0.5, 0.5], [1.0, 0.0]]))
        >>> graph.neighbors(1)
        {1: 1.0, 0: 0.0}
    """

    table: NeighborTable
    grid_size: Grid
    source_grid_size: Grid
    share: Tensor

    def neighbors(self, patch: int) -> dict[int, float]:
        r"""Returns the neighbours of a patch, the nearest first, and the share of each.

        Args:
            patch (int): The patch, counted row by row.
        """
        index, share = self.table.index[patch].tolist(), self.share[patch].tolist()
        found: dict[int, float] = {}
        for neighbor, part in zip(index, share, strict=True):
            found[neighbor] = found.get(neighbor, 0.0) + part
        return found


@torch.no_grad()
def listen(model: ImageModel, image: Tensor) -> list[BlockGraph]:
    r"""Returns which patches each patch of an image listens to, block by block.

    .. math::
        s_{ij} = \frac{1}{C} \, \Big| \Big\{ c : j = \underset{j' \in \mathcal{N}(i)}{\arg\max}
        \; m_{ij'c} \Big\} \Big|

    A graph says which neighbours a patch has; of their messages :math:`\mathbf{m}_{ij}`, a
    max-relative or edge convolution keeps the largest of each channel. The share of a neighbour is
    that of the channels in which it is the one kept. Where messages are added up
    (:obj:`conv="gin"`), all neighbours have the same share; where a patch attends to all, as in the
    last stage of :class:`~pyg_vision.nn.AdaptViG`, the share is the weight of the attention.

    Args:
        model (ViG, PyramidViG or another image model): The model. It runs in evaluation mode.
        image (torch.Tensor): The image :math:`(C, H, W)`, preprocessed as for the model.

    Raises:
        TypeError: If the model does not build graphs, or the image is no tensor.
        ValueError: If it is not one image, or holds a NaN.

    Example:
        >>> import torch
        >>> from pyg_vision.explain import listen
        >>> from pyg_vision.nn import PyramidViG
        >>> model = PyramidViG(channels=(8, 16), depths=(1, 1), reduce_ratios=(2, 1))
        >>> first, last = listen(model, torch.rand(3, 64, 96))
        >>> first.grid_size, first.source_grid_size, first.share.shape
        ((16, 24), (8, 12), torch.Size([384, 9]))
        >>> nearest, *others = first.neighbors(10)
    """
    convs: list[Any] = [grapher.conv for grapher in graph_blocks(model)]
    x = one_image(image)
    heard: list[Tensor] = []

    def keep(conv: MessagePassing, inputs: Any, output: Tensor) -> None:
        heard.append(output)

    def attend(conv: RelativeAttention, inputs: Any, output: Tensor) -> None:
        heard.append(conv.weights(*inputs))

    handles = [
        conv.register_forward_hook(attend)
        if isinstance(conv, RelativeAttention)
        else conv.register_message_forward_hook(keep)
        for conv in convs
    ]
    try:
        with evaluating(model):
            _, graphs = model.forward_graphs(x)
    finally:
        for handle in handles:
            handle.remove()
    grids = model.block_grids(x.size(2), x.size(3))
    rows = zip(convs, graphs, heard, grids, strict=True)
    return [
        BlockGraph(graph.graph(0), *sizes, _share(conv, found, graph))
        for conv, graph, found, sizes in rows
    ]


def _share(conv: Any, heard: Tensor, graph: NeighborTable) -> Tensor:
    if isinstance(conv, RelativeAttention):
        return heard[0].gather(1, graph.index[0])
    k = graph.k
    messages = heard.view(-1, k, heard.size(-1))
    if conv.aggr != "max":
        return messages.new_full(messages.shape[:2], 1.0 / k)
    winners = messages.argmax(dim=1)  # (N, C)
    counts = messages.new_zeros(messages.shape[:2])
    counts.scatter_add_(1, winners, torch.ones_like(winners, dtype=counts.dtype))
    return counts / winners.size(1)
