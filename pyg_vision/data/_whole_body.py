r"""Layouts of a body with its feet, its face and its hands, which are made of the same parts."""

from __future__ import annotations

from pyg_vision.data.layout import Pair, SkeletonLayout

Bones = tuple[Pair, ...]

# fmt: off
# The 68 points of iBUG: jaw 0-16, brows 17-26, nose 27-35, eyes 36-47, mouth 48-67. All hang from
# the tip of the nose, 30, the two sides alike.
_FACE_BONES: Bones = (
    (29, 30), (28, 29), (27, 28), (33, 30), (32, 33), (31, 32), (34, 33), (35, 34),
    (21, 27), (20, 21), (19, 20), (18, 19), (17, 18), (22, 27), (23, 22), (24, 23), (25, 24),
    (26, 25), (39, 27), (38, 39), (37, 38), (36, 37), (40, 39), (41, 40), (42, 27), (43, 42),
    (44, 43), (45, 44), (47, 42), (46, 47),
    (51, 33), (50, 51), (49, 50), (48, 49), (59, 48), (58, 59), (52, 51), (53, 52), (54, 53),
    (55, 54), (56, 55), (62, 51), (61, 62), (60, 61), (67, 60), (63, 62), (64, 63), (65, 64),
    (66, 62), (57, 66),
    (8, 57), *((i, i + 1) for i in range(7, -1, -1)), *((i, i - 1) for i in range(9, 17)),
)
_FACE_TIP = 30
_FACE_PAIRS: Bones = (
    *((16 - i, i) for i in range(8)), *((43 - i, i) for i in range(17, 22)), (35, 31), (34, 32),
    (45, 36), (44, 37), (43, 38), (42, 39), (47, 40), (46, 41), (54, 48), (53, 49), (52, 50),
    (55, 59), (56, 58), (64, 60), (63, 61), (65, 67),
)
_FACE = tuple(f"face_{i}" for i in range(68))
# fmt: on


def whole_body_layouts(coco: SkeletonLayout, hand: SkeletonLayout) -> list[SkeletonLayout]:
    r"""Returns COCO-WholeBody and the layouts of Halpe, whose body is that of COCO.

    Args:
        coco (SkeletonLayout): The layout of COCO.
        hand (SkeletonLayout): That of a hand.
    """
    feet = (
        "left_big_toe", "left_small_toe", "left_heel", "right_big_toe", "right_small_toe",
        "right_heel",
    )  # fmt: skip
    whole = _with_details(
        SkeletonLayout(
            name="coco_wholebody",
            joints=(*coco.joints, *feet),
            bones=(*coco.bones, (17, 15), (18, 17), (19, 15), (20, 16), (21, 20), (22, 16)),
            center=coco.center,
            pairs=(*coco.pairs, (17, 20), (18, 21), (19, 22)),
            bone_parents=coco.bone_parents,
        ),
        hand,
    )
    arms_and_legs = tuple(b for b in coco.bones if b not in ((11, 5), (12, 6), (5, 0), (6, 0)))
    halpe = SkeletonLayout(
        name="halpe",
        joints=(
            *coco.joints, "head", "neck", "hip", "left_big_toe", "right_big_toe",
            "left_small_toe", "right_small_toe", "left_heel", "right_heel",
        ),
        bones=(
            *arms_and_legs, (17, 18), (0, 18), (5, 18), (6, 18), (19, 18), (11, 19), (12, 19),
            (20, 15), (22, 20), (24, 15), (21, 16), (23, 21), (25, 16),
        ),
        center=18,
        pairs=(*coco.pairs, (20, 21), (22, 23), (24, 25)),
    )  # fmt: skip
    return [whole, halpe, _with_details(halpe, hand, "halpe_136")]


def _with_details(
    body: SkeletonLayout, hand: SkeletonLayout, name: str | None = None
) -> SkeletonLayout:
    r"""Adds a face, which hangs from the nose, and hands, which hang from the wrists."""
    face = body.num_joints
    left = face + len(_FACE)
    right = left + hand.num_joints
    hands = {left: body.joint("left_wrist"), right: body.joint("right_wrist")}
    return SkeletonLayout(
        name=name or body.name,
        joints=(
            *body.joints,
            *_FACE,
            *(f"{side}_hand_{joint}" for side in ("left", "right") for joint in hand.joints),
        ),
        bones=(
            *body.bones,
            (face + _FACE_TIP, body.joint("nose")),
            *_moved(_FACE_BONES, face),
            *hands.items(),
            *(bone for start in hands for bone in _moved(hand.bones, start)),
        ),
        center=body.center,
        pairs=(
            *body.pairs,
            *_moved(_FACE_PAIRS, face),
            *((left + i, right + i) for i in range(hand.num_joints)),
        ),
        bone_parents=body.bone_parents,
    )


def _moved(pairs: Bones, start: int) -> Bones:
    return tuple((a + start, b + start) for a, b in pairs)
