r"""Files of skeletons as a dataset of graphs."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from os import PathLike
from pathlib import Path
from typing import TypeVar

from torch_geometric.data import Data, Dataset

from pyg_vision.datasets._skipping import read_all
from pyg_vision.typing import OnError

logger = logging.getLogger(__name__)

Name = TypeVar("Name")


class SkeletonDataset(Dataset):
    r"""A dataset of skeleton sequences held in memory.

    Each item is a copy, a new :class:`~torch_geometric.data.Data`. Edges are not stored; add them
    with the transform :class:`~pyg_vision.transforms.SkeletonEdges`.

    Args:
        sequences (list of Data): The sequences.
        transform (Callable, optional): A transform from :class:`~torch_geometric.data.Data` to
            :class:`~torch_geometric.data.Data`. (default: :obj:`None`)
        classes (list of str, optional): The names of the classes. (default: :obj:`None`)

    Raises:
        ValueError: If there are no sequences.

    Example:
        >>> import torch
        >>> from pyg_vision.data import skeleton_sequence
        >>> from pyg_vision.datasets import SkeletonDataset
        >>> from pyg_vision.transforms import SkeletonEdges
        >>> keypoints = [torch.rand(30, 17, 2), torch.rand(40, 17, 2)]
        >>> sequences = [skeleton_sequence(x, "coco", y=i) for i, x in enumerate(keypoints)]
        >>> dataset = SkeletonDataset(sequences, SkeletonEdges(), classes=["walk", "run"])
        >>> len(dataset), dataset.num_classes
        (2, 2)
        >>> dataset[1].num_nodes
        680
    """

    skipped: tuple[str, ...] = ()

    def __init__(
        self,
        sequences: Sequence[Data],
        transform: Callable[[Data], Data] | None = None,
        classes: Sequence[str] | None = None,
    ) -> None:
        if not sequences:
            raise ValueError("a dataset needs at least one sequence")
        # A list is copied; what is read on demand must not be.
        self._sequences = list(sequences) if isinstance(sequences, list) else sequences
        self._classes = None if classes is None else list(classes)
        super().__init__(transform=transform)

    @property
    def num_skipped(self) -> int:
        r"""The number of files that were left out because they are malformed."""
        return len(self.skipped)

    @property
    def labels(self) -> list[int]:
        r"""The class of each sequence."""
        return self._labels(self.indices())

    @property
    def classes(self) -> list[str]:
        r"""The names of the classes, or their numbers if no names were given."""
        if self._classes is not None:
            return self._classes
        # Of all sequences, so that a part of a dataset has the classes of the whole.
        return [str(i) for i in range(max(self._labels(range(len(self._sequences)))) + 1)]

    @property
    def num_classes(self) -> int:
        r"""The number of classes."""
        return len(self.classes)

    def _labels(self, indices: Sequence[int]) -> list[int]:
        unlabelled = [i for i in indices if self._sequences[i].y is None]
        if unlabelled:
            raise ValueError(f"sequence {unlabelled[0]} has no class 'y'")
        return [int(self._sequences[i].y) for i in indices]

    def len(self) -> int:
        r"""Returns the number of sequences."""
        return len(self._sequences)

    def get(self, idx: int) -> Data:
        r"""Returns a sequence, to which :obj:`transform` is not applied."""
        # Copied, so that a loop which writes to a graph cannot change the data set.
        return self._sequences[idx].clone()


def read_files(
    paths: Sequence[Path], read: Callable[[Path], Data], on_error: OnError = "raise"
) -> tuple[list[Data], tuple[str, ...]]:
    r"""Reads files, and says which were skipped.

    Args:
        paths (list of Path): The files.
        read (Callable): The reader of one file.
        on_error (str, optional): :obj:`"raise"`, or :obj:`"skip"` to leave out malformed files.
            (default: :obj:`"raise"`)
    """
    sound, skipped = read_all(paths, read, on_error, "malformed skeleton files", logger)
    return [data for _, data in sound], skipped


def read_names(
    paths: Sequence[Path], read: Callable[[Path], Name], on_error: OnError = "raise"
) -> tuple[list[tuple[Path, Name]], tuple[str, ...]]:
    r"""Reads what the names of files tell, and says which were skipped.

    Args:
        paths (list of Path): The files.
        read (Callable): The reader of one name.
        on_error (str, optional): :obj:`"raise"`, or :obj:`"skip"` to leave out other names.
            (default: :obj:`"raise"`)
    """
    return read_all(paths, read, on_error, "skeleton files of another name", logger)


def list_files(root: str | PathLike[str], pattern: str) -> list[Path]:
    r"""Returns the files of a folder in order; there must be some.

    Args:
        root (str or path): The folder.
        pattern (str): What their names match.

    Raises:
        FileNotFoundError: If there is no such folder, or no such file in it.
    """
    folder = Path(root)
    if not folder.is_dir():
        raise FileNotFoundError(f"there is no folder '{folder}'")
    paths = sorted(folder.glob(pattern))
    if not paths:
        raise FileNotFoundError(f"there are no files '{pattern}' in '{folder}'")
    return paths
