r"""Any dataset of labelled images as a dataset of graphs."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor
from torch_geometric.data import Data, Dataset


class ImageDataset(Protocol):
    r"""The protocol of map-style datasets of pairs (image, label), such as those of
    :obj:`torchvision`.

    Example:
        >>> from torchvision.datasets import FakeData
        >>> from pyg_vision.datasets import ImageDataset
        >>> dataset: ImageDataset = FakeData(size=8, image_size=(3, 32, 48))
        >>> image, label = dataset[0]
        >>> len(dataset), image.size
        (8, (48, 32))
    """

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> Any: ...


class ImageGraphDataset(Dataset):
    r"""Turns a dataset of pairs (image, label) into a dataset of graphs with labels :obj:`y`.

    It takes any map-style dataset with :meth:`__len__` and :meth:`__getitem__`, such as
    :obj:`CIFAR10` or :obj:`Imagenette` of :obj:`torchvision`. Images are read on demand, so that
    PyG's :class:`~torch_geometric.loader.DataLoader` reads them in its workers.

    Args:
        dataset (ImageDataset): The dataset of pairs (image, label).
        image_transform (Callable, optional): A transform from the image to a graph; its last step
            is usually :class:`~pyg_vision.transforms.ToPatchNodes`. It is not needed if the
            items of the dataset are pairs (graph, label). (default: :obj:`None`)
        transform (Callable, optional): A transform from :class:`~torch_geometric.data.Data` to
            :class:`~torch_geometric.data.Data`, applied after :obj:`image_transform` and after
            :obj:`y` is set. (default: :obj:`None`)

    Raises:
        TypeError: If :obj:`dataset` has no :meth:`__len__` or :meth:`__getitem__`; when indexed,
            if an item is not a pair, the image does not become a graph, or the label is neither a
            number nor a tensor.

    Example:
        >>> from torch_geometric.loader import DataLoader
        >>> from torchvision.datasets import FakeData
        >>> from pyg_vision.datasets import ImageGraphDataset
        >>> from pyg_vision.transforms import KNNEdges, ToPatchNodes
        >>> images = FakeData(size=8, image_size=(3, 64, 64))  # or Imagenette, CIFAR10, ...
        >>> dataset = ImageGraphDataset(images, ToPatchNodes(16), KNNEdges(9))
        >>> batch = next(iter(DataLoader(dataset, batch_size=4)))
        >>> batch.x.shape
        torch.Size([64, 768])
    """

    def __init__(
        self,
        dataset: ImageDataset,
        image_transform: Callable[[Any], Any] | None = None,
        transform: Callable[[Data], Data] | None = None,
    ) -> None:
        if not (hasattr(dataset, "__len__") and hasattr(dataset, "__getitem__")):
            raise TypeError(
                f"'dataset' must be a map-style dataset with __len__ and __getitem__ (got "
                f"'{type(dataset).__name__}')"
            )
        for name, value in (("image_transform", image_transform), ("transform", transform)):
            if value is not None and not callable(value):
                raise TypeError(f"'{name}' must be callable (got '{type(value).__name__}')")
        self.dataset = dataset
        self.image_transform = image_transform
        super().__init__(transform=transform)

    def len(self) -> int:
        r"""Returns the number of images."""
        return len(self.dataset)

    def get(self, idx: int) -> Data:
        r"""Returns the graph of an image, to which :obj:`transform` is not applied."""
        item = self.dataset[idx]
        if not isinstance(item, (tuple, list)) or len(item) != 2:
            raise TypeError(
                f"item {idx} of {type(self.dataset).__name__} must be a pair (image, label) "
                f"(got {_describe(item)})"
            )
        image, label = item
        graph = image if self.image_transform is None else self.image_transform(image)
        if not isinstance(graph, Data):
            raise TypeError(
                f"item {idx} of {type(self.dataset).__name__} must become a graph (got "
                f"'{type(graph).__name__}'); let image_transform={self.image_transform!r} end in "
                f"a transform such as pyg_vision.transforms.ToPatchNodes"
            )
        graph = copy.copy(graph)  # the dataset may hand out the same object again
        graph.y = _as_label(label)
        return graph

    @property
    def classes(self) -> list[str] | None:
        r"""The names of the classes, :obj:`None` if the dataset has no :obj:`classes`."""
        names = getattr(self.dataset, "classes", None)
        return None if names is None else list(names)

    @property
    def num_classes(self) -> int:
        r"""The number of classes; all items are read if the dataset has neither :obj:`classes` nor
        :obj:`num_classes`.
        """
        if self.classes is not None:
            return len(self.classes)
        known = getattr(self.dataset, "num_classes", None)
        return known if isinstance(known, int) else int(super().num_classes)


def _as_label(label: Any) -> Tensor:
    r"""Returns a label with a leading dimension, along which PyG batches."""
    if isinstance(label, np.ndarray):
        label = torch.from_numpy(label)
    if isinstance(label, Tensor):
        return label.unsqueeze(0)
    if isinstance(label, np.generic):
        label = label.item()
    if isinstance(label, (bool, int, float)):
        return torch.tensor([label])
    raise TypeError(
        f"a label must be a number or a tensor (got {_describe(label)}); set the dataset's "
        f"target_transform to make one of it"
    )


def _describe(value: object) -> str:
    if isinstance(value, (tuple, list)):
        return f"a {type(value).__name__} of {len(value)}"
    return f"'{type(value).__name__}'"
