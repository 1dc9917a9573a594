r"""Northwestern-UCLA as a dataset of graphs."""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike
from typing import Literal

from torch_geometric.data import Data

from pyg_vision.data.readers.nw_ucla import NWUCLAName, nw_ucla_name, read_nw_ucla
from pyg_vision.datasets.skeleton_dataset import SkeletonDataset, list_files, read_files
from pyg_vision.typing import OnError

_CLASSES = (
    "pick up with one hand",
    "pick up with two hands",
    "drop trash",
    "walk around",
    "sit down",
    "stand up",
    "donning",
    "doffing",
    "throw",
    "carry",
)
_VIEWS = {"train": (1, 2), "test": (3,), "all": (1, 2, 3)}


class NWUCLA(SkeletonDataset):
    r"""Northwestern-UCLA from the `"Cross-view Action Modeling, Learning and Recognition"
    <https://arxiv.org/abs/1405.2941>`_ paper: ten actions of ten persons in front of three Kinect
    v1 cameras, in metres.

    The files are not downloaded; they are the JSON files that CTR-GCN and its successors use,
    :obj:`aXX_sYY_eZZ_vWW.json`, all in one folder.

    .. list-table::
        :header-rows: 1

        * - split
          - views
          - #sequences
          - #frames
          - #joints
          - #classes
        * - :obj:`"train"`
          - 1, 2
          - 1,020
          - 1 to 201
          - 20
          - 10
        * - :obj:`"test"`
          - 3
          - 464
          - 1 to 134
          - 20
          - 10

    Args:
        root (str or path): The folder.
        split (str, optional): :obj:`"train"`, :obj:`"test"` or :obj:`"all"`.
            (default: :obj:`"train"`)
        transform (Callable, optional): A transform from :class:`~torch_geometric.data.Data` to
            :class:`~torch_geometric.data.Data`. (default: :obj:`None`)
        on_error (str, optional): What to do with malformed files, :obj:`"raise"` or
            :obj:`"skip"`. (default: :obj:`"raise"`)

    Raises:
        FileNotFoundError: If there is no such folder, or no file in it.
        ValueError: If there is no such split, or a file is malformed.

    Example:
        >>> from pyg_vision.datasets import NWUCLA
        >>> from pyg_vision.transforms import SkeletonEdges
        >>> dataset = NWUCLA("data/nw_ucla", split="train", transform=SkeletonEdges())
        >>> dataset.labels
        [0, 3]
        >>> dataset.classes[3]
        'walk around'
        >>> dataset[0].skeleton_shape
        SkeletonShape(num_persons=1, num_frames=3, num_joints=20)
    """

    def __init__(
        self,
        root: str | PathLike[str],
        split: Literal["train", "test", "all"] = "train",
        transform: Callable[[Data], Data] | None = None,
        on_error: OnError = "raise",
    ) -> None:
        if split not in _VIEWS:
            raise ValueError(f"'split' must be one of {', '.join(_VIEWS)} (got {split!r})")
        self.split = split
        views = {f"v{view:02d}" for view in _VIEWS[split]}
        files = [p for p in list_files(root, "a*_s*_e*_v*.json") if p.stem[-3:] in views]
        sequences, self.skipped = read_files(files, read_nw_ucla, on_error)
        self._paths = [path for path in files if str(path) not in self.skipped]
        super().__init__(sequences, transform, _CLASSES)

    @property
    def names(self) -> list[NWUCLAName]:
        r"""The numbers in the name of each file."""
        return [nw_ucla_name(self._paths[i]) for i in self.indices()]
