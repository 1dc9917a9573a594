r"""What can be predicted on: images and skeleton sequences, as files and as arrays."""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch_geometric.data import Batch, Data
from torchvision.datasets.folder import IMG_EXTENSIONS
from torchvision.transforms.v2.functional import to_pil_image

from pyg_vision.data import SkeletonLayout, image_to_rgb, skeleton_sequence
from pyg_vision.data.readers import read_skeletons, skeleton_format
from pyg_vision.data.readers.any_skeletons import SKELETON_SUFFIXES
from pyg_vision.datasets import load_rgb
from pyg_vision.pose import Frame, PoseSource, VideoError, estimate_pose
from pyg_vision.pose.video import VIDEO_EXTENSIONS
from pyg_vision.transforms import NormalizePixels


class Sample(NamedTuple):
    r"""One input.

    Args:
        source (str): Where it comes from: a path, or its number among the inputs.
        value (PIL.Image.Image or Data): The image, or the sequence.

    Example:
        >>> from PIL import Image
        >>> from pyg_vision.prediction import Sample
        >>> Sample("cat.jpg", Image.new("RGB", (8, 8))).source
        'cat.jpg'
    """

    source: str
    value: Any


def find_images(inputs: Any) -> Iterator[Sample]:
    r"""Yields images.

    Args:
        inputs: A path of a file or folder, a pattern such as :obj:`"photos/*.jpg"`, an image of
            PIL, a tensor :math:`(C, H, W)` or an array :math:`(H, W, C)`; or several of them.

    Raises:
        FileNotFoundError: If there is no image of that name.
        TypeError: If an input is of another type.
        ValueError: If a file is no image.

    Example:
        >>> from pyg_vision.prediction import find_images
        >>> [sample.source for sample in find_images("photos/cat")]
        ['photos/cat/cat_0.png', 'photos/cat/cat_1.png']
    """
    for number, value in enumerate(_several(inputs)):
        if isinstance(value, str | os.PathLike):
            for path in find_paths(value, IMG_EXTENSIONS):
                try:
                    yield Sample(str(path), load_rgb(str(path)))
                except (OSError, ValueError, SyntaxError) as error:
                    raise ValueError(f"'{path}' is no image ({error})") from error
        elif isinstance(value, Image.Image):
            yield Sample(str(number), image_to_rgb(value))
        elif isinstance(value, Tensor | np.ndarray):
            yield Sample(str(number), _to_image(value))
        else:
            raise TypeError(
                f"an image must be a path, a PIL image, a tensor or an array (got "
                f"'{type(value).__name__}')"
            )


