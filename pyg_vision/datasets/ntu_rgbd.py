r"""NTU RGB+D and NTU RGB+D 120 as datasets of graphs."""

from __future__ import annotations

from collections.abc import Callable
from importlib import resources
from os import PathLike
from pathlib import Path
from typing import Literal

from torch_geometric.data import Data

from pyg_vision.data.readers.ntu import NTUName, ntu_name, read_ntu
from pyg_vision.data.readers.skeleton_file import SkeletonFileError, read_text
from pyg_vision.datasets._lazy_skeletons import LazySkeletonDataset
from pyg_vision.datasets._ntu_actions import ACTIONS
from pyg_vision.datasets.skeleton_dataset import list_files, read_names
from pyg_vision.typing import OnError

# fmt: off
_SUBJECTS_60 = frozenset((
    1, 2, 4, 5, 8, 9, 13, 14, 15, 16, 17, 18, 19, 25, 27, 28, 31, 34, 35, 38,
))
_SUBJECTS_120 = _SUBJECTS_60 | frozenset((
    45, 46, 47, 49, 50, 52, 53, 54, 55, 56, 57, 58, 59, 70, 74, 78, 80, 81, 82, 83, 84, 85, 86,
    89, 91, 92, 93, 94, 95, 97, 98, 100, 103,
))
# fmt: on
_CAMERAS = frozenset((2, 3))
_BENCHMARKS = {60: ("xsub", "xview"), 120: ("xsub", "xset")}


