r"""Images of different sizes side by side: one matrix of nodes, no padding."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import Module, Sequential
from torch.nn.modules.batchnorm import _BatchNorm

from pyg_vision.ops import NeighborTable
from pyg_vision.typing import Grid


class PackedImages(NamedTuple):
    r"""Which rows of a matrix of nodes are which image: those of one size are neighbours.

    Args:
        counts (list of int): The number of images of each size.
        grids (list of tuple): The rows and columns of patches of each size.
    """

    counts: list[int]
    grids: list[Grid]

    @property
    def num_images(self) -> int:
        r"""The number of images."""
        return sum(self.counts)

    @property
    def sizes(self) -> list[int]:
        r"""The number of nodes of all images of each size."""
        return [
            count * height * width
            for count, (height, width) in zip(self.counts, self.grids, strict=True)
        ]

    def graphs(self, x: Tensor) -> list[Tensor]:
        r"""Returns the nodes :math:`(B, N, C)` of each size, as views.

        Args:
            x (torch.Tensor): All nodes :math:`(|\mathcal{V}|, C)`.
        """
        parts = torch.split(x, self.sizes)
        return [
            part.view(count, -1, x.size(1)) for part, count in zip(parts, self.counts, strict=True)
        ]

    def maps(self, x: Tensor) -> list[Tensor]:
        r"""Returns the maps :math:`(B, C, H, W)` of each size, as views.

        Args:
            x (torch.Tensor): All nodes.
        """
        return [
            part.view(part.size(0), *grid, -1).permute(0, 3, 1, 2)
            for part, grid in zip(self.graphs(x), self.grids, strict=True)
        ]

    def batch(self, device: torch.device) -> Tensor:
        r"""Returns the image of each node.

        Args:
            device (torch.device): Where it goes.
        """
        sizes = [
            height * width
            for count, (height, width) in zip(self.counts, self.grids, strict=True)
            for _ in range(count)
        ]
        images = torch.arange(len(sizes), device=device)
        return images.repeat_interleave(torch.tensor(sizes, device=device), output_size=sum(sizes))


def pack(maps: Sequence[Tensor]) -> tuple[Tensor, PackedImages]:
    r"""Returns the nodes of maps of several sizes, and which are which.

    Args:
        maps (list of torch.Tensor): The maps :math:`(B, C, H, W)` of each size.
    """
    nodes = torch.cat([m.permute(0, 2, 3, 1).flatten(0, 2) for m in maps])
    grids = [(m.size(2), m.size(3)) for m in maps]
    return nodes, PackedImages([m.size(0) for m in maps], grids)


def run_on_maps(layers: Module, maps: Sequence[Tensor]) -> list[Tensor]:
    r"""Runs layers on maps of several sizes, batch norms on all of them together.

    Args:
        layers (torch.nn.Module): The layers.
        maps (list of torch.Tensor): The maps :math:`(B, C, H, W)` of each size.
    """
    found = list(maps)
    for layer in layers if isinstance(layers, Sequential) else (layers,):
        if isinstance(layer, _BatchNorm):
            nodes, packed = pack(found)
            # As images of one pixel: as one image of all pixels, a view whose channels are its
            # last dimension in memory, torch 2.14 returns wrong gradients.
            found = packed.maps(layer(nodes[:, :, None, None])[:, :, 0, 0])
        else:
            found = [layer(m) for m in found]
    return found


def join_tables(tables: Iterable[NeighborTable]) -> NeighborTable | Tensor:
    r"""Returns one graph of the graphs of several sizes: a table where all have as many neighbours,
    edges otherwise.

    Args:
        tables (list of NeighborTable): Tables :math:`(B, N, k)`.
    """
    flat = [table.flatten() for table in tables]
    sources, nodes = 0, 0
    moved, edges = [], []
    alike = len({table.k for table in flat}) == 1
    for table in flat:
        if alike:
            moved.append(table.index + sources)
        else:
            start = torch.tensor([[sources], [nodes]], device=table.index.device)
            edges.append(table.edge_index + start)
        sources += table.num_sources
        nodes += table.index.size(0)
    return NeighborTable(torch.cat(moved), sources) if alike else torch.cat(edges, dim=1)
