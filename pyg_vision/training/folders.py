r"""Folders of classes, with or without a division into training and test data."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from pyg_vision.training._seeding import seed_of

NAMES = {"train": ("train",), "test": ("test", "val")}


def split_folders(root: str | Path) -> dict[str, Path]:
    r"""Returns the folders of training and test data.

    Args:
        root (str or pathlib.Path): A folder that holds :obj:`train`, and :obj:`test` or
            :obj:`val`; or folders of classes, which are then both.

    Raises:
        FileNotFoundError: If there is no such folder, or only one of the two.

    Example:
        >>> from pyg_vision.training import split_folders
        >>> sorted(split_folders("photos"))
        ['test', 'train']
    """
    root = Path(root)
    if not root.is_dir():
        raise FileNotFoundError(f"there is no folder '{root}'")
    found = {
        split: next((root / name for name in names if (root / name).is_dir()), None)
        for split, names in NAMES.items()
    }
    if found["train"] is None and found["test"] is None:
        return {"train": root, "test": root}
    for split, path in found.items():
        if path is None:
            names = " or ".join(map(repr, NAMES[split]))
            raise FileNotFoundError(f"'{root}' must be a folder with {names} in it")
    return {split: path for split, path in found.items() if path is not None}


def check_same_classes(train: Sequence[str], test: Sequence[str]) -> None:
    r"""Refuses training and test data of other classes.

    Args:
        train (list of str): The classes of the training data.
        test (list of str): Those of the test data.

    Raises:
        ValueError: If they are not the same.

    Example:
        >>> from pyg_vision.training import check_same_classes
        >>> check_same_classes(["cat", "dog"], ["cat", "dog"])
    """
    if list(train) != list(test):
        odd = sorted(set(train) ^ set(test))
        raise ValueError(f"'train' and test data must have the same classes (got {odd} in one)")


def share_of_classes(labels: Sequence[int], share: float, seed: int = 0) -> dict[str, list[int]]:
    r"""Divides samples into training and test data, each class in the same proportion.

    Args:
        labels (list of int): The class of each sample.
        share (float): The share of each class that is test data, at least one sample of it.
        seed (int, optional): The seed of the choice. (default: :obj:`0`)

    Raises:
        ValueError: If a class has a single sample.

    Example:
        >>> from pyg_vision.training import share_of_classes
        >>> found = share_of_classes([0, 0, 0, 1, 1, 1], share=0.3)
        >>> len(found["train"]), len(found["test"])
        (4, 2)
    """
    if not 0.0 < share < 1.0:
        raise ValueError(f"'test_share' must be a share between 0 and 1 (got {share})")
    test = []
    for label in sorted(set(labels)):
        members = [i for i, other in enumerate(labels) if other == label]
        if len(members) < 2:
            raise ValueError(f"class {label} has one sample, none is left for test data")
        generator = torch.Generator().manual_seed(seed_of(seed, "test share", label))
        count = min(max(1, round(share * len(members))), len(members) - 1)
        order: list[int] = torch.randperm(len(members), generator=generator).tolist()
        test += [members[i] for i in order[:count]]
    chosen = set(test)
    return {"train": [i for i in range(len(labels)) if i not in chosen], "test": sorted(test)}
