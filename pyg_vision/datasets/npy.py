r"""Arrays of the published code as datasets of graphs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from torch_geometric.data import Data

from pyg_vision.data.layout import SkeletonLayout
from pyg_vision.data.readers.npy import (
    NpyLabels,
    check_layout,
    npy_sequence,
    open_npy,
    read_npy_labels,
)
from pyg_vision.datasets._lazy_skeletons import LazySkeletonDataset
from pyg_vision.typing import OnError


class SkeletonArrays(LazySkeletonDataset):
    r"""An array :math:`(N, C, T, V, M)` of sequences with a file of labels, the format of the
    preprocessed data sets of ST-GCN and its successors.

    The array is mapped from its file and may be larger than the memory; sequences are read on
    demand.

    Args:
        data_path (str or path): The file :obj:`.npy`.
        label_path (str or path, optional): The labels, a file :obj:`.npy` of integers or a pickle
            :obj:`.pkl` of :obj:`(names, labels)`. (default: :obj:`None`)
        layout (str or SkeletonLayout): The skeleton, which must be given, see
            :func:`~pyg_vision.data.readers.read_npy`.
        score (bool, optional): Whether the last channel is a score; by default inferred from the
            layout and the number of channels, see :func:`~pyg_vision.data.readers.read_npy`.
            (default: :obj:`None`)
        trim (bool, optional): Whether to remove empty frames and persons at the end, see
            :func:`~pyg_vision.data.readers.read_npy`. (default: :obj:`False`)
        transform (Callable, optional): A transform from :class:`~torch_geometric.data.Data` to
            :class:`~torch_geometric.data.Data`. (default: :obj:`None`)
        on_error (str, optional): What to do with sequences whose values are malformed:
            :obj:`"raise"` an error when one is read, or :obj:`"skip"` them, for which all are read
            once on construction. (default: :obj:`"raise"`)

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If a file is malformed, the layout is not given or does not fit, or the
            numbers of sequences and labels differ; when indexed, if the sequence is malformed.

    Example:
        >>> from pyg_vision.datasets import SkeletonArrays
        >>> dataset = SkeletonArrays("data/train_data.npy", "data/train_label.pkl", layout="ntu")
        >>> len(dataset), dataset.num_classes
        (4, 4)
        >>> dataset[0].skeleton_shape
        SkeletonShape(num_persons=2, num_frames=6, num_joints=25)
    """

    def __init__(
        self,
        data_path: str | PathLike[str],
        label_path: str | PathLike[str] | None = None,
        layout: str | SkeletonLayout | None = None,
        score: bool | None = None,
        trim: bool = False,
        transform: Callable[[Data], Data] | None = None,
        on_error: OnError = "raise",
    ) -> None:
        self.path = Path(data_path)
        self.score, self.trim = score, trim
        self._array: np.ndarray[Any, Any] | None = open_npy(self.path)
        self.layout = check_layout(self.path, self._array, layout)
        count = len(self._array)
        self._known = NpyLabels([], None)
        labels: list[int | None] = [None] * count
        if label_path is not None:
            self._known = read_npy_labels(label_path, count)
            labels = list(self._known.labels)
        classes = [str(i) for i in range(max(self._known.labels, default=-1) + 1)]
        super().__init__(range(count), labels, classes, transform, on_error)

    @property
    def names(self) -> list[str]:
        r"""The name of each sequence; its index, if the file of labels holds no names."""
        names = self._known.names
        items = [self._items[i] for i in self.indices()]
        return [str(i) if names is None else names[i] for i in items]

    def read(self, item: int) -> Data:
        r"""Reads a sequence."""
        if self._array is None:
            self._array = open_npy(self.path)
        labels = self._known.labels
        return npy_sequence(
            self._array[item],
            self.layout,
            y=labels[item] if labels else None,
            score=self.score,
            trim=self.trim,
            path=self.describe(item),
        )

    def stamp(self, item: int) -> tuple[str, str]:
        r"""Names a sequence by its index in the file."""
        return f"{self.path}[{item}]", str(self.path)

    def identity(self) -> str:
        r"""Describes the options that decide whether a sequence is malformed."""
        return f"{asdict(self.layout)}|{self.score}|{self.trim}"

    def describe(self, item: int) -> str:
        r"""Names the sequence."""
        return f"{self.path}[{item}]"

    def __getstate__(self) -> dict[str, Any]:
        # A mapped array would be copied as a whole into each worker of a loader.
        return {**self.__dict__, "_array": None}
