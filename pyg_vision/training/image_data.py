r"""Data modules of images."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import torchvision
from PIL import Image
from torch import Tensor
from torch.utils.data import Dataset, Subset
from torchvision.datasets import ImageFolder
from torchvision.transforms import InterpolationMode, v2
from torchvision.transforms.v2.functional import to_pil_image

from pyg_vision._checks import check_int
from pyg_vision.data import image_to_rgb
from pyg_vision.datasets import load_rgb
from pyg_vision.training._data_module import KeyedDataModule
from pyg_vision.training.augment import RandAugmentIncreasing
from pyg_vision.training.folders import NAMES, check_same_classes, share_of_classes, split_folders
from pyg_vision.training.sampling import IndexedDataset
from pyg_vision.typing import Interpolation
from pyg_vision.weights import image_transform, to_normalized


class NumberedImages(Dataset[tuple[Tensor, int, int]]):
    r"""Pairs (image, label) with a transform of the image, and the number of the sample.

    Args:
        data (IndexedDataset): The pairs.
        transform (Callable): Makes a tensor of an image.

    Example:
        >>> from pyg_vision.training import NumberedImages
        >>> import torch
        >>> data = NumberedImages([(1.0, 3), (2.0, 4)], torch.tensor)
        >>> data[1]
        (tensor(2.), 4, 1)
    """

    def __init__(self, data: IndexedDataset, transform: Callable[[Any], Tensor]) -> None:
        self.data, self.transform = data, transform

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: int) -> tuple[Tensor, int, int]:
        image, label = self.data[index]
        return self.transform(image), label, index


class ColorImages(Dataset[tuple[Any, int]]):
    r"""Pairs (image, label) whose images are RGB images of PIL.

    Args:
        data (IndexedDataset): The pairs, of images of PIL of any mode, or of arrays.

    Example:
        >>> from PIL import Image
        >>> from pyg_vision.training import ColorImages
        >>> ColorImages([(Image.new("L", (4, 4)), 1)])[0][0].mode
        'RGB'
    """

    def __init__(self, data: IndexedDataset) -> None:
        self.data = data

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: int) -> tuple[Any, int]:
        image, label = self.data[index]
        image = image if isinstance(image, Image.Image) else to_pil_image(image)
        return image_to_rgb(image), label


class ImageData(KeyedDataModule):
    r"""What the data modules of images have in common: their transforms.

    Training images are cropped at random places and sizes, flipped, augmented and erased in part;
    evaluation images are resized and cropped in their centre. With RandAugment, colours are not
    jittered, as in timm.

    Args:
        image_size (int): The height and width of what a model sees.
        batch_size (int): The images of a batch of one process.
        mean (list of float, optional): The mean of each channel. (default: :obj:`0.5`)
        std (list of float, optional): The standard deviation of each channel.
            (default: :obj:`0.5`)
        interpolation (str, optional): How images are resized. (default: :obj:`"bicubic"`)
        crop (float, optional): The share of an evaluation image that is seen, in height and width.
            (default: :obj:`0.9`)
        scale (list of float, optional): The smallest and largest share of the area of a training
            image that is seen. (default: :obj:`0.08` to :obj:`1.0`)
        flip (float, optional): The probability of a flip. (default: :obj:`0.5`)
        rand_augment (str, optional): RandAugment as timm writes it, such as
            :obj:`"m9-mstd0.5-inc1"`, see :class:`RandAugmentIncreasing`. (default: :obj:`None`)
        color_jitter (float, optional): By how much brightness, contrast and saturation change
            where there is no RandAugment. (default: :obj:`0.0`)
        erasing (float, optional): The probability that a part becomes noise, for each pixel.
            (default: :obj:`0.0`)
        **kwargs (optional): Arguments of :class:`KeyedDataModule`.

    Example:
        >>> from PIL import Image
        >>> from pyg_vision.training import ImageData
        >>> class Colours(ImageData):
        ...     def images(self, split):
        ...         return [(Image.new("RGB", (8, 8), name), i) for i, name in enumerate(NAMES)]
        ...     def class_names(self):
        ...         return NAMES
        >>> NAMES = ["red", "green", "blue"]
        >>> data = Colours(image_size=8, batch_size=2)
        >>> data.setup("fit")
        >>> images, labels, index = next(iter(data.test_dataloader()))
        >>> images[:, :, 0, 0].round()
        tensor([[ 1., -1., -1.],
                [-1.,  0., -1.]])
    """

    smallest_batch = 2

    def __init__(
        self,
        image_size: int,
        batch_size: int,
        mean: Sequence[float] = (0.5, 0.5, 0.5),
        std: Sequence[float] = (0.5, 0.5, 0.5),
        interpolation: Interpolation = "bicubic",
        crop: float = 0.9,
        scale: Sequence[float] = (0.08, 1.0),
        flip: float = 0.5,
        rand_augment: str | None = None,
        color_jitter: float = 0.0,
        erasing: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(batch_size, **kwargs)
        self.image_size = check_int("image_size", image_size)
        if not 0.0 < crop <= 1.0:
            raise ValueError(f"'crop' must be a share of the image (got {crop})")
        self.mean, self.std = list(mean), list(std)
        self.interpolation, self.crop = interpolation, crop
        self.scale, self.flip = tuple(scale), flip
        self.rand_augment = None if rand_augment is None else RandAugmentIncreasing(rand_augment)
        self.color_jitter, self.erasing = color_jitter, erasing

    def images(self, split: str) -> IndexedDataset:
        r"""Returns the pairs (image, label) of a split.

        Args:
            split (str): :obj:`"train"` or :obj:`"test"`.
        """
        raise NotImplementedError

    def load(self, split: str, augment: bool) -> IndexedDataset:
        r"""Returns a split of the data."""
        transform = self.train_transform() if augment else self.eval_transform()
        return NumberedImages(self.images(split), transform)

    def preprocessing(self) -> dict[str, Any]:
        r"""Returns in plain data what is done to an image before a model sees it."""
        return {
            "kind": "image",
            "image_size": self.image_size,
            "crop": self.crop,
            "interpolation": self.interpolation,
            "mean": self.mean,
            "std": self.std,
        }

    def raw_sample(self, index: int) -> tuple[Any, str]:
        r"""Returns a test image, and its file where it has one."""
        paths = self.paths()
        image = self.images("test")[index][0]
        return image, paths[index] if paths else f"test image {index}"

    def paths(self) -> list[str]:
        r"""Returns the file of each test image, nothing if they have none."""
        return []

    def train_transform(self) -> v2.Transform:
        r"""Returns the transform of training images."""
        mode = InterpolationMode(self.interpolation)
        steps: list[Any] = [
            v2.RandomResizedCrop(self.image_size, self.scale, interpolation=mode, antialias=True),
            v2.RandomHorizontalFlip(self.flip),
        ]
        if self.rand_augment is not None:
            steps.append(self.rand_augment)
        elif self.color_jitter > 0:
            steps.append(v2.ColorJitter(*[self.color_jitter] * 3))
        steps += to_normalized(self.mean, self.std)
        if self.erasing > 0:
            steps.append(
                v2.RandomErasing(self.erasing, (0.02, 1 / 3), (0.3, 10 / 3), value="random")
            )
        return v2.Compose(steps)

    def eval_transform(self) -> v2.Transform:
        r"""Returns the transform of evaluation images."""
        return image_transform(self.image_size, self.crop, self.interpolation, self.mean, self.std)


class ImageFolderData(ImageData):
    r"""Images in folders: :obj:`root/train/<class>/<name>.jpg` and :obj:`root/val/...`, as of
    ImageNet and Imagenette; or :obj:`root/<class>/<name>.jpg`, of which a part is test data.

    Args:
        root (str): The folder. It holds :obj:`train`, and :obj:`val` or :obj:`test`; or the
            classes.
        image_size (int): See :class:`ImageData`, which has all further arguments.
        batch_size (int): The images of a batch of one process.
        test_share (float, optional): The share of each class that is test data, where the folder
            holds classes. (default: :obj:`0.2`)
        **kwargs (optional): Arguments of :class:`ImageData`.

    Raises:
        FileNotFoundError: If there is no such folder.
        ValueError: If training and test data have other classes.

    Example:
        >>> from pyg_vision.training import ImageFolderData
        >>> data = ImageFolderData("pictures", image_size=32, batch_size=2)
        >>> data.setup("fit")
        >>> data.classes
        ['cat', 'dog']
        >>> images, labels, index = next(iter(data.train_dataloader()))
        >>> images.shape
        torch.Size([2, 3, 32, 32])
    """

    def __init__(
        self, root: str, image_size: int, batch_size: int, test_share: float = 0.2, **kwargs: Any
    ) -> None:
        super().__init__(image_size, batch_size, **kwargs)
        self.root, self.test_share = root, test_share

    @cached_property
    def folders(self) -> dict[str, Path]:
        r"""The folders of training and test data."""
        return split_folders(self.root)

    @cached_property
    def found(self) -> dict[Path, Any]:
        r"""The images of each folder, which is searched once."""
        return {path: ImageFolder(path, loader=load_rgb) for path in set(self.folders.values())}

    def images(self, split: str) -> IndexedDataset:
        r"""Returns the pairs (image, label) of a split."""
        data = self.found[self.folders[split]]
        if len(self.found) == 1:
            return Subset(data, share_of_classes(data.targets, self.test_share)[split])
        return data

    def class_names(self) -> Sequence[str]:
        r"""Returns the names of the folders."""
        train, test = (self.found[self.folders[split]].classes for split in ("train", "test"))
        check_same_classes(train, test)
        return [str(name) for name in train]

    def names(self) -> list[str]:
        r"""Returns the files below the folder."""
        paths = (path for data in self.found.values() for path, _ in data.samples)
        return sorted(str(Path(path).relative_to(self.root)) for path in paths)

    def paths(self) -> list[str]:
        r"""Returns the file of each test image."""
        data: Any = self.images("test")
        if isinstance(data, Subset):
            return [data.dataset.samples[i][0] for i in data.indices]  # type: ignore[attr-defined]
        return [path for path, _ in data.samples]


class TorchvisionData(ImageData):
    r"""Any data set of :obj:`torchvision.datasets` that is divided into splits.

    Args:
        dataset (str): Its name, such as :obj:`"CIFAR10"`.
        root (str): Where its files are.
        image_size (int): See :class:`ImageData`, which has all further arguments.
        batch_size (int): The images of a batch of one process.
        options (dict, optional): Further arguments of the data set, such as
            :obj:`{"download": True}`. (default: none)
        **kwargs (optional): Arguments of :class:`ImageData`.

    Raises:
        ValueError: If there is no such data set, or it has no splits.

    Example:
        >>> from pyg_vision.training import TorchvisionData
        >>> # CIFAR10 reads files; FakeData would have no splits.
        >>> data = TorchvisionData("CIFAR10", "cifar10", image_size=32, batch_size=128)
        >>> data.train_transform().transforms[0].size
        (32, 32)
    """

    def __init__(
        self,
        dataset: str,
        root: str,
        image_size: int,
        batch_size: int,
        options: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(image_size, batch_size, **kwargs)
        kind = getattr(torchvision.datasets, dataset, None)
        if not isinstance(kind, type):
            raise ValueError(f"torchvision has no data set '{dataset}'")
        self.kind, self.root, self.options = kind, root, dict(options or {})
        self._made: dict[str, Any] = {}
        self.parameters = set(inspect.signature(kind).parameters)
        if not self.parameters & {"train", "split"}:
            raise ValueError(f"torchvision's '{dataset}' is not divided into splits")

    def images(self, split: str) -> IndexedDataset:
        r"""Returns the pairs (image, label) of a split, the images in colour."""
        return ColorImages(self._make(split))

    def _make(self, split: str) -> Any:
        if split not in self._made:
            self._made[split] = self._read(split)
        return self._made[split]

    def _read(self, split: str) -> Any:
        names = [split == "train"] if "train" in self.parameters else list(NAMES[split])
        parameter = "train" if "train" in self.parameters else "split"
        problems = []
        for name in names:
            try:
                return self.kind(self.root, **{parameter: name}, **self.options)
            except (ValueError, RuntimeError, OSError) as error:
                # ValueError is how they say that they have no such split.
                problems.append(" ".join(str(error).split()))
        raise ValueError(f"'{self.kind.__name__}' in '{self.root}': {problems[0]}")

    def class_names(self) -> Sequence[str]:
        r"""Returns the names of the classes, numbers where the data set has none."""
        data = self._make("test")
        if hasattr(data, "classes"):
            names = [name if isinstance(name, str) else name[0] for name in data.classes]
            return names
        return [str(i) for i in range(max(int(data[i][1]) for i in range(len(data))) + 1)]
