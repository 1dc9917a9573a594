r"""Frames of videos, folders, cameras and pipes, and videos of frames."""

from __future__ import annotations

import os
import sys
import uuid
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from PIL import Image
from torchvision.datasets.folder import IMG_EXTENSIONS

from pyg_vision._warn import warn
from pyg_vision.datasets import load_rgb

if TYPE_CHECKING:
    from av.container import InputContainer

Picture = np.ndarray[Any, np.dtype[np.uint8]]

VIDEO_EXTENSIONS = (
    ".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg", ".wmv", ".flv", ".ts",
    ".3gp", ".gif",
)  # fmt: skip
_CAMERAS = {"linux": ("v4l2", "/dev/video{}"), "darwin": ("avfoundation", "{}")}
_PER_SECOND = 30.0  # of frames that do not tell their time
VIDEO_CODECS = {".mp4": "libx264", ".mov": "libx264", ".mkv": "libx264", ".webm": "libvpx-vp9"}
_TICKS = 90_000  # of a second, in written videos


class Frame(NamedTuple):
    r"""One picture of a video.

    Args:
        image (numpy.ndarray): The picture :math:`(H, W, 3)`, RGB in bytes, upright.
        time (float): When it is shown, in seconds.

    Example:
        >>> import numpy as np
        >>> from pyg_vision.pose import Frame
        >>> Frame(np.zeros((48, 64, 3), np.uint8), time=0.5).image.shape
        (48, 64, 3)
    """

    image: Picture
    time: float


class VideoError(ValueError):
    r"""A video that cannot be read: the message names the file and what is wrong.

    Example:
        >>> from pyg_vision.pose import VideoError
        >>> str(VideoError("'walk.mp4' holds sound only"))
        "'walk.mp4' holds sound only"
    """


def read_frames(source: Any, fps: float = _PER_SECOND) -> Iterator[Frame]:
    r"""Yields the frames of a video, one after the other, whatever its length.

    Pictures are upright as the file says it, and each has its own time, so that a variable frame
    rate is honoured.

    Args:
        source: A video file; a folder of pictures, in the order of their names; the number of a
            camera; :obj:`"-"` for a video that is piped to the process; or an iterable of
            pictures, arrays :math:`(H, W, 3)` of bytes or images of PIL, or of :class:`Frame`.
        fps (float, optional): The frames in a second of pictures that do not tell their time.
            (default: :obj:`30.0`)

    Raises:
        FileNotFoundError: If there is no such file or folder.
        ImportError: If :obj:`av` is not installed and a video is to be decoded.
        VideoError: If it is no video, holds no pictures, or cannot be decoded; or if the camera is
            not there, or is there no longer.

    Example:
        >>> import numpy as np
        >>> from pyg_vision.pose import read_frames
        >>> pictures = [np.zeros((48, 64, 3), np.uint8)] * 3
        >>> [round(frame.time, 2) for frame in read_frames(pictures, fps=10)]
        [0.0, 0.1, 0.2]
    """
    if not fps > 0:
        raise ValueError(f"'fps' must be positive (got {fps!r})")
    if isinstance(source, bool):
        raise TypeError(f"a video must be a file, a folder, a camera or pictures (got {source!r})")
    if isinstance(source, int):
        return _of_camera(source)
    if isinstance(source, str | os.PathLike):
        if os.fspath(source) == "-":
            return _decode(sys.stdin.buffer, "the piped video")
        path = Path(source)
        if path.is_dir():
            return _of_folder(path, fps)
        if not path.is_file():
            raise FileNotFoundError(f"there is no file or folder '{path}'")
        return _decode(str(path.absolute()), f"'{path}'")  # a colon would name a protocol
    if not isinstance(source, Iterable):
        raise TypeError(
            f"a video must be a file, a folder, a camera or pictures (got "
            f"'{type(source).__name__}')"
        )
    return _of_pictures(source, fps)


