r"""Heights and widths: the metadata that make a set of nodes an image."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple, TypeGuard

import torch
from torch import Tensor
from torch_geometric.data import Data


class Size2D(NamedTuple):
    r"""A height and a width, the type of :obj:`grid_size` and :obj:`patch_size` of image graphs.

    It equals the plain tuple of both. It is a named tuple because PyG's
    :meth:`~torch_geometric.data.Data.to` and :meth:`~torch_geometric.data.Data.clone` turn plain
    tuples into lists.

    Args:
        height (int): The height.
        width (int): The width.

    Example:
        >>> from pyg_vision.data import Size2D
        >>> size = Size2D(height=14, width=20)
        >>> size.width
        20
        >>> size == (14, 20)
        True
    """

    height: int
    width: int


# PyG loads saved datasets with weights_only=True, which knows no classes but registered ones.
torch.serialization.add_safe_globals([Size2D])


def as_size(name: str, value: int | Sequence[int]) -> Size2D:
    r"""Returns a positive size given as one number or as a pair (height, width).

    Args:
        name (str): What the value is called in an error.
        value (int or tuple): One number for both, or height and width.

    Raises:
        TypeError: If the value is neither an integer nor a pair of integers.
        ValueError: If a number is smaller than one.
    """
    pair = (value, value) if isinstance(value, int) else value
    if not _is_pair(pair):
        raise TypeError(
            f"'{name}' must be an integer or a pair (height, width) of integers (got {value!r})"
        )
    size = Size2D(*pair)
    if min(size) < 1:
        raise ValueError(f"'{name}' must be at least 1 in height and width (got {value!r})")
    return size


def read_sizes(data: Data, key: str) -> list[Size2D]:
    r"""Reads a size of each graph of :obj:`data` from its metadata, without reading a tensor.

    A single :class:`~torch_geometric.data.Data` holds one pair, a
    :class:`~torch_geometric.data.Batch` a list of the pairs of its graphs.

    Args:
        data (torch_geometric.data.Data): A graph or a batch of graphs.
        key (str): The attribute to read, such as :obj:`"grid_size"`.

    Returns:
        list[Size2D]: One size for each graph.

    Raises:
        TypeError: If the attribute is a tensor or not a pair of integers.
        ValueError: If the attribute is missing.

    Example:
        >>> import torch
        >>> from torch_geometric.data import Batch
        >>> from pyg_vision.data import image_graph, read_sizes
        >>> graphs = [image_graph(torch.rand(3, 32, width), patch_size=8) for width in (32, 48)]
        >>> read_sizes(Batch.from_data_list(graphs), "grid_size")
        [Size2D(height=4, width=4), Size2D(height=4, width=6)]
    """
    value = data[key] if key in data else None
    if value is None:
        raise ValueError(
            f"the graph has no '{key}' (got the attributes {sorted(data.keys())}); image graphs "
            f"get it from pyg_vision.transforms or pyg_vision.data.image_graph"
        )
    if isinstance(value, Tensor):
        raise TypeError(
            f"'{key}' must be a tuple (height, width) of Python integers in each graph (got a "
            f"tensor of shape {list(value.shape)}, which PyG also makes of plain numbers in a "
            f"batch); reading it would wait for the device"
        )
    values = [value] if _is_pair(value) else value
    if not isinstance(values, (list, tuple)) or not values or not all(map(_is_pair, values)):
        raise TypeError(
            f"'{key}' must be a tuple (height, width) of Python integers, or a list of them in a "
            f"batch (got {value!r})"
        )
    return [as_size(key, pair) for pair in values]


def describe_size(size: Size2D) -> str:
    r"""Writes a size as height × width, for an error message."""
    return f"{size.height}×{size.width}"


def describe_sizes(sizes: Iterable[Size2D]) -> str:
    r"""Lists different sizes with how often each occurs, for an error message."""
    return ", ".join(f"{describe_size(size)} ({n} of them)" for size, n in Counter(sizes).items())


def _is_pair(value: object) -> TypeGuard[Sequence[int]]:
    return (
        isinstance(value, (tuple, list))
        and len(value) == 2
        and all(isinstance(v, int) and not isinstance(v, bool) for v in value)
    )
