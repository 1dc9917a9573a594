r"""NTU RGB+D as CTR-GCN prepares it, as a dataset of graphs."""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import Literal

from torch_geometric.data import Data

from pyg_vision.data.readers.ctr_gcn import ctr_gcn_sequence, open_ctr_gcn
from pyg_vision.data.readers.skeleton_file import SkeletonFileError
from pyg_vision.datasets._lazy_skeletons import LazySkeletonDataset
from pyg_vision.datasets._ntu_actions import ACTIONS
from pyg_vision.typing import OnError


class CTRGCNDataset(LazySkeletonDataset):
    r"""NTU RGB+D as `CTR-GCN <https://github.com/Uason-Chen/CTR-GCN>`_ and its successors prepare
    it, in one file of arrays for each benchmark, see
    :func:`~pyg_vision.data.readers.open_ctr_gcn`.

    The file is not downloaded. The arrays of the split are held in memory, and turned into graphs
    on demand, without the zeros that they are padded with.

    Args:
        path (str or path): The file :obj:`.npz`, such as :obj:`NTU60_CS.npz`.
        split (str, optional): :obj:`"train"` or :obj:`"test"`. (default: :obj:`"train"`)
        transform (Callable, optional): A transform from :class:`~torch_geometric.data.Data` to
            :class:`~torch_geometric.data.Data`. (default: :obj:`None`)
        on_error (str, optional): What to do with sequences whose values are malformed:
            :obj:`"raise"` an error when one is read, or :obj:`"skip"` them, for which all are
            checked once on construction. (default: :obj:`"raise"`)

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is malformed, or has no sequences in the split.

    Example:
        >>> from pyg_vision.datasets import CTRGCNDataset
        >>> dataset = CTRGCNDataset("data/formats/NTU60_CV.npz", split="test")
        >>> dataset.labels, dataset.classes[3]
        ([3], 'brushing hair')
        >>> dataset[0].skeleton_shape
        SkeletonShape(num_persons=1, num_frames=4, num_joints=25)
    """

    def __init__(
        self,
        path: str | PathLike[str],
        split: Literal["train", "test"] = "train",
        transform: Callable[[Data], Data] | None = None,
        on_error: OnError = "raise",
    ) -> None:
        self.path, self.split = Path(path), split
        self._x, labels = open_ctr_gcn(path, split)
        if not labels:
            raise SkeletonFileError(self.path, f"split {split!r} has no sequences")
        self._known = labels
        classes = ACTIONS if max(labels) >= 60 else ACTIONS[:60]
        super().__init__(range(len(labels)), list(labels), classes, transform, on_error)

    def read(self, item: int) -> Data:
        r"""Turns a sequence into a graph."""
        return ctr_gcn_sequence(self._x[item], self._known[item], self.describe(item))

    def stamp(self, item: int) -> tuple[str, str]:
        r"""Names a sequence by its index in the split."""
        return self.describe(item), str(self.path)

    def identity(self) -> str:
        r"""Describes the options that decide whether a sequence is malformed."""
        return self.split

    def describe(self, item: int) -> str:
        r"""Names the sequence."""
        return f"{self.path}[{self.split} {item}]"
