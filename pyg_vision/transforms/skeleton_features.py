r"""The streams of a skeleton: its bones and its motion."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

from torch_geometric.data import Data
from torch_geometric.data.datapipes import functional_transform

from pyg_vision._checks import check_int
from pyg_vision.data.motion import first_difference, second_difference
from pyg_vision.data.tracks import Tracks
from pyg_vision.transforms._skeleton import SkeletonTransform, coordinates, layout_of, shape_of
from pyg_vision.typing import Stream


@functional_transform("joint_to_bone")
class JointToBone(SkeletonTransform):
    r"""Replaces the coordinates of a joint by its bone, the vector from its parent, as in the
    `"Two-Stream Adaptive Graph Convolutional Networks" <https://arxiv.org/abs/1805.07694>`_ paper
    (functional name: :obj:`joint_to_bone`).

    .. math::
        \mathbf{b}_v = \mathbf{x}_v - \mathbf{x}_{\textrm{parent}(v)}

    The root has a bone of zeros. A score becomes the mean of those of both ends, as in pyskl.
    Positions :obj:`pos` stay. Put it behind all transforms of coordinates, and
    :class:`JointToMotion` behind it for the motion of bones.

    With more hops the vector is that from the ancestor so many bones away, the stream
    :obj:`"k-bone"` of the `"Revealing Key Details to See Differences: A Novel Prototypical
    Perspective for Skeleton-based Action Recognition" <https://arxiv.org/abs/2411.18941>`_ paper
    for two. Joints that are nearer to the root have zeros.

    Args:
        hops (int, optional): The length of the way to the ancestor, in bones.
            (default: :obj:`1`)

    Raises:
        TypeError: If :obj:`hops` is no integer.
        ValueError: If it is not positive; when called, if the sequence tells no layout.

    Example:
        >>> from pyg_vision.datasets import SyntheticMotion
        >>> from pyg_vision.transforms import JointToBone
        >>> data = SyntheticMotion(num_sequences=1, num_frames=20)[0]
        >>> JointToBone()(data).x.shape  # vectors along bones, and the score
        torch.Size([360, 3])
    """

    def __init__(self, hops: int = 1) -> None:
        self.hops = check_int("hops", hops)

    def forward(self, data: Data) -> Data:
        r"""Replaces the features."""
        dims = coordinates(data).size(-1)
        shape = shape_of(data)
        parents = layout_of(data).parents
        x = data.x.view(*shape, -1)
        order = [_ancestor(parents, joint, self.hops) for joint in range(shape.num_joints)]
        bones = x - x[:, :, order]
        bones[..., dims:] = (x[..., dims:] + x[:, :, order, dims:]) / 2
        data.x = bones.reshape(data.x.shape)
        data.stream = "bone" if self.hops == 1 else f"{self.hops}-bone"
        return data


def _ancestor(parents: Mapping[int, int], joint: int, hops: int) -> int:
    r"""Returns the joint so many bones away towards the root, itself if there is none."""
    found = joint
    for _ in range(hops):
        if parents.get(found, found) == found:
            return joint
        found = parents[found]
    return found


def dims_of(data: Data) -> int:
    r"""Returns how many channels of a stream are those of coordinates."""
    pos = data.pos
    if pos is None:
        raise ValueError("the sequence needs the coordinates of its joints as 'pos'")
    return int(pos.size(1))


@functional_transform("joint_to_motion")
class JointToMotion(SkeletonTransform):
    r"""Replaces features by their change over time (functional name: :obj:`joint_to_motion`).

    The first difference is that to the next frame, zero in the last one, as in 2s-AGCN and pyskl;
    the second is that from the mean of the frames before and after, zero in the first and the
    last, as in two-stream ST-GCN. A score becomes the mean of those of both frames for the first
    difference, as in pyskl, and its own second difference for the second.

    .. math::
        \mathbf{m}_t = \mathbf{x}_{t + 1} - \mathbf{x}_t \quad \textrm{or} \quad \mathbf{m}_t =
        \mathbf{x}_t - \frac{\mathbf{x}_{t + 1} + \mathbf{x}_{t - 1}}{2}

    Args:
        difference (int, optional): :obj:`1` or :obj:`2`. (default: :obj:`1`)

    Raises:
        ValueError: If the difference is another one; when called, if it is motion already.

    Example:
        >>> from pyg_vision.datasets import SyntheticMotion
        >>> from pyg_vision.transforms import JointToMotion
        >>> data = SyntheticMotion(num_sequences=1, num_frames=20)[0]
        >>> JointToMotion(difference=2)(data).x.shape
        torch.Size([360, 3])
    """

    def __init__(self, difference: Literal[1, 2] = 1) -> None:
        if difference not in (1, 2):
            raise ValueError(f"'difference' must be 1 or 2 (got {difference!r})")
        self.difference = difference

    def forward(self, data: Data) -> Data:
        r"""Replaces the features."""
        stream = data.stream if "stream" in data else "joint"
        if stream.endswith("motion"):
            raise ValueError("the features are motion already")
        change = first_difference if self.difference == 1 else second_difference
        tracks = Tracks.of(data)
        x = change(data.x, tracks)
        if self.difference == 1:
            dims, frames = dims_of(data), x.view(tracks.num_frames, -1, x.size(1))
            score = data.x[:, dims:] + x[:, dims:] / 2
            frames[..., dims:] = score.view_as(frames[..., dims:])
            x = frames.index_fill(0, tracks.last_frames(x.device), 0).view_as(x)
        data.x = x
        data.stream = "motion" if stream == "joint" else f"{stream} motion"
        return data


@functional_transform("skeleton_stream")
class SkeletonStream(SkeletonTransform):
    r"""Makes one of the streams on which models are trained before they are combined (functional
    name: :obj:`skeleton_stream`).

    ======================  ======================================================================
    stream                  features of a joint
    ======================  ======================================================================
    :obj:`joint`            its coordinates, as they are
    :obj:`bone`             the vector from its parent, :class:`JointToBone`
    :obj:`joint_motion`     the change of its coordinates to the next frame, :class:`JointToMotion`
    :obj:`bone_motion`      the change of its bone to the next frame
    :obj:`k_bone`           the vector from the parent of its parent
    :obj:`k_bone_motion`    its change to the next frame
    ======================  ======================================================================

    Args:
        stream (str, optional): The stream. (default: :obj:`"joint"`)

    Raises:
        ValueError: If there is no such stream.

    Example:
        >>> from pyg_vision.datasets import SyntheticMotion
        >>> from pyg_vision.transforms import SkeletonStream
        >>> data = SyntheticMotion(num_sequences=1, num_frames=20)[0]
        >>> SkeletonStream("bone_motion")(data).stream
        'bone motion'
    """

    def __init__(self, stream: Stream = "joint") -> None:
        if stream not in get_args(Stream):
            raise ValueError(
                f"'stream' must be one of {', '.join(get_args(Stream))} (got {stream!r})"
            )
        self.stream = stream

    def forward(self, data: Data) -> Data:
        r"""Replaces the features."""
        if "bone" in self.stream:
            data = JointToBone(hops=2 if self.stream.startswith("k_") else 1)(data)
        return JointToMotion()(data) if self.stream.endswith("motion") else data
