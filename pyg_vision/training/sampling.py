r"""Which samples a batch is made of, as a function of seed, epoch and position."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, Protocol

import torch
from torch.utils.data import Dataset, Sampler

from pyg_vision._checks import check_int
from pyg_vision.training._seeding import seed_of, seeded


class SampleKey(NamedTuple):
    r"""Names one use of one sample: all its random numbers follow from it.

    Args:
        epoch (int): The epoch.
        position (int): The place in the order of that epoch.
        sample (int): The sample.

    Example:
        >>> from pyg_vision.training import SampleKey
        >>> SampleKey(epoch=3, position=0, sample=17).sample
        17
    """

    epoch: int
    position: int
    sample: int


class IndexedDataset(Protocol):
    r"""The protocol of datasets with a number of items.

    Example:
        >>> from pyg_vision.training import IndexedDataset
        >>> dataset: IndexedDataset = [3, 4, 5]
        >>> len(dataset), dataset[1]
        (3, 4)
    """

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> Any: ...


class DataError(RuntimeError):
    r"""A sample that cannot be read while a model is trained.

    Example:
        >>> from pyg_vision.training import DataError
        >>> raise DataError("sample 3 cannot be read: 'a.png' is empty")
        Traceback (most recent call last):
        ...
        pyg_vision.training.sampling.DataError: sample 3 cannot be read: 'a.png' is empty
    """


class KeyedDataset(Dataset[Any]):
    r"""A dataset whose random numbers are a function of the key of a sample.

    Whatever a transform draws from the generators of Python, numpy or torch depends on the seed
    and the :class:`SampleKey` alone: not on the number of workers, and not on what was drawn
    before.

    Args:
        dataset (IndexedDataset): The dataset.
        seed (int): The seed.

    Raises:
        DataError: If a sample cannot be read.

    Example:
        >>> import torch
        >>> from pyg_vision.training import KeyedDataset, SampleKey
        >>> class Noise:
        ...     def __len__(self):
        ...         return 4
        ...     def __getitem__(self, index):
        ...         return torch.rand(())
        >>> dataset = KeyedDataset(Noise(), seed=0)
        >>> bool(dataset[SampleKey(0, 2, 1)] == dataset[SampleKey(0, 2, 1)])
        True
        >>> bool(dataset[SampleKey(0, 2, 1)] == dataset[SampleKey(1, 2, 1)])
        False
    """

    def __init__(self, dataset: IndexedDataset, seed: int) -> None:
        self.dataset = dataset
        self.seed = seed

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, key: SampleKey) -> Any:
        with seeded(self.seed, "sample", *key):
            try:
                return self.dataset[key.sample]
            except (OSError, ValueError, SyntaxError) as error:  # SyntaxError: Pillow's of a PNG
                reason = " ".join(str(error).split()) or type(error).__name__
                raise DataError(f"sample {key.sample} cannot be read: {reason}") from error


class KeyedBatches(Sampler[list[SampleKey]]):
    r"""Batches of :class:`SampleKey`, from any place in any epoch on.

    The global batch :math:`b` of an epoch holds the positions :math:`[b G, (b + 1) G)` of its
    order, :math:`G` being :obj:`batch_size` times :obj:`world_size`, of which a process takes
    every :obj:`world_size`-th. So the global batches are the same on any number of processes.

    With :obj:`repeats`, a sample stands so many times in a row in that order, as in the
    `"Augment Your Batch: Better Training With Larger Batches" <https://arxiv.org/abs/1901.09335>`_
    paper, and an epoch is no longer than without.

    Args:
        size (int): The number of samples.
        batch_size (int): Samples of a batch of one process.
        seed (int, optional): The seed of the order. (default: :obj:`0`)
        shuffle (bool, optional): Whether the order is random, another one in each epoch.
            (default: :obj:`True`)
        drop_last (bool, optional): Whether a global batch that is not full is left out.
            (default: :obj:`True`)
        repeats (int, optional): How often a sample is repeated. (default: :obj:`1`)
        rank (int, optional): Which process this is. (default: :obj:`0`)
        world_size (int, optional): How many there are. (default: :obj:`1`)

    Raises:
        ValueError: If a number is not positive, or there would be no batch.

    Example:
        >>> from pyg_vision.training import KeyedBatches
        >>> batches = KeyedBatches(10, batch_size=4, shuffle=False)
        >>> [[key.sample for key in batch] for batch in batches]
        [[0, 1, 2, 3], [4, 5, 6, 7]]
        >>> batches.start(epoch=2, batch=1)
        >>> [key.position for batch in batches for key in batch]
        [4, 5, 6, 7]
    """

    def __init__(
        self,
        size: int,
        batch_size: int,
        seed: int = 0,
        shuffle: bool = True,
        drop_last: bool = True,
        repeats: int = 1,
        rank: int = 0,
        world_size: int = 1,
    ) -> None:
        self.size = check_int("size", size)
        self.batch_size = check_int("batch_size", batch_size)
        self.repeats = check_int("repeats", repeats)
        self.world_size = check_int("world_size", world_size)
        self.seed, self.rank = seed, rank
        self.shuffle, self.drop_last = shuffle, drop_last
        self.epoch, self.first = 0, 0
        if len(self) == 0:
            raise ValueError(
                f"there is no full batch of {batch_size * world_size} in {size} samples; choose a "
                f"smaller batch"
            )

    def __len__(self) -> int:
        whole, rest = divmod(self.size, self.batch_size * self.world_size)
        # Each process must have a sample of the last batch.
        return whole + (rest >= self.world_size and not self.drop_last)

    @property
    def sampler(self) -> KeyedBatches:
        r"""Itself: where Lightning looks for :meth:`set_epoch`."""
        return self

    def set_epoch(self, epoch: int) -> None:
        r"""Sets the epoch of the next pass.

        Args:
            epoch (int): The epoch.
        """
        if epoch != self.epoch:
            self.start(epoch, 0)

    def start(self, epoch: int, batch: int) -> None:
        r"""Lets passes of an epoch begin in its middle; those of other epochs are whole.

        Args:
            epoch (int): The epoch.
            batch (int): The first batch.
        """
        self.epoch, self.first = epoch, batch

    def __iter__(self) -> Iterator[list[SampleKey]]:
        # The values of now, not of when the first batch is asked for. Nothing is used up: a loader
        # with workers asks for an iterator twice.
        return self._batches(self.epoch, self.first)

    def _batches(self, epoch: int, first: int) -> Iterator[list[SampleKey]]:
        order, total = self._order(epoch), self.batch_size * self.world_size
        for batch in range(first, len(self)):
            begin = batch * total
            places = range(begin + self.rank, min(begin + total, self.size), self.world_size)
            yield [SampleKey(epoch, i, order[i // self.repeats]) for i in places]

    def _order(self, epoch: int) -> list[int]:
        if not self.shuffle:
            return list(range(self.size))
        generator = torch.Generator().manual_seed(seed_of(self.seed, "order", epoch))
        order: list[int] = torch.randperm(self.size, generator=generator).tolist()
        return order


class Share(Sampler[SampleKey]):
    r"""The samples that a process evaluates: each sample falls to exactly one of them.

    Args:
        size (int): The number of samples.
        rank (int, optional): Which process this is. (default: :obj:`0`)
        world_size (int, optional): How many there are. (default: :obj:`1`)

    Example:
        >>> from pyg_vision.training import Share
        >>> [key.sample for key in Share(5, rank=1, world_size=2)]
        [1, 3]
    """

    def __init__(self, size: int, rank: int = 0, world_size: int = 1) -> None:
        self.size = check_int("size", size)
        self.rank, self.world_size = rank, check_int("world_size", world_size)

    def __len__(self) -> int:
        return len(range(self.rank, self.size, self.world_size))

    def __iter__(self) -> Iterator[SampleKey]:
        for i in range(self.rank, self.size, self.world_size):
            yield SampleKey(0, i, i)
