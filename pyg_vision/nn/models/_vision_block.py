r"""One block of a Vision GNN, and what surrounds the blocks, as torch.fx records them."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.fx import Proxy
from torch.nn import Module, ModuleDict

from pyg_vision._record import record_call, record_module
from pyg_vision._validation import is_mapped
from pyg_vision.nn.graph.dilated_knn_graph import Reach, fit_reach
from pyg_vision.nn.models._vig_names import resample_pos_embed
from pyg_vision.ops import NeighborTable


class VisionBlock(ModuleDict):
    r"""The two halves of a block, whose graph is a rule.

    Args:
        grapher (torch.nn.Module): The first half, called as :class:`Grapher`.
        ffn (torch.nn.Module): The second half, called as :class:`FFN`.
    """

    def __init__(self, grapher: Module, ffn: Module) -> None:
        super().__init__({"grapher": grapher, "ffn": ffn})

    @staticmethod
    def to_nodes(x: Tensor) -> Tensor:
        r"""Returns what the halves take, of maps: nodes, a view where maps are channels-last."""
        return x.permute(0, 2, 3, 1).flatten(1, 2)

    @staticmethod
    def to_map(x: Tensor, height: int, width: int) -> Tensor:
        r"""Returns maps :math:`(B, C, H, W)` of what the halves return."""
        return x.view(x.size(0), height, width, -1).permute(0, 3, 1, 2)

    def run(
        self,
        x: Tensor,
        neighbors: NeighborTable | None,
        grid_size: tuple[int, int],
        **options: int,
    ) -> tuple[Tensor, NeighborTable]:
        r"""Returns the nodes after the block, and the graph that it used.

        Args:
            x (torch.Tensor): The nodes :math:`(B, N, C)`.
            neighbors (NeighborTable, optional): The graph to use instead of a new one.
            grid_size (tuple): Rows and columns of patches.
            **options (optional): What the first half takes besides.
        """
        x, graph = self["grapher"](x, neighbors, grid_size=grid_size, return_graph=True, **options)
        return self["ffn"](x), graph

    def forward(self, x: Tensor) -> Tensor:
        r"""Runs the block on maps of any size.

        Args:
            x (torch.Tensor): The maps :math:`(B, C, H, W)`.
        """
        if isinstance(x, Proxy):  # what a graph is built from has values
            return record_module(self, x)
        rows, columns = x.shape[-2:]
        nodes, _ = self.run(self.to_nodes(x), None, (rows, columns))
        return self.to_map(nodes, rows, columns)


class KNNVisionBlock(VisionBlock):
    r"""The two halves of a block that searches for its graph.

    Args:
        grapher (torch.nn.Module): The first half, called as :class:`Grapher`.
        ffn (torch.nn.Module): The second half, called as :class:`FFN`.
    """

    def forward(  # type: ignore[override]
        self, x: Tensor, k: int, dilation: int, widest: int, reduce_ratio: int
    ) -> Tensor:
        r"""Runs the block on maps of any size, and fits its neighbourhood to them.

        Args:
            x (torch.Tensor): The maps :math:`(B, C, H, W)`.
            k (int): The neighbours asked for.
            dilation (int): The dilation asked for.
            widest (int): The neighbours that the dilation leaves room for.
            reduce_ratio (int): The side of the squares of patches that are one source.
        """
        if isinstance(x, Proxy):  # what a graph is built from has values
            return record_module(self, x, k, dilation, widest, reduce_ratio)
        rows, columns = x.shape[-2:]
        sources = (rows // reduce_ratio) * (columns // reduce_ratio)
        reach = fit_reach(Reach(k, dilation), sources, widest)
        nodes, _ = self.run(self.to_nodes(x), None, (rows, columns), **reach._asdict())
        return self.to_map(nodes, rows, columns)


def recorded_images(x: Tensor, in_channels: int, neighbors: object) -> Tensor:
    r"""Returns the images of a recorded model, whose graphs are its own."""
    if isinstance(x, Proxy):
        return record_call(recorded_images, x, in_channels, neighbors)
    if neighbors is not None:
        raise ValueError(
            "a model that torch.fx recorded builds its graphs, it takes no 'neighbors'"
        )
    return check_images(x, in_channels)


def check_images(x: Tensor, in_channels: int) -> Tensor:
    r"""Returns images :math:`(B, C_{in}, H, W)`, if they are such."""
    if not isinstance(x, Tensor):
        raise TypeError(f"the input must be a tensor or a Batch (got '{type(x).__name__}')")
    if x.dim() != 4 or x.size(1) != in_channels or x.numel() == 0:
        raise ValueError(
            f"the input must be images [B, {in_channels}, H, W], at least one "
            f"(got shape {list(x.shape)})"
        )
    if not x.is_floating_point():
        raise TypeError(f"images must be floating-point, e.g. in [0, 1] (got {x.dtype})")
    return x


def stored_as(x: Tensor, memory_format: torch.memory_format) -> Tensor:
    r"""Returns maps in a memory format, but for torch.vmap, which knows none."""
    if isinstance(x, Proxy):
        return record_call(stored_as, x, memory_format)
    return x if is_mapped(x) else x.contiguous(memory_format=memory_format)


def add_position(x: Tensor, pos: Tensor, memory_format: torch.memory_format) -> Tensor:
    r"""Returns maps with position parameters, resampled to their size."""
    if isinstance(x, Proxy):
        return record_call(add_position, x, pos, memory_format)
    if x.shape[-2:] != pos.shape[-2:]:
        pos = resample_pos_embed(pos, (x.size(-2), x.size(-1)))
    return x + (pos if is_mapped(x) else pos.contiguous(memory_format=memory_format))
