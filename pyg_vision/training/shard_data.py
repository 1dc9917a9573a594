r"""Images in tar shards, which are read from their beginning to their end."""

from __future__ import annotations

import glob
import io
import json
import logging
import tarfile
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import groupby, islice
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from pyg_vision._checks import check_int
from pyg_vision.data import image_to_rgb
from pyg_vision.training._data_module import ResumableLoader
from pyg_vision.training._seeding import seed_of, seeded
from pyg_vision.training.image_data import ImageData

logger = logging.getLogger(__name__)

IMAGES, LABELS = ("jpg", "jpeg", "png", "webp"), ("cls", "json")
# Encoded images that wait to be drawn from.
BUFFER = 1000
# No shard has more samples: a sample's number is that of its shard times this, and its place.
MOST = 10**7
END = 1024


class ShardData(ImageData):
    r"""Images in tar files, as `webdataset <https://github.com/webdataset/webdataset>`_ writes
    them: :obj:`<key>.jpg` (or png or webp) beside :obj:`<key>.cls`, a class as a number, or
    :obj:`<key>.json`, an object with :obj:`label`.

    Nothing else in a shard is decoded, and no shard is opened but a local file. In an epoch, the
    shards are read in a random order, and samples are drawn from a buffer of a thousand. Their
    augmentation follows from the seed, the epoch and the sample, their order also from the number
    of workers and processes. A training goes on from the end of an epoch.

    Args:
        train_shards (str): The files, as a pattern such as :obj:`"imagenet/train-*.tar"`.
        test_shards (str): The same for test data.
        class_list (str): A :obj:`.json` file with the list of names of classes.
        image_size (int): See :class:`ImageData`, which has all further arguments.
        batch_size (int): The images of a batch of one process.
        train_samples (int, optional): How many samples an epoch has. (default: those in the
            shards, which are counted first)
        **kwargs (optional): Arguments of :class:`ImageData`.

    Raises:
        FileNotFoundError: If there are no such files.
        ValueError: If a pattern is no local one, or a sample has no image or no label.

    Example:
        >>> from pyg_vision.training import ShardData
        >>> data = ShardData("shards/train-*.tar", "shards/test-*.tar", "shards/classes.json",
        ...                  image_size=16, batch_size=2)
        >>> data.setup("fit")
        >>> images, labels, index = next(iter(data.train_dataloader()))
        >>> images.shape
        torch.Size([2, 3, 16, 16])
    """

    resumes_within_epochs = False

    def __init__(
        self,
        train_shards: str,
        test_shards: str,
        class_list: str,
        image_size: int,
        batch_size: int,
        train_samples: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(image_size, batch_size, **kwargs)
        if self.holdout > 0:
            raise ValueError("no part of tar shards can be held out: give other 'test_shards'")
        self.patterns = {"train": train_shards, "test": test_shards}
        self.class_list = class_list
        self.given_samples = (
            None if train_samples is None else check_int("train_samples", train_samples)
        )

    @cached_property
    def shards(self) -> dict[str, list[Path]]:
        r"""The files of training and test data."""
        return {split: find_shards(pattern) for split, pattern in self.patterns.items()}

    @cached_property
    def train_samples(self) -> int:
        r"""How many samples an epoch has."""
        if self.given_samples is not None:
            return self.given_samples
        logger.info("counting the samples of %d shards", len(self.shards["train"]))
        return sum(map(count_samples, self.shards["train"]))

    def class_names(self) -> Sequence[str]:
        r"""Returns the names of the file."""
        names = json.loads(Path(self.class_list).read_text(encoding="utf-8"))
        if not isinstance(names, list) or not names:
            raise ValueError(f"'{self.class_list}' must hold a list of the names of classes")
        return [str(name) for name in names]

    def setup(self, stage: str) -> None:
        r"""Looks for the files.

        Args:
            stage (str): What the trainer is about to do.
        """
        self.classes = list(self.class_names())
        if stage == "fit" and self.train_samples < self.batch_size * self._world_size:
            raise ValueError(
                f"there is no full batch of {self.batch_size * self._world_size} in "
                f"{self.train_samples} samples; choose a smaller batch"
            )
        self.test_set = FirstSamples(self, self.shards["test"][0])

    def train_dataloader(self) -> DataLoader[Any]:
        r"""Returns the loader of training data."""
        if self.start[0] > 0:
            logger.info("tar shards: going on from the end of epoch %d", self.start[0])
        steps = self.train_samples // (self.batch_size * self._world_size)
        stream = ShardStream(self, "train", epoch=self.start[0], batches=steps)
        loader = self._stream_loader(stream, self.batch_size)
        # Lightning announces epochs to samplers, of which a stream has none of use.
        sampler: Any = loader.sampler
        sampler.set_epoch = stream.set_epoch
        return loader

    def val_dataloader(self) -> DataLoader[Any]:
        r"""Returns the loader of validation data, which is the test data."""
        return self.test_dataloader()

    def test_dataloader(self) -> DataLoader[Any]:
        r"""Returns the loader of test data."""
        return self._stream_loader(ShardStream(self, "test"), self.eval_batch_size)

    def names(self) -> list[str]:
        r"""Returns the shards with their sizes."""
        paths = [path for split in ("train", "test") for path in self.shards[split]]
        return [f"{path.name} {path.stat().st_size}" for path in paths]

    def fingerprint(self) -> dict[str, Any]:
        r"""Returns by what the data are recognised when a training goes on."""
        return {**super().fingerprint(), "training": self.train_samples, "test": 0}

    def raw_sample(self, index: int) -> tuple[Any, str]:
        r"""Returns a test image, and where it is."""
        shard, place = divmod(index, MOST)
        path = self.shards["test"][shard]
        sample = _sample(path, place)
        return decode(sample, len(self.classes))[0], f"{path}:{sample['__key__']}"

    def _stream_loader(self, stream: ShardStream, batch_size: int) -> DataLoader[Any]:
        return ResumableLoader(
            stream,
            batch_size=batch_size,
            num_workers=self.num_workers,
            persistent_workers=False,  # a new process reads a new epoch
            pin_memory=torch.cuda.is_available(),
        )


class ShardStream(IterableDataset[tuple[Tensor, int, int]]):
    r"""The samples of an epoch of a process, one after the other.

    Args:
        data (ShardData): The data module.
        split (str): :obj:`"train"` or :obj:`"test"`.
        epoch (int, optional): The epoch. (default: :obj:`0`)
        batches (int, optional): How many batches are yielded, repeating the shards of the process
            if they have fewer. (default: each sample once)

    Example:
        >>> from pyg_vision.training import ShardData, ShardStream
        >>> data = ShardData("shards/train-*.tar", "shards/test-*.tar", "shards/classes.json",
        ...                  image_size=16, batch_size=2)
        >>> data.setup("test")
        >>> [index for _, _, index in ShardStream(data, "test")]
        [0, 1, 2]
    """

    def __init__(
        self, data: ShardData, split: str, epoch: int = 0, batches: int | None = None
    ) -> None:
        self.data, self.split, self.epoch, self.batches = data, split, epoch, batches

    def set_epoch(self, epoch: int) -> None:
        r"""Sets the epoch of the next pass.

        Args:
            epoch (int): The epoch.
        """
        self.epoch = epoch

    def __len__(self) -> int:
        if self.batches is not None:
            return self.batches * self.data.batch_size
        raise TypeError("how many test samples there are is known at their end")

    def __iter__(self) -> Iterator[tuple[Tensor, int, int]]:
        info = get_worker_info()
        worker, workers = (0, 1) if info is None else (info.id, info.num_workers)
        shards = list(enumerate(self.data.shards[self.split]))
        train = self.split == "train"
        if train:
            order = torch.Generator().manual_seed(seed_of(self.data.seed, "shards", self.epoch))
            shards = [shards[i] for i in torch.randperm(len(shards), generator=order).tolist()]
        ranks = self.data._world_size
        place, places = self.data._rank * workers + worker, ranks * workers
        # Where there are fewer shards than places, all read them all and share the samples out.
        shared = train and len(shards) < places
        own = shards if shared else shards[place::places]
        transform = self.data.train_transform() if train else self.data.eval_transform()
        size = self.data.batch_size
        limit = None if self.batches is None else _part(self.batches, worker, workers) * size
        repeats = self.data.repeats if train else 1
        encoded = self._encoded(own)
        if shared:
            encoded = islice(encoded, place, None, places)
        stream = ((*one, repeat) for one in encoded for repeat in range(repeats))
        for number, (again, (index, sample), repeat) in enumerate(stream):
            if number == limit:
                return
            image, label = decode(sample, len(self.data.classes))
            # Whoever reads a sample, and when, changes nothing of it.
            with seeded(self.data.seed, "sample", self.epoch, index, again, repeat):
                yield transform(image), label, index

    def _encoded(self, shards: list[tuple[int, Path]]) -> Iterator[tuple[int, tuple[int, Any]]]:
        r"""Yields how often the shards were read before, and a numbered sample."""
        if self.split != "train":
            yield from ((0, one) for one in _numbered(shards))
            return
        import webdataset

        again = 0
        while shards:
            seed = seed_of(self.data.seed, "buffer", self.epoch, shards[0][0], again)
            mix = webdataset.detshuffle(BUFFER, BUFFER, seed=seed)
            yield from ((again, one) for one in mix.run(_numbered(shards)))
            again += 1


class FirstSamples:
    r"""A shard as a list, of which a report looks at the first sample.

    Args:
        data (ShardData): The data module.
        shard (pathlib.Path): The shard.

    Example:
        >>> from pathlib import Path
        >>> from pyg_vision.training import FirstSamples, ShardData
        >>> data = ShardData("shards/train-*.tar", "shards/test-*.tar", "shards/classes.json",
        ...                  image_size=16, batch_size=2)
        >>> data.setup("test")
        >>> len(FirstSamples(data, Path("shards/test-0.tar")))
        3
    """

    def __init__(self, data: ShardData, shard: Path) -> None:
        self.data, self.shard = data, shard

    def __len__(self) -> int:
        return count_samples(self.shard)

    def __getitem__(self, index: int) -> tuple[Tensor, int, int]:
        image, label = decode(_sample(self.shard, index), len(self.data.classes))
        return self.data.eval_transform()(image), label, index


def find_shards(pattern: str) -> list[Path]:
    r"""Returns the local files that a pattern stands for, in order.

    Args:
        pattern (str): The pattern.

    Raises:
        FileNotFoundError: If there are none.
        ValueError: If it is no pattern of local files, such as :obj:`"pipe:..."`.

    Example:
        >>> from pyg_vision.training import find_shards
        >>> [path.name for path in find_shards("shards/train-*.tar")]
        ['train-0.tar', 'train-1.tar']
    """
    if pattern.strip() == "-" or ":" in pattern.split("/")[0]:
        raise ValueError(f"shards must be local files, not commands or addresses (got {pattern!r})")
    found = [Path(path) for path in sorted(glob.glob(pattern)) if Path(path).is_file()]
    if not found:
        raise FileNotFoundError(f"there are no shards '{pattern}'")
    for path in found:
        # A tar file ends with two blocks of zeros; the reader takes one that was cut for whole.
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - END))
            if path.suffix == ".tar" and file.read() != bytes(END):
                raise ValueError(f"the shard '{path}' is truncated, or no tar file")
    return found


