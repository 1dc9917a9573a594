r"""Coordinates in a picture, and pictures of what has a depth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor
from torch_geometric.data import Data
from torch_geometric.data.datapipes import functional_transform

from pyg_vision.transforms._skeleton import (
    SkeletonTransform,
    coordinates,
    has_score,
    score_of,
    set_coordinates,
)

_LARGE = 10.0  # a box of more units is one of pixels
_SHARES = 2.0  # what is beyond is no share of a frame, where joints may be a little outside


@functional_transform("normalize_pixels")
class NormalizePixels(SkeletonTransform):
    r"""Moves 2D coordinates from a picture to :math:`[-1, 1]`: :obj:`PreNormalize2D` of `pyskl
    <https://github.com/kennymckormick/pyskl>`_ (functional name: :obj:`normalize_pixels`).

    .. math::
        x^{\prime} = \frac{x - w / 2}{w / 2}, \qquad y^{\prime} = \frac{y - h / 2}{h / 2}

    of a picture of width :math:`w` and height :math:`h`; coordinates of which none is beyond 2 are
    shares of it already, :math:`w = h = 1`. With :obj:`mode="auto"` the same of the box around all
    joints of the sequence, if it is more than 10 units wide and high; smaller ones, such as
    coordinates in :math:`[0, 1]`, stay as they are. With :obj:`mode="share"` they become
    :math:`x / w` and :math:`y / h`, and shares stay as they are. Joints with a score of
    :obj:`threshold` or less become zeros and do not count.

    Args:
        mode (str, optional): :obj:`"fix"`, :obj:`"auto"` or :obj:`"share"`.
            (default: :obj:`"fix"`)
        size ((float, float), optional): Width and height of pictures, of sequences that do not
            tell theirs as :obj:`frame_size`; :obj:`None` if those must tell it.
            (default: :obj:`(1920, 1080)`)
        threshold (float, optional): The score of joints that were not found.
            (default: :obj:`0.01`)

    Raises:
        TypeError: If :obj:`size` is no pair.
        ValueError: If there is no such mode or size; when called, if the sequence has three
            coordinates, or does not tell the size that is needed.

    Example:
        >>> import torch
        >>> from pyg_vision.data import skeleton_sequence
        >>> from pyg_vision.transforms import NormalizePixels
        >>> data = skeleton_sequence(torch.full((1, 9, 17, 2), 480.0), "coco")
        >>> NormalizePixels(size=(1920, 1080))(data).pos[0]
        tensor([-0.5000, -0.1111])
    """

    def __init__(
        self,
        mode: Literal["fix", "auto", "share"] = "fix",
        size: Sequence[float] | None = (1920, 1080),
        threshold: float = 0.01,
    ) -> None:
        if mode not in ("fix", "auto", "share"):
            raise ValueError(f"'mode' must be 'fix', 'auto' or 'share' (got {mode!r})")
        self.mode, self.threshold = mode, threshold
        self.size = None if size is None else _read_size(size)

    def forward(self, data: Data) -> Data:
        r"""Moves the coordinates."""
        pos = coordinates(data)
        if pos.size(-1) != 2:
            raise ValueError(f"NormalizePixels is for two coordinates (got {pos.size(-1)})")
        found = torch.ones_like(pos[..., 0], dtype=torch.bool)
        if has_score(data):
            found = score_of(data) > self.threshold
        if self.mode == "auto":
            moved = _fill_box(pos, pos[found])
        else:
            moved = pos / self._size(data, pos[found])
            moved = 2 * moved - 1 if self.mode == "fix" else moved
        if "frame_size" in data:
            del data.frame_size  # they are pixels no longer
        return set_coordinates(data, moved * found.unsqueeze(-1))

    def _size(self, data: Data, rows: Tensor) -> Tensor:
        r"""Returns width and height of the frame in the units of the coordinates."""
        if not bool((rows.abs() > _SHARES).any()):
            return rows.new_ones(2)
        size = _read_size(data.frame_size) if "frame_size" in data else self.size
        if size is None:
            raise ValueError(
                "the coordinates are pixels, and the sequence does not tell the size of a frame; "
                "readers take it as 'size'"
            )
        return rows.new_tensor(size)


def _read_size(size: Sequence[float]) -> tuple[float, float]:
    if not isinstance(size, Sequence) or isinstance(size, str):
        raise TypeError(f"'size' must be width and height of a picture (got {size!r})")
    if len(size) != 2 or not min(size) > 0:
        raise ValueError(f"'size' must be width and height of a picture (got {size!r})")
    return float(size[0]), float(size[1])


def _fill_box(pos: Tensor, rows: Tensor) -> Tensor:
    r"""Scales the box around points to :math:`[-1, 1]`, if it is one of pixels."""
    if rows.numel() == 0:
        return pos
    low, high = rows.amin(dim=0), rows.amax(dim=0)
    extent = high - low
    if not bool((extent > _LARGE).all()):
        return pos
    return (pos - (high + low) / 2) / extent * 2


@functional_transform("keep_coordinates")
class KeepCoordinates(SkeletonTransform):
    r"""Keeps the first coordinates of joints, such as :math:`x` and :math:`y` of landmarks that
    have a depth, for models of pictures (functional name: :obj:`keep_coordinates`).

    Args:
        dims (int, optional): How many. (default: :obj:`2`)
        score (bool, optional): Whether a score stays behind them. (default: :obj:`True`)

    Raises:
        ValueError: If it is neither two nor three; when called, if the sequence has fewer.

    Example:
        >>> import torch
        >>> from pyg_vision.data import skeleton_sequence
        >>> from pyg_vision.transforms import KeepCoordinates
        >>> data = skeleton_sequence(torch.rand(1, 9, 21, 3), "hand")
        >>> KeepCoordinates(2)(data).x.shape
        torch.Size([189, 2])
    """

    def __init__(self, dims: int = 2, score: bool = True) -> None:
        if dims not in (2, 3):
            raise ValueError(f"'dims' must be 2 or 3 (got {dims!r})")
        self.dims, self.score = dims, score

    def forward(self, data: Data) -> Data:
        r"""Keeps them."""
        given = coordinates(data).size(-1)
        if given < self.dims:
            raise ValueError(f"the sequence has {given} coordinates of {self.dims}")
        rest = data.x[:, given:] if self.score else data.x[:, :0]
        data.pos = data.pos[:, : self.dims].contiguous()
        data.x = torch.cat((data.pos, rest), dim=1)
        return data