def _of_folder(path: Path, fps: float) -> Iterator[Frame]:
    found = sorted(p for p in path.iterdir() if p.suffix.lower() in IMG_EXTENSIONS)
    if not found:
        raise VideoError(f"there is no picture in '{path}'")

    def pictures() -> Iterator[Image.Image]:
        for file in found:
            try:
                yield load_rgb(str(file))
            except (OSError, ValueError, SyntaxError) as error:
                raise VideoError(f"'{file}' is no picture ({error})") from error

    return _of_pictures(pictures(), fps)


def _of_pictures(pictures: Iterable[Any], fps: float) -> Iterator[Frame]:
    for number, value in enumerate(pictures):
        if isinstance(value, Frame):
            yield Frame(_checked(value.image), float(value.time))
            continue
        image = np.asarray(value.convert("RGB")) if isinstance(value, Image.Image) else value
        yield Frame(_checked(image), number / fps)


def _checked(image: Any) -> Picture:
    if not isinstance(image, np.ndarray) or image.dtype != np.uint8:
        kind = image.dtype if isinstance(image, np.ndarray) else type(image).__name__
        raise TypeError(f"a picture must be an array [H, W, 3] of bytes (got {kind})")
    if image.ndim != 3 or image.shape[2] != 3 or 0 in image.shape:
        raise ValueError(
            f"a picture must be an array [H, W, 3] of bytes (got shape {list(image.shape)})"
        )
    whole = np.ascontiguousarray(image)
    return whole if whole.flags.writeable else whole.copy()  # torch warns of others


def _of_camera(number: int) -> Iterator[Frame]:
    kind, name = _CAMERAS.get(sys.platform, ("dshow", "video={}"))
    return _decode(name.format(number), f"camera {number}", kind)


def _decode(file: Any, name: str, format: str | None = None) -> Iterator[Frame]:
    av = _import_av()
    try:
        container: InputContainer = av.open(file, format=format)
    except (av.FFmpegError, OSError, ValueError) as error:
        what = "cannot be opened" if format is not None else "is no video"
        raise VideoError(f"{name} {what} ({_reason(error)})") from error
    if not container.streams.video:
        sound = bool(container.streams.audio)
        container.close()
        raise VideoError(f"{name} holds {'sound only' if sound else 'no pictures'}")
    return _frames_of(container, name)


def _frames_of(container: InputContainer, name: str) -> Iterator[Frame]:
    av = _import_av()
    time, count = 0.0, 0
    with container:
        stream = container.streams.video[0]
        rate = float(stream.average_rate or stream.guessed_rate or _PER_SECOND)
        length, start = _length_of(container), None
        try:
            stream.thread_type = "AUTO"
            for picture in container.decode(stream):
                last = time
                if picture.time is not None:
                    start = picture.time if start is None else start
                    time = picture.time - start
                if count and (picture.time is None or time <= last):
                    time = last + 1 / rate  # as AVI files, which keep no order of time
                image = picture.to_ndarray(format="rgb24")
                turns = round(picture.rotation / 90) % 4
                yield Frame(np.ascontiguousarray(np.rot90(image, turns)), time)
                count += 1
        except (av.FFmpegError, OSError, ValueError) as error:
            where = f"after {time:.2f} s" if count else "at all"
            raise VideoError(f"{name} cannot be decoded {where} ({_reason(error)})") from error
    if not count:
        raise VideoError(f"{name} holds no pictures")
    if length is not None and length - time > max(1.0, 3 / rate):
        warn(f"{name} ends after {time:.1f} s of {length:.1f} s: it is cut off or broken")


def _length_of(container: InputContainer) -> float | None:
    r"""Returns how long the pictures last, in seconds, if a file says it."""
    stream = container.streams.video[0]
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    if container.duration is not None and not container.streams.audio:  # which may last longer
        return container.duration / 1e6
    return None


