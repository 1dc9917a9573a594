r"""Folders of skeleton files as a dataset of graphs."""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike
from pathlib import Path

from torch import tensor
from torch_geometric.data import Data

from pyg_vision.datasets.skeleton_dataset import SkeletonDataset, list_files, read_files
from pyg_vision.typing import OnError


class SkeletonFolder(SkeletonDataset):
    r"""A folder with one subfolder of skeleton files for each class, as a dataset of graphs.

    The folder structure is that of :class:`torchvision.datasets.ImageFolder`:
    :obj:`root/<class>/<name>.json`. Classes are numbered in the order of their names. The files
    are read once and held in memory.

    Args:
        root (str or path): The folder.
        read (Callable): The function that reads a path into a graph, such as those of
            :mod:`pyg_vision.data.readers`. The class is set afterwards.
        pattern (str, optional): The pattern of the files or folders of a class that are read.
            Hidden ones are ignored. (default: :obj:`"*.json"`)
        transform (Callable, optional): A transform from :class:`~torch_geometric.data.Data` to
            :class:`~torch_geometric.data.Data`. (default: :obj:`None`)
        on_error (str, optional): What to do with malformed files, :obj:`"raise"` or
            :obj:`"skip"`. (default: :obj:`"raise"`)

    Raises:
        FileNotFoundError: If there is no such folder, no class in it, or a class without files.
        TypeError: If :obj:`read` returns no :class:`~torch_geometric.data.Data`.
        ValueError: If a file is malformed.

    Example:
        >>> from functools import partial
        >>> from pyg_vision.data.readers import read_openpose
        >>> from pyg_vision.datasets import SkeletonFolder
        >>> # Each video is a folder: gestures/<class>/<video>/<video>_000000000000_keypoints.json
        >>> read = partial(read_openpose, size=(1920, 1080))
        >>> dataset = SkeletonFolder("gestures", read, pattern="*")
        >>> dataset.classes
        ['clap', 'wave']
        >>> dataset.labels
        [0, 0, 1, 1]
    """

    def __init__(
        self,
        root: str | PathLike[str],
        read: Callable[[Path], Data],
        pattern: str = "*.json",
        transform: Callable[[Data], Data] | None = None,
        on_error: OnError = "raise",
    ) -> None:
        folders = [path for path in list_files(root, "*") if path.is_dir() and _is_shown(path)]
        if not folders:
            raise FileNotFoundError(f"there is no folder of a class in '{root}'")
        classes = [folder.name for folder in folders]
        paths: list[Path] = []
        for folder in folders:
            shown = [path for path in list_files(folder, pattern) if _is_shown(path)]
            if not shown:
                raise FileNotFoundError(f"there are no files '{pattern}' in '{folder}'")
            paths.extend(shown)
        index = {folder: i for i, folder in enumerate(folders)}

        def read_labelled(path: Path) -> Data:
            data = read(path)
            if not isinstance(data, Data):
                raise TypeError(
                    f"'read' must return a Data (got '{type(data).__name__}' for '{path}')"
                )
            data.y = tensor([next(index[p] for p in path.parents if p in index)])
            return data

        sequences, self.skipped = read_files(paths, read_labelled, on_error)
        skipped = set(self.skipped)
        self._paths = [str(path) for path in paths if str(path) not in skipped]
        super().__init__(sequences, transform, classes)

    @property
    def paths(self) -> list[str]:
        r"""The file of each sequence."""
        return [self._paths[i] for i in self.indices()]


def _is_shown(path: Path) -> bool:
    return not path.name.startswith(".")
