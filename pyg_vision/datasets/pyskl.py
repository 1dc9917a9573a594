r"""Annotation files of pyskl and MMAction2 as datasets of graphs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from os import PathLike
from pathlib import Path

from torch_geometric.data import Data

from pyg_vision.data.layout import SkeletonLayout
from pyg_vision.data.readers.pyskl import (
    Annotation,
    annotation_layout,
    open_pyskl,
    pyskl_sequence,
)
from pyg_vision.data.readers.skeleton_file import SkeletonFileError
from pyg_vision.datasets._lazy_skeletons import LazySkeletonDataset
from pyg_vision.typing import OnError


class PysklDataset(LazySkeletonDataset):
    r"""The sequences of an annotation file of pyskl or MMAction2, such as NTU RGB+D, FineGYM,
    UCF101, HMDB51 or Diving48.

    The file is not downloaded. It is held in memory, and read without running code that may be in
    it, see :func:`~pyg_vision.data.readers.open_pyskl`; annotations are turned into graphs on
    demand. :obj:`num_missing` is the number of sequences of the split without an annotation.

    Args:
        path (str or path): The file :obj:`.pkl`.
        split (str, optional): The name of a split in the file, such as :obj:`"xsub_train"`.
            By default all sequences are used. (default: :obj:`None`)
        layout (str or SkeletonLayout): The skeleton, which must be given, see
            :func:`~pyg_vision.data.readers.pyskl_sequence`.
        transform (Callable, optional): A transform from :class:`~torch_geometric.data.Data` to
            :class:`~torch_geometric.data.Data`. (default: :obj:`None`)
        on_error (str, optional): What to do with sequences whose values are malformed:
            :obj:`"raise"` an error when one is read, or :obj:`"skip"` them, for which all are
            checked once on construction. (default: :obj:`"raise"`)

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is malformed, the layout is not given, or there is no such split;
            when indexed, if the sequence is malformed or does not fit the layout.

    Example:
        >>> from pyg_vision.datasets import PysklDataset
        >>> dataset = PysklDataset("data/ucf101.pkl", split="train1", layout="coco")
        >>> dataset.names
        ['v_Archery_g01', 'v_Biking_g01']
        >>> dataset[0].skeleton_shape
        SkeletonShape(num_persons=1, num_frames=4, num_joints=17)
    """

    def __init__(
        self,
        path: str | PathLike[str],
        split: str | None = None,
        layout: str | SkeletonLayout | None = None,
        transform: Callable[[Data], Data] | None = None,
        on_error: OnError = "raise",
    ) -> None:
        self.path, self.split = Path(path), split
        splits, annotations = open_pyskl(path)
        try:
            self.layout = annotation_layout(annotations[0], layout)
        except ValueError as error:
            raise SkeletonFileError(self.path, str(error)) from error
        items = list(enumerate(annotations))
        self.num_missing = 0
        if split is not None:
            if split not in splits:
                found = ", ".join(map(repr, splits)) or "none"
                raise SkeletonFileError(self.path, f"has no split {split!r} (got {found})")
            members = set(splits[split])
            items = [(i, record) for i, record in items if record["frame_dir"] in members]
            self.num_missing = len(members) - len(items)
            if not items:
                raise SkeletonFileError(self.path, f"split {split!r} has no annotations")
        labels = [record.get("label") for _, record in items]
        labels = [None if label == -1 else label for label in labels]
        known = [int(label) for label in labels if label is not None]
        classes = [str(i) for i in range(max(known, default=-1) + 1)]
        super().__init__(items, labels, classes, transform, on_error)

    @property
    def names(self) -> list[str]:
        r"""The :obj:`frame_dir` of each sequence."""
        return [self._items[i][1]["frame_dir"] for i in self.indices()]

    def read(self, item: tuple[int, Annotation]) -> Data:
        r"""Turns an annotation into a graph."""
        try:
            return pyskl_sequence(item[1], self.layout)
        except ValueError as error:
            raise SkeletonFileError(self.path, f"annotation {item[0]}: {error}") from error

    def stamp(self, item: tuple[int, Annotation]) -> tuple[str, str]:
        r"""Names an annotation by its index in the file."""
        return f"{self.path}[{item[0]}]", str(self.path)

    def identity(self) -> str:
        r"""Describes the options that decide whether a sequence is malformed."""
        return str(asdict(self.layout))

    def describe(self, item: tuple[int, Annotation]) -> str:
        r"""Names the annotation."""
        return str(item[1]["frame_dir"])
