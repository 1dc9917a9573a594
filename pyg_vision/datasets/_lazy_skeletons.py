r"""Skeleton datasets that read a file each time that they are asked for it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

from torch_geometric.data import Data

from pyg_vision.datasets._skipping import OnError, check_on_error, read_all
from pyg_vision.datasets.skeleton_dataset import SkeletonDataset

logger = logging.getLogger(__name__)


class LazySkeletonDataset(SkeletonDataset):
    r"""Skeleton sequences of which only the names and the classes are held in memory.

    A subclass says in :meth:`read` how an item becomes a sequence. Malformed items are either
    named in the error when they are read, or, with :obj:`on_error="skip"`, left out from the
    beginning, so that each index always means the same item. For that each is read once on
    construction.

    Args:
        items (list): What :meth:`read` takes, such as paths.
        labels (list of int): The class of each item, :obj:`None` if it is unknown.
        classes (list of str): The names of the classes.
        transform (Callable, optional): A transform from :class:`~torch_geometric.data.Data` to
            :class:`~torch_geometric.data.Data`. (default: :obj:`None`)
        on_error (str, optional): What to do with malformed items, :obj:`"raise"` or
            :obj:`"skip"`. (default: :obj:`"raise"`)

    Raises:
        ValueError: If there are no items, or no sound ones.
    """

    def __init__(
        self,
        items: Sequence[Any],
        labels: Sequence[int | None],
        classes: Sequence[str],
        transform: Callable[[Data], Data] | None = None,
        on_error: OnError = "raise",
    ) -> None:
        check_on_error(on_error)
        if not items:
            raise ValueError("a dataset needs at least one sequence")
        self._items, self._classes_of_items = list(items), list(labels)
        if on_error == "skip":
            self._leave_out_malformed()
        # The dataset of sequences in memory has nothing to set up here.
        super(SkeletonDataset, self).__init__(transform=transform)
        self._sequences, self._classes = [], list(classes)

    def read(self, item: Any) -> Data:
        r"""Reads a sequence."""
        raise NotImplementedError

    def describe(self, item: Any) -> str:
        r"""Names an item in messages."""
        return str(item)

    @property
    def labels(self) -> list[int]:
        r"""The class of each sequence."""
        found = []
        for i in self.indices():
            label = self._classes_of_items[i]
            if label is None:
                raise ValueError(f"'{self.describe(self._items[i])}' has no label")
            found.append(label)
        return found

    def len(self) -> int:
        r"""Returns the number of sequences."""
        return len(self._items)

    def get(self, idx: int) -> Data:
        r"""Returns a sequence, before :obj:`transform`."""
        return self.read(self._items[idx])

    def _leave_out_malformed(self) -> None:
        def read(index: int) -> None:
            self.read(self._items[index])  # and not held

        sound, self.skipped = read_all(
            range(len(self._items)),
            read,
            "skip",
            "malformed skeleton sequences",
            logger,
            lambda i: self.describe(self._items[i]),
        )
        if not sound:
            raise ValueError(
                f"none of {len(self._items)} sequences can be read, the first being "
                f"'{self.skipped[0]}'"
            )
        self._items = [self._items[i] for i, _ in sound]
        self._classes_of_items = [self._classes_of_items[i] for i, _ in sound]
