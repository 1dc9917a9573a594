r"""Kinetics-Skeleton as a dataset of graphs."""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike, sep, stat
from pathlib import Path
from typing import Literal

from torch import tensor
from torch_geometric.data import Data

from pyg_vision.data.readers.kinetics import read_kinetics
from pyg_vision.data.readers.skeleton_file import SkeletonFileError, read_json, show
from pyg_vision.datasets._lazy_skeletons import NO_PERSON, LazySkeletonDataset
from pyg_vision.typing import OnError

_MAX_CLASSES = 100_000
# A file of 300 frames, the most that there are, has a third of this if nobody is in them.
_MAY_BE_EMPTY = 32 * 1024


class KineticsSkeleton(LazySkeletonDataset):
    r"""Kinetics-Skeleton from the `"Spatial Temporal Graph Convolutional Networks for
    Skeleton-Based Action Recognition" <https://arxiv.org/abs/1801.07455>`_ paper: the poses that
    OpenPose found in the videos of Kinetics-400.

    The files are not downloaded; they are those that ST-GCN distributes,
    :obj:`kinetics_train/<name>.json`, :obj:`kinetics_val/<name>.json`, and for each split
    :obj:`kinetics_<split>_label.json`. They are read on demand, see
    :func:`~pyg_vision.data.readers.read_kinetics`. Videos without a skeleton, according to the
    labels or to their own file, are left out; :obj:`num_missing` is their number.

    A joint has the features :math:`(x, y, \textrm{score})`, with :math:`x` and :math:`y` in
    :math:`[0, 1]`.

    .. list-table::
        :header-rows: 1

        * - split
          - #sequences
          - #frames
          - #joints
          - #classes
        * - :obj:`"train"`
          - about 240,000
          - at most 300
          - 18
          - 400
        * - :obj:`"val"`
          - about 20,000
          - at most 300
          - 18
          - 400

    Args:
        root (str or path): The folder with the folders and files named above.
        split (str, optional): :obj:`"train"` or :obj:`"val"`. (default: :obj:`"train"`)
        num_persons (int, optional): The largest number of persons to keep in each frame, those
            with the highest score; published models use two. (default: all)
        transform (Callable, optional): A transform from :class:`~torch_geometric.data.Data` to
            :class:`~torch_geometric.data.Data`. (default: :obj:`None`)
        on_error (str, optional): What to do with malformed or missing files: :obj:`"raise"` an
            error when one is read, or :obj:`"skip"` them, for which all are read once, in
            parallel; the result is kept in the user's cache folder. (default: :obj:`"raise"`)

    Raises:
        FileNotFoundError: If a folder or the file of labels is missing; when indexed, if the file
            of the sequence is missing.
        ValueError: If there is no such split, or the labels are malformed; when indexed, if the
            file is malformed or has another label.

    Example:
        >>> from pyg_vision.datasets import KineticsSkeleton
        >>> dataset = KineticsSkeleton("kinetics", split="train", num_persons=2)
        >>> len(dataset), dataset.num_missing
        (2, 1)
        >>> dataset.classes
        ['abseiling', 'air drumming']
        >>> dataset[0].skeleton_shape
        SkeletonShape(num_persons=1, num_frames=4, num_joints=18)
    """

    def __init__(
        self,
        root: str | PathLike[str],
        split: Literal["train", "val"] = "train",
        num_persons: int | None = None,
        transform: Callable[[Data], Data] | None = None,
        on_error: OnError = "raise",
    ) -> None:
        if split not in ("train", "val"):
            raise ValueError(f"'split' must be 'train' or 'val' (got {split!r})")
        self.split, self.num_persons = split, num_persons
        folder = Path(root) / f"kinetics_{split}"
        if not folder.is_dir():
            raise FileNotFoundError(f"there is no folder '{folder}'")
        label_path = Path(root) / f"kinetics_{split}_label.json"
        names: dict[int, str] = {}
        items, labels, self.num_missing = [], [], 0
        records = read_json(label_path)
        for video in sorted(records):
            entry = _read_entry(label_path, video, records[video])
            if entry is None:
                self.num_missing += 1
                continue
            label, name = entry
            if names.setdefault(label, name) != name:
                raise SkeletonFileError(
                    label_path,
                    f"{show(video)} calls the label {label} {show(name)}, which others call "
                    f"{show(names[label])}",
                )
            items.append((f"{folder}{sep}{video}.json", label))
            labels.append(label)
        classes = [names.get(i, str(i)) for i in range(max(names, default=-1) + 1)]
        super().__init__(items, labels, classes, transform, on_error)

    @property
    def paths(self) -> list[Path]:
        r"""The file of each sequence."""
        return [Path(self._items[i][0]) for i in self.indices()]

    def read(self, item: tuple[str, int]) -> Data:
        r"""Reads a file, whose label must be that of the file of labels."""
        path, label = Path(item[0]), item[1]
        data = read_kinetics(path, self.num_persons)
        if data.y is not None and int(data.y) != label:
            raise SkeletonFileError(
                path, f"has the label {int(data.y)}, but {label} in the list of labels"
            )
        data.y = tensor([label])
        return data

    def stamp(self, item: tuple[str, int]) -> tuple[str, str]:
        r"""Names an item by its file and its label."""
        return f"{item[0]}|{item[1]}", item[0]

    def _leave_out_empty(self, problems: list[str]) -> None:
        kept = [i for i, problem in enumerate(problems) if problem != NO_PERSON]
        self.num_missing += len(problems) - len(kept)
        self._keep(kept)
        problems[:] = [problems[i] for i in kept]

    def _look_for_empty(self) -> None:
        small = [i for i, (path, _) in enumerate(self._items) if _may_be_empty(path)]
        found = self._problems([self._items[i] for i in small])
        problems = [""] * len(self._items)
        for i, problem in zip(small, found, strict=True):
            problems[i] = problem
        self._leave_out_empty(problems)

    def describe(self, item: tuple[str, int]) -> str:
        r"""Names the file."""
        return item[0]


def _may_be_empty(path: str) -> bool:
    try:
        return stat(path).st_size <= _MAY_BE_EMPTY
    except OSError:  # named when it is read
        return False


def _read_entry(path: Path, video: str, record: object) -> tuple[int, str] | None:
    entry = record if isinstance(record, dict) else {}
    found, label, name = entry.get("has_skeleton"), entry.get("label_index"), entry.get("label")
    if found is False:
        return None
    if (
        found is not True
        or not isinstance(label, int)
        or isinstance(label, bool)
        or not 0 <= label < _MAX_CLASSES
        or not isinstance(name, str)
    ):
        raise SkeletonFileError(
            path,
            f"{show(video)} must have 'has_skeleton' (true or false), 'label_index' (the index "
            f"of a class) and 'label' (its name); got {show(found)}, {show(label)}, {show(name)}",
        )
    return label, name
