r"""Where a skeleton stands, and how large it is."""

from __future__ import annotations

from typing import get_args

import torch
from torch_geometric.data import Data
from torch_geometric.data.datapipes import functional_transform

from pyg_vision.transforms._skeleton import (
    SkeletonTransform,
    coordinates,
    found,
    layout_of,
    score_of,
    set_coordinates,
)
from pyg_vision.typing import Scaling


@functional_transform("center_skeleton")
class CenterSkeleton(SkeletonTransform):
    r"""Moves a sequence so that a joint is at the origin (functional name:
    :obj:`center_skeleton`).

    It is taken from the first frame in which it was found, or, with :obj:`every_frame=True`, from
    each frame by itself; of several persons, from the first one of whom it was found there. Joints
    that were not found, with a score of zero or in a frame without their person, stay zero, and
    frames in which the joint of no one was found stay where they are.

    Args:
        joint (int or str, optional): The joint, by index or name. (default: the centre of the
            layout)
        every_frame (bool, optional): Whether each frame is centred by itself, which takes the path
            of the person out of the motion. (default: :obj:`False`)

    Raises:
        ValueError: When called, if there is no such joint.

    Example:
        >>> from pyg_vision.datasets import SyntheticMotion
        >>> from pyg_vision.transforms import CenterSkeleton
        >>> data = SyntheticMotion(num_sequences=1, num_frames=20)[0]
        >>> data = CenterSkeleton("neck", every_frame=True)(data)
        >>> data.pos.view(20, 18, 2)[:, 1].abs().max()  # joint 1 is the neck
        tensor(0.)
    """

    def __init__(self, joint: int | str | None = None, every_frame: bool = False) -> None:
        self.joint = joint
        self.every_frame = every_frame

    def forward(self, data: Data) -> Data:
        r"""Moves the coordinates."""
        pos = coordinates(data)
        joint, there = self._index(data), found(data, pos)
        known = there[:, :, joint, 0]
        frames = torch.arange(pos.size(1), device=pos.device)
        origins = pos[known.int().argmax(dim=0), frames, joint]  # [T, D], zero where unknown
        if self.every_frame:
            origin = origins[None, :, None]
        else:
            origin = origins[known.any(dim=0).int().argmax()]
        return set_coordinates(data, (pos - origin) * there)

    def _index(self, data: Data) -> int:
        layout = layout_of(data)
        if self.joint is None:
            return layout.center
        if isinstance(self.joint, str):
            return layout.joint(self.joint)
        if not 0 <= self.joint < layout.num_joints:
            raise ValueError(
                f"layout '{layout.name}' has joints 0 to {layout.num_joints - 1} (got {self.joint})"
            )
        return self.joint


@functional_transform("center_by_score")
class CenterByScore(SkeletonTransform):
    r"""Moves 2D coordinates in [0, 1] to [-0.5, 0.5], and joints of score zero to the origin
    (functional name: :obj:`center_by_score`).

    This is how ST-GCN prepares Kinetics-Skeleton: a joint that the pose estimator did not find is
    no corner of the picture but its middle.

    Args:
        middle (float, optional): What becomes the origin, the middle of the image in both
            coordinates. (default: :obj:`0.5`)

    Raises:
        ValueError: When called, if the sequence has no score.

    Example:
        >>> from pyg_vision.datasets import SyntheticMotion
        >>> from pyg_vision.transforms import CenterByScore
        >>> data = SyntheticMotion(num_sequences=1, num_frames=20)[0]
        >>> data.pos.min() >= 0, CenterByScore()(data).pos.min() < 0
        (tensor(True), tensor(True))
    """

    def __init__(self, middle: float = 0.5) -> None:
        self.middle = middle

    def forward(self, data: Data) -> Data:
        r"""Moves the coordinates."""
        pos = coordinates(data)
        scored = score_of(data).unsqueeze(-1) != 0
        return set_coordinates(data, (pos - self.middle) * scored)


@functional_transform("scale_skeleton")
class ScaleSkeleton(SkeletonTransform):
    r"""Scales each sequence by itself to one size (functional name: :obj:`scale_skeleton`).

    * :obj:`"min_max"` maps each axis linearly to :math:`[-1, 1]`, as is usual for NW-UCLA;
    * :obj:`"max_abs"` divides by the largest absolute coordinate of all axes;
    * :obj:`"bone"` divides by the mean length of the bones of the layout.

    Joints that were not found, with a score of zero or in a frame without their person, stay zero
    and do not count. Where everything is at one place, nothing is scaled.

    Args:
        to (str, optional): The size. (default: :obj:`"min_max"`)

    Raises:
        ValueError: If there is no such size.

    Example:
        >>> from pyg_vision.datasets import SyntheticMotion
        >>> from pyg_vision.transforms import ScaleSkeleton
        >>> data = SyntheticMotion(num_sequences=1, num_frames=20)[0]
        >>> data = ScaleSkeleton("max_abs")(data)
        >>> data.pos.abs().max()
        tensor(1.)
    """

    def __init__(self, to: Scaling = "min_max") -> None:
        if to not in get_args(Scaling):
            raise ValueError(f"'to' must be one of {', '.join(get_args(Scaling))} (got {to!r})")
        self.to = to

    def forward(self, data: Data) -> Data:
        r"""Scales the coordinates."""
        pos = coordinates(data)
        present = found(data, pos)
        rows = pos[present[..., 0]]
        if rows.numel() == 0:
            return data
        if self.to == "min_max":
            low, high = rows.amin(dim=0), rows.amax(dim=0)
            # An axis along which nothing extends, as of a flat skeleton, is only moved.
            extent = (high - low).where(high > low, 2)
            return set_coordinates(
                data, ((pos - low) / extent * 2 - (high > low).to(pos)) * present
            )
        if self.to == "max_abs":
            size = rows.abs().max()
        else:
            parents = layout_of(data).parents
            ends = list(parents), list(parents.values())
            both = (present[:, :, ends[0]] & present[:, :, ends[1]])[..., 0]
            bones = (pos[:, :, ends[0]] - pos[:, :, ends[1]])[both]
            size = bones.norm(dim=-1).mean() if len(bones) else pos.new_ones(())
        return set_coordinates(data, pos / size.where(size > 0, 1))