class VideoWriter:
    r"""Writes pictures into a video file, each at its own time; used in a :obj:`with` statement.

    There is never a part of a file: it has its name once it is complete.

    Args:
        path (str or path): The file :obj:`.mp4`, :obj:`.mov`, :obj:`.mkv` or :obj:`.webm`.
        fps (float, optional): How long the last picture is shown, and the rate that the file names.
            (default: :obj:`30.0`)

    Raises:
        ImportError: If :obj:`av` is not installed.
        ValueError: If there is no kind of video of that name, or pictures differ in size.

    Example:
        >>> import numpy as np
        >>> from pyg_vision.pose import Frame, VideoWriter, read_frames
        >>> with VideoWriter("black.mp4", fps=10) as video:
        ...     for i in range(3):
        ...         video.write(Frame(np.zeros((48, 64, 3), np.uint8), i / 10))
        >>> len(list(read_frames("black.mp4")))
        3
    """

    def __init__(self, path: str | os.PathLike[str], fps: float = _PER_SECOND) -> None:
        if not fps > 0:
            raise ValueError(f"'fps' must be positive (got {fps!r})")
        self.path, self.fps = Path(path), fps
        if self.path.suffix.lower() not in VIDEO_CODECS:
            raise ValueError(f"'path' must end in {', '.join(VIDEO_CODECS)} (got '{path}')")
        av = _import_av()
        self._part = self.path.with_name(f".{uuid.uuid4().hex}.part{self.path.suffix}")
        self._size: tuple[int, int] | None = None
        self._last = -1
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._container = av.open(str(self._part.absolute()), "w")
            self._stream: Any = self._container.add_stream(
                VIDEO_CODECS[self.path.suffix.lower()],
                rate=Fraction(fps).limit_denominator(1001),
            )
        except (av.FFmpegError, OSError, ValueError) as error:
            self._part.unlink(missing_ok=True)
            raise ValueError(f"'{path}' cannot be a video ({_reason(error)})") from error
        self._stream.pix_fmt = "yuv420p"
        self._stream.codec_context.time_base = Fraction(1, _TICKS)

    def __enter__(self) -> VideoWriter:
        return self

    def write(self, frame: Frame) -> None:
        r"""Writes a picture.

        Args:
            frame (Frame): The picture, later than the one before. Of an odd width or height, the
                last column or row is left out, since videos have colours for pairs of pixels.
        """
        import av

        image = _checked(frame.image)
        if min(image.shape[:2]) < 2:
            raise ValueError(f"a picture must have two rows and columns (got {list(image.shape)})")
        if not frame.time >= 0:
            raise ValueError(f"the time of a picture must not be negative (got {frame.time})")
        height, width = (side - side % 2 for side in image.shape[:2])
        if self._size is None:
            self._size = (width, height)
            self._stream.width, self._stream.height = width, height
        if self._size != (width, height):
            raise ValueError(
                f"all pictures of a video must be of one size (got {width} x {height} after "
                f"{self._size[0]} x {self._size[1]})"
            )
        tick = round(frame.time * _TICKS)
        if tick <= self._last:
            raise ValueError(f"a picture must be later than the one before (got {frame.time} s)")
        self._last = tick
        picture = av.VideoFrame.from_ndarray(
            np.ascontiguousarray(image[:height, :width]), format="rgb24"
        )
        picture.pts, picture.time_base = tick, Fraction(1, _TICKS)
        self._encode(picture)

    def _encode(self, picture: Any) -> None:
        try:
            self._container.mux(self._stream.encode(picture))
        except _import_av().FFmpegError as error:
            raise VideoError(f"'{self.path}' cannot be written ({_reason(error)})") from error

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None and self._size is not None:
                self._encode(None)
            self._container.close()
            if kind is None and self._size is None:
                raise ValueError(f"'{self.path}' got no picture")
            if kind is None:
                os.replace(self._part, self.path)
        finally:
            self._part.unlink(missing_ok=True)


def _reason(error: Exception) -> str:
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return " ".join(str(text).split())


def _import_av() -> Any:
    try:
        import av
    except ImportError as error:
        raise ImportError("videos need av: pip install pyg-vision[video]") from error
    return av
