r"""Skeleton layouts: the joints of a body and what joins them, as data."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch

Pair = tuple[int, int]


@dataclass(frozen=True, repr=False)
class SkeletonLayout:
    r"""The joints of a skeleton in their order, and the bones between them.

    A layout defines the graph edges, the bone vectors, the joints that a flip exchanges, and the
    order of the joints in files and plots. It is validated on construction. Every function that
    takes the name of a layout also takes a :class:`SkeletonLayout`.

    Args:
        name (str): The name of the layout.
        joints (tuple of str): The names of the joints, in the order of the data.
        bones (tuple of pairs): The bones as indices (child, parent). Each joint has at most one
            parent; one joint, the root, has none. They are the edges of the graph.
        center (int): The joint from which the spatial partition measures distances.
        pairs (tuple of pairs, optional): Joints (left, right) that a flip exchanges.
            (default: :obj:`()`)
        links (tuple of pairs, optional): Further edges of the graph that are not bones, such as
            the one between the hips of a layout without a pelvis. (default: :obj:`()`)
        bone_parents (tuple of pairs, optional): Pairs (child, parent) whose bone vector does not
            follow the edges of the graph, as in some published code; a joint that is its own
            parent has no bone vector. (default: :obj:`()`)

    Raises:
        TypeError: If an index is not an integer or a name is not a string.
        ValueError: If a name is given twice, an index is out of range, a joint has two parents,
            the bones have a cycle, or a joint is not connected to the others.

    Example:
        >>> from pyg_vision.data import SkeletonLayout
        >>> layout = SkeletonLayout(
        ...     name="two_arms",
        ...     joints=("neck", "l_elbow", "l_wrist", "r_elbow", "r_wrist"),
        ...     bones=((1, 0), (2, 1), (3, 0), (4, 3)),
        ...     center=0,
        ...     pairs=((1, 3), (2, 4)),
        ... )
        >>> layout.num_joints
        5
        >>> layout.parents
        {1: 0, 2: 1, 3: 0, 4: 3}
        >>> layout.flip_order
        [0, 3, 4, 1, 2]
    """

    name: str
    joints: tuple[str, ...]
    bones: tuple[Pair, ...]
    center: int
    pairs: tuple[Pair, ...] = ()
    links: tuple[Pair, ...] = ()
    bone_parents: tuple[Pair, ...] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name:
            raise TypeError(f"the 'name' of a layout must be a string (got {self.name!r})")
        object.__setattr__(self, "joints", tuple(self.joints))
        for field in ("bones", "pairs", "links", "bone_parents"):
            object.__setattr__(self, field, tuple(self._read_pairs(field)))
        if not self.joints or not all(isinstance(joint, str) for joint in self.joints):
            raise TypeError(f"the 'joints' of a layout must be names (got {self.joints!r})")
        twice = [joint for joint, count in Counter(self.joints).items() if count > 1]
        if twice:
            raise ValueError(f"layout '{self.name}' names a joint twice: {twice}")
        self._check_index("center", self.center)
        for field in ("bones", "links", "bone_parents", "pairs"):
            for pair in getattr(self, field):
                self._check_index(field, *pair)
                if pair[0] == pair[1] and field != "bone_parents":
                    raise ValueError(
                        f"{field} of layout '{self.name}' join a joint to itself: {pair}"
                    )
        self._check_tree("bones", self.bones)
        self._check_tree("bone_parents", tuple(self.parents.items()))
        self._check_connected()
        sides = Counter(joint for pair in self.pairs for joint in pair)
        if any(count > 1 for count in sides.values()):
            raise ValueError(f"'pairs' of layout '{self.name}' use a joint twice: {self.pairs}")
        edges = Counter(frozenset(edge) for edge in self.edges)
        doubled = [tuple(sorted(edge)) for edge, count in edges.items() if count > 1]
        if doubled:
            raise ValueError(f"layout '{self.name}' joins the same joints twice: {doubled}")

    @property
    def num_joints(self) -> int:
        r"""The number of joints."""
        return len(self.joints)

    @property
    def edges(self) -> tuple[Pair, ...]:
        r"""The undirected edges of the graph, bones first, then links."""
        return self.bones + self.links

    @property
    def parents(self) -> dict[int, int]:
        r"""The parent of each joint along its bone vector, without the root, which has none."""
        parents = {**dict(self.bones), **dict(self.bone_parents)}
        return {child: parent for child, parent in parents.items() if child != parent}

    @property
    def flip_order(self) -> list[int]:
        r"""The index of the joint that replaces each joint when left and right are exchanged."""
        order = list(range(self.num_joints))
        for left, right in self.pairs:
            order[left], order[right] = right, left
        return order

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> SkeletonLayout:
        r"""Makes a layout of plain data, as a JSON file has it.

        Args:
            value (dict): The arguments of :class:`SkeletonLayout` by name; joints in pairs, and
                the centre, may be given by name instead of index.

        Raises:
            TypeError: If a value is of another type.
            ValueError: If an entry is missing or unknown, or does not fit.
        """
        names = [field.name for field in dataclasses.fields(cls)]
        required = names[:4]
        missing = [name for name in required if name not in value]
        unknown = [str(name) for name in value if name not in names]
        if missing or unknown:
            raise ValueError(
                f"a layout is {', '.join(required)} and, if there are such, {', '.join(names[4:])} "
                f"(got {', '.join(map(str, value))})"
            )
        joints = {str(joint): i for i, joint in enumerate(value["joints"])}

        def index(joint: Any) -> Any:
            if isinstance(joint, str) and joint not in joints:
                raise ValueError(f"layout '{value['name']}' has no joint {joint!r}")
            return joints[joint] if isinstance(joint, str) else joint

        given = dict(value, joints=tuple(value["joints"]), center=index(value["center"]))
        for name in ("bones", "pairs", "links", "bone_parents"):
            given[name] = tuple(tuple(map(index, pair)) for pair in value.get(name, ()))
        return cls(**given)

    def to_dict(self) -> dict[str, Any]:
        r"""Returns the layout as plain data, see :meth:`from_dict`."""
        value = dataclasses.asdict(self)
        return {
            name: [list(v) if isinstance(v, tuple) else v for v in part]
            if isinstance(part, tuple)
            else part
            for name, part in value.items()
        }

    def joint(self, name: str) -> int:
        r"""Returns the index of a joint.

        Args:
            name (str): The name of the joint.

        Raises:
            ValueError: If there is no such joint.
        """
        if name not in self.joints:
            raise ValueError(f"layout '{self.name}' has no joint {name!r} (it has {self.joints})")
        return self.joints.index(name)

    def __repr__(self) -> str:
        return f"{self.__class__.__name__}({self.name!r}, {self.num_joints} joints)"

    def _read_pairs(self, field: str) -> Iterator[Pair]:
        for pair in getattr(self, field):
            if not isinstance(pair, Iterable) or len(found := tuple(pair)) != 2:
                raise ValueError(
                    f"'{field}' of layout '{self.name}' must be pairs of joints (got {pair!r})"
                )
            yield found[0], found[1]

    def _check_index(self, field: str, *indices: int) -> None:
        for index in indices:
            if not isinstance(index, int) or isinstance(index, bool):
                raise TypeError(
                    f"'{field}' of layout '{self.name}' must hold indices of joints (got {index!r})"
                )
            if not 0 <= index < self.num_joints:
                raise ValueError(
                    f"'{field}' of layout '{self.name}' names joint {index}, but its "
                    f"{self.num_joints} joints are 0 to {self.num_joints - 1}"
                )

    def _check_tree(self, field: str, bones: tuple[Pair, ...]) -> None:
        children = Counter(child for child, _ in bones)
        for child, count in children.items():
            if count > 1:
                raise ValueError(
                    f"'{field}' of layout '{self.name}' give joint {child} ('{self.joints[child]}')"
                    f" {count} parents; further edges belong into 'links'"
                )
        parent = dict(bones)
        for start in parent:
            joint, steps = start, 0
            while joint in parent:
                joint, steps = parent[joint], steps + 1
                if steps > len(parent):
                    raise ValueError(
                        f"'{field}' of layout '{self.name}' form a cycle through joint {start} "
                        f"('{self.joints[start]}')"
                    )

    def _check_connected(self) -> None:
        reached, grew = {self.center}, True
        while grew:
            grew = False
            for a, b in self.edges:
                if (a in reached) != (b in reached):
                    reached |= {a, b}
                    grew = True
        lost = [joint for i, joint in enumerate(self.joints) if i not in reached]
        if lost:
            raise ValueError(
                f"layout '{self.name}' joins these joints to the centre by no bone or link: {lost}"
            )


# PyG loads saved datasets with weights_only=True, which knows no classes but registered ones.
torch.serialization.add_safe_globals([SkeletonLayout])
