r"""Which frames of a sequence are seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate
from torch_geometric.data import Data
from torch_geometric.data.datapipes import functional_transform

from pyg_vision._checks import check_int
from pyg_vision.transforms._skeleton import (
    SkeletonTransform,
    random_index,
    rearrange,
    shape_of,
    take_frames,
    uniform,
)

Indices = np.ndarray[Any, np.dtype[np.int64]]


@functional_transform("sample_frames")
class SampleFrames(SkeletonTransform):
    r"""Takes a fixed number of frames in their order, some of them more than once if there are
    fewer (functional name: :obj:`sample_frames`).

    Args:
        num_frames (int): The number of frames.
        random (bool, optional): If :obj:`True`, they are drawn at random with replacement, else
            they are evenly spaced from the first to the last. (default: :obj:`False`)

    Raises:
        ValueError: If the number is not positive.

    Example:
        >>> from pyg_vision.datasets import SyntheticMotion
        >>> from pyg_vision.transforms import SampleFrames
        >>> data = SyntheticMotion(num_sequences=1, num_frames=20)[0]
        >>> tuple(SampleFrames(8)(data).skeleton_shape)
        (1, 8, 18)
    """

    def __init__(self, num_frames: int, random: bool = False) -> None:
        self.num_frames = check_int("num_frames", num_frames)
        self.random = random

    def forward(self, data: Data) -> Data:
        r"""Takes the frames."""
        length = shape_of(data).num_frames
        if self.random:
            return take_frames(data, random_index(length, self.num_frames))
        steps = max(self.num_frames - 1, 1)
        return take_frames(
            data, torch.arange(self.num_frames, device="cpu") * (length - 1) // steps
        )


@functional_transform("uniform_sample_frames")
class UniformSampleFrames(SkeletonTransform):
    r"""Cuts a sequence into equal stretches and takes one frame of each, as in the `"Revisiting
    Skeleton-based Action Recognition" <https://arxiv.org/abs/2104.13586>`_ paper (functional name:
    :obj:`uniform_sample_frames`).

    Frame :math:`i` of :math:`n` is drawn from those from :math:`\lfloor i T / n \rfloor` to below
    :math:`\lfloor (i + 1) T / n \rfloor` of :math:`T` frames. Of a sequence between one and two
    clips long, :math:`T - n` of the gaps between the frames of a clip, drawn at random, skip a
    frame each. A shorter one is looped, from anywhere in it. With several clips the result is a
    list of sequences, of which PyG's :class:`~torch_geometric.loader.DataLoader` makes a list of
    batches; the mean of their softmaxes is the usual test protocol. This is the definition of
    `pyskl <https://github.com/kennymckormick/pyskl>`_, with the same frames for the same seed.

    Args:
        num_frames (int): The number of frames of a clip.
        num_clips (int, optional): The number of clips. (default: :obj:`1`)
        seed (int, optional): If given, the same frames are drawn every time, as in a test, and the
            clips of a sequence shorter than one start evenly; pyskl's is 255.
            (default: :obj:`None`)

    Raises:
        ValueError: If a number is not positive.

    Example:
        >>> from pyg_vision.datasets import SyntheticMotion
        >>> from pyg_vision.transforms import UniformSampleFrames
        >>> data = SyntheticMotion(num_sequences=1, num_frames=20)[0]
        >>> clips = UniformSampleFrames(8, num_clips=3)(data)
        >>> [tuple(clip.skeleton_shape) for clip in clips]
        [(1, 8, 18), (1, 8, 18), (1, 8, 18)]
    """

    def __init__(self, num_frames: int, num_clips: int = 1, seed: int | None = None) -> None:
        self.num_frames = check_int("num_frames", num_frames)
        self.num_clips = check_int("num_clips", num_clips)
        self.seed = seed

    def forward(self, data: Data) -> Data | list[Data]:
        r"""Takes the frames."""
        # numpy's, whose numbers are those of pyskl; in training they follow from torch's seed.
        seed = int(torch.randint(2**31, (), device="cpu")) if self.seed is None else self.seed
        random, length = np.random.RandomState(seed), shape_of(data).num_frames
        clips = [
            take_frames(data.__copy__(), torch.from_numpy(self._draw(length, i, random)))
            for i in range(self.num_clips)
        ]
        return clips[0] if self.num_clips == 1 else clips

    def _draw(self, length: int, clip: int, random: np.random.RandomState) -> Indices:
        random.rand(), random.randint(1)  # pyskl's, of how much of a sequence is seen: all
        size = self.num_frames
        frames = np.arange(size)
        if length < size:  # looped
            if self.seed is None:
                start = random.randint(length)
            else:
                start = clip if length < self.num_clips else clip * length // self.num_clips
            index: Indices = (start + frames) % length
            return index
        if length < 2 * size:
            skips = np.zeros(size + 1, dtype=np.int64)
            skips[random.choice(size + 1, length - size, replace=False)] = 1
            return frames + skips.cumsum()[:-1]
        edges = np.arange(size + 1) * length // size
        return edges[:-1] + random.randint(np.diff(edges))


@functional_transform("crop_resize_frames")
class CropResizeFrames(SkeletonTransform):
    r"""Cuts a stretch out of a sequence and resizes it in time to a fixed number of frames, between
    which it interpolates linearly, as `CTR-GCN <https://github.com/Uason-Chen/CTR-GCN>`_ feeds NTU
    RGB+D (functional name: :obj:`crop_resize_frames`).

    In training the stretch has a random share of the frames, at least :obj:`least` of them, and
    begins anywhere; in a test it is the middle of the sequence. Frame :math:`i` of :math:`n` is at
    the time :math:`(i + 1/2) T / n - 1/2` of the :math:`T` frames of the stretch.

    Args:
        num_frames (int, optional): The number of frames. (default: :obj:`64`)
        share (float or tuple, optional): The share of the frames that is seen, or the least and the
            largest one, between which it is drawn. (default: :obj:`0.95`)
        least (int, optional): The fewest frames of a random stretch. (default: :obj:`64`)

    Raises:
        ValueError: If a number is not positive, or the shares are none or not in order.

    Example:
        >>> from pyg_vision.datasets import SyntheticMotion
        >>> from pyg_vision.transforms import CropResizeFrames
        >>> data = SyntheticMotion(num_sequences=1, num_frames=100)[0]
        >>> tuple(CropResizeFrames(64, share=(0.5, 1.0))(data).skeleton_shape)
        (1, 64, 18)
    """

    def __init__(
        self, num_frames: int = 64, share: float | Sequence[float] = 0.95, least: int = 64
    ) -> None:
        self.num_frames = check_int("num_frames", num_frames)
        self.least = check_int("least", least)
        if not isinstance(share, int | float | Sequence):
            raise TypeError(f"'share' must be a number or two (got {share!r})")
        bounds = (share,) if isinstance(share, int | float) else tuple(share)
        if len(bounds) not in (1, 2) or not 0 < bounds[0] <= bounds[-1] <= 1:
            raise ValueError(f"'share' must be one above 0 and up to 1, or two (got {share!r})")
        self.share = bounds

    def forward(self, data: Data) -> Data:
        r"""Takes the frames."""
        shape = shape_of(data)
        length = shape.num_frames
        if len(self.share) == 1:
            begin = int((1 - self.share[0]) * length / 2)
            kept = length - 2 * begin
        else:
            share = float(uniform(self.share[0], self.share[1], 1))
            kept = min(max(int(length * share), self.least), length)
            begin = int(torch.randint(length - kept + 1, (1,), device="cpu"))

        def resize(value: Tensor) -> Tensor:
            rows = value.flatten(2)[:, begin : begin + kept].transpose(1, 2)
            if value.is_floating_point():
                out = interpolate(rows, self.num_frames, mode="linear")
            else:  # there is nothing between two classes
                out = interpolate(rows.double(), self.num_frames, mode="nearest").to(value.dtype)
            return out.transpose(1, 2).reshape(
                shape.num_persons, self.num_frames, shape.num_joints, -1
            )

        return rearrange(data, resize)


@functional_transform("random_choose_frames")
class RandomChooseFrames(SkeletonTransform):
    r"""Takes a window of consecutive frames at random, as ST-GCN does (functional name:
    :obj:`random_choose_frames`).

    A shorter sequence is filled up with zero frames, at random before and behind it.

    Args:
        num_frames (int): The number of frames.

    Raises:
        ValueError: If the number is not positive.

    Example:
        >>> from pyg_vision.datasets import SyntheticMotion
        >>> from pyg_vision.transforms import RandomChooseFrames
        >>> data = SyntheticMotion(num_sequences=1, num_frames=20)[0]
        >>> tuple(RandomChooseFrames(8)(data).skeleton_shape)
        (1, 8, 18)
    """

    def __init__(self, num_frames: int) -> None:
        self.num_frames = check_int("num_frames", num_frames)

    def forward(self, data: Data) -> Data:
        r"""Takes the frames."""
        length = shape_of(data).num_frames
        if length < self.num_frames:
            begin = int(torch.randint(self.num_frames - length + 1, (1,), device="cpu"))
            return _place(data, begin, 0, length, self.num_frames)
        begin = int(torch.randint(length - self.num_frames + 1, (1,), device="cpu"))
        return take_frames(data, torch.arange(begin, begin + self.num_frames, device="cpu"))


@functional_transform("random_shift_frames")
class RandomShiftFrames(SkeletonTransform):
    r"""Moves the part of a sequence in which someone is seen to a random time in it, as ST-GCN
    does (functional name: :obj:`random_shift_frames`).

    Example:
        >>> from pyg_vision.datasets import SyntheticMotion
        >>> from pyg_vision.transforms import RandomShiftFrames
        >>> data = SyntheticMotion(num_sequences=1, num_frames=20)[0]
        >>> tuple(RandomShiftFrames()(data).skeleton_shape)
        (1, 20, 18)
    """

    def forward(self, data: Data) -> Data:
        r"""Moves the frames."""
        shape = shape_of(data)
        used = (data.x != 0).view(*shape, -1).flatten(2).any(dim=2).any(dim=0).nonzero().flatten()
        if used.numel() == 0:
            return data
        first, length = int(used[0]), int(used[-1]) + 1 - int(used[0])
        begin = int(torch.randint(shape.num_frames - length + 1, (1,), device="cpu"))
        return _place(data, begin, first, length, shape.num_frames)


@functional_transform("pad_frames")
class PadFrames(SkeletonTransform):
    r"""Makes a sequence at least so long (functional name: :obj:`pad_frames`).

    Args:
        num_frames (int): The number of frames.
        mode (str, optional): :obj:`"loop"` repeats the sequence from its beginning,
            :obj:`"zero"` adds frames of zeros behind it, :obj:`"loop_persons"` repeats what is seen
            of each person by itself, up to the last frame in which it is seen, as 2s-AGCN does; of
            one who is not there in the first frame, the frames without it go before.
            (default: :obj:`"loop"`)

    Raises:
        ValueError: If the number is not positive or there is no such mode.

    Example:
        >>> from pyg_vision.datasets import SyntheticMotion
        >>> from pyg_vision.transforms import PadFrames
        >>> data = SyntheticMotion(num_sequences=1, num_frames=20)[0]
        >>> tuple(PadFrames(64, mode="loop")(data).skeleton_shape)
        (1, 64, 18)
    """

    def __init__(
        self, num_frames: int, mode: Literal["loop", "zero", "loop_persons"] = "loop"
    ) -> None:
        self.num_frames = check_int("num_frames", num_frames)
        if mode not in ("loop", "zero", "loop_persons"):
            raise ValueError(f"'mode' must be 'loop', 'zero' or 'loop_persons' (got {mode!r})")
        self.mode = mode

    def forward(self, data: Data) -> Data:
        r"""Adds the frames."""
        length = shape_of(data).num_frames
        if self.mode == "loop_persons":
            return _loop_persons(data, max(length, self.num_frames))
        if length >= self.num_frames:
            return data
        if self.mode == "loop":
            return take_frames(data, torch.arange(self.num_frames, device="cpu") % length)
        return _place(data, 0, 0, length, self.num_frames)


def _loop_persons(data: Data, num_frames: int) -> Data:
    r"""Repeats what is seen of each person by itself."""
    shape = shape_of(data)
    x = data.x.view(*shape, -1)
    index = torch.arange(num_frames, device="cpu").repeat(shape.num_persons, 1)
    for m, there in enumerate((x != 0).flatten(2).any(dim=2).cpu()):
        seen = there.nonzero().flatten()
        if len(seen) == 0:
            index[m] = 0  # a frame of zeros like all others
            continue
        frames = torch.arange(int(seen[-1]) + 1, device="cpu") if there[0] else seen
        index[m] = frames[torch.arange(num_frames, device="cpu") % len(frames)]
    rows = torch.arange(shape.num_persons, device="cpu")[:, None]

    return rearrange(data, lambda value: value[rows.to(value.device), index.to(value.device)])


def _place(data: Data, begin: int, first: int, length: int, num_frames: int) -> Data:
    r"""Puts a stretch of frames into a sequence of zeros."""
    shape = shape_of(data)

    def place(value: Tensor) -> Tensor:
        out = value.new_zeros(shape.num_persons, num_frames, shape.num_joints, value.size(-1))
        out[:, begin : begin + length] = value[:, first : first + length]
        return out

    return rearrange(data, place)