class NTURGBD(LazySkeletonDataset):
    r"""NTU RGB+D from the `"NTU RGB+D: A Large Scale Dataset for 3D Human Activity Analysis"
    <https://arxiv.org/abs/1604.02808>`_ and NTU RGB+D 120 from the `"NTU RGB+D 120: A Large-Scale
    Benchmark for 3D Human Activity Understanding" <https://arxiv.org/abs/1905.04757>`_ paper:
    actions of one or two persons in front of three Kinect v2 cameras, in metres.

    The files are not downloaded, since access must be requested from the authors; they are the
    text files :obj:`SxxxCxxxPxxxRxxxAxxx.skeleton`. They are read on demand, see
    :func:`~pyg_vision.data.readers.read_ntu` for the order of the persons. The samples that the
    authors list as missing or incomplete, 302 of NTU RGB+D and 535 of NTU RGB+D 120, are left out,
    as in all published results; :obj:`num_missing` is their number in the split.

    .. list-table::
        :header-rows: 1

        * - #classes
          - benchmark
          - training
          - #train
          - #test
          - #joints
        * - 60
          - :obj:`"xsub"`
          - 20 of 40 subjects
          - 40,091
          - 16,487
          - 25
        * - 60
          - :obj:`"xview"`
          - cameras 2 and 3
          - 37,646
          - 18,932
          - 25
        * - 120
          - :obj:`"xsub"`
          - 53 of 106 subjects
          - 63,026
          - 50,919
          - 25
        * - 120
          - :obj:`"xset"`
          - setups with even numbers
          - 54,468
          - 59,477
          - 25

    Args:
        root (str or path): The folder of the files, which may be in subfolders.
        benchmark (str, optional): How training and test set are split: by subject,
            :obj:`"xsub"`; by view, :obj:`"xview"`, with 60 classes; or by the setup of the
            cameras, :obj:`"xset"`, with 120. (default: :obj:`"xsub"`)
        split (str, optional): :obj:`"train"` or :obj:`"test"`. (default: :obj:`"train"`)
        num_classes (int, optional): 60 for NTU RGB+D or 120 for NTU RGB+D 120. Files of other
            actions are ignored. (default: :obj:`60`)
        transform (Callable, optional): A transform from :class:`~torch_geometric.data.Data` to
            :class:`~torch_geometric.data.Data`. (default: :obj:`None`)
        on_error (str, optional): What to do with malformed files: :obj:`"raise"` an error when
            one is read, or :obj:`"skip"` them, for which all are read once, in parallel; the
            result is kept in the user's cache folder. (default: :obj:`"raise"`)
        missing (str or path, optional): A text file with the names of the samples to leave out,
            one per line. (default: the list of the authors)

    Raises:
        FileNotFoundError: If there is no such folder, or no file in it.
        ValueError: If there is no such benchmark or split, a file has another name, or no file
            remains; when indexed, if the file is malformed.

    Example:
        >>> from pyg_vision.datasets import NTURGBD
        >>> from pyg_vision.transforms import SkeletonEdges
        >>> dataset = NTURGBD("data/ntu", "xsub", "train", transform=SkeletonEdges())
        >>> len(dataset), dataset.num_missing
        (2, 1)
        >>> dataset.classes[dataset.labels[0]]
        'drink water'
        >>> dataset[0].skeleton_shape
        SkeletonShape(num_persons=1, num_frames=3, num_joints=25)
    """

    def __init__(
        self,
        root: str | PathLike[str],
        benchmark: Literal["xsub", "xview", "xset"] = "xsub",
        split: Literal["train", "test"] = "train",
        num_classes: Literal[60, 120] = 60,
        transform: Callable[[Data], Data] | None = None,
        on_error: OnError = "raise",
        missing: str | PathLike[str] | None = None,
    ) -> None:
        if num_classes not in _BENCHMARKS:
            raise ValueError(f"'num_classes' must be 60 or 120 (got {num_classes!r})")
        if benchmark not in _BENCHMARKS[num_classes]:
            raise ValueError(
                f"'benchmark' must be one of {', '.join(_BENCHMARKS[num_classes])} with "
                f"{num_classes} classes (got {benchmark!r})"
            )
        if split not in ("train", "test"):
            raise ValueError(f"'split' must be 'train' or 'test' (got {split!r})")
        self.benchmark, self.split = benchmark, split
        left_out = _read_missing(missing)
        files = sorted(list_files(root, "**/*.skeleton"), key=lambda path: path.name)
        named, misnamed = read_names(files, ntu_name, on_error)
        paths, self.num_missing = [], 0
        for path, name in named:
            if name.action > num_classes or _in_training(name, benchmark, num_classes) != (
                split == "train"
            ):
                continue
            if path.stem in left_out:
                self.num_missing += 1
            else:
                paths.append(path)
        labels = [ntu_name(path).action - 1 for path in paths]
        super().__init__(paths, labels, ACTIONS[:num_classes], transform, on_error)
        self.skipped = misnamed + self.skipped

    @property
    def names(self) -> list[NTUName]:
        r"""The numbers in the name of each file."""
        return [ntu_name(self._items[i]) for i in self.indices()]

    def read(self, item: Path) -> Data:
        r"""Reads a file."""
        return read_ntu(item)

    def stamp(self, item: Path) -> tuple[str, str]:
        r"""Names an item by its file."""
        return str(item), str(item)


def _in_training(name: NTUName, benchmark: str, num_classes: int) -> bool:
    if benchmark == "xview":
        return name.camera in _CAMERAS
    if benchmark == "xset":
        return name.setup % 2 == 0
    return name.subject in (_SUBJECTS_60 if num_classes == 60 else _SUBJECTS_120)


def _read_missing(path: str | PathLike[str] | None) -> frozenset[str]:
    if path is None:
        file = resources.files("pyg_vision.datasets") / "ntu_rgbd_missing.txt"
        text = file.read_text(encoding="utf-8")
    else:
        text = read_text(Path(path))
    lines = (line.partition("#")[0].strip() for line in text.splitlines())
    names = [line.removesuffix(".skeleton") for line in lines if line]
    for name in names:
        try:
            ntu_name(name)
        except ValueError:
            raise SkeletonFileError(
                Path(path or "ntu_rgbd_missing.txt"), f"names a sample {name!r}"
            ) from None
    return frozenset(names)