def decode(sample: dict[str, Any], num_classes: int) -> tuple[Image.Image, int]:
    r"""Returns the image and the class of a sample of a shard.

    Args:
        sample (dict): The bytes of its files by their suffixes, and :obj:`__key__`.
        num_classes (int): How many classes there are.

    Raises:
        ValueError: If there is no image or no class, or either is malformed.

    Example:
        >>> import io
        >>> from PIL import Image
        >>> from pyg_vision.training.shard_data import decode
        >>> file = io.BytesIO()
        >>> Image.new("L", (4, 4)).save(file, "png")
        >>> decode({"__key__": "a", "png": file.getvalue(), "cls": b"3"}, num_classes=5)[1]
        3
    """
    where = f"sample '{sample.get('__key__')}' of '{sample.get('__url__', 'a shard')}'"
    suffix = next((name for name in IMAGES if name in sample), None)
    if suffix is None:
        raise ValueError(f"{where} must have an image, as {', '.join(IMAGES)}")
    try:
        with Image.open(io.BytesIO(sample[suffix])) as image:
            image.load()
            pixels = image_to_rgb(image)
    except (OSError, ValueError, SyntaxError) as error:
        raise ValueError(f"the image of {where} cannot be read ({error})") from error
    try:
        label = int(sample["cls"]) if "cls" in sample else json.loads(sample["json"])["label"]
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{where} must have a class, as cls or as label of json") from error
    if type(label) is not int or not 0 <= label < num_classes:
        raise ValueError(f"the class of {where} must be below {num_classes} (got {label!r})")
    return pixels, label


