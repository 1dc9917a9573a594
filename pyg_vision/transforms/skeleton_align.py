r"""A skeleton upright, facing the same way, as pyskl prepares NTU RGB+D."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch_geometric.data import Data
from torch_geometric.data.datapipes import functional_transform

from pyg_vision.transforms._skeleton import (
    SkeletonTransform,
    coordinates,
    layout_of,
    set_coordinates,
    take_frames,
    take_persons,
)


@functional_transform("align_skeleton")
class AlignSkeleton(SkeletonTransform):
    r"""Moves a sequence of three coordinates to the origin and turns it upright, facing the same
    way: :obj:`PreNormalize3D` of `pyskl <https://github.com/kennymckormick/pyskl>`_ (functional
    name: :obj:`align_skeleton`).

    Of two persons, the one seen in more frames becomes the first, and frames without it go. Then
    the centre of the first frame becomes the origin, and all is turned so that one bone of the
    first frame points along the last axis, and then another one along the first axis.

    Args:
        up (list, optional): The joints between which the spine runs, by index or name.
            (default: :obj:`(0, 1)`, base and middle of the spine of NTU RGB+D)
        across (list, optional): The right and the left shoulder. (default: :obj:`(8, 4)`)
        center (int or str, optional): The joint that becomes the origin. (default: :obj:`1` of 25
            joints, else the last one)
        spine (bool, optional): Whether the sequence is turned. (default: :obj:`True`)

    Raises:
        ValueError: If the sequence has two coordinates, or more than two persons.

    Example:
        >>> import torch
        >>> from pyg_vision.data import skeleton_sequence
        >>> from pyg_vision.transforms import AlignSkeleton
        >>> data = AlignSkeleton()(skeleton_sequence(torch.rand(1, 9, 25, 3), "ntu"))
        >>> data.pos[1]  # the middle of the spine in the first frame
        tensor([0., 0., 0.])
        >>> across = data.pos[8] - data.pos[4]
        >>> torch.allclose(across / across.norm(), torch.tensor([1.0, 0.0, 0.0]), atol=1e-5)
        True
    """

    def __init__(
        self,
        up: tuple[int | str, int | str] = (0, 1),
        across: tuple[int | str, int | str] = (8, 4),
        center: int | str | None = None,
        spine: bool = True,
    ) -> None:
        for name, value in (("up", up), ("across", across)):
            if len(value) != 2:
                raise ValueError(f"'{name}' must be two joints (got {value!r})")
        self.up, self.across = tuple(up), tuple(across)
        self.center, self.spine = center, spine

    def forward(self, data: Data) -> Data:
        r"""Moves and turns it."""
        pos = coordinates(data)
        if pos.size(-1) != 3:
            raise ValueError(f"AlignSkeleton is for three coordinates (got {pos.size(-1)})")
        if pos.size(0) > 2:
            raise ValueError(
                f"AlignSkeleton is for one person or two (got {pos.size(0)}); TopPersons chooses"
            )
        present = ~torch.isclose(pos, torch.zeros_like(pos)).flatten(2).all(dim=2)
        if not bool(present.any()):
            return data
        counts = present.sum(dim=1)
        if pos.size(0) == 2 and bool(counts[0] < counts[1]):
            data = take_persons(data, torch.tensor([1, 0], device="cpu"))
            present = present.flip(0)
        data = take_frames(data, present[0].nonzero().flatten().cpu())
        pos = coordinates(data).double()
        # Its own joint, so that rounding is that of float64 as in pyskl.
        center = pos[0, 0, self._index(data, self._center(pos.size(2)))].clone()
        there = (pos != 0).any(dim=-1, keepdim=True)
        pos = (pos - center) * there
        if self.spine:
            up, across = ([self._index(data, j) for j in pair] for pair in (self.up, self.across))
            pos = pos @ _turn(pos[0, 0, up[1]] - pos[0, 0, up[0]], (0, 0, 1)).t()
            pos = pos @ _turn(pos[0, 0, across[0]] - pos[0, 0, across[1]], (1, 0, 0)).t()
        return set_coordinates(data, pos.to(data.pos.dtype))

    def _center(self, num_joints: int) -> int | str:
        if self.center is not None:
            return self.center
        return 1 if num_joints == 25 else num_joints - 1

    def _index(self, data: Data, joint: int | str) -> int:
        return layout_of(data).joint(joint) if isinstance(joint, str) else joint


def _turn(vector: Tensor, axis: tuple[int, int, int]) -> Tensor:
    r"""Returns the rotation :math:`(3, 3)` of a vector onto an axis, by the shortest way."""
    goal = vector.new_tensor(axis)
    identity = torch.eye(3, dtype=vector.dtype, device=vector.device)
    if float(vector.abs().sum()) < 1e-6:
        return identity
    around = torch.linalg.cross(vector, goal)
    angle = math.acos(max(-1.0, min(1.0, float(torch.dot(vector / vector.norm(), goal)))))
    if float(around.abs().sum()) < 1e-6 or abs(angle) < 1e-6:
        return identity
    x, y, z = (around / around.norm()).tolist()
    cross = vector.new_tensor([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return identity + math.sin(angle) * cross + (1 - math.cos(angle)) * cross @ cross
