r"""The skeleton layouts that ship with the package, as rows of data."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from pyg_vision.data._whole_body import whole_body_layouts
from pyg_vision.data.layout import Pair, SkeletonLayout


def _from_one(pairs: Iterable[Pair]) -> tuple[Pair, ...]:
    r"""Counts joints from zero instead of one, as the papers print them."""
    return tuple((a - 1, b - 1) for a, b in pairs)


# fmt: off
_OPENPOSE = SkeletonLayout(
    name="openpose",
    joints=(
        "nose", "neck", "right_shoulder", "right_elbow", "right_wrist", "left_shoulder",
        "left_elbow", "left_wrist", "right_hip", "right_knee", "right_ankle", "left_hip",
        "left_knee", "left_ankle", "right_eye", "left_eye", "right_ear", "left_ear",
    ),
    # As ST-GCN has them: hips hang from the shoulders, not from the neck.
    bones=(
        (4, 3), (3, 2), (7, 6), (6, 5), (13, 12), (12, 11), (10, 9), (9, 8), (11, 5), (8, 2),
        (5, 1), (2, 1), (0, 1), (15, 0), (14, 0), (17, 15), (16, 14),
    ),
    center=1,
    pairs=((5, 2), (6, 3), (7, 4), (11, 8), (12, 9), (13, 10), (15, 14), (17, 16)),
    # Bone vectors of 2s-AGCN and pyskl begin at the nose.
    bone_parents=((0, 0), (1, 0)),
)

_BODY_25 = SkeletonLayout(
    name="body_25",
    joints=(
        "nose", "neck", "right_shoulder", "right_elbow", "right_wrist", "left_shoulder",
        "left_elbow", "left_wrist", "mid_hip", "right_hip", "right_knee", "right_ankle",
        "left_hip", "left_knee", "left_ankle", "right_eye", "left_eye", "right_ear", "left_ear",
        "left_big_toe", "left_small_toe", "left_heel", "right_big_toe", "right_small_toe",
        "right_heel",
    ),
    bones=(
        (0, 1), (2, 1), (3, 2), (4, 3), (5, 1), (6, 5), (7, 6), (8, 1), (9, 8), (10, 9), (11, 10),
        (12, 8), (13, 12), (14, 13), (15, 0), (16, 0), (17, 15), (18, 16), (19, 14), (20, 19),
        (21, 14), (22, 11), (23, 22), (24, 11),
    ),
    center=1,
    pairs=(
        (5, 2), (6, 3), (7, 4), (12, 9), (13, 10), (14, 11), (16, 15), (18, 17), (19, 22),
        (20, 23), (21, 24),
    ),
)

_NTU_JOINTS = (
    "base_of_spine", "middle_of_spine", "neck", "head", "left_shoulder", "left_elbow",
    "left_wrist", "left_hand", "right_shoulder", "right_elbow", "right_wrist", "right_hand",
    "left_hip", "left_knee", "left_ankle", "left_foot", "right_hip", "right_knee", "right_ankle",
    "right_foot", "spine", "left_hand_tip", "left_thumb", "right_hand_tip", "right_thumb",
)
_NTU_BODY = (
    (1, 2), (2, 21), (3, 21), (4, 3), (5, 21), (6, 5), (7, 6), (8, 7), (9, 21), (10, 9), (11, 10),
    (12, 11), (13, 1), (14, 13), (15, 14), (16, 15), (17, 1), (18, 17), (19, 18), (20, 19),
)
_NTU_HANDS = ((22, 23), (23, 8), (24, 25), (25, 12))
_NTU_PAIRS = (
    (5, 9), (6, 10), (7, 11), (8, 12), (13, 17), (14, 18), (15, 19), (16, 20), (22, 24), (23, 25),
)

_NTU = SkeletonLayout(
    name="ntu",
    joints=_NTU_JOINTS,
    bones=_from_one(_NTU_BODY + _NTU_HANDS),
    center=20,
    pairs=_from_one(_NTU_PAIRS),
)

# pyskl joins the hand tips to the hands in the graph, but to the thumbs in bone vectors.
_NTU_PYSKL = SkeletonLayout(
    name="ntu_pyskl",
    joints=_NTU_JOINTS,
    bones=_from_one((*_NTU_BODY, (22, 8), (23, 8), (24, 12), (25, 12))),
    center=20,
    pairs=_from_one(_NTU_PAIRS),
    bone_parents=_from_one(_NTU_HANDS),
)

# Without the joint 21, the spine between the shoulders: later joints count one less.
_NTU_EDGE = SkeletonLayout(
    name="ntu_edge",
    joints=tuple(joint for joint in _NTU_JOINTS if joint != "spine"),
    bones=_from_one((
        (1, 2), (3, 2), (4, 3), (5, 2), (6, 5), (7, 6), (8, 7), (9, 2), (10, 9), (11, 10),
        (12, 11), (13, 1), (14, 13), (15, 14), (16, 15), (17, 1), (18, 17), (19, 18), (20, 19),
        (21, 22), (22, 8), (23, 24), (24, 12),
    )),
    center=2,
    pairs=_from_one((
        (5, 9), (6, 10), (7, 11), (8, 12), (13, 17), (14, 18), (15, 19), (16, 20), (21, 23),
        (22, 24),
    )),
)

_COCO = SkeletonLayout(
    name="coco",
    joints=(
        "nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder",
        "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist", "left_hip",
        "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle",
    ),
    bones=(
        (15, 13), (13, 11), (16, 14), (14, 12), (11, 5), (12, 6), (9, 7), (7, 5), (10, 8), (8, 6),
        (5, 0), (6, 0), (1, 0), (3, 1), (2, 0), (4, 2),
    ),
    center=0,
    pairs=((1, 2), (3, 4), (5, 6), (7, 8), (9, 10), (11, 12), (13, 14), (15, 16)),
    bone_parents=((11, 0), (12, 0)),  # as in pyskl
)

# Without a joint between the hips, and with the neck and the head that COCO lacks. OpenPose's tree
# hangs both from the left shoulder only; here all hangs from the neck.
_BODY_25B = SkeletonLayout(
    name="body_25b",
    joints=(
        *_COCO.joints, "upper_neck", "head_top", "left_big_toe", "left_small_toe", "left_heel",
        "right_big_toe", "right_small_toe", "right_heel",
    ),
    bones=(
        (1, 0), (2, 0), (3, 1), (4, 2), (5, 17), (6, 17), (7, 5), (8, 6), (9, 7), (10, 8), (11, 5),
        (12, 6), (13, 11), (14, 12), (15, 13), (16, 14), (19, 15), (20, 19), (21, 15), (22, 16),
        (23, 22), (24, 16), (0, 17), (18, 17),
    ),
    center=17,
    pairs=(*_COCO.pairs, (19, 22), (20, 23), (21, 24)),
    links=((11, 12),),
)

_KINECT = SkeletonLayout(
    name="kinect",
    joints=(
        "hip_center", "spine", "shoulder_center", "head", "left_shoulder", "left_elbow",
        "left_wrist", "left_hand", "right_shoulder", "right_elbow", "right_wrist", "right_hand",
        "left_hip", "left_knee", "left_ankle", "left_foot", "right_hip", "right_knee",
        "right_ankle", "right_foot",
    ),
    bones=_from_one((
        (1, 2), (2, 3), (4, 3), (5, 3), (6, 5), (7, 6), (8, 7), (9, 3), (10, 9), (11, 10),
        (12, 11), (13, 1), (14, 13), (15, 14), (16, 15), (17, 1), (18, 17), (19, 18), (20, 19),
    )),
    center=2,
    pairs=_from_one((
        (5, 9), (6, 10), (7, 11), (8, 12), (13, 17), (14, 18), (15, 19), (16, 20),
    )),
)

# The Kinect v1's joints in an order of its own.
_MSR_ACTION3D = SkeletonLayout(
    name="msr_action3d",
    joints=(
        "left_shoulder", "right_shoulder", "shoulder_center", "spine", "left_hip", "right_hip",
        "hip_center", "left_elbow", "right_elbow", "left_wrist", "right_wrist", "left_hand",
        "right_hand", "left_knee", "right_knee", "left_ankle", "right_ankle", "left_foot",
        "right_foot", "head",
    ),
    bones=_from_one((
        (20, 3), (1, 3), (2, 3), (4, 3), (7, 4), (5, 7), (6, 7), (8, 1), (10, 8), (12, 10), (9, 2),
        (11, 9), (13, 11), (14, 5), (16, 14), (18, 16), (15, 6), (17, 15), (19, 17),
    )),
    center=2,
    pairs=_from_one((
        (1, 2), (5, 6), (8, 9), (10, 11), (12, 13), (14, 15), (16, 17), (18, 19),
    )),
)

# MediaPipe has neither neck nor pelvis: trunk and mouth hang from the nose, and the connections
# of its drawings that close a cycle are links.
_MEDIAPIPE = SkeletonLayout(
    name="mediapipe",
    joints=(
        "nose", "left_eye_inner", "left_eye", "left_eye_outer", "right_eye_inner", "right_eye",
        "right_eye_outer", "left_ear", "right_ear", "mouth_left", "mouth_right", "left_shoulder",
        "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist", "left_pinky",
        "right_pinky", "left_index", "right_index", "left_thumb", "right_thumb", "left_hip",
        "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle", "left_heel",
        "right_heel", "left_foot_index", "right_foot_index",
    ),
    bones=(
        (1, 0), (2, 1), (3, 2), (7, 3), (4, 0), (5, 4), (6, 5), (8, 6), (9, 0), (10, 0), (11, 0),
        (12, 0), (13, 11), (15, 13), (17, 15), (19, 15), (21, 15), (14, 12), (16, 14), (18, 16),
        (20, 16), (22, 16), (23, 11), (24, 12), (25, 23), (27, 25), (29, 27), (31, 29), (26, 24),
        (28, 26), (30, 28), (32, 30),
    ),
    center=0,
    pairs=(
        (1, 4), (2, 5), (3, 6), (7, 8), (9, 10), (11, 12), (13, 14), (15, 16), (17, 18), (19, 20),
        (21, 22), (23, 24), (25, 26), (27, 28), (29, 30), (31, 32),
    ),
    links=((9, 10), (11, 12), (23, 24), (17, 19), (18, 20), (31, 27), (32, 28)),
)

_FINGERS = ("thumb", "index", "middle", "ring", "pinky")
_HAND = SkeletonLayout(
    name="hand",
    joints=("wrist", *(f"{finger}_{i}" for finger in _FINGERS for i in range(1, 5))),
    bones=tuple(
        (4 * finger + i, 4 * finger + i - 1 if i > 1 else 0)
        for finger in range(5) for i in range(1, 5)
    ),
    center=0,
)

_H36M = SkeletonLayout(
    name="h36m",
    joints=(
        "pelvis", "right_hip", "right_knee", "right_ankle", "left_hip", "left_knee", "left_ankle",
        "spine", "thorax", "neck", "head", "left_shoulder", "left_elbow", "left_wrist",
        "right_shoulder", "right_elbow", "right_wrist",
    ),
    bones=(
        (1, 0), (2, 1), (3, 2), (4, 0), (5, 4), (6, 5), (7, 0), (8, 7), (9, 8), (10, 9), (11, 8),
        (12, 11), (13, 12), (14, 8), (15, 14), (16, 15),
    ),
    center=0,
    pairs=((4, 1), (5, 2), (6, 3), (11, 14), (12, 15), (13, 16)),
)

_MPII = SkeletonLayout(
    name="mpii",
    joints=(
        "right_ankle", "right_knee", "right_hip", "left_hip", "left_knee", "left_ankle", "pelvis",
        "thorax", "neck", "head", "right_wrist", "right_elbow", "right_shoulder", "left_shoulder",
        "left_elbow", "left_wrist",
    ),
    bones=(
        (0, 1), (1, 2), (2, 6), (5, 4), (4, 3), (3, 6), (7, 6), (8, 7), (9, 8), (10, 11), (11, 12),
        (12, 7), (15, 14), (14, 13), (13, 7),
    ),
    center=6,
    pairs=((3, 2), (4, 1), (5, 0), (13, 12), (14, 11), (15, 10)),
)

_JHMDB = SkeletonLayout(
    name="jhmdb",
    joints=(
        "neck", "belly", "head", "right_shoulder", "left_shoulder", "right_hip", "left_hip",
        "right_elbow", "left_elbow", "right_knee", "left_knee", "right_wrist", "left_wrist",
        "right_ankle", "left_ankle",
    ),
    bones=(
        (1, 0), (2, 0), (3, 0), (4, 0), (5, 1), (6, 1), (7, 3), (8, 4), (9, 5), (10, 6), (11, 7),
        (12, 8), (13, 9), (14, 10),
    ),
    center=0,
    pairs=((4, 3), (6, 5), (8, 7), (10, 9), (12, 11), (14, 13)),
)
# fmt: on

_LAYOUTS = {
    layout.name: layout
    for layout in (
        _OPENPOSE,
        _BODY_25,
        _BODY_25B,
        _NTU,
        _NTU_PYSKL,
        _NTU_EDGE,
        _COCO,
        _KINECT,
        _MSR_ACTION3D,
        _MEDIAPIPE,
        _HAND,
        _H36M,
        _MPII,
        _JHMDB,
        *whole_body_layouts(_COCO, _HAND),
    )
}


def layouts_of(num_joints: int) -> list[str]:
    r"""Returns the names of the layouts with that many joints."""
    return [name for name, layout in _LAYOUTS.items() if layout.num_joints == num_joints]


def skeleton_layout(layout: str | SkeletonLayout) -> SkeletonLayout:
    r"""Returns the skeleton layout of the given name or file; a layout is returned unchanged.

    =====================  ======  ==============================================================
    name                   joints  source
    =====================  ======  ==============================================================
    :obj:`openpose`        18      OpenPose's COCO model with the edges of ST-GCN, where the hips
                                   are connected to the shoulders
    :obj:`body_25`         25      OpenPose's BODY_25 model
    :obj:`body_25b`        25      OpenPose's BODY_25B model, other joints than BODY_25
    :obj:`ntu`             25      NTU RGB+D (Kinect v2) with the edges of ST-GCN, 2s-AGCN, CTR-GCN
    :obj:`ntu_pyskl`       25      the same joints with the edges of pyskl and MMAction2: hand tips
                                   are connected to the hands
    :obj:`ntu_edge`        24      the same without the joint between the shoulders
    :obj:`coco`            17      COCO keypoints with the edges of pyskl
    :obj:`kinect`          20      Kinect v1: NW-UCLA, UTD-MHAD
    :obj:`msr_action3d`    20      MSR-Action3D, the same joints in another order
    :obj:`mediapipe`       33      MediaPipe Pose
    :obj:`hand`            21      MediaPipe Hands and OpenPose hands
    :obj:`h36m`            17      Human3.6M with the joints of VideoPose3D
    :obj:`mpii`            16      MPII Human Pose
    :obj:`jhmdb`           15      JHMDB
    :obj:`coco_wholebody`  133     COCO-WholeBody: :obj:`coco`, feet, face and hands
    :obj:`halpe`           26      Halpe, AlphaPose's body: :obj:`coco`, head, neck, hip and feet
    :obj:`halpe_136`       136     Halpe's whole body: :obj:`halpe`, face and hands
    =====================  ======  ==============================================================

    Args:
        layout (str or SkeletonLayout): The name of a layout, the path of a :obj:`.json` file of
            one (see :meth:`SkeletonLayout.from_dict`), or a layout.

    Raises:
        FileNotFoundError: If there is no such file.
        TypeError: If :obj:`layout` is neither.
        ValueError: If no layout has that name, or the file holds none.

    Example:
        >>> from pyg_vision.data import skeleton_layout
        >>> layout = skeleton_layout("coco")
        >>> layout
        SkeletonLayout('coco', 17 joints)
        >>> layout.joint("left_wrist")
        9
    """
    if isinstance(layout, SkeletonLayout):
        return layout
    if not isinstance(layout, str):
        raise TypeError(
            f"'layout' must be a name or a SkeletonLayout (got '{type(layout).__name__}')"
        )
    if layout.endswith(".json"):
        return _read_file(Path(layout))
    if layout not in _LAYOUTS:
        raise ValueError(
            f"'layout' must be one of {', '.join(_LAYOUTS)}, or a .json file (got {layout!r})"
        )
    return _LAYOUTS[layout]


def _read_file(path: Path) -> SkeletonLayout:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(value, dict):
            raise ValueError(f"it holds a {type(value).__name__}, not an object")
        return SkeletonLayout.from_dict(value)
    except FileNotFoundError:
        raise FileNotFoundError(f"there is no layout file '{path}'") from None
    except (TypeError, ValueError, OSError) as error:
        raise ValueError(f"'{path}' holds no layout: {error}") from error
