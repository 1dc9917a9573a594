r"""Which joints of one skeleton stand for those of another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pyg_vision.data.layout import SkeletonLayout
from pyg_vision.data.layouts import skeleton_layout

JointMap = tuple[tuple[int, ...], ...]

# Where a joint lies, if its name is not the one that most skeletons have for that place.
_PLACES = {
    "hip": "mid_hip",
    "hip_center": "mid_hip",
    "pelvis": "mid_hip",
    "base_of_spine": "mid_hip",
    "middle_of_spine": "mid_torso",
    "shoulder_center": "mid_shoulder",
    "thorax": "mid_shoulder",
    "left_foot_index": "left_toe",
    "right_foot_index": "right_toe",
    "left_big_toe": "left_toe",
    "right_big_toe": "right_toe",
    "left_foot": "left_toe",
    "right_foot": "right_toe",
}
# Of skeletons that have a certain joint: names that mean other places elsewhere.
_PLACES_BESIDE = (
    ("base_of_spine", {"spine": "mid_shoulder", "neck": "kinect_neck", "head": "middle_of_head"}),
    ("shoulder_center", {"spine": "mid_torso", "head": "middle_of_head"}),
    ("thorax", {"spine": "mid_torso", "neck": "neck_above_thorax"}),
    ("nose", {"neck": "mid_shoulder"}),
)
# The joints whose middle a place is.
_MIDDLES = {
    "mid_hip": ("left_hip", "right_hip"),
    "mid_shoulder": ("left_shoulder", "right_shoulder"),
    "mid_torso": ("left_hip", "right_hip", "left_shoulder", "right_shoulder"),
    "middle_of_head": ("left_ear", "right_ear"),
    "left_hand": ("left_index", "left_pinky"),
    "right_hand": ("right_index", "right_pinky"),
}


def joint_map(
    source: str | SkeletonLayout,
    target: str | SkeletonLayout,
    joints: Mapping[str, Sequence[str]] | None = None,
) -> JointMap:
    r"""Returns the joints of one skeleton that stand for each joint of another: the joint at the
    same place of the body, or those in whose middle it lies, such as the shoulders for a neck; none
    where there is nothing.

    Args:
        source (str or SkeletonLayout): The skeleton that there is.
        target (str or SkeletonLayout): The one that is wanted.
        joints (dict, optional): The source's joints for joints of the target, by their names, in
            place of those that are found. (default: :obj:`None`)

    Returns:
        tuple[tuple[int, ...], ...]: For each joint of the target the indices of those whose mean it
        is.

    Raises:
        ValueError: If there is no such joint, or none of the target is among the source's.

    Example:
        >>> from pyg_vision.data import joint_map
        >>> joint_map("coco", "openpose")[:4]  # nose, neck, right shoulder, right elbow
        ((0,), (5, 6), (6,), (8,))
        >>> joint_map("mediapipe", "kinect", {"head": ["nose"]})[3]
        (0,)
    """
    source, target = skeleton_layout(source), skeleton_layout(target)
    index = {name: i for i, name in enumerate(source.joints)}
    chosen = dict(joints or {})
    for name, parts in chosen.items():
        if isinstance(parts, str) or not isinstance(parts, Sequence):
            raise TypeError(f"'joints' must be a list of names for {name!r} (got {parts!r})")
        for layout, part in ((target, name), *((source, part) for part in parts)):
            if part not in layout.joints:
                raise ValueError(f"layout '{layout.name}' has no joint {part!r}")
    at = {_place(source, name): i for name, i in index.items()}
    found: list[tuple[int, ...]] = []
    for name in target.joints:
        if name in chosen:
            found.append(tuple(index[part] for part in chosen[name]))
            continue
        place = _place(target, name)
        middle = _MIDDLES.get(place, ())
        if place in at:
            found.append((at[place],))
        elif middle and all(part in at for part in middle):
            found.append(tuple(at[part] for part in middle))
        else:
            found.append(())
    if not any(found):
        raise ValueError(
            f"no joint of layout '{target.name}' is one of layout '{source.name}'; 'joints' says "
            f"which stand for which"
        )
    return tuple(found)


def _place(layout: SkeletonLayout, name: str) -> str:
    for beside, places in _PLACES_BESIDE:
        if beside in layout.joints and name in places:
            return places[name]
    return _PLACES.get(name, name)
