r"""Data sets of graphs, for training."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.utils.data import Dataset
from torch_geometric.data import Data
from torch_geometric.loader.dataloader import Collater

from pyg_vision.data import fold_batch
from pyg_vision.datasets import DigitsGraphs
from pyg_vision.prediction.predictor import without_size
from pyg_vision.training._data_module import KeyedDataModule
from pyg_vision.training.sampling import IndexedDataset


class NumberedGraphs(Dataset[Any]):
    r"""A data set of graphs that know their number, as :obj:`sample_number`.

    Args:
        data (IndexedDataset): The data set; an item is a graph, or a list of graphs of one sample.
        transform (Callable, optional): What is done to a graph; it may make a list of it.
            (default: :obj:`None`)

    Example:
        >>> from pyg_vision.datasets import SyntheticMotion
        >>> from pyg_vision.training import NumberedGraphs
        >>> NumberedGraphs(SyntheticMotion(5))[3].sample_number
        tensor([3])
    """

    def __init__(self, data: IndexedDataset, transform: Callable[[Any], Any] | None = None) -> None:
        self.data, self.transform = data, transform

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: int) -> Any:
        item = self.data[index]
        if self.transform is not None:
            item = self.transform(item)
        for graph in [item] if isinstance(item, Data) else item:
            graph.sample_number = torch.tensor([index])
            without_size(graph)
        return item


class DigitsData(KeyedDataModule):
    r"""scikit-learn's handwritten digits as graphs of patches, of which a third are test data.

    Args:
        batch_size (int): The images of a batch of one process.
        patch_size (int, optional): The pixels of a node, in height and width.
            (default: :obj:`2`)
        **kwargs (optional): Arguments of :class:`KeyedDataModule`.

    Example:
        >>> from pyg_vision.training import DigitsData
        >>> data = DigitsData(batch_size=64)
        >>> data.setup("fit")
        >>> next(iter(data.train_dataloader())).num_graphs
        64
    """

    def __init__(self, batch_size: int, patch_size: int = 2, **kwargs: Any) -> None:
        super().__init__(batch_size, **kwargs)
        self.patch_size = patch_size

    def load(self, split: str, augment: bool) -> IndexedDataset:
        r"""Returns a split of the data."""
        return NumberedGraphs(DigitsGraphs(split, self.patch_size))  # type: ignore[arg-type]

    def class_names(self) -> Sequence[str]:
        r"""Returns the digits."""
        return [str(digit) for digit in range(10)]

    def preprocessing(self) -> dict[str, Any]:
        r"""Returns in plain data what is done to an image before a model sees it."""
        return {"kind": "digits", "patch_size": self.patch_size}

    def raw_sample(self, index: int) -> tuple[Any, str]:
        r"""Returns a test digit."""
        graph = DigitsGraphs("test", self.patch_size)[index]
        return fold_batch(graph)[0], f"test digit {index}"

    @property
    def collate(self) -> Callable[[list[Any]], Any]:
        r"""How graphs become a batch of PyG."""
        return Collater(None)
