r"""Loaders that can begin anywhere in an epoch."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

import torch
from lightning.pytorch import LightningDataModule
from torch.utils.data import DataLoader, Subset, default_collate

from pyg_vision._checks import check_int
from pyg_vision.training._seeding import seed_of
from pyg_vision.training.sampling import (
    IndexedDataset,
    KeyedBatches,
    KeyedDataset,
    SampleKey,
    Share,
)


class ResumableLoader(DataLoader[Any]):
    r"""A loader whose place is kept by its data module; tells Lightning that it has one.

    Example:
        >>> from pyg_vision.training import ResumableLoader
        >>> ResumableLoader([1, 2, 3]).state_dict()
        {}
    """

    def state_dict(self) -> dict[str, Any]:
        r"""Returns nothing."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        r"""Takes nothing."""


class KeyedDataModule(LightningDataModule):
    r"""Loads training and evaluation data.

    It is the base of the data modules of images and skeletons. All random numbers of a sample
    follow from the seed, the epoch and its place in the epoch, so that neither the number of
    workers nor an interruption changes anything.

    Args:
        batch_size (int): The samples of a batch of one process.
        eval_batch_size (int, optional): The same in evaluation. (default: :obj:`batch_size`)
        num_workers (int, optional): The processes that load. (default: :obj:`0`)
        drop_last (bool, optional): Whether a training batch that is not full is left out.
            (default: :obj:`True`)
        repeats (int, optional): How often a sample is repeated with other augmentation, see
            :class:`KeyedBatches`. (default: :obj:`1`)
        holdout (float, optional): The share of the training data that is held out, on which is
            validated in place of the test data. (default: :obj:`0.0`)
        seed (int, optional): The seed of order and augmentation. (default: :obj:`0`)

    Example:
        >>> from pyg_vision.training import KeyedDataModule
        >>> class Numbers(KeyedDataModule):
        ...     def load(self, split, augment):
        ...         return list(range(10))
        ...     def class_names(self):
        ...         return ["even", "odd"]
        >>> data = Numbers(batch_size=4)
        >>> data.setup("fit")
        >>> [len(batch) for batch in data.train_dataloader()]
        [4, 4]
    """

    # The fewest samples that a training batch of a process may have.
    smallest_batch = 1
    # Whether a sample has any number of labels, a tensor (K) of zeros and ones, or one class.
    multi_label = False
    # Whether a training can go on from within an epoch.
    resumes_within_epochs = True

    def __init__(
        self,
        batch_size: int,
        eval_batch_size: int | None = None,
        num_workers: int = 0,
        drop_last: bool = True,
        repeats: int = 1,
        holdout: float = 0.0,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.batch_size = check_int("batch_size", batch_size)
        self.eval_batch_size = (
            batch_size if eval_batch_size is None else check_int("eval_batch_size", eval_batch_size)
        )
        self.num_workers = check_int("num_workers", num_workers, 0)
        self.repeats = check_int("repeats", repeats)
        if not 0.0 <= holdout < 1.0:
            raise ValueError(f"'holdout' must be a share below 1 (got {holdout})")
        self.drop_last, self.holdout, self.seed = drop_last, holdout, seed
        self.classes: list[str] = []
        self.start = (0, 0)
        self.train_set: IndexedDataset | None = None
        self.val_set: IndexedDataset | None = None
        self.test_set: IndexedDataset | None = None

    def load(self, split: str, augment: bool) -> IndexedDataset:
        r"""Returns a split of the data, whose items end in the number of the sample.

        Args:
            split (str): :obj:`"train"` or :obj:`"test"`.
            augment (bool): Whether items are augmented.
        """
        raise NotImplementedError

    def class_names(self) -> Sequence[str]:
        r"""Returns the names of the classes."""
        raise NotImplementedError

    def adopt_classes(self, classes: Sequence[str]) -> None:
        r"""Takes the classes of a model that is evaluated, of which the data must have the first.

        Args:
            classes (list of str): The classes of the model.

        Raises:
            ValueError: If the data has others.
        """
        if self.classes != list(classes[: len(self.classes)]):
            raise ValueError(
                f"the data has other classes than the model: {len(self.classes)}, "
                f"{self.classes[:3]}, and {len(classes)}, {list(classes[:3])}"
            )
        self.classes = list(classes)

    def model_options(self) -> dict[str, Any]:
        r"""Returns the arguments of a model that the data tell; those that are given hold."""
        return {}

    def preprocessing(self) -> dict[str, Any]:
        r"""Returns in plain data what is done to an input before a model sees it."""
        raise NotImplementedError

    def raw_sample(self, index: int) -> tuple[Any, str]:
        r"""Returns a test sample before its transforms, and where it comes from.

        Args:
            index (int): Its number.
        """
        raise NotImplementedError

    @property
    def collate(self) -> Callable[[list[Any]], Any] | None:
        r"""How items become a batch, if not as torch does it."""
        return None

    def setup(self, stage: str) -> None:
        r"""Reads the data.

        Args:
            stage (str): What the trainer is about to do.
        """
        if self.test_set is None:
            self.test_set = self.load("test", False)
            self.classes = list(self.class_names())
        if stage == "fit" and self.train_set is None:
            self.train_set = self.load("train", True)
        if stage in ("fit", "validate") and self.val_set is None:
            self.val_set = self.test_set if self.holdout == 0 else self._hold_out()

    def _hold_out(self) -> IndexedDataset:
        r"""Takes a part of the training data away, and returns it as validation data."""
        plain = self.load("train", False)
        size = len(plain)
        kept = round(size * (1 - self.holdout))
        if not 0 < kept < size:
            raise ValueError(
                f"a 'holdout' of {self.holdout} leaves {kept} of {size} samples for training"
            )
        generator = torch.Generator().manual_seed(seed_of(self.seed, "holdout"))
        order: list[int] = torch.randperm(size, generator=generator).tolist()
        if self.train_set is not None:
            self.train_set = Subset(self.train_set, sorted(order[:kept]))  # type: ignore[arg-type]
        return Subset(plain, sorted(order[kept:]))  # type: ignore[arg-type]

    def names(self) -> list[str]:
        r"""Returns what the samples are called, such as their files, so that it is noticed where
        they are others than before; nothing if that is not known.
        """
        return []

    def fingerprint(self) -> dict[str, Any]:
        r"""Returns by what the data are recognised when a training goes on."""
        text = "\0".join(self.names()).encode()
        sizes = {
            name: 0 if data is None else len(data)
            for name, data in (("training", self.train_set), ("test", self.test_set))
        }
        digest = hashlib.blake2b(text, digest_size=16).hexdigest()
        return {"classes": list(self.classes), **sizes, "names": digest}

    def example(self) -> Any:
        r"""Returns a batch of the first test sample."""
        item = KeyedDataset(_there(self.test_set), self.seed)[SampleKey(0, 0, 0)]
        return (self.collate or default_collate)([item])

    def train_dataloader(self) -> DataLoader[Any]:
        r"""Returns the loader of training data, from where a checkpoint was written on."""
        data = _there(self.train_set)
        rest = len(data) % (self.batch_size * self._world_size)
        if not self.drop_last and 0 < rest // self._world_size < self.smallest_batch:
            raise ValueError(
                f"the last batch of {len(data)} samples would have {rest}, too few for batch "
                f"norms; choose another batch_size, or leave it out by drop_last"
            )
        batches = KeyedBatches(
            len(data),
            self.batch_size,
            self.seed,
            drop_last=self.drop_last,
            repeats=self.repeats,
            rank=self._rank,
            world_size=self._world_size,
        )
        batches.start(*self.start)
        return self._loader(data, batch_sampler=batches)

    def val_dataloader(self) -> DataLoader[Any]:
        r"""Returns the loader of validation data."""
        return self._eval_loader(_there(self.val_set))

    def test_dataloader(self) -> DataLoader[Any]:
        r"""Returns the loader of test data."""
        return self._eval_loader(_there(self.test_set))

    def state_dict(self) -> dict[str, Any]:
        r"""Returns the batch that comes next."""
        trainer: Any = self.trainer
        epoch, done = trainer.current_epoch, trainer.fit_loop.epoch_loop.batch_progress.current
        if done.processed >= trainer.num_training_batches:
            return {"epoch": epoch + 1, "batch": 0}
        return {"epoch": epoch, "batch": done.processed}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        r"""Lets the training data begin where the state says.

        Args:
            state (dict): What :meth:`state_dict` returned.
        """
        self.start = (state["epoch"], state["batch"])

    def _eval_loader(self, data: IndexedDataset) -> DataLoader[Any]:
        share = Share(len(data), self._rank, self._world_size)
        return self._loader(data, sampler=share, batch_size=self.eval_batch_size)

    def _loader(self, data: IndexedDataset, **options: Any) -> DataLoader[Any]:
        return ResumableLoader(
            KeyedDataset(data, self.seed),
            num_workers=self.num_workers,
            persistent_workers=self.num_workers > 0,
            pin_memory=torch.cuda.is_available(),
            collate_fn=self.collate,
            **options,
        )

    @property
    def _rank(self) -> int:
        return 0 if self.trainer is None else self.trainer.global_rank

    @property
    def _world_size(self) -> int:
        return 1 if self.trainer is None else self.trainer.world_size


def _there(data: IndexedDataset | None) -> IndexedDataset:
    if data is None:
        raise RuntimeError("there is no data yet; call setup() first")
    return data
