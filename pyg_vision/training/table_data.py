r"""Images that a table lists, with one label or several."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch.utils.data import Dataset

from pyg_vision._warn import warn
from pyg_vision.datasets import load_rgb
from pyg_vision.training._seeding import seed_of
from pyg_vision.training.folders import NAMES, share_of_classes
from pyg_vision.training.image_data import ImageData
from pyg_vision.training.sampling import IndexedDataset

LABELS, SPLIT = "labels", "split"  # columns that a table may have


class TableRow(NamedTuple):
    r"""One image of a table.

    Args:
        path (pathlib.Path): Its file.
        labels (tuple of str): Its labels.
        split (str): :obj:`"train"`, :obj:`"test"` or :obj:`"val"`, empty where the table does not
            say it.

    Example:
        >>> from pathlib import Path
        >>> from pyg_vision.training import TableRow
        >>> TableRow(Path("park.jpg"), ("dog", "tree"), "train").labels
        ('dog', 'tree')
    """

    path: Path
    labels: tuple[str, ...]
    split: str


class TableImages(Dataset[tuple[Any, Any]]):
    r"""Pairs (image, label) of the rows of a table, the images RGB images of PIL.

    Args:
        rows (list of TableRow): The rows.
        classes (list of str): The names of all labels.
        multi_label (bool): Whether the label is a tensor of zeros and ones, one for each class, or
            the number of the only class.

    Example:
        >>> from pathlib import Path
        >>> from pyg_vision.training import TableImages, TableRow
        >>> rows = [TableRow(Path("photos/cat/cat_0.png"), ("cat", "sofa"), "train")]
        >>> TableImages(rows, ["cat", "dog", "sofa"], multi_label=True)[0][1]
        tensor([1., 0., 1.])
    """

    def __init__(self, rows: Sequence[TableRow], classes: Sequence[str], multi_label: bool) -> None:
        self.rows, self.multi_label = list(rows), multi_label
        self.number = {name: i for i, name in enumerate(classes)}

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        row = self.rows[index]
        numbers = [self.number[name] for name in row.labels]
        if not self.multi_label:
            return load_rgb(str(row.path)), numbers[0]
        label = torch.zeros(len(self.number))
        label[numbers] = 1.0
        return load_rgb(str(row.path)), label


class ImageTableData(ImageData):
    r"""Images that a CSV table lists, each with any number of labels, or with one class.

    The table has a line of names and a column of files. Its labels are either in one column,
    separated by semicolons, or in a column for each of them, which holds 0 or 1::

        file,labels,split          file,dog,tree
        park.jpg,dog;tree,train    park.jpg,1,1
        sea.jpg,,test              sea.jpg,0,0

    Args:
        table (str): The CSV file.
        image_size (int): See :class:`ImageData`, which has all further arguments.
        batch_size (int): The images of a batch of one process.
        root (str, optional): The folder that the files are in. (default: that of the table)
        multi_label (bool, optional): Whether an image has any number of labels; if not, it has
            exactly one. (default: :obj:`True`)
        file_column (str, optional): The column of the files. (default: :obj:`"file"`)
        label_column (str, optional): The column of the labels. If there is none of that name, each
            further column is a label. (default: :obj:`"labels"`)
        split_column (str, optional): The column that says :obj:`train`, and :obj:`test` or
            :obj:`val`; of both, :obj:`test` is the test data, and :obj:`val` is left out. If there
            is no column :obj:`"split"`, a part is test data. (default: :obj:`"split"`)
        separator (str, optional): What is between labels. (default: :obj:`";"`)
        test_share (float, optional): The share of the images that is test data, chosen at random,
            where the table does not say it. (default: :obj:`0.2`)
        **kwargs (optional): Arguments of :class:`ImageData`.

    Raises:
        FileNotFoundError: If there is no such table, or an image of it is not there.
        ValueError: If a column is missing, a value is none that it may be, or a label has no
            training image.

    Example:
        >>> from pathlib import Path
        >>> from pyg_vision.training import ImageTableData
        >>> files = sorted(Path("pictures").rglob("*.png"))
        >>> lines = [f"{path},{path.parent.name};picture" for path in files]
        >>> _ = Path("labels.csv").write_text("\n".join(["file,labels", *lines]))
        >>> data = ImageTableData("labels.csv", image_size=32, batch_size=2)
        >>> data.setup("fit")
        >>> data.classes
        ['cat', 'dog', 'picture']
        >>> images, labels, index = next(iter(data.train_dataloader()))
        >>> labels.shape, labels[:, 2]
        (torch.Size([2, 3]), tensor([1., 1.]))
    """

    def __init__(
        self,
        table: str,
        image_size: int,
        batch_size: int,
        root: str | None = None,
        multi_label: bool = True,
        file_column: str = "file",
        label_column: str = LABELS,
        split_column: str = SPLIT,
        separator: str = ";",
        test_share: float = 0.2,
        **kwargs: Any,
    ) -> None:
        super().__init__(image_size, batch_size, **kwargs)
        if not separator:
            raise ValueError("'separator' must not be empty")
        if not 0.0 < test_share < 1.0:
            raise ValueError(f"'test_share' must be a share between 0 and 1 (got {test_share})")
        self.table, self.multi_label = Path(table), multi_label
        self.root = self.table.parent if root is None else Path(root)
        self.file_column, self.label_column = file_column, label_column
        self.split_column, self.separator = split_column, separator
        self.test_share = test_share
        self.adopted: list[str] | None = None  # the classes of a model that is evaluated

    def setup(self, stage: str) -> None:
        r"""Reads the data.

        Args:
            stage (str): What the trainer is about to do.
        """
        if stage == "fit":
            self._check_learnable()
        super().setup(stage)

    def adopt_classes(self, classes: Sequence[str]) -> None:
        r"""Takes the classes of a model that is evaluated, some of which the table may lack.

        Args:
            classes (list of str): The classes of the model.

        Raises:
            ValueError: If the table has a label that the model does not know.
        """
        unknown = [name for name in self.class_names() if name not in classes]
        if unknown:
            raise ValueError(
                f"'{self.table}' has the label '{unknown[0]}', which is none of the "
                f"{len(classes)} of the model, such as '{classes[0]}'"
            )
        validates = self.val_set is not None
        self.adopted, self.test_set, self.val_set = list(classes), None, None
        self.setup("validate" if validates else "test")

    @cached_property
    def rows(self) -> list[TableRow]:
        r"""The rows of the table, which is read once."""
        return self._contents[0]

    @cached_property
    def _contents(self) -> tuple[list[TableRow], list[str]]:
        r"""The rows, and all labels in order."""
        if not self.table.is_file():
            raise FileNotFoundError(f"there is no table '{self.table}'")
        try:
            with self.table.open(encoding="utf-8-sig", newline="") as file:
                reader = csv.DictReader(file)
                names = [name.strip() for name in reader.fieldnames or ()]
                self._check_names(names)
                reader.fieldnames = names
                rows = [self._row(reader.line_num, line) for line in reader]
        except (csv.Error, UnicodeDecodeError) as error:
            raise ValueError(f"'{self.table}' is no CSV table in UTF-8 ({error})") from error
        self._check_rows(rows)
        missing = [row.path for row in rows if not row.path.is_file()]
        if missing:
            raise FileNotFoundError(
                f"{len(missing)} of {len(rows)} images of '{self.table}' are not there, such as "
                f"'{missing[0]}'"
            )
        if self.label_column in names:
            return rows, sorted({name for row in rows for name in row.labels})
        return rows, [n for n in names if n not in (self.file_column, self.split_column)]

    def _check_names(self, names: Sequence[str]) -> None:
        r"""Refuses a table without a column that was named, or with two of a name."""
        twice = [name for name in names if names.count(name) > 1]
        if twice:
            raise ValueError(f"'{self.table}' must not have two columns '{twice[0]}'")
        wanted = [self.file_column]
        wanted += [self.label_column] if self.label_column != LABELS else []
        wanted += [self.split_column] if self.split_column != SPLIT else []
        for name in wanted:
            if name not in names:
                raise ValueError(f"'{self.table}' must have a column '{name}' (got {names})")

    def _check_rows(self, rows: Sequence[TableRow]) -> None:
        r"""Refuses an image that is listed twice: its labels would contradict one another."""
        seen: set[Path] = set()
        for row in rows:
            if row.path in seen:
                raise ValueError(
                    f"'{self.table}' must list '{row.path}' once, with all of its labels"
                )
            seen.add(row.path)

    def _row(self, number: int, line: dict[Any, Any]) -> TableRow:
        where = f"line {number} of '{self.table}'"
        if None in line or None in line.values():
            raise ValueError(f"{where} must have as many values as the first line has names")
        found = dict(line)
        path, split = found.pop(self.file_column), found.pop(self.split_column, None)
        split = None if split is None else split.strip()
        if split is not None and split not in (*NAMES["train"], *NAMES["test"]):
            raise ValueError(f"{where}: the split must be train, test or val (got '{split}')")
        if self.label_column in found:
            parts = (part.strip() for part in found[self.label_column].split(self.separator))
            labels = list(dict.fromkeys(part for part in parts if part))
        else:
            for name, value in found.items():
                if value.strip() not in ("0", "1"):
                    raise ValueError(f"{where}: '{name}' must be 0 or 1 (got '{value}')")
            labels = [name for name, value in found.items() if value.strip() == "1"]
        if not self.multi_label and len(labels) != 1:
            raise ValueError(f"{where} must have one class (got {labels}); set multi_label: true")
        return TableRow(self.root / path, tuple(labels), split or "")

    @cached_property
    def splits(self) -> dict[str, list[TableRow]]:
        r"""The rows of training and test data."""
        if any(row.split for row in self.rows):
            given = {row.split for row in self.rows}
            # As of folders: where there is test data, validation data is not part of it.
            test_name = next((name for name in NAMES["test"] if name in given), "test")
            if {"test", "val"} <= given:
                warn(f"the images of '{self.table}' marked 'val' are left out: it has 'test', too")
            wanted = {"train": "train", "test": test_name}
            found = {
                split: [row for row in self.rows if row.split == name]
                for split, name in wanted.items()
            }
        else:
            test = self._choose_test()
            found = {
                "train": [row for i, row in enumerate(self.rows) if i not in test],
                "test": [row for i, row in enumerate(self.rows) if i in test],
            }
        return found

    def _choose_test(self) -> set[int]:
        r"""Returns which rows are test data where the table does not say it."""
        if not self.multi_label:
            # Each class in the same proportion; the only image of a class is for training.
            labels = [row.labels[0] for row in self.rows]
            several = [i for i, name in enumerate(labels) if labels.count(name) > 1]
            numbers = {name: i for i, name in enumerate(dict.fromkeys(labels))}
            chosen = share_of_classes([numbers[labels[i]] for i in several], self.test_share)
            return {several[i] for i in chosen["test"]}
        size = len(self.rows)
        generator = torch.Generator().manual_seed(seed_of(0, "test share"))
        order: list[int] = torch.randperm(size, generator=generator).tolist()
        # The first image of each label is for training, so that each can be learned.
        first = {name: i for i, row in reversed([*enumerate(self.rows)]) for name in row.labels}
        order = [i for i in order if i not in set(first.values())]
        return set(order[: max(1, round(self.test_share * size))])

    def images(self, split: str) -> IndexedDataset:
        r"""Returns the pairs (image, label) of a split."""
        rows = self.splits[split]
        if not rows:
            raise ValueError(f"'{self.table}' has no {split} images")
        return TableImages(rows, self.class_names(), self.multi_label)

    def class_names(self) -> Sequence[str]:
        r"""Returns the names of the labels, in alphabetical order or in that of their columns; of a
        model that is evaluated, those of the model.
        """
        return self._contents[1] if self.adopted is None else self.adopted

    def _check_learnable(self) -> None:
        r"""Refuses a label that no training image has."""
        self.images("train")
        found = {name for row in self.splits["train"] for name in row.labels}
        unseen = [name for name in self.class_names() if name not in found]
        if unseen:
            raise ValueError(f"'{self.table}' has no training image with the label '{unseen[0]}'")

    def names(self) -> list[str]:
        r"""Returns the files with their labels."""
        return [f"{row.path}:{self.separator.join(row.labels)}:{row.split}" for row in self.rows]

    def paths(self) -> list[str]:
        r"""Returns the file of each test image."""
        return [str(row.path) for row in self.splits["test"]]