def _part(batches: int, worker: int, workers: int) -> int:
    r"""Returns how many batches a worker yields, so that all together yield so many."""
    return batches // workers + (worker < batches % workers)


def count_samples(path: Path) -> int:
    r"""Returns how many samples a shard has, of which only the names are read.

    Args:
        path (pathlib.Path): The shard.

    Example:
        >>> from pathlib import Path
        >>> from pyg_vision.training.shard_data import count_samples
        >>> count_samples(Path("shards/train-0.tar"))
        4
    """
    from webdataset.tariterators import base_plus_ext

    with tarfile.open(path) as tar:
        names = [
            member.name
            for member in tar
            if member.isreg() and _is_wanted(member.name) and not member.name.startswith("__")
        ]
    return sum(1 for _ in groupby(base_plus_ext(name)[0] for name in names))


def _is_wanted(name: str) -> bool:
    return name.rpartition(".")[2].lower() in IMAGES + LABELS


def _sample(path: Path, place: int) -> dict[str, Any]:
    sample = next(islice(_samples(path), place, None), None)
    if sample is None:
        raise IndexError(f"'{path}' has no sample {place}")
    return sample


def _numbered(shards: list[tuple[int, Path]]) -> Iterator[tuple[int, Any]]:
    for number, path in shards:
        for place, sample in enumerate(_samples(path)):
            yield number * MOST + place, sample


def _samples(path: Path) -> Iterator[dict[str, Any]]:
    r"""Yields the files of each sample of a shard as bytes; others are not read."""
    from webdataset import tariterators, utils

    utils.enforce_security = True
    with path.open("rb") as file:
        files = tariterators.tar_file_expander(
            iter([{"url": str(path), "stream": file}]),
            select_files=_is_wanted,
        )
        yield from tariterators.group_by_keys(files, lcase=True)
