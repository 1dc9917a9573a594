r"""What the transforms of skeleton sequences share."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch_geometric.data import Batch, Data
from torch_geometric.transforms import BaseTransform

from pyg_vision.data.layout import SkeletonLayout
from pyg_vision.data.skeleton import SkeletonShape, read_layout, read_shapes


class SkeletonTransform(BaseTransform):
    r"""A transform of one sequence. It replaces attributes and never writes into their tensors."""

    def __call__(self, data: Data) -> Data:
        several = len(read_shapes(data)) > 1
        if isinstance(data, Batch) or several:
            what = "several" if several and not isinstance(data, Batch) else "a Batch"
            raise TypeError(
                f"{type(self).__name__} transforms single sequences (got {what}); give it to the "
                f"dataset as 'transform', or apply it to each of batch.to_data_list()"
            )
        out: Data = super().__call__(data)
        return out

    def __repr__(self) -> str:
        settings = {k: v for k, v in vars(self).items() if not k.startswith("_")}
        inner = ", ".join(f"{name}={value!r}" for name, value in settings.items())
        return f"{self.__class__.__name__}({inner})"


def shape_of(data: Data) -> SkeletonShape:
    r"""Returns the shape of a single sequence."""
    return read_shapes(data)[0]


def layout_of(data: Data) -> SkeletonLayout:
    r"""Returns the layout of a sequence, which must tell it."""
    layout = read_layout(data)
    if layout is None:
        raise ValueError(
            "the sequence does not tell its 'layout'; pyg_vision.data.skeleton_sequence sets it"
        )
    return layout


def coordinates(data: Data) -> Tensor:
    r"""Returns the coordinates :math:`(M, T, V, D)`, with which :obj:`x` begins."""
    shape = shape_of(data)
    pos = data.pos
    if not isinstance(pos, Tensor) or pos.dim() != 2 or pos.size(0) != data.x.size(0):
        raise ValueError(
            "the sequence needs the coordinates of its joints as 'pos' [nodes, 2 or 3]"
        )
    stream = data.stream if "stream" in data else "joint"
    if stream != "joint":
        raise ValueError(
            f"coordinates must be transformed before they become the {stream} stream; put this "
            f"transform before JointToBone and JointToMotion"
        )
    return pos.view(*shape, pos.size(1))


def set_coordinates(data: Data, value: Tensor) -> Data:
    r"""Replaces the coordinates; further channels of :obj:`x` stay."""
    pos = value.reshape(-1, value.size(-1))
    data.x = torch.cat((pos, data.x[:, pos.size(1) :]), dim=1)
    data.pos = pos
    return data


def seen(pos: Tensor) -> Tensor:
    r"""Marks the frames :math:`(M, T, 1, 1)` in which a person was seen: not all zeros."""
    return (pos != 0).flatten(2).any(dim=2)[:, :, None, None]


def found(data: Data, pos: Tensor) -> Tensor:
    r"""Marks the joints :math:`(M, T, V, 1)` that were found: in frames in which their person was
    seen, and with a score other than zero if there is one.
    """
    present = seen(pos).expand(*pos.shape[:3], 1)
    if not has_score(data):
        return present
    return present & (score_of(data) != 0).unsqueeze(-1)


def has_score(data: Data) -> bool:
    r"""Whether there is a channel behind the coordinates."""
    return bool(data.x.size(1) > data.pos.size(1))


def score_of(data: Data) -> Tensor:
    r"""Returns the score of each joint :math:`(M, T, V)`, the channel behind the coordinates."""
    dims = coordinates(data).size(-1)
    if not has_score(data):
        raise ValueError(
            f"the sequence has no score: its {dims} channels are coordinates "
            f"(pyg_vision.data.skeleton_sequence takes one)"
        )
    return data.x[:, dims].view(tuple(shape_of(data)))


def set_score(data: Data, score: Tensor) -> Data:
    r"""Replaces the score of each joint :math:`(M, T, V)`, the channel behind the coordinates."""
    dims = data.pos.size(1)
    data.x = torch.cat((data.x[:, :dims], score.reshape(-1, 1), data.x[:, dims + 1 :]), dim=1)
    return data


def take_frames(data: Data, index: Tensor) -> Data:
    r"""Takes frames of all persons, in that order."""
    return _take(data, 1, index)


def take_persons(data: Data, index: Tensor) -> Data:
    r"""Takes persons, in that order."""
    return _take(data, 0, index)


def rearrange(data: Data, take: Callable[[Tensor], Tensor]) -> Data:
    r"""Takes other frames or persons: replaces each attribute of nodes, an array
    :math:`(M, T, V, C)`, by what :obj:`take` returns of it.

    Edges go, since they were those of other nodes.
    """
    for name in [name for name in data.keys() if name.startswith("edge_")]:
        del data[name]
    return rearrange_joints(data, take)


def rearrange_joints(data: Data, take: Callable[[Tensor], Tensor]) -> Data:
    r"""As :func:`rearrange`, where edges stay those of the same places."""
    shape = shape_of(data)
    names = [name for name in data.keys() if data.is_node_attr(name)]
    for name in names:
        value = data[name]
        if not isinstance(value, Tensor):
            continue
        if name == "time":
            taken = _take_time(value.view(shape), take)
        else:
            taken = take(value.reshape(*shape, -1))
        data[name] = taken.reshape(-1, *value.shape[1:])
        data.skeleton_shape = SkeletonShape(*taken.shape[:3])
    return data


def _take_time(time: Tensor, take: Callable[[Tensor], Tensor]) -> Tensor:
    r"""Takes the time of frames, which all joints of a frame have, those that are not there too; in
    frames that are new, such as of zeros, it goes on as in the others.
    """
    begin = time.amin()
    taken = take((time - begin + 1).unsqueeze(-1))  # where nothing is taken, zero
    known = taken.amax(dim=(0, 2, 3))
    frames = torch.arange(len(known), device=time.device, dtype=time.dtype)
    there = (known > 0).nonzero().flatten()
    if 0 < len(there) < len(known):
        first, last = int(there[0]), int(there[-1])
        step = (known[last] - known[first]) / max(last - first, 1)
        near = there[(there[None] - frames[:, None]).abs().argmin(dim=1)]
        known = torch.where(known > 0, known, known[near] + (frames - near) * step)
    return (known + begin - 1)[None, :, None, None].expand_as(taken)


def _take(data: Data, dim: int, index: Tensor) -> Data:
    return rearrange(data, lambda value: value.index_select(dim, index.to(value.device)))


def random_index(high: int, count: int) -> Tensor:
    r"""Returns sorted random integers below :obj:`high`, drawn with replacement."""
    return torch.randint(high, (count,), device="cpu").sort().values


def uniform(low: float, high: float, *size: int) -> Tensor:
    r"""Returns random numbers between two bounds."""
    return low + (high - low) * torch.rand(*size, device="cpu")
