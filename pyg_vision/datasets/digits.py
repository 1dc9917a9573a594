r"""The handwritten digits of scikit-learn as a dataset of graphs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import torch
from torch import Tensor
from torch_geometric.data import Data, Dataset

from pyg_vision.data.grid import grid_pos, patch_grid
from pyg_vision.data.image import image_to_patches
from pyg_vision.data.size import as_size

_SPLITS = ("train", "test", "all")


class DigitsGraphs(Dataset):
    r"""Handwritten digits as graphs of patches: 1,797 greyscale images of :math:`8 \times 8`
    pixels in ten classes, which are part of :obj:`scikit-learn` and need no download.

    They are the test set of `"Optical Recognition of Handwritten Digits"
    <https://doi.org/10.24432/C50P49>`_, written by 13 people, see
    :func:`sklearn.datasets.load_digits`. Values are scaled from 0 … 16 to [0, 1]. The test split
    is a random third of the images of each class; the same people wrote both splits.

    .. list-table::
        :header-rows: 1

        * - split
          - #graphs
          - #nodes
          - #features
          - #classes
        * - :obj:`"train"`
          - 1,198
          - 16
          - 4
          - 10
        * - :obj:`"test"`
          - 599
          - 16
          - 4
          - 10

    Args:
        split (str, optional): :obj:`"train"`, :obj:`"test"` or :obj:`"all"`.
            (default: :obj:`"train"`)
        patch_size (int or tuple, optional): Height and width of a patch in pixels; :obj:`2` gives
            16 nodes per image, :obj:`1` gives 64. (default: :obj:`2`)
        transform (Callable, optional): A transform from :class:`~torch_geometric.data.Data` to
            :class:`~torch_geometric.data.Data`. (default: :obj:`None`)
        seed (int, optional): The seed of the test split. (default: :obj:`0`)

    Raises:
        ImportError: If :obj:`scikit-learn` is not installed.
        TypeError: If the patch size is not an integer or a pair of integers.
        ValueError: If there is no such split, or the patches do not tile :math:`8 \times 8`.

    Example:
        >>> from pyg_vision.datasets import DigitsGraphs
        >>> from pyg_vision.transforms import KNNEdges
        >>> dataset = DigitsGraphs("train", transform=KNNEdges(4))
        >>> len(dataset), dataset.num_classes
        (1198, 10)
        >>> dataset[0].x.shape
        torch.Size([16, 4])
    """

    def __init__(
        self,
        split: Literal["train", "test", "all"] = "train",
        patch_size: int | Sequence[int] = 2,
        transform: Callable[[Data], Data] | None = None,
        seed: int = 0,
    ) -> None:
        if split not in _SPLITS:
            raise ValueError(f"'split' must be one of {', '.join(_SPLITS)} (got {split!r})")
        images, labels = _load_digits()
        self.split = split
        self.patch_size = as_size("patch_size", patch_size)
        self.grid_size = patch_grid((images.size(-2), images.size(-1)), self.patch_size)
        if split != "all":
            keep = _split_indices(labels, seed)[split]
            images, labels = images[keep], labels[keep]
        self._images, self._labels = images, labels
        self._x = image_to_patches(images, self.patch_size)
        self._pos = grid_pos(self.grid_size, self.patch_size)
        super().__init__(transform=transform)

    @property
    def images(self) -> Tensor:
        r"""The images :math:`(n, 1, 8, 8)` in [0, 1], for models that take images."""
        return self._images[list(self.indices())]

    @property
    def labels(self) -> Tensor:
        r"""The digit of each image :math:`(n)`."""
        return self._labels[list(self.indices())]

    @property
    def classes(self) -> list[str]:
        r"""The names of the classes."""
        return [str(digit) for digit in range(self.num_classes)]

    @property
    def num_classes(self) -> int:
        r"""The number of classes."""
        return 10

    def len(self) -> int:
        r"""Returns the number of images."""
        return self._images.size(0)

    def get(self, idx: int) -> Data:
        r"""Returns the graph of an image, to which :obj:`transform` is not applied."""
        # Copied, so that a loop which writes to a graph cannot change the data set.
        return Data(
            x=self._x[idx].clone(),
            pos=self._pos.clone(),
            y=self._labels[idx : idx + 1].clone(),
            grid_size=self.grid_size,
            patch_size=self.patch_size,
        )


def _load_digits() -> tuple[Tensor, Tensor]:
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise ImportError(
            "DigitsGraphs takes its images from scikit-learn: pip install pyg-vision[vis]"
        ) from error
    digits = load_digits()
    images = torch.from_numpy(digits.images).to(torch.float).div_(16).unsqueeze(1)
    return images, torch.from_numpy(digits.target).long()


def _split_indices(labels: Tensor, seed: int) -> dict[str, Tensor]:
    r"""Holds out a third of each class; the indices of each part are in their old order."""
    from sklearn.model_selection import train_test_split

    train, test = train_test_split(
        torch.arange(labels.numel()).numpy(), test_size=1 / 3, random_state=seed, stratify=labels
    )
    return {"train": torch.from_numpy(train).sort()[0], "test": torch.from_numpy(test).sort()[0]}
