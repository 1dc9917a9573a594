r"""Folders of image files as a dataset of graphs."""

from __future__ import annotations

import logging
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from PIL import Image
from torch_geometric.data import Data
from torchvision.datasets import ImageFolder

from pyg_vision.data.convert import image_to_rgb
from pyg_vision.datasets._skipping import check_on_error, read_all
from pyg_vision.datasets.image_graph_dataset import ImageGraphDataset

logger = logging.getLogger(__name__)

# What Pillow's decoders raise for files that are broken in one way or another.
_DECODE_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
)


def load_rgb(path: str) -> Image.Image:
    r"""Reads an image file of any format as an RGB image with 8 bits per channel.

    Args:
        path (str): The file; see :func:`~pyg_vision.data.image_to_rgb` for the supported modes.

    Example:
        >>> from pyg_vision.datasets import load_rgb
        >>> image = load_rgb("photos/cat/cat_0.png")
        >>> image.size, image.mode
        ((48, 32), 'RGB')
    """
    with Image.open(path) as image:
        image.load()
        return image_to_rgb(image)


class ImageFolderGraphs(ImageGraphDataset):
    r"""A folder with one subfolder of image files for each class, as a dataset of graphs.

    The folder structure is that of :class:`torchvision.datasets.ImageFolder`, which ImageNet,
    Imagenette and many others use: :obj:`root/<class>/<name>.jpg`. Images of any mode are
    converted to RGB.

    By default, a file that cannot be decoded raises an error when it is read. With
    :obj:`on_error="skip"` such files are left out on construction, for which every file is decoded
    once.

    Args:
        root (str or pathlib.Path): The folder.
        image_transform (Callable): A transform from an RGB Pillow image to a graph; its last step
            is usually :class:`~pyg_vision.transforms.ToPatchNodes`.
        transform (Callable, optional): A transform from :class:`~torch_geometric.data.Data` to
            :class:`~torch_geometric.data.Data`, applied afterwards. (default: :obj:`None`)
        on_error (str, optional): What to do with files that cannot be decoded, :obj:`"raise"` or
            :obj:`"skip"`. (default: :obj:`"raise"`)
        loader (Callable, optional): The function that reads a file. (default: :func:`load_rgb`)

    Raises:
        FileNotFoundError: If there is no such folder, or a class without image files.
        ValueError: If :obj:`on_error` is invalid, or no file can be decoded; when indexed, if the
            file cannot be decoded.

    Example:
        >>> from torchvision.transforms import CenterCrop, Compose
        >>> from pyg_vision.datasets import ImageFolderGraphs
        >>> from pyg_vision.transforms import KNNEdges, ToPatchNodes
        >>> image_transform = Compose([CenterCrop(32), ToPatchNodes(8)])
        >>> dataset = ImageFolderGraphs("photos", image_transform, KNNEdges(9), on_error="skip")
        >>> len(dataset), dataset.num_skipped
        (4, 1)
        >>> dataset.classes
        ['cat', 'dog']
        >>> dataset[0].x.shape
        torch.Size([16, 192])
    """

    def __init__(
        self,
        root: str | Path,
        image_transform: Callable[[Any], Any],
        transform: Callable[[Data], Data] | None = None,
        on_error: Literal["raise", "skip"] = "raise",
        loader: Callable[[str], Any] = load_rgb,
    ) -> None:
        check_on_error(on_error)
        self.loader = loader
        self.on_error = on_error
        self.folder = ImageFolder(root, loader=self._load)
        self.skipped: list[str] = []
        if on_error == "skip":
            self._skip_corrupt()
        super().__init__(self.folder, image_transform, transform)

    @property
    def num_skipped(self) -> int:
        r"""The number of files that were left out because they cannot be decoded."""
        return len(self.skipped)

    @property
    def paths(self) -> list[str]:
        r"""The file of each graph."""
        return [self.folder.samples[i][0] for i in self.indices()]

    def _load(self, path: str) -> Any:
        try:
            return self.loader(path)
        except (FileNotFoundError, PermissionError):  # not corrupt, and they name the file
            raise
        except _DECODE_ERRORS as error:
            raise ValueError(
                f"cannot decode the image file '{path}' ({type(error).__name__}: {error}); remove "
                f"it, or pass on_error='skip' to leave out such files"
            ) from error

    def _skip_corrupt(self) -> None:
        def read(sample: tuple[str, int]) -> None:
            self._load(sample[0])  # and not held

        root, total = self.folder.root, len(self.folder.samples)
        sound, skipped = read_all(
            self.folder.samples,
            read,
            "skip",
            f"image files below '{root}' that cannot be decoded",
            logger,
            lambda sample: sample[0],
        )
        self.skipped = list(skipped)
        if not sound:
            raise ValueError(
                f"none of the {total} image files below '{root}' can be decoded, the first being "
                f"'{skipped[0]}'"
            )
        self.folder.samples = self.folder.imgs = [sample for sample, _ in sound]
        self.folder.targets = [target for _, target in self.folder.samples]
