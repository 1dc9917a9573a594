r"""Skeleton sequences: the motion of joints as graphs, and their conversion to dense arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch_geometric.data import Batch, Data

from pyg_vision.data.layout import SkeletonLayout
from pyg_vision.data.layouts import skeleton_layout

# Skeletons that pose estimators find in pictures: of three channels, the third is a score.
IN_PICTURES = ("openpose", "body_25", "body_25b", "coco")


class SkeletonShape(NamedTuple):
    r"""The number of persons, frames and joints of a skeleton sequence.

    It equals the plain tuple of the three. It is a named tuple because PyG's
    :meth:`~torch_geometric.data.Data.to` and :meth:`~torch_geometric.data.Data.clone` turn plain
    tuples into lists.

    Args:
        num_persons (int): The number of persons :math:`M`.
        num_frames (int): The number of frames :math:`T`.
        num_joints (int): The number of joints :math:`V`.

    Example:
        >>> import torch
        >>> from pyg_vision.data import skeleton_sequence
        >>> data = skeleton_sequence(torch.rand(2, 30, 17, 2), "coco")
        >>> data.skeleton_shape
        SkeletonShape(num_persons=2, num_frames=30, num_joints=17)
        >>> data.skeleton_shape.num_frames
        30
    """

    num_persons: int
    num_frames: int
    num_joints: int


# PyG loads saved datasets with weights_only=True, which knows no classes but registered ones.
torch.serialization.add_safe_globals([SkeletonShape])


def skeleton_sequence(
    keypoints: Tensor | np.ndarray[Any, Any],
    layout: str | SkeletonLayout,
    y: int | None = None,
    score: Tensor | np.ndarray[Any, Any] | None = None,
) -> Data:
    r"""Turns the recorded motion of one or more persons into a graph, without edges.

    The nodes are in the order person, frame, joint. The frames in which a person was not seen
    must be filled with zeros. :class:`~pyg_vision.transforms.SkeletonEdges` adds the edges.

    Args:
        keypoints (torch.Tensor or numpy.ndarray): The coordinates :math:`(M, T, V, D)` of
            :math:`M` persons, or :math:`(T, V, D)` of one; :math:`D` is 2 or 3.
        layout (str or SkeletonLayout): The skeleton, see :func:`skeleton_layout`.
        y (int, optional): The class of the sequence. (default: :obj:`None`)
        score (torch.Tensor or numpy.ndarray, optional): The confidence score of each joint,
            :math:`(M, T, V)` or :math:`(T, V)`. (default: :obj:`None`)

    Returns:
        torch_geometric.data.Data: A graph with

        * :obj:`x` :math:`(M \cdot T \cdot V, C)`, the coordinates, followed by the score if
          given, as in ST-GCN;
        * :obj:`pos` :math:`(M \cdot T \cdot V, D)`, the coordinates;
        * :obj:`y` :math:`(1)`, the class if given;
        * :obj:`skeleton_shape`, the Python tuple :math:`(M, T, V)`, and :obj:`layout`, the
          :class:`SkeletonLayout`. In a :class:`~torch_geometric.data.Batch` they become lists.

    Raises:
        TypeError: If an argument is of another type, or the keypoints are not numbers.
        ValueError: If the keypoints have another shape, the number of joints is not that of the
            layout, there is no frame or person, or a value is NaN or infinite.

    Example:
        >>> import torch
        >>> from pyg_vision.data import skeleton_sequence
        >>> keypoints, score = torch.rand(2, 30, 17, 2), torch.rand(2, 30, 17)
        >>> data = skeleton_sequence(keypoints, "coco", y=3, score=score)
        >>> data.x.shape, data.pos.shape
        (torch.Size([1020, 3]), torch.Size([1020, 2]))
        >>> data.layout
        SkeletonLayout('coco', 17 joints)
    """
    layout = skeleton_layout(layout)
    pos = _read_array("keypoints", keypoints)
    if pos.dim() == 3:
        pos = pos.unsqueeze(0)
    if pos.dim() != 4 or pos.size(3) not in (2, 3) or 0 in pos.shape:
        raise ValueError(
            f"'keypoints' must be [persons, frames, joints, 2 or 3], or without persons, and not "
            f"empty (got shape {list(keypoints.shape)})"
        )
    if pos.size(2) != layout.num_joints:
        raise ValueError(
            f"layout '{layout.name}' has {layout.num_joints} joints (got {pos.size(2)} in "
            f"'keypoints' of shape {list(keypoints.shape)})"
        )
    _check_finite("keypoints", pos)
    shape = SkeletonShape(*pos.shape[:3])
    pos = pos.reshape(-1, pos.size(3)).clone()  # the caller's array stays the caller's
    data = Data(x=pos, pos=pos.clone(), skeleton_shape=shape, layout=layout)
    if score is not None:
        column = _read_array("score", score)
        if column.shape not in (shape, shape[1:]) or column.numel() != pos.size(0):
            raise ValueError(
                f"'score' must be [persons, frames, joints] like 'keypoints', {tuple(shape)} "
                f"(got shape {list(score.shape)})"
            )
        _check_finite("score", column)
        data.x = torch.cat((pos, column.reshape(-1, 1).to(pos.dtype)), dim=1)
    if y is not None:
        if not isinstance(y, int | np.integer) or isinstance(y, bool):
            raise TypeError(f"'y' must be an integer (got {y!r})")
        data.y = torch.tensor([int(y)], device=data.x.device)
    return data


def read_shapes(data: Data) -> list[SkeletonShape]:
    r"""Reads the shapes of the sequences of :obj:`data`, without touching a tensor.

    Args:
        data (torch_geometric.data.Data): A sequence or a batch of sequences.

    Returns:
        list[SkeletonShape]: One shape for each sequence.

    Raises:
        TypeError: If :obj:`data` is no graph, or the attribute no tuple of integers.
        ValueError: If the attribute is missing or does not fit the number of nodes.
    """
    if not isinstance(data, Data):
        raise TypeError(f"expected a Data or Batch of skeletons (got '{type(data).__name__}')")
    value = data["skeleton_shape"] if "skeleton_shape" in data else None
    if value is None:
        raise ValueError(
            f"the graph has no 'skeleton_shape' (got the attributes {sorted(data.keys())}); "
            f"skeleton graphs get it from pyg_vision.data.skeleton_sequence"
        )
    values = [value] if is_shape(value) else value
    if not isinstance(values, (list, tuple)) or not values or not all(map(is_shape, values)):
        found = f"tensor of shape {list(value.shape)}" if isinstance(value, Tensor) else repr(value)
        raise TypeError(
            f"'skeleton_shape' must be a tuple (persons, frames, joints) of Python integers, or a "
            f"list of them in a batch (got {found})"
        )
    shapes = [SkeletonShape(*shape) for shape in values]
    if any(min(shape) < 1 for shape in shapes):
        bad = next(i for i, shape in enumerate(shapes) if min(shape) < 1)
        raise ValueError(
            f"'skeleton_shape' of sequence {bad} must be positive (got {tuple(shapes[bad])})"
        )
    num_nodes = sum(m * t * v for m, t, v in shapes)
    x = data.x
    if isinstance(x, Tensor) and x.size(0) != num_nodes:
        raise ValueError(
            f"sequences of the shapes {[tuple(shape) for shape in shapes[:5]]}"
            f"{' …' if len(shapes) > 5 else ''} have {num_nodes} nodes (got {x.size(0)})"
        )
    return shapes


def read_layout(data: Data) -> SkeletonLayout | None:
    r"""Reads the layout that the sequences of :obj:`data` share, :obj:`None` if they tell none.

    Args:
        data (torch_geometric.data.Data): A sequence or a batch of sequences.

    Raises:
        TypeError: If the attribute :obj:`layout` is no layout.
        ValueError: If the sequences have different ones.
    """
    value = data["layout"] if "layout" in data else None
    values = value if isinstance(value, list) else [] if value is None else [value]
    layouts = [skeleton_layout(layout) for layout in values]
    for layout in layouts[1:]:
        if layout != layouts[0]:
            raise ValueError(
                f"sequences of different layouts cannot be mixed (got '{layouts[0].name}' and "
                f"'{layout.name}')"
            )
    return layouts[0] if layouts else None


def skeletons_to_dense(
    data: Data, num_frames: int | None = None, num_persons: int | None = None
) -> Tensor:
    r"""Turns sequences into the dense array :math:`(N, C, T, V, M)` of the published code.

    Sequences with fewer frames or persons are padded with zeros at the end; none is shortened.
    Given the shapes of the sequences, :func:`dense_to_skeletons` is the exact inverse.

    Args:
        data (torch_geometric.data.Data): A sequence, or a batch of sequences of one layout.
        num_frames (int, optional): The number of frames :math:`T`.
            (default: that of the longest sequence)
        num_persons (int, optional): The number of persons :math:`M`.
            (default: the largest number of a sequence)

    Raises:
        TypeError: If :obj:`data` is not a sequence or a batch of sequences.
        ValueError: If sequences differ in the number of joints, or one is larger than
            :obj:`num_frames` or :obj:`num_persons`.

    Example:
        >>> import torch
        >>> from torch_geometric.data import Batch
        >>> from pyg_vision.data import skeleton_sequence, skeletons_to_dense
        >>> long = skeleton_sequence(torch.rand(2, 40, 17, 3), "coco")
        >>> short = skeleton_sequence(torch.rand(1, 30, 17, 3), "coco")
        >>> skeletons_to_dense(Batch.from_data_list([long, short])).shape
        torch.Size([2, 3, 40, 17, 2])
    """
    shapes = read_shapes(data)
    num_joints = common_joints(shapes)
    most_frames = max(shape.num_frames for shape in shapes)
    most_persons = max(shape.num_persons for shape in shapes)
    frames = most_frames if num_frames is None else num_frames
    persons = most_persons if num_persons is None else num_persons
    for i, shape in enumerate(shapes):
        if shape.num_frames > frames or shape.num_persons > persons:
            raise ValueError(
                f"sequence {i} of {shape.num_persons} person(s) and {shape.num_frames} frame(s) "
                f"does not fit into {persons} person(s) and {frames} frame(s); shorten it first, "
                f"for example with pyg_vision.transforms.UniformSampleFrames or TopPersons"
            )
    x = data.x
    if all(shape[:2] == (persons, frames) for shape in shapes):
        dense = x.reshape(len(shapes), persons, frames, num_joints, -1).clone()
    else:
        dense = x.new_zeros(len(shapes), persons, frames, num_joints, x.size(1))
        parts = x.split([m * t * v for m, t, v in shapes])
        for i, (part, shape) in enumerate(zip(parts, shapes, strict=True)):
            # Not into a view made by iterating over 'dense', which autograd forbids.
            dense[i, : shape.num_persons, : shape.num_frames] = part.view(*shape, -1)
    return dense.permute(0, 4, 2, 3, 1)


def dense_to_skeletons(
    x: Tensor,
    layout: str | SkeletonLayout,
    shapes: Sequence[Sequence[int]] | None = None,
    y: Tensor | None = None,
    num_dims: int | None = None,
) -> Batch:
    r"""Turns the dense array :math:`(N, C, T, V, M)` of the published code into a batch of
    sequences.

    Args:
        x (torch.Tensor): The array.
        layout (str or SkeletonLayout): The skeleton, see :func:`skeleton_layout`.
        shapes (list of tuples, optional): The shape :math:`(M, T, V)` of each sequence; frames and
            persons beyond it are dropped. By default all are kept, including those of zeros.
            (default: :obj:`None`)
        y (torch.Tensor, optional): The class of each sequence :math:`(N)`. (default: :obj:`None`)
        num_dims (int, optional): The number of channels that are coordinates, counted from the
            first: 2 for :math:`(x, y, \textrm{score})`. (default: 2 of 3 for the layouts of pose
            estimators in images, :obj:`"openpose"`, :obj:`"body_25"`, :obj:`"body_25b"` and
            :obj:`"coco"`, else up to three)

    Raises:
        TypeError: If :obj:`x` is not a tensor.
        ValueError: If :obj:`x` has another shape, or the layout, shapes or classes do not fit it.

    Example:
        >>> import torch
        >>> from pyg_vision.data import dense_to_skeletons
        >>> x = torch.rand(2, 3, 40, 25, 2)
        >>> batch = dense_to_skeletons(x, "ntu", shapes=[(2, 40, 25), (1, 30, 25)])
        >>> batch.x.shape
        torch.Size([2750, 3])
        >>> batch[1].skeleton_shape
        SkeletonShape(num_persons=1, num_frames=30, num_joints=25)
    """
    layout = skeleton_layout(layout)
    if not isinstance(x, Tensor):
        raise TypeError(f"'x' must be a tensor (got '{type(x).__name__}')")
    if x.dim() != 5 or 0 in x.shape or x.size(3) != layout.num_joints:
        raise ValueError(
            f"'x' must be [sequences, channels, frames, {layout.num_joints} joints of layout "
            f"'{layout.name}', persons] and not empty (got shape {list(x.shape)})"
        )
    num, _, frames, joints, persons = x.shape
    given = [(persons, frames, joints)] * num if shapes is None else shapes
    if len(given) != num or (y is not None and y.numel() != num):
        raise ValueError(
            f"'shapes' and 'y' must be given for each of {num} sequences (got {len(given)} and "
            f"{'none' if y is None else y.numel()})"
        )
    scored = x.size(1) == 3 and layout.name in IN_PICTURES
    dims = (2 if scored else min(3, x.size(1))) if num_dims is None else num_dims
    if not 1 <= dims <= min(3, x.size(1)):
        raise ValueError(f"'num_dims' must be 1 to {min(3, x.size(1))} channels (got {num_dims})")
    sequences = []
    for i, (array, shape) in enumerate(zip(x.permute(0, 4, 2, 3, 1), given, strict=True)):
        if (
            not is_shape(shape)
            or any(not 1 <= a <= b for a, b in zip(shape, array.shape[:3], strict=True))
            or shape[2] != joints
        ):
            raise ValueError(
                f"the shape of sequence {i} must be (persons, frames, joints) of at most "
                f"{tuple(array.shape[:3])}, and of all joints (got {shape!r})"
            )
        nodes = array[: shape[0], : shape[1]].reshape(-1, x.size(1))
        pos = nodes[:, :dims].clone()
        data = Data(x=nodes, pos=pos, skeleton_shape=SkeletonShape(*shape), layout=layout)
        if y is not None:
            data.y = y.reshape(-1)[i : i + 1]
        sequences.append(data)
    return Batch.from_data_list(sequences)


def common_joints(shapes: list[SkeletonShape]) -> int:
    r"""Returns the number of joints, which sequences of a batch must share."""
    joints = {shape.num_joints for shape in shapes}
    if len(joints) > 1:
        raise ValueError(
            f"sequences with different numbers of joints cannot be mixed (got {sorted(joints)})"
        )
    return shapes[0].num_joints


def is_shape(value: object) -> bool:
    r"""Returns whether a value is the :obj:`skeleton_shape` of one sequence."""
    return (
        isinstance(value, (tuple, list))
        and len(value) == 3
        and all(isinstance(v, int) and not isinstance(v, bool) for v in value)
    )


def _read_array(name: str, value: object) -> Tensor:
    if isinstance(value, np.ndarray):
        if value.dtype.kind not in "fiu":
            raise TypeError(f"'{name}' must hold numbers (got an array of {value.dtype})")
        value = torch.from_numpy(np.ascontiguousarray(value))
    if not isinstance(value, Tensor):
        raise TypeError(
            f"'{name}' must be a tensor or a numpy array (got '{type(value).__name__}')"
        )
    if value.is_complex() or value.dtype == torch.bool:
        raise TypeError(f"'{name}' must hold real numbers (got {value.dtype})")
    return value if value.is_floating_point() else value.to(torch.get_default_dtype())


def _check_finite(name: str, value: Tensor) -> None:
    if value.device.type == "cpu" and not bool(value.isfinite().all()):
        where = (~value.isfinite()).nonzero()[0].tolist()
        raise ValueError(f"'{name}' holds a value that is NaN or infinite, the first at {where}")
