r"""From an image to a lattice."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image
from torch import Tensor
from torch_geometric.data import Data
from torch_geometric.data.datapipes import functional_transform

from pyg_vision.data.convert import image_to_tensor
from pyg_vision.data.grid import check_connectivity, grid_edge_index
from pyg_vision.data.image import image_graph
from pyg_vision.data.size import as_size
from pyg_vision.transforms._image import ImageTransform
from pyg_vision.typing import Connectivity


@functional_transform("to_grid_graph")
class ToGridGraph(ImageTransform):
    r"""Turns an image into the lattice of its pixels or patches (functional name:
    :obj:`to_grid_graph`).

    Nodes are those of :class:`ToPatchNodes`. Edges join neighbouring nodes in both directions
    and are sorted by destination; there are no self-loops.

    Args:
        patch_size (int or tuple, optional): Height and width of a patch in pixels.
            (default: :obj:`1`)
        connectivity (int, optional): :obj:`4` joins nodes that share a side, :obj:`8` also those
            that share a corner. (default: :obj:`4`)

    Raises:
        TypeError: If the patch size is no integer or pair of integers; when called, if the input
            is no image.
        ValueError: If the patch size is smaller than one or the connectivity neither 4 nor 8;
            when called, if the image does not divide into patches.

    Example:
        >>> import torch
        >>> from pyg_vision.transforms import ToGridGraph
        >>> data = ToGridGraph(patch_size=8)(torch.rand(3, 32, 48))
        >>> data.x.shape, data.edge_index.shape
        (torch.Size([24, 192]), torch.Size([2, 76]))
    """

    def __init__(self, patch_size: int | Sequence[int] = 1, connectivity: Connectivity = 4) -> None:
        check_connectivity(connectivity)
        self.patch_size = as_size("patch_size", patch_size)
        self.connectivity = connectivity

    def forward(self, data: Image.Image | Tensor) -> Data:
        r"""Turns the image into a lattice."""
        graph = image_graph(image_to_tensor(data), self.patch_size)
        graph.edge_index = grid_edge_index(graph.grid_size, self.connectivity, graph.x.device)
        return graph

    def __repr__(self) -> str:
        return (
            f"{self.__class__.__name__}(patch_size={tuple(self.patch_size)}, "
            f"connectivity={self.connectivity})"
        )