def find_skeletons(
    inputs: Any,
    layout: str | SkeletonLayout | None = None,
    size: tuple[float, float] | None = None,
    pose: PoseSource | None = None,
    persons: int | None = None,
    max_gap: int = 10,
    progress: Callable[[Iterable[Frame]], Iterable[Frame]] | None = None,
) -> Iterator[Sample]:
    r"""Yields skeleton sequences.

    What a source of poses finds in a video, what :func:`~pyg_vision.pose.estimate_pose` returned,
    and the :obj:`.npz` files that hold it become shares of width and height of a frame, as
    Kinetics-Skeleton has them; :obj:`pixels` are where the joints are in the picture. Other
    sequences stay in the units that they have, those of pyskl's files in pixels.

    Args:
        inputs: A path of a file that :func:`~pyg_vision.data.readers.read_skeletons` knows, a
            folder of them or of OpenPose's frames, a pattern such as :obj:`"poses/*.csv"`, a
            graph, or an array :math:`(M, T, V, D)` or :math:`(T, V, D)` of the coordinates of
            joints; with a :obj:`pose`, a video, a picture, a folder of the pictures of a video and
            nothing else, or one in which videos are looked for, too; or several of them.
        layout (str or SkeletonLayout, optional): The skeleton, where an input does not tell it.
            (default: :obj:`None`)
        size (tuple, optional): Width and height of a frame, for the pixels of OpenPose.
            (default: :obj:`None`)
        pose (PoseSource, optional): What finds the joints of people in videos and pictures.
            (default: :obj:`None`)
        persons (int, optional): The most persons of a frame of a video. (default: all)
        max_gap (int, optional): The longest gap in a video that is filled.
            (default: :obj:`10`)
        progress (Callable, optional): Wraps the frames of a video, such as :obj:`tqdm.tqdm`.
            (default: :obj:`None`)

    Raises:
        FileNotFoundError: If there is no file of that name.
        TypeError: If an input is of another type.
        ValueError: If a file is malformed, the layout must be given, or a video has no
            :obj:`pose`.

    Example:
        >>> from pyg_vision.prediction import find_skeletons
        >>> for sample in find_skeletons(["data/nw_ucla/*.json", "clips/walk"], size=(1920, 1080)):
        ...     print(sample.source, tuple(sample.value.skeleton_shape))
        data/nw_ucla/a01_s01_e00_v01.json (1, 3, 20)
        data/nw_ucla/a04_s01_e00_v02.json (1, 3, 20)
        data/nw_ucla/a04_s01_e00_v03.json (1, 3, 20)
        clips/walk (1, 3, 18)
    """

    def find(path: Any) -> Data:
        return _pose_of(path, pose, persons, max_gap, progress)

    for number, value in enumerate(_several(inputs)):
        if isinstance(value, str | os.PathLike):
            if pose is not None and is_picture_folder(Path(value)):
                yield Sample(str(value), find(value))
                continue
            videos = () if pose is None else VIDEO_EXTENSIONS
            seen = VIDEO_EXTENSIONS if pose is None else (*VIDEO_EXTENSIONS, *IMG_EXTENSIONS)
            for path in find_paths(value, (*SKELETON_SUFFIXES, *videos), _is_openpose):
                if path.suffix.lower() in seen:
                    yield Sample(str(path), find(path))
                    continue
                for data in _read(path, layout, size):
                    name = data.name if "name" in data else None
                    yield Sample(str(path) if name is None else f"{path}:{name}", data)
        elif isinstance(value, Data) and not isinstance(value, Batch):
            estimated = "time" in value and "frame_size" in value and "pixels" not in value
            yield Sample(str(number), as_shares(value) if estimated else value)
        elif isinstance(value, Tensor | np.ndarray):
            if layout is None:
                raise ValueError("'layout' must say which skeleton the joints of an array are")
            yield Sample(str(number), skeleton_sequence(value, layout))
        else:
            raise TypeError(
                f"a sequence must be a path, a single graph, a tensor or an array (got "
                f"'{type(value).__name__}')"
            )


def read_sequences(
    path: Path, layout: str | SkeletonLayout | None, size: tuple[float, float] | None
) -> list[Data]:
    r"""Reads a file in the units that models are given, in training as in prediction: poses that
    were written as :obj:`.npz` become shares of the frame, see :func:`find_skeletons`.

    Args:
        path (pathlib.Path): The file.
        layout (str or SkeletonLayout, optional): The skeleton.
        size (tuple, optional): Width and height of a frame.
    """
    found = read_skeletons(path, layout, size)
    is_pose = path.suffix.lower() == ".npz" and skeleton_format(path) == "pose"
    return [as_shares(data) for data in found] if is_pose else found


def _read(
    path: Path, layout: str | SkeletonLayout | None, size: tuple[float, float] | None
) -> list[Data]:
    r"""Reads a file with the layout that it tells, or the one that is meant where it tells none."""
    try:
        return read_sequences(path, layout, size)
    except ValueError as error:
        if layout is None:
            raise
        try:
            return read_sequences(path, None, size)
        except ValueError:
            raise error from None


