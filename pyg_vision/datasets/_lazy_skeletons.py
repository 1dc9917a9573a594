r"""Skeleton datasets that read a file each time that they are asked for it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

from torch_geometric.data import Data

from pyg_vision.data.readers.skeleton_file import NoPersonError
from pyg_vision.datasets._skipping import check_on_error, warn_of_skipped
from pyg_vision.datasets._sound_files import find_problems
from pyg_vision.datasets.skeleton_dataset import SkeletonDataset
from pyg_vision.typing import OnError

# What is noted of a file without a person, which no reader says in these words.
NO_PERSON = "no person"

logger = logging.getLogger(__name__)


class SequencesOnDemand(Sequence[Data]):
    r"""Sequences that are read each time that they are asked for.

    Args:
        items (list): What :obj:`read` takes.
        read (Callable): Reads a sequence.
    """

    def __init__(self, items: Sequence[Any], read: Callable[[Any], Data]) -> None:
        self.items = items
        self.read = read

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: Any) -> Any:
        return self.read(self.items[index])


class LazySkeletonDataset(SkeletonDataset):
    r"""Skeleton sequences of which only the names and the classes are held in memory.

    A subclass says in :meth:`read` how an item becomes a sequence, and in :meth:`stamp` which file
    it comes from. Malformed and absent items are either named in the error when they are read, or,
    with :obj:`on_error="skip"`, left out from the beginning, so that each index always means the
    same item. For that each file is read once, in parallel; what was found is kept in the user's
    cache folder as long as the file stays as it is. :obj:`$PYG_VISION_CACHE` names another folder.

    Args:
        items (list): What :meth:`read` takes, such as paths.
        labels (list of int): The class of each item, :obj:`None` if it is unknown.
        classes (list of str): The names of the classes.
        transform (Callable, optional): A transform from :class:`~torch_geometric.data.Data` to
            :class:`~torch_geometric.data.Data`. (default: :obj:`None`)
        on_error (str, optional): What to do with malformed or absent items, :obj:`"raise"` or
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
        else:
            self._look_for_empty()
        if not self._items:
            raise ValueError(
                f"a dataset needs at least one sequence (got {len(items)} without a person, the "
                f"first being '{self.describe(items[0])}')"
            )
        super().__init__(SequencesOnDemand(self._items, self.read), transform, classes)

    def read(self, item: Any) -> Data:
        r"""Reads a sequence."""
        raise NotImplementedError

    def stamp(self, item: Any) -> tuple[str, str]:
        r"""Returns a name for an item, and the path of the file that it comes from."""
        raise NotImplementedError

    def identity(self) -> str:
        r"""Describes the options on which it depends whether an item is malformed."""
        return ""

    def check(self, item: Any) -> str:
        r"""Reads an item, and returns what is wrong with it."""
        try:
            self.read(item)
        except NoPersonError:
            return NO_PERSON
        except (ValueError, FileNotFoundError) as error:
            return str(error) or type(error).__name__
        return ""

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

    def _problems(self, items: Sequence[Any]) -> list[str]:
        kind = f"{type(self).__module__}.{type(self).__qualname__}"
        return find_problems(items, self.stamp, self.check, f"{kind}|{self.identity()}")

    def _leave_out_malformed(self) -> None:
        problems = self._problems(self._items)
        self._leave_out_empty(problems)
        wrong = [i for i, problem in enumerate(problems) if problem]
        for i in wrong:
            logger.debug("%s", problems[i])
        self.skipped = tuple(self.describe(self._items[i]) for i in wrong)
        warn_of_skipped(self.skipped, len(problems), "malformed skeleton sequences", logger)
        if wrong and len(wrong) == len(problems):
            raise ValueError(
                f"none of {len(problems)} sequences can be read, the first being "
                f"'{self.skipped[0]}'"
            )
        self._keep([i for i, problem in enumerate(problems) if not problem])

    def _leave_out_empty(self, problems: list[str]) -> None:
        r"""Takes files without a person out of the items and their problems, where these count
        as missing and not as malformed.
        """

    def _look_for_empty(self) -> None:
        r"""Leaves such files out where others stay."""

    def _keep(self, positions: list[int]) -> None:
        self._items = [self._items[i] for i in positions]
        self._classes_of_items = [self._classes_of_items[i] for i in positions]
