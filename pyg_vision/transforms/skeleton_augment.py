r"""Random views of a skeleton."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch_geometric.data import Data
from torch_geometric.data.datapipes import functional_transform

from pyg_vision.transforms._skeleton import (
    SkeletonTransform,
    coordinates,
    found,
    layout_of,
    rearrange_joints,
    set_coordinates,
    uniform,
)


@functional_transform("random_rotate_skeleton")
class RandomRotateSkeleton(SkeletonTransform):
    r"""Rotates a sequence by random angles about the axes (functional name:
    :obj:`random_rotate_skeleton`).

    The whole sequence is turned alike, about one axis after the other; 2D coordinates are turned in
    their plane. In the order :obj:`"xyz"`, with 0.3 radians about each axis, it is :obj:`RandomRot`
    of `pyskl <https://github.com/kennymckormick/pyskl>`_ and the rotation of CTR-GCN on NTU RGB+D.

    Args:
        degrees (float or tuple): The largest angle about each of the axes :math:`(x, y, z)`, or
            one number for 2D coordinates.
        order (str, optional): The axes in the order in which it is turned about them.
            (default: :obj:`"yxz"`, as CTR-GCN does on NW-UCLA)

    Raises:
        ValueError: If an angle is negative, or the order is none of the three axes; when called, if
            the angles do not fit the coordinates.

    Example:
        >>> from pyg_vision.datasets import SyntheticMotion
        >>> from pyg_vision.transforms import RandomRotateSkeleton
        >>> data = SyntheticMotion(num_sequences=1, num_frames=20)[0]
        >>> RandomRotateSkeleton(15.0)(data).pos.shape
        torch.Size([360, 2])
    """

    def __init__(self, degrees: float | Sequence[float], order: str = "yxz") -> None:
        if not isinstance(order, str) or sorted(order) != ["x", "y", "z"]:
            raise ValueError(f"'order' must hold x, y and z once each (got {order!r})")
        self.order = order
        values = (degrees,) if isinstance(degrees, int | float) else tuple(degrees)
        if len(values) not in (1, 3) or any(not angle >= 0 for angle in values):
            raise ValueError(
                f"'degrees' must be one angle, or three about x, y and z, not negative "
                f"(got {degrees!r})"
            )
        self.degrees = values

    def forward(self, data: Data) -> Data:
        r"""Rotates the coordinates."""
        pos = coordinates(data)
        if pos.size(-1) != {1: 2, 3: 3}[len(self.degrees)]:
            raise ValueError(
                f"{len(self.degrees)} angle(s) do not fit coordinates of {pos.size(-1)} dimensions"
            )
        radians = [math.radians(float(uniform(-angle, angle, 1))) for angle in self.degrees]
        matrix = (
            _rotation_2d(radians[0]) if len(radians) == 1 else _rotation_3d(radians, self.order)
        )
        return set_coordinates(data, pos @ matrix.to(pos))


@functional_transform("random_scale_skeleton")
class RandomScaleSkeleton(SkeletonTransform):
    r"""Scales a sequence by a random factor (functional name: :obj:`random_scale_skeleton`).

    Args:
        low (float): The smallest factor.
        high (float): The largest factor.

    Raises:
        ValueError: If the factors are not positive and in order.

    Example:
        >>> from pyg_vision.datasets import SyntheticMotion
        >>> from pyg_vision.transforms import RandomScaleSkeleton
        >>> data = SyntheticMotion(num_sequences=1, num_frames=20)[0]
        >>> RandomScaleSkeleton(0.9, 1.1)(data).pos.shape
        torch.Size([360, 2])
    """

    def __init__(self, low: float, high: float) -> None:
        if not 0 < low <= high:
            raise ValueError(f"factors must be positive and in order (got {low} and {high})")
        self.low = low
        self.high = high

    def forward(self, data: Data) -> Data:
        r"""Scales the coordinates."""
        factor = uniform(self.low, self.high, 1)
        pos = coordinates(data)
        return set_coordinates(data, pos * factor.to(pos))


@functional_transform("random_flip_skeleton")
class RandomFlipSkeleton(SkeletonTransform):
    r"""Mirrors a sequence: left joints become right ones, and an axis changes its sign (functional
    name: :obj:`random_flip_skeleton`).

    Joints that were not found, with a score of zero or in a frame without their person, stay zero.

    Args:
        p (float, optional): The probability. (default: :obj:`0.5`)
        axis (int, optional): The coordinate that is mirrored. (default: :obj:`0`)
        middle (float, optional): The coordinate that stays where it is, such as 0.5 for images
            in [0, 1]. (default: :obj:`0.0`)

    Raises:
        ValueError: If the probability is none; when called, if the layout has no pairs.

    Example:
        >>> from pyg_vision.datasets import SyntheticMotion
        >>> from pyg_vision.transforms import RandomFlipSkeleton
        >>> data = SyntheticMotion(num_sequences=1, num_frames=20)[0]
        >>> flipped = RandomFlipSkeleton(p=1.0, middle=0.5)(data)
        >>> nose = data.pos.view(20, 18, 2)[:, 0, 0]
        >>> (flipped.pos.view(20, 18, 2)[:, 0, 0] + nose).mean()  # mirrored about the middle
        tensor(1.)
    """

    def __init__(self, p: float = 0.5, axis: int = 0, middle: float = 0.0) -> None:
        if not 0 <= p <= 1:
            raise ValueError(f"'p' must be a probability (got {p})")
        self.p = p
        self.axis = axis
        self.middle = middle

    def forward(self, data: Data) -> Data:
        r"""Mirrors the joints."""
        layout = layout_of(data)
        if not layout.pairs:
            raise ValueError(f"layout '{layout.name}' has no left and right 'pairs' to exchange")
        pos = coordinates(data)
        if not 0 <= self.axis < pos.size(-1):
            raise ValueError(f"'axis' must be one of {pos.size(-1)} coordinates (got {self.axis})")
        if float(uniform(0, 1, 1)) >= self.p:
            return data
        mirrored = pos[:, :, layout.flip_order].clone()
        mirrored[..., self.axis] = 2 * self.middle - mirrored[..., self.axis]
        absent = ~found(data, pos)[:, :, layout.flip_order]
        data = rearrange_joints(data, lambda value: value[:, :, layout.flip_order])
        return set_coordinates(data, mirrored.masked_fill(absent, 0))


@functional_transform("random_move_skeleton")
class RandomMoveSkeleton(SkeletonTransform):
    r"""Turns, scales and shifts a skeleton slowly in its plane, as if a camera moved (functional
    name: :obj:`random_move_skeleton`).

    After the way in which ST-GCN augments Kinetics-Skeleton: angle, scale and shift are drawn at
    some frames and interpolated linearly between them. The published code draws from a few fixed
    values and moves joints that were not found as well; here values are continuous, and such
    joints stay zero. Only the first two coordinates change.

    Args:
        degrees (float, optional): The largest angle. (default: :obj:`10.0`)
        scale ((float, float), optional): The smallest and largest factor.
            (default: :obj:`(0.9, 1.1)`)
        shift (float, optional): The largest shift along each axis. (default: :obj:`0.2`)
        nodes (int, optional): How many stretches the sequence is interpolated in.
            (default: :obj:`1`)

    Raises:
        ValueError: If a number is out of range.

    Example:
        >>> from pyg_vision.datasets import SyntheticMotion
        >>> from pyg_vision.transforms import RandomMoveSkeleton
        >>> data = SyntheticMotion(num_sequences=1, num_frames=20)[0]
        >>> RandomMoveSkeleton(degrees=10.0, shift=0.1)(data).pos.shape
        torch.Size([360, 2])
    """

    def __init__(
        self,
        degrees: float = 10.0,
        scale: tuple[float, float] = (0.9, 1.1),
        shift: float = 0.2,
        nodes: int = 1,
    ) -> None:
        if degrees < 0 or shift < 0 or not 0 < scale[0] <= scale[1] or nodes < 1:
            raise ValueError(
                f"'degrees' and 'shift' must not be negative, 'scale' positive and in order, "
                f"'nodes' at least 1 (got {degrees}, {shift}, {scale} and {nodes})"
            )
        self.degrees = degrees
        self.scale = scale
        self.shift = shift
        self.nodes = nodes

    def forward(self, data: Data) -> Data:
        r"""Moves the first two coordinates."""
        pos = coordinates(data)
        frames = pos.size(1)
        angle = self._path(math.radians(self.degrees), frames)
        low, high = self.scale
        factor = (low + high) / 2 + self._path((high - low) / 2, frames)
        shift = torch.stack([self._path(self.shift, frames) for _ in range(2)], dim=-1)
        turn = torch.stack([angle.cos(), angle.sin(), -angle.sin(), angle.cos()], dim=-1).view(
            -1, 2, 2
        )
        matrix = (turn * factor[:, None, None]).to(pos)
        plane = pos[..., :2] @ matrix + shift[:, None].to(pos)
        moved = torch.cat((plane, pos[..., 2:]), dim=-1)
        return set_coordinates(data, moved * found(data, pos))

    def _path(self, most: float, frames: int) -> Tensor:
        r"""Interpolates between random values in :math:`[-most, most]`."""
        values = uniform(-most, most, self.nodes + 1)
        at = torch.linspace(0, self.nodes, frames, device="cpu")
        before = at.floor().clamp(max=self.nodes - 1).long()
        return torch.lerp(values[before], values[before + 1], at - before)


def _rotation_2d(angle: float) -> Tensor:
    c, s = math.cos(angle), math.sin(angle)
    return torch.tensor([[c, s], [-s, c]], device="cpu")


def _rotation_3d(angles: Sequence[float], order: str) -> Tensor:
    r"""Returns a matrix that turns row vectors by angles about x, y and z, in that order."""
    (cx, sx), (cy, sy), (cz, sz) = map(_cos_sin, angles)
    about = {
        "x": torch.tensor([[1.0, 0.0, 0.0], [0.0, cx, sx], [0.0, -sx, cx]], device="cpu"),
        "y": torch.tensor([[cy, 0.0, -sy], [0.0, 1.0, 0.0], [sy, 0.0, cy]], device="cpu"),
        "z": torch.tensor([[cz, sz, 0.0], [-sz, cz, 0.0], [0.0, 0.0, 1.0]], device="cpu"),
    }
    first, second, third = (about[axis] for axis in order)
    return first @ second @ third


def _cos_sin(angle: float) -> tuple[float, float]:
    return math.cos(angle), math.sin(angle)
