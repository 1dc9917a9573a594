r"""Skeleton datasets that read a file each time that they are asked for it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

from torch_geometric.data import Data

from pyg_vision.datasets.skeleton_dataset import OnError, SkeletonDataset

logger = logging.getLogger(__name__)

_NAMED = 5


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
        if on_error not in ("raise", "skip"):
            raise ValueError(f"'on_error' must be 'raise' or 'skip' (got {on_error!r})")
        if not items:
            raise ValueError("a dataset needs at least one sequence")
        self._items, self._labels = list(items), list(labels)
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
            label = self._labels[i]
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
        kept, skipped = [], []
        for i, item in enumerate(self._items):
            try:
                self.read(item)
            except ValueError as error:
                logger.debug("%s", error)
                skipped.append(self.describe(item))
            else:
                kept.append(i)
        if not kept:
            raise ValueError(
                f"none of {len(self._items)} sequences can be read, the first being '{skipped[0]}'"
            )
        if skipped:
            more = len(skipped) - _NAMED
            logger.warning(
                "skipped %d of %d malformed skeleton sequences: %s%s",
                len(skipped),
                len(self._items),
                ", ".join(skipped[:_NAMED]),
                f" and {more} more" if more > 0 else "",
            )
        self._items = [self._items[i] for i in kept]
        self._labels = [self._labels[i] for i in kept]
        self.skipped = tuple(skipped)
