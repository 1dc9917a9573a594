r"""Joints of another skeleton, and joints where none were found."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor
from torch_geometric.data import Data
from torch_geometric.data.datapipes import functional_transform

from pyg_vision._checks import check_int
from pyg_vision.data.joint_maps import joint_map
from pyg_vision.data.layout import SkeletonLayout
from pyg_vision.data.layouts import skeleton_layout
from pyg_vision.transforms._skeleton import (
    SkeletonTransform,
    coordinates,
    found,
    has_score,
    layout_of,
    rearrange,
    rearrange_joints,
    score_of,
    set_coordinates,
    set_score,
    shape_of,
)


@functional_transform("to_layout")
class ToLayout(SkeletonTransform):
    r"""Takes the joints of another skeleton (functional name: :obj:`to_layout`).

    A joint is the one at the same place of the body, or the mean of those in whose middle it lies,
    such as the neck of OpenPose between the shoulders, see :func:`~pyg_vision.data.joint_map`; its
    score is the least of theirs. Joints that the source does not have, or of which a part was not
    found, are zeros with a score of zero.

    Args:
        layout (str or SkeletonLayout): The skeleton.
        joints (dict, optional): The source's joints for joints of the target, by their names, in
            place of those that are found. (default: :obj:`None`)

    Raises:
        ValueError: If there is no such layout; when called, if the two have no joint in common.

    Example:
        >>> import torch
        >>> from pyg_vision.data import skeleton_sequence
        >>> from pyg_vision.transforms import ToLayout
        >>> data = skeleton_sequence(torch.rand(1, 9, 17, 2), "coco", score=torch.rand(1, 9, 17))
        >>> ToLayout("openpose")(data).skeleton_shape
        SkeletonShape(num_persons=1, num_frames=9, num_joints=18)
    """

    def __init__(
        self,
        layout: str | SkeletonLayout,
        joints: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        self.layout = skeleton_layout(layout)
        self.joints = joints

    def forward(self, data: Data) -> Data:
        r"""Takes the joints."""
        pos = coordinates(data)
        parts = joint_map(layout_of(data), self.layout, self.joints)
        weight = pos.new_zeros(len(parts), pos.size(2))
        for i, sources in enumerate(parts):
            for joint in sources:  # one may be there twice
                weight[i, joint] += 1 / len(sources)
        first = torch.tensor([sources[0] if sources else 0 for sources in parts]).to(pos.device)
        there = found(data, pos)[..., 0]
        absent = (weight > 0).to(pos.dtype) @ (~there).to(pos.dtype).unsqueeze(-1) > 0
        nowhere = (weight == 0).all(dim=1)[:, None]
        absent |= nowhere
        weight = torch.where(nowhere, 1 / pos.size(2), weight)  # of what is no place, as time
        score = None
        if has_score(data):
            inner = score_of(data)
            rows = [inner[..., list(sources)].amin(dim=-1) if sources else 0 * inner[..., 0]
                    for sources in parts]  # fmt: skip
            score = torch.stack(rows, dim=-1)

        def take(value: Tensor) -> Tensor:
            if value.is_floating_point():
                return weight.to(value.dtype) @ value
            return value[:, :, first]  # there is no mean of two classes

        data = rearrange(data, take)
        for name in ("x", "pos", "pixels"):
            if name in data:
                data[name] = data[name].masked_fill(absent.reshape(-1, 1), 0)
        if score is not None:
            data = set_score(data, score.masked_fill(absent[..., 0], 0))
        data.layout = self.layout
        return data


@functional_transform("interpolate_joints")
class InterpolateJoints(SkeletonTransform):
    r"""Fills short gaps in the track of a joint: linearly between the frames before and behind it
    (functional name: :obj:`interpolate_joints`).

    The score of what is filled is the lesser of the scores at both ends, times :obj:`trust`. Frames
    are as far from each other as their :obj:`time` says, where a sequence has one, else evenly.

    Args:
        max_gap (int, optional): The longest gap that is filled, in frames. (default: :obj:`10`)
        trust (float, optional): By what scores are multiplied. (default: :obj:`0.5`)

    Raises:
        TypeError: If :obj:`max_gap` is no integer.
        ValueError: If it is not positive, or :obj:`trust` is not above 0 and at most 1.

    Example:
        >>> import torch
        >>> from pyg_vision.data import skeleton_sequence
        >>> from pyg_vision.transforms import InterpolateJoints
        >>> keypoints = torch.arange(1.0, 6.0).view(1, 5, 1, 1).expand(1, 5, 17, 2).clone()
        >>> keypoints[:, 2] = 0  # nobody was found
        >>> data = skeleton_sequence(keypoints, "coco", score=(keypoints[..., 0] > 0).float())
        >>> InterpolateJoints()(data).x.view(5, 17, 3)[2, 0]
        tensor([3.0000, 3.0000, 0.5000])
    """

    def __init__(self, max_gap: int = 10, trust: float = 0.5) -> None:
        self.max_gap = check_int("max_gap", max_gap)
        if not 0 < trust <= 1:
            raise ValueError(f"'trust' must be above 0 and at most 1 (got {trust!r})")
        self.trust = trust

    def forward(self, data: Data) -> Data:
        r"""Fills the gaps."""
        pos = coordinates(data)
        length = pos.size(1)
        there = found(data, pos)[..., 0]
        frame = torch.arange(length, device=pos.device)[:, None]
        before = torch.where(there, frame, -1).cummax(dim=1).values
        behind = torch.where(there, frame, length).flip(1).cummin(dim=1).values.flip(1)
        fill = ~there & (before >= 0) & (behind < length) & (behind - before - 1 <= self.max_gap)
        if not bool(fill.any()):
            return data
        before, behind = before.clamp(min=0), behind.clamp(max=length - 1)
        time = _times(data)
        start, end = (time.gather(1, index) for index in (before, behind))
        share = ((time - start) / (end - start).clamp(min=1e-9)).unsqueeze(-1)
        mask = fill.unsqueeze(-1)

        def take(value: Tensor) -> Tensor:
            if not value.is_floating_point():
                return value
            low, high = (
                value.gather(1, index.unsqueeze(-1).expand_as(value)) for index in (before, behind)
            )
            return torch.where(mask, low + share.to(value.dtype) * (high - low), value)

        scores = None
        if has_score(data):
            score = score_of(data)
            least = torch.minimum(score.gather(1, before), score.gather(1, behind))
            scores = torch.where(fill, self.trust * least, score)
        data = rearrange_joints(data, take)
        return data if scores is None else set_score(data, scores)


@functional_transform("smooth_joints")
class SmoothJoints(SkeletonTransform):
    r"""Smooths the track of each joint by the filter of the `"1 € Filter: A Simple Speed-based
    Low-pass Filter for Noisy Input in Interactive Systems" <https://doi.org/10.1145/2207676.2208639>`_
    paper (functional name: :obj:`smooth_joints`).

    .. math::
        \hat{x}_t = \alpha_t x_t + (1 - \alpha_t) \hat{x}_{t - 1}, \qquad
        \alpha_t = \Big( 1 + \frac{1}{2 \pi f_t \Delta t} \Big)^{-1}, \qquad
        f_t = f_{min} + \beta \, | \hat{\dot{x}}_t |

    where the speed :math:`\hat{\dot{x}}_t` is itself smoothed, with the cutoff :math:`f_d`. What
    rests is smoothed more than what moves. A track begins anew where a joint was not found. Only
    the past counts, so that a live sequence gives the same.

    Args:
        min_cutoff (float, optional): The cutoff :math:`f_{min}` at rest, in Hertz; lower ones
            smooth more. (default: :obj:`1.0`)
        beta (float, optional): By how much the cutoff rises with the speed, in Hertz for each
            unit of coordinates in a second; higher ones lag less. (default: :obj:`0.007`)
        speed_cutoff (float, optional): The cutoff :math:`f_d` of the speed, in Hertz.
            (default: :obj:`1.0`)
        fps (float, optional): The frames in a second of sequences that do not tell their
            :obj:`time`. (default: :obj:`30.0`)

    Raises:
        ValueError: If a number is not positive, or :obj:`beta` is negative.

    Example:
        >>> import torch
        >>> from pyg_vision.data import skeleton_sequence
        >>> from pyg_vision.transforms import SmoothJoints
        >>> data = skeleton_sequence(100 + torch.randn(1, 60, 17, 2), "coco")
        >>> smooth = SmoothJoints()(data.clone())
        >>> bool(smooth.pos[17:].std() < data.pos[17:].std())
        True
    """

    def __init__(
        self,
        min_cutoff: float = 1.0,
        beta: float = 0.007,
        speed_cutoff: float = 1.0,
        fps: float = 30.0,
    ) -> None:
        for name, value in (
            ("min_cutoff", min_cutoff), ("speed_cutoff", speed_cutoff), ("fps", fps),
        ):  # fmt: skip
            if not value > 0 or not math.isfinite(value):
                raise ValueError(f"'{name}' must be positive (got {value!r})")
        if not beta >= 0:
            raise ValueError(f"'beta' must not be negative (got {beta!r})")
        self.min_cutoff, self.beta = min_cutoff, beta
        self.speed_cutoff, self.fps = speed_cutoff, fps

    def forward(self, data: Data) -> Data:
        r"""Smooths the tracks."""
        pos = coordinates(data)
        there = found(data, pos)
        time = _times(data) if "time" in data else _times(data) / self.fps
        step = time.diff(dim=1).clamp(min=1e-6).unsqueeze(-1).to(pos.dtype)
        rows, speed = [pos[:, 0]], torch.zeros_like(pos[:, 0])
        for t in range(1, pos.size(1)):
            dt, known = step[:, t - 1], there[:, t] & there[:, t - 1]
            last = rows[-1]
            change = (pos[:, t] - last) / dt
            speed = torch.where(known, speed + _weight(self.speed_cutoff, dt) * (change - speed), 0)
            cutoff = self.min_cutoff + self.beta * speed.abs()
            rows.append(
                torch.where(known, last + _weight(cutoff, dt) * (pos[:, t] - last), pos[:, t])
            )
        return set_coordinates(data, torch.stack(rows, dim=1))


def _weight(cutoff: float | Tensor, dt: Tensor) -> Tensor:
    return 1 / (1 + 1 / (2 * math.pi * cutoff * dt))


def _times(data: Data) -> Tensor:
    r"""Returns the time of each joint :math:`(M, T, V)` in seconds, or the number of its frame."""
    shape = shape_of(data)
    if "time" in data:
        return data.time.view(shape)  # also of persons and joints that were not found
    frames = torch.arange(shape.num_frames, device=data.x.device, dtype=data.x.dtype)
    return frames[:, None].expand(tuple(shape))
