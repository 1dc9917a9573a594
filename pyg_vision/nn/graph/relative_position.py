r"""The bias of distances by which Pyramid ViG prefers patches that are near."""

from __future__ import annotations

from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn import Module, Parameter

from pyg_vision._checks import check_int
from pyg_vision.ops import RowBias
from pyg_vision.typing import Grid, PositionBias

CUBIC = -0.75  # the parameter of torch's bicubic interpolation


class RelativePosition(Module):
    r"""The frozen bias of Pyramid ViG from the `"Vision GNN: An Image is Worth Graph of Nodes"
    <https://arxiv.org/abs/2206.00272>`_ paper, added to the distances of patches.

    .. math::
        b_{ij} = - \frac{2}{C} \, \mathbf{e}_i \cdot \mathbf{e}_j, \qquad
        \mathbf{e} = \big[ \sin \omega_d x, \cos \omega_d x, \sin \omega_d y, \cos \omega_d y
        \big]_{d = 0}^{C/4 - 1}, \qquad \omega_d = 10000^{-4d/C}

    where :math:`(x, y)` is the column and row of a patch. With :obj:`reduce_ratio` the sources are
    means over squares of patches.

    The published code resamples the matrix of all pairs, bicubically, along its flattened axes: the
    columns for pooled sources when a model is made, and both axes for an image of another size.
    Neighbouring entries there are not neighbouring patches, so that a pooled source gets the bias
    of other places: at :math:`56 \times 56` patches and a ratio of 4 the second source, whose
    centre is row 1.5 and column 5.5, gets that of row 0 and column 23.5. The published weights were
    trained with it, and :obj:`kind="published"` computes the same. :obj:`kind="grid"` takes the
    true centres, in units of the grid that the model is made for, and has no table.

    Args:
        channels (int): Size of each node, divisible by 4.
        grid_size (tuple): Rows and columns of patches for which the table is made.
        reduce_ratio (int, optional): The side of the squares that sources are means of.
            (default: :obj:`1`)
        kind (str, optional): :obj:`"published"` or :obj:`"grid"`. (default: :obj:`"published"`)

    Shapes:
        - **input:** rows and columns of patches
        - **output:** a bias for :obj:`pyg_vision.ops.knn`: the table :math:`(1, N, M)`, or a
          :class:`~pyg_vision.ops.RowBias`, which makes rows where they are needed

    Raises:
        ValueError: If :obj:`channels` are not divisible by 4, or there is no such :obj:`kind`.

    Example:
        >>> from pyg_vision.nn import RelativePosition
        >>> position = RelativePosition(48, (56, 56), reduce_ratio=4)
        >>> position((56, 56)).shape
        torch.Size([1, 3136, 196])
        >>> position((64, 96))(0, 10).shape  # ten rows for an image of another size
        torch.Size([10, 384])
    """

    like: Tensor

    def __init__(
        self,
        channels: int,
        grid_size: Grid,
        reduce_ratio: int = 1,
        kind: PositionBias = "published",
    ) -> None:
        super().__init__()
        if kind not in ("published", "grid"):
            raise ValueError(f"'kind' must be 'published' or 'grid' (got {kind!r})")
        if check_int("channels", channels) % 4:
            raise ValueError(
                f"'channels' must be divisible by 4 for positions of two axes (got {channels})"
            )
        self.channels = channels
        self.grid_size = grid_size
        self.reduce_ratio = check_int("reduce_ratio", reduce_ratio)
        self.kind = kind
        self.table: Parameter | None = None
        # Says on which device and in which data type the module is.
        self.register_buffer("like", torch.empty(0), persistent=False)
        if kind == "published":
            table = _published_table(channels, grid_size, reduce_ratio)
            table = table.to(torch.get_default_device(), torch.get_default_dtype(), copy=True)
            self.table = Parameter(table, requires_grad=False)

    def forward(self, grid_size: Grid) -> Tensor | RowBias:
        r"""Returns the bias for an image.

        Args:
            grid_size (tuple): Its rows and columns of patches.
        """
        if self.table is None:
            return self._of_centres(grid_size)
        num_nodes, num_sources = _sizes(grid_size, self.reduce_ratio)
        table = self.table.detach()
        if table.shape[1:] == (num_nodes, num_sources):
            return table
        table = table.to(torch.promote_types(table.dtype, torch.float32))
        if table.size(2) != num_sources:
            table = resample_table(table, (table.size(1), num_sources))
        index, weight = cubic_taps(table.size(1), num_nodes, table)
        return RowBias(table[0], index, weight)

    def full(self, grid_size: Grid) -> Tensor:
        r"""Returns the bias as a matrix :math:`(1, N, M)`, as the published code makes it.

        Args:
            grid_size (tuple): Rows and columns of patches.
        """
        if self.table is None:
            return self._of_centres(grid_size)(0, grid_size[0] * grid_size[1]).unsqueeze(0)
        size = _sizes(grid_size, self.reduce_ratio)
        table = self.table.detach()
        return table if table.shape[1:] == size else resample_table(table, size)

    def _of_centres(self, grid_size: Grid) -> RowBias:
        r"""Returns the sum of a bias of rows of patches and one of their columns."""
        device = self.like.device
        dtype = torch.promote_types(self.like.dtype, torch.float32)
        parts, ratio = [], self.reduce_ratio
        frequency = _frequencies(self.channels).to(device)
        for own, count in zip(self.grid_size, grid_size, strict=True):
            scale = own / count
            node = (torch.arange(count, dtype=torch.double, device=device) + 0.5) * scale
            source = torch.arange(count // ratio, dtype=torch.double, device=device)
            offset = node.unsqueeze(1) - (source + 0.5) * ratio * scale
            value = torch.cos(offset.unsqueeze(-1) * frequency).sum(-1)
            parts.append((-2.0 / self.channels * value).to(dtype))
        (rows, columns), (height, width) = parts, grid_size
        table = torch.cat(
            (
                rows.repeat_interleave(width // ratio, dim=1),
                columns.repeat(1, height // ratio),
            )
        )
        place = torch.arange(height * width, device=device)
        index = torch.stack((place // width, height + place % width), dim=1)
        return RowBias(table, index, torch.ones_like(index, dtype=dtype))

    def extra_repr(self) -> str:
        r"""The settings."""
        text = f"{self.channels}, {self.grid_size}, reduce_ratio={self.reduce_ratio}"
        return text if self.kind == "published" else f"{text}, kind={self.kind!r}"


def cubic_taps(size: int, new_size: int, like: Tensor) -> tuple[Tensor, Tensor]:
    r"""Returns which entries of an axis make each of a resampled one, and their factors
    :math:`(\textrm{new\_size}, 4)`, as torch's bicubic interpolation without aligned corners.

    Args:
        size (int): The length of the axis.
        new_size (int): That of the resampled one.
        like (torch.Tensor): Gives data type and device of the factors.
    """
    place = torch.arange(new_size, dtype=torch.double, device=like.device)
    place = (place + 0.5) * (size / new_size) - 0.5
    first = place.floor()
    after = place - first
    distance = torch.stack((after + 1.0, after, 1.0 - after, 2.0 - after), dim=1)
    near = ((CUBIC + 2.0) * distance - (CUBIC + 3.0)) * distance.square() + 1.0
    far = CUBIC * (((distance - 5.0) * distance + 8.0) * distance - 4.0)
    weight = torch.where(distance <= 1.0, near, far).to(like.dtype)
    index = first.long().unsqueeze(1) + torch.arange(-1, 3, device=like.device)
    return index.clamp(0, size - 1), weight


def resample_table(table: Tensor, size: tuple[int, int]) -> Tensor:
    r"""Resamples a table along its flattened axes, as the published code does.

    Args:
        table (torch.Tensor): The table :math:`(1, N, M)`.
        size (tuple): The numbers of nodes and sources wanted.
    """
    out = F.interpolate(table.unsqueeze(0), size=size, mode="bicubic", align_corners=False)
    return out.squeeze(0)


def _sizes(grid_size: Grid, ratio: int) -> Grid:
    r"""Returns the number of nodes and of sources."""
    height, width = grid_size
    return height * width, (height // ratio) * (width // ratio)


def _frequencies(channels: int) -> Tensor:
    quarter = channels // 4
    return 10000.0 ** -(torch.arange(quarter, dtype=torch.double, device="cpu") / quarter)


@lru_cache(maxsize=8)  # the blocks of a stage begin with the same one
def _published_table(channels: int, grid_size: Grid, ratio: int) -> Tensor:
    frequency = _frequencies(channels)
    place = torch.arange(grid_size[0] * grid_size[1], dtype=torch.double, device="cpu")
    axes = [place % grid_size[1], torch.div(place, grid_size[1], rounding_mode="floor")]
    angles = [axis.unsqueeze(1) * frequency for axis in axes]
    code = torch.cat([part for a in angles for part in (a.sin(), a.cos())], dim=1)
    table = (2.0 / channels * (code @ code.T)).float().unsqueeze(0)
    return -resample_table(table, _sizes(grid_size, ratio))
