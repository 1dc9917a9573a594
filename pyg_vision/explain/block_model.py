r"""A Vision GNN from one block on, for the explainers of PyG."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor
from torch.nn import Identity, Module, ModuleDict
from torch_geometric.nn import MessagePassing

from pyg_vision._checks import check_int
from pyg_vision.explain._inputs import ImageModel, graph_blocks, one_image
from pyg_vision.ops import NeighborTable
from pyg_vision.typing import Grid


class BlockModel(Module):
    r"""What a Vision GNN makes of the graph of one of its blocks: a model of node features and an
    :obj:`edge_index`, as :class:`torch_geometric.explain.Explainer` takes it.

    The blocks before it are not run again, and those after it keep the graphs that they have for
    the image. Where neighbours are means over squares of patches, as in the first stages of a
    pyramid, the first row of :obj:`edge_index` counts those squares.

    Args:
        model (ViG, PyramidViG or another image model): The model, of which a copy is kept.
        image (torch.Tensor): The image :math:`(C, H, W)`, preprocessed as for the model.
        block (int, optional): The block, negative ones from the end. (default: :obj:`0`)

    Attributes:
        x (torch.Tensor): The features of the patches before the block, :math:`(N, C)`.
        edge_index (torch.Tensor): The graph of the block.
        grid_size (tuple): Rows and columns of the patches.
        source_grid_size (tuple): Those that neighbours are chosen from.

    Shapes:
        - **input:** node features :math:`(N, C)`, :obj:`edge_index` :math:`(2, |\mathcal{E}|)`
        - **output:** logits :math:`(1, \textrm{num_classes})`

    Raises:
        TypeError: If the model does not build graphs, or the image is no tensor.
        ValueError: If it is not one image, holds a NaN, or there is no such block, or it attends to
            all patches instead of passing messages.

    Example:
        >>> import torch
        >>> from torch_geometric.explain import Explainer, GNNExplainer
        >>> from pyg_vision.explain import BlockModel
        >>> from pyg_vision.nn import ViG
        >>> model = ViG(channels=16, depth=3, num_classes=4, image_size=64)
        >>> block = BlockModel(model, torch.rand(3, 64, 64), block=1)
        >>> explainer = Explainer(
        ...     block,
        ...     GNNExplainer(epochs=5),
        ...     explanation_type="model",
        ...     edge_mask_type="object",
        ...     model_config=dict(
        ...         mode="multiclass_classification", task_level="graph", return_type="raw"
        ...     ),
        ... )
        >>> explanation = explainer(block.x, block.edge_index)
        >>> explanation.edge_mask.shape  # 16 patches of k=13 neighbours
        torch.Size([208])
    """

    def __init__(self, model: ImageModel, image: Tensor, block: int = 0) -> None:
        super().__init__()
        count = len(graph_blocks(model))
        single = one_image(image)
        if not -count <= check_int("block", block, -count) < count:
            raise ValueError(f"'block' must be one of {count} blocks (got {block})")
        self.block = block % count
        self.model = copy.deepcopy(model).eval()
        self.grapher = graph_blocks(self.model)[self.block]
        seen: list[Tensor] = []
        handle = self.grapher.register_forward_pre_hook(
            lambda module, inputs: seen.append(inputs[0])
        )
        with torch.no_grad():
            _, self.graphs = self.model.forward_graphs(single)
        handle.remove()
        if not isinstance(self.grapher.conv, MessagePassing):
            raise ValueError(
                f"block {self.block} attends to all patches and passes no messages along edges"
            )
        self.conv = _OneGraph(self.grapher.conv, self.graphs[self.block].edge_index)
        self.grapher.conv = self.conv
        for part in self.model.modules():
            # An explainer masks the edges of all convolutions that do not say otherwise.
            if isinstance(part, MessagePassing) and part is not self.conv.conv:
                part.explain = False
        blocks = [
            part
            for part in self.model.modules()
            if isinstance(part, ModuleDict) and "grapher" in part
        ]
        for part in blocks[: self.block]:
            part["grapher"], part["ffn"] = _Skipped(), Identity()
        self.image = single
        self.x = seen[0][0]
        self.edge_index = self.graphs[self.block].edge_index
        grids: list[tuple[Grid, Grid]] = self.model.block_grids(single.size(2), single.size(3))
        self.grid_size, self.source_grid_size = grids[self.block]

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        r"""Returns the logits.

        Args:
            x (torch.Tensor): The features of the patches before the block.
            edge_index (torch.Tensor): The graph of the block.
        """

        def put(module: Module, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
            return (x.unsqueeze(0), *inputs[1:])

        self.conv.edge_index = edge_index
        handle = self.grapher.register_forward_pre_hook(put)
        try:
            logits: Tensor = self.model(self.image, self.graphs)
        finally:
            handle.remove()
        return logits


class _OneGraph(Module):
    r"""A convolution over the edges of one graph, whose features have two dimensions: explainers
    mask no others.
    """

    edge_index: Tensor

    def __init__(self, conv: Module, own: Tensor) -> None:
        super().__init__()
        self.conv, self.own = conv, own

    def forward(self, x: Any, graph: object, *of_neighbors: Tensor) -> Tensor:
        x = x[0] if isinstance(x, Tensor) else tuple(part[0] for part in x)
        if of_neighbors and not torch.equal(self.edge_index, self.own):
            raise ValueError(
                "this block tells its edges apart by their place: 'edge_index' must be the block's "
                "own, weigh or mask its edges instead of leaving some out"
            )
        # What is told of each neighbour of a table is of the edges of all nodes.
        of_edges = (v.repeat(self.edge_index.size(1) // v.numel()) for v in of_neighbors)
        out: Tensor = self.conv(x, self.edge_index, *of_edges)
        return out.unsqueeze(0)


class _Skipped(Module):
    r"""The place of a graph block whose result is known."""

    def forward(self, x: Tensor, graph: NeighborTable, **kwargs: Any) -> tuple[Tensor, object]:
        return x, graph
