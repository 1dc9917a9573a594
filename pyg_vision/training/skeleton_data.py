r"""Data modules of skeletons."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from torch_geometric.data import Data
from torch_geometric.loader.dataloader import Collater

from pyg_vision import datasets
from pyg_vision.data import skeleton_layout
from pyg_vision.datasets import SkeletonArrays, SkeletonDataset, SkeletonFolder
from pyg_vision.prediction import make_transforms
from pyg_vision.prediction.inputs import read_sequences
from pyg_vision.training._data_module import KeyedDataModule
from pyg_vision.training.folders import NAMES, check_same_classes, share_of_classes, split_folders
from pyg_vision.training.graph_data import NumberedGraphs
from pyg_vision.training.sampling import IndexedDataset
from pyg_vision.typing import Stream

Steps = Sequence[dict[str, dict[str, Any]]]


class SkeletonSplits(KeyedDataModule):
    r"""What the data modules of skeletons have in common: their transforms.

    Args:
        batch_size (int): The sequences of a batch of one process.
        train_transforms (list of dict, optional): The transforms of training data, in order, of
            :mod:`pyg_vision.transforms`: a name with its arguments each, such as
            :obj:`{"SampleFrames": {"num_frames": 52}}`. (default: none)
        test_transforms (list of dict, optional): The same for test data. (default: none)
        stream (str, optional): The stream of each step :obj:`SkeletonStream` among them that does
            not say its own. (default: :obj:`"joint"`)
        **kwargs (optional): Arguments of :class:`KeyedDataModule`.

    Raises:
        ValueError: If there is no such transform, or a stream is given that no step makes.

    Example:
        >>> from pyg_vision.datasets import SyntheticMotion
        >>> from pyg_vision.training import SkeletonSplits
        >>> class Moves(SkeletonSplits):
        ...     def read_split(self, split):
        ...         return SyntheticMotion(14, split=split)
        >>> data = Moves(batch_size=4, test_transforms=[{"SampleFrames": {"num_frames": 9}}])
        >>> data.setup("fit")
        >>> tuple(next(iter(data.test_dataloader())).skeleton_shape[0])
        (1, 9, 18)
    """

    def __init__(
        self,
        batch_size: int,
        train_transforms: Steps = (),
        test_transforms: Steps = (),
        stream: Stream = "joint",
        **kwargs: Any,
    ) -> None:
        super().__init__(batch_size, **kwargs)
        for steps in (train_transforms, test_transforms):
            make_transforms(steps)
        self.stream = stream
        self.steps = {
            "train": _of_stream(train_transforms, stream),
            "test": _of_stream(test_transforms, stream),
        }
        for steps in self.steps.values():
            make_transforms(steps)
        self._read: dict[str, SkeletonDataset] = {}

    def read_split(self, split: str) -> SkeletonDataset:
        r"""Returns the sequences of a split as they are.

        Args:
            split (str): :obj:`"train"` or :obj:`"test"`.
        """
        raise NotImplementedError

    def sequences(self, split: str) -> SkeletonDataset:
        r"""Returns the sequences of a split as they are, which are read once.

        Args:
            split (str): :obj:`"train"` or :obj:`"test"`.
        """
        if split not in self._read:
            self._read[split] = self.read_split(split)
        return self._read[split]

    def load(self, split: str, augment: bool) -> IndexedDataset:
        r"""Returns a split of the data."""
        data = self.sequences(split)
        names = list(data.classes)
        if len(names) > len(self.classes):  # the last classes may be missing from a split
            self.classes = names
        steps = self.steps["train" if augment else "test"]
        return NumberedGraphs(data, make_transforms(steps))

    def _told(self) -> dict[str, Any]:
        r"""Returns the skeleton and the channels of a joint, those of a test sequence."""
        first = self.load("test", False)[0]
        one = first[0] if isinstance(first, list) else first
        return {"in_channels": one.x.size(1), "layout": one.layout}

    def class_names(self) -> Sequence[str]:
        r"""Returns the names of the classes."""
        return self.classes

    def preprocessing(self) -> dict[str, Any]:
        r"""Returns in plain data what is done to a sequence before a model sees it."""
        return {"kind": "skeleton", "transforms": [dict(step) for step in self.steps["test"]]}

    def raw_sample(self, index: int) -> tuple[Any, str]:
        r"""Returns a test sequence, and its file where it has one."""
        data: Any = self.sequences("test")
        paths = getattr(data, "paths", None)
        return data[index], str(paths[index]) if paths else f"test sequence {index}"

    @property
    def collate(self) -> Callable[[list[Any]], Any]:
        r"""How sequences become a batch of PyG."""
        return Collater(None)


def _of_stream(steps: Steps, stream: Stream) -> list[dict[str, dict[str, Any]]]:
    r"""Returns steps of which those that make a stream say which."""
    if stream != "joint" and not any("SkeletonStream" in step for step in steps):
        raise ValueError(f"'stream' is {stream!r}, but no step is a SkeletonStream")
    return [
        {"SkeletonStream": {"stream": stream, **(step["SkeletonStream"] or {})}}
        if "SkeletonStream" in step
        else dict(step)
        for step in steps
    ]


class SkeletonData(SkeletonSplits):
    r"""Any data set of :mod:`pyg_vision.datasets` that holds skeletons in splits.

    Args:
        dataset (str): Its name, such as :obj:`"NWUCLA"`.
        batch_size (int): The sequences of a batch of one process.
        root (str, optional): Where its files are, for all but :obj:`"SyntheticMotion"`.
            (default: :obj:`None`)
        options (dict, optional): Further arguments of the data set, such as
            :obj:`{"benchmark": "xsub"}`. (default: none)
        splits (list of str, optional): The names of the splits of training and test.
            (default: :obj:`"train"` and :obj:`"test"`)
        **kwargs (optional): Arguments of :class:`SkeletonSplits`.

    Raises:
        ValueError: If there is no such data set or transform.
        FileNotFoundError: If there is no such folder.

    Example:
        >>> from pyg_vision.training import SkeletonData
        >>> data = SkeletonData(
        ...     "SyntheticMotion",
        ...     batch_size=4,
        ...     options={"num_sequences": 14},
        ...     train_transforms=[{"CenterSkeleton": {"joint": "neck"}}],
        ... )
        >>> data.setup("fit")
        >>> next(iter(data.train_dataloader())).num_graphs
        4
    """

    def __init__(
        self,
        dataset: str,
        batch_size: int,
        root: str | None = None,
        options: dict[str, Any] | None = None,
        splits: Sequence[str] = ("train", "test"),
        **kwargs: Any,
    ) -> None:
        super().__init__(batch_size, **kwargs)
        kind = getattr(datasets, dataset, None)
        if not isinstance(kind, type) or "split" not in inspect.signature(kind).parameters:
            raise ValueError(f"pyg_vision.datasets has no data set '{dataset}' with splits")
        self.kind, self.root, self.options = kind, root, dict(options or {})
        self.splits = dict(zip(("train", "test"), splits, strict=True))

    def read_split(self, split: str) -> SkeletonDataset:
        r"""Returns the sequences of a split as they are."""
        arguments = {"split": self.splits[split], **self.options}
        if self.root is not None:
            first = next(iter(inspect.signature(self.kind).parameters))
            arguments[first] = self.root
        data: SkeletonDataset = self.kind(**arguments)
        return data


class SkeletonFolderData(SkeletonSplits):
    r"""Files of skeletons in folders: :obj:`root/train/<class>/<name>.csv` and
    :obj:`root/test/...`, or :obj:`root/<class>/<name>.csv`, of which a part is test data.

    Args:
        root (str): The folder. It holds :obj:`train`, and :obj:`val` or :obj:`test`; or the
            classes.
        batch_size (int): The sequences of a batch of one process.
        layout (str, optional): The skeleton, or the path of a :obj:`.json` file of one, where the
            files do not tell it. (default: :obj:`None`)
        size (list of float, optional): Width and height of a frame, for the pixels of OpenPose.
            (default: :obj:`None`)
        test_share (float, optional): The share of each class that is test data, where the folder
            holds classes. (default: :obj:`0.2`)
        **kwargs (optional): Arguments of :class:`SkeletonSplits`.

    Raises:
        FileNotFoundError: If there is no such folder.
        ValueError: If a file is malformed, or training and test data have other classes.

    Example:
        >>> from pyg_vision.training import SkeletonFolderData
        >>> data = SkeletonFolderData("gestures", batch_size=2, size=(1920, 1080))
        >>> data.setup("fit")
        >>> data.classes
        ['clap', 'wave']
    """

    def __init__(
        self,
        root: str,
        batch_size: int,
        layout: str | None = None,
        size: Sequence[float] | None = None,
        test_share: float = 0.2,
        **kwargs: Any,
    ) -> None:
        super().__init__(batch_size, **kwargs)
        self.root = root
        self.layout = layout if layout is None else skeleton_layout(layout)
        self.size, self.test_share = size, test_share
        self._found: dict[Path, SkeletonFolder] = {}

    @cached_property
    def folders(self) -> dict[str, Path]:
        r"""The folders of training and test data."""
        return split_folders(self.root)

    def read_split(self, split: str) -> SkeletonDataset:
        r"""Returns the sequences of a split as they are."""
        train, test = self.folders["train"], self.folders["test"]
        data = self._folder(self.folders[split])
        if train == test:
            part: SkeletonDataset = data[share_of_classes(data.labels, self.test_share)[split]]
            return part
        # By the names of the folders: who evaluates need not read the training data.
        shown = [path.name for path in train.iterdir() if path.is_dir() and path.name[0] != "."]
        check_same_classes(sorted(shown), data.classes)
        return data

    def _folder(self, path: Path) -> SkeletonFolder:
        if path not in self._found:
            self._found[path] = SkeletonFolder(path, self.read, pattern="*")
        return self._found[path]

    def read(self, path: Path) -> Data:
        r"""Reads a file that holds one sequence.

        Args:
            path (pathlib.Path): The file.

        Raises:
            ValueError: If it is malformed or holds several.
        """
        size = None if self.size is None else (self.size[0], self.size[1])
        found = read_sequences(path, self.layout, size)
        if len(found) != 1:
            raise ValueError(f"'{path}' must hold one sequence of its class (got {len(found)})")
        (data,) = found
        for name in ("time", "pixels"):  # which only some files have, and no model sees
            if name in data:
                del data[name]
        return data

    def names(self) -> list[str]:
        r"""Returns the files below the folder."""
        found = (self._folder(path) for path in set(self.folders.values()))
        return sorted(str(Path(p).relative_to(self.root)) for data in found for p in data.paths)

    def model_options(self) -> dict[str, Any]:
        r"""Returns the skeleton and the channels of a joint."""
        return self._told()


class SkeletonArraysData(SkeletonSplits):
    r"""Arrays of sequences as the published code prepares them: :obj:`root/train_data.npy` with
    :obj:`root/train_label.pkl` (or :obj:`.npy`), and :obj:`root/val_data.npy` or
    :obj:`root/test_data.npy` with its labels.

    The arrays are mapped from their files, and may be larger than the memory.

    Args:
        root (str): The folder.
        batch_size (int): The sequences of a batch of one process.
        layout (str): The skeleton, or the path of a :obj:`.json` file of one.
        trim (bool, optional): Whether empty frames and persons at the end of a sequence are
            removed. (default: :obj:`False`)
        **kwargs (optional): Arguments of :class:`SkeletonSplits`.

    Raises:
        FileNotFoundError: If a file is missing.
        ValueError: If a file is malformed or does not fit the layout.

    Example:
        >>> from pyg_vision.training import SkeletonArraysData
        >>> data = SkeletonArraysData("arrays", batch_size=2, layout="ntu", trim=True)
        >>> data.setup("fit")
        >>> tuple(next(iter(data.test_dataloader())).skeleton_shape[0])
        (2, 6, 25)
    """

    def __init__(
        self, root: str, batch_size: int, layout: str, trim: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(batch_size, **kwargs)
        self.root, self.trim = Path(root), trim
        self.layout = skeleton_layout(layout)

    def read_split(self, split: str) -> SkeletonDataset:
        r"""Returns the sequences of a split as they are."""
        data = self._find([f"{name}_data.npy" for name in NAMES[split]])
        name = data.name.removesuffix("_data.npy")
        labels = self._find([f"{name}_label.{end}" for end in ("pkl", "npy")])
        return SkeletonArrays(data, labels, self.layout, trim=self.trim)

    def model_options(self) -> dict[str, Any]:
        r"""Returns the skeleton and the channels of a joint."""
        return self._told()

    def _find(self, names: list[str]) -> Path:
        found = next((self.root / name for name in names if (self.root / name).is_file()), None)
        if found is None:
            raise FileNotFoundError(f"'{self.root}' must hold {' or '.join(map(repr, names))}")
        return found