def _pose_of(
    path: Any,
    pose: PoseSource | None,
    persons: int | None,
    max_gap: int,
    progress: Callable[[Iterable[Frame]], Iterable[Frame]] | None,
) -> Data:
    if pose is None:
        raise ValueError(f"'{path}' is a video; 'pose' must say what finds people in it")
    frames: Any = path
    if Path(path).suffix.lower() in IMG_EXTENSIONS:
        frames = [load_rgb(str(path))]
    try:
        return as_shares(estimate_pose(frames, pose, persons, max_gap=max_gap, progress=progress))
    except VideoError:
        raise
    except ValueError as error:
        raise ValueError(f"'{path}': {error}") from error


def as_shares(data: Data) -> Data:
    r"""Returns joints as shares of the frame, with their places in pixels beside them; those in
    metres stay as they are.
    """
    if data.pos.size(1) != 2 or "frame_size" not in data:
        return data
    size = tuple(data.frame_size)
    shares = NormalizePixels("share", size=None)(data.__copy__())
    shares.frame_size = size
    shares.pixels = shares.pos * shares.pos.new_tensor(size)
    return shares


def is_picture_folder(path: Path) -> bool:
    r"""Whether a folder holds pictures alone, those of a video.

    Args:
        path (pathlib.Path): The folder.
    """
    if not path.is_dir():
        return False
    found = [p for p in path.iterdir() if not p.name.startswith(".")]
    return bool(found) and all(p.suffix.lower() in IMG_EXTENSIONS for p in found)


def find_paths(
    given: str | os.PathLike[str], suffixes: Sequence[str], is_one: Any = None
) -> list[Path]:
    r"""Returns the files that a path or pattern stands for, in order.

    Args:
        given (str or path): A file, a folder that is searched with all folders in it, or a
            pattern.
        suffixes (list of str): Those of the files looked for in folders.
        is_one (Callable, optional): Whether a folder is itself an input. (default: none is)

    Raises:
        FileNotFoundError: If there is no such file.
    """
    path = Path(given)
    if path.is_file() or (path.is_dir() and is_one is not None and is_one(path)):
        return [path]
    if path.is_dir():
        inner = sorted(p for p in path.rglob("*") if not p.name.startswith("."))
        folders = [p for p in inner if p.is_dir() and is_one is not None and is_one(p)]
        found = [p for p in inner if p.is_file() and p.suffix.lower() in suffixes]
        found = [p for p in found if p.parent not in folders] + folders
    else:
        found = [
            p
            for match in sorted(glob.glob(str(given), recursive=True))
            for p in [Path(match)]
            if p.is_file() or (is_one is not None and p.is_dir() and is_one(p))
        ]
    if not found:
        raise FileNotFoundError(
            f"there is no file '{given}'"
            if not path.is_dir()
            else f"there is no file in '{given}' that ends in {', '.join(suffixes)}"
        )
    return sorted(found)


def _to_image(value: Tensor | np.ndarray[Any, Any]) -> Image.Image:
    if value.ndim != 3 or 0 in value.shape:
        shape = list(value.shape)
        raise ValueError(
            f"an image must be [C, H, W], or [H, W, C], and not empty (got shape {shape})"
        )
    pixels = (
        value.detach().cpu()
        if isinstance(value, Tensor)
        else torch.from_numpy(value.copy()).permute(2, 0, 1)
    )
    if pixels.is_floating_point():
        low, high = float(pixels.min()), float(pixels.max())
        if not (low >= 0 and high <= 1):
            raise ValueError(
                f"an image of floats must be from 0 to 1 (got {low:.3g} to {high:.3g})"
            )
        pixels = pixels.float()
    elif pixels.dtype != torch.uint8:
        raise ValueError(f"an image of integers must be of bytes (got {pixels.dtype})")
    return image_to_rgb(to_pil_image(pixels))


def _is_openpose(folder: Path) -> bool:
    return any(folder.glob("*_keypoints.json"))


def _several(inputs: Any) -> Iterable[Any]:
    one = isinstance(inputs, str | os.PathLike | Image.Image | Tensor | np.ndarray | Data)
    if one or not isinstance(inputs, Iterable):
        return [inputs]
    return inputs
