r"""UTD-MHAD as a dataset of graphs."""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike
from typing import Literal

from torch_geometric.data import Data

from pyg_vision.data.readers.utd_mhad import UTDMHADName, read_utd_mhad, utd_mhad_name
from pyg_vision.datasets.skeleton_dataset import (
    SkeletonDataset,
    list_files,
    read_files,
    read_names,
)
from pyg_vision.typing import OnError

_CLASSES = (
    "right arm swipe to the left",
    "right arm swipe to the right",
    "right hand wave",
    "two hand front clap",
    "right arm throw",
    "cross arms in the chest",
    "basketball shoot",
    "right hand draw x",
    "right hand draw circle (clockwise)",
    "right hand draw circle (counter clockwise)",
    "draw triangle",
    "bowling (right hand)",
    "front boxing",
    "baseball swing from right",
    "tennis right hand forehand swing",
    "arm curl (two arms)",
    "tennis serve",
    "two hand push",
    "right hand knock on door",
    "right hand catch an object",
    "right hand pick up and throw",
    "jogging in place",
    "walking in place",
    "sit to stand",
    "stand to sit",
    "forward lunge (left foot forward)",
    "squat (two arms stretch out)",
)
_SPLITS = {"train": (1,), "test": (0,), "all": (0, 1)}  # the subject modulo 2


class UTDMHAD(SkeletonDataset):
    r"""UTD-MHAD from the `"UTD-MHAD: A Multimodal Dataset for Human Action Recognition Utilizing
    a Depth Camera and a Wearable Inertial Sensor" <https://doi.org/10.1109/ICIP.2015.7350781>`_
    paper: 861 sequences of 27 actions of eight persons in front of a Kinect v1, in metres.

    The files are not downloaded; they are its MATLAB files :obj:`aX_sY_tZ_skeleton.mat`, all in
    one folder.

    .. list-table::
        :header-rows: 1

        * - split
          - subjects
          - #joints
          - #classes
        * - :obj:`"train"`
          - 1, 3, 5, 7
          - 20
          - 27
        * - :obj:`"test"`
          - 2, 4, 6, 8
          - 20
          - 27

    Args:
        root (str or path): The folder.
        split (str, optional): :obj:`"train"`, the subjects with odd numbers; :obj:`"test"`, those
            with even numbers; or :obj:`"all"`. (default: :obj:`"train"`)
        transform (Callable, optional): A transform from :class:`~torch_geometric.data.Data` to
            :class:`~torch_geometric.data.Data`. (default: :obj:`None`)
        on_error (str, optional): What to do with malformed files, :obj:`"raise"` or
            :obj:`"skip"`. (default: :obj:`"raise"`)

    Raises:
        FileNotFoundError: If there is no such folder, or no file in it.
        ValueError: If there is no such split, or a file is malformed.

    Example:
        >>> from pyg_vision.datasets import UTDMHAD
        >>> from pyg_vision.transforms import SkeletonEdges
        >>> dataset = UTDMHAD("data/utd_mhad", split="train", transform=SkeletonEdges())
        >>> dataset.labels
        [0, 2]
        >>> dataset.classes[2]
        'right hand wave'
        >>> dataset[0].skeleton_shape
        SkeletonShape(num_persons=1, num_frames=5, num_joints=20)
    """

    def __init__(
        self,
        root: str | PathLike[str],
        split: Literal["train", "test", "all"] = "train",
        transform: Callable[[Data], Data] | None = None,
        on_error: OnError = "raise",
    ) -> None:
        if split not in _SPLITS:
            raise ValueError(f"'split' must be one of {', '.join(_SPLITS)} (got {split!r})")
        self.split = split
        paths = list_files(root, "a*_s*_t*_skeleton.mat")
        named, misnamed = read_names(paths, utd_mhad_name, on_error)
        files = [path for path, name in named if name.subject % 2 in _SPLITS[split]]
        files.sort(key=utd_mhad_name)  # a10 comes behind a9
        sequences, malformed = read_files(files, read_utd_mhad, on_error)
        self.skipped = misnamed + malformed
        self._paths = [path for path in files if str(path) not in malformed]
        super().__init__(sequences, transform, _CLASSES)

    @property
    def names(self) -> list[UTDMHADName]:
        r"""The numbers in the name of each file."""
        return [utd_mhad_name(self._paths[i]) for i in self.indices()]
