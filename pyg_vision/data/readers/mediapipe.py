r"""Landmarks of MediaPipe: result objects, and the files that programs make of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from torch_geometric.data import Data

from pyg_vision.data.layout import SkeletonLayout
from pyg_vision.data.layouts import skeleton_layout
from pyg_vision.data.readers._mediapipe_table import LAYOUT_OF, read_landmark_table
from pyg_vision.data.readers._people import (
    Person,
    Size,
    joint_rows,
    people_sequence,
    read_size,
    whole,
)
from pyg_vision.data.readers._rows import csv_rows, read_number_text
from pyg_vision.data.readers.skeleton_file import (
    Array,
    SkeletonFileError,
    field,
    file_sequence,
    numbers,
    read_any_json,
    read_json,
    show,
    to_float32,
)

Part = Literal["pose", "hands", "left_hand", "right_hand"]
Landmarks = Literal["image", "world"]

# How the result objects, and what is exported of them, call the landmarks.
NAMES: dict[tuple[Part, Landmarks], tuple[str, ...]] = {
    ("pose", "image"): ("pose_landmarks", "poseLandmarks", "keypoints", "landmarks"),
    ("pose", "world"): (
        "pose_world_landmarks", "poseWorldLandmarks", "keypoints3D", "worldLandmarks",
    ),
    ("hands", "image"): (
        "multi_hand_landmarks", "multiHandLandmarks", "hand_landmarks", "landmarks",
    ),
    ("hands", "world"): (
        "multi_hand_world_landmarks", "multiHandWorldLandmarks", "hand_world_landmarks",
        "worldLandmarks",
    ),
    ("left_hand", "image"): ("left_hand_landmarks", "leftHandLandmarks"),
    ("right_hand", "image"): ("right_hand_landmarks", "rightHandLandmarks"),
    ("left_hand", "world"): ("left_hand_world_landmarks", "leftHandWorldLandmarks"),
    ("right_hand", "world"): ("right_hand_world_landmarks", "rightHandWorldLandmarks"),
}  # fmt: skip
_SCORES = ("visibility", "score", "presence", "v")


def mediapipe_sequence(
    results: Iterable[Any],
    part: Part = "pose",
    landmarks: Landmarks = "image",
    size: Size | None = None,
) -> Data:
    r"""Turns the results of `MediaPipe <https://ai.google.dev/edge/mediapipe>`_ for the frames of
    a video, or for a picture, into a graph.

    Args:
        results (list): The result of each frame: that of a solution (:obj:`results.pose_landmarks
            .landmark`) or of a task (:obj:`result.pose_landmarks[person]`), or the same as dicts
            and lists. A frame in which nothing was found has :obj:`None` or an empty list.
        part (str, optional): :obj:`"pose"`, :obj:`"hands"`, or of a holistic solution
            :obj:`"left_hand"` or :obj:`"right_hand"`. Several hands are persons, in the order of
            the result. (default: :obj:`"pose"`)
        landmarks (str, optional): :obj:`"image"`, :math:`x` and :math:`y` as shares of width and
            height and :math:`z` on about the scale of :math:`x`; or :obj:`"world"`, metres. In
            both :math:`y` points down. (default: :obj:`"image"`)
        size (tuple, optional): Width and height of the image in pixels, by which the image
            landmarks are multiplied, so that all lengths are of one unit. (default: :obj:`None`)

    Returns:
        torch_geometric.data.Data: The sequence, see :func:`~pyg_vision.data.skeleton_sequence`, of
        layout :obj:`"mediapipe"` with the visibility as score, or :obj:`"hand"` without one.

    Raises:
        ValueError: If a result is none, or nobody was found in any frame.

    Example:
        >>> from pyg_vision.data.readers import mediapipe_sequence
        >>> hand = [{"x": 0.5, "y": 0.4, "z": 0.0}] * 21
        >>> data = mediapipe_sequence([{"hand_landmarks": [hand]}] * 3, part="hands")
        >>> data.skeleton_shape
        SkeletonShape(num_persons=1, num_frames=3, num_joints=21)
    """
    return _of_results(Path("results"), list(results), part, landmarks, size)


def read_mediapipe(
    path: str | PathLike[str],
    part: Part | None = None,
    landmarks: Landmarks = "image",
    size: Size | None = None,
) -> Data:
    r"""Reads landmarks of `MediaPipe <https://ai.google.dev/edge/mediapipe>`_ from a file that a
    program has written.

    MediaPipe itself has no format; these are read:

    * JSON of a list of frames, each the list of its 33 or 21 landmarks ``{"x", "y", "z",
      "visibility"}``, several such lists, an empty one or :obj:`null`, or an object with the fields
      of MediaPipe's results; or of ``{"frames": [{"frameNum", "keypoints", "keypoints3D"}]}``;
    * CSV with a row for each frame, numbered by the column :obj:`frame` if there is one. The header
      is the running number of each value, as pandas writes it, or :obj:`x1, y1, z1, v1, …`, or
      :obj:`<joint>_x, <joint>_y, …`; columns of other names, such as :obj:`class`, are not read,
      and of pose, face and hands together only the pose.

    Args:
        path (str or path): The file :obj:`.json`, :obj:`.csv` or :obj:`.txt`.
        part (str, optional): Which landmarks of results are read, see :func:`mediapipe_sequence`.
            (default: those of the first part that they have)
        landmarks (str, optional): :obj:`"image"` or :obj:`"world"`. (default: :obj:`"image"`)
        size (tuple, optional): Width and height of the image in pixels, by which the image
            landmarks are multiplied. (default: :obj:`None`)

    Returns:
        torch_geometric.data.Data: The sequence, see :func:`mediapipe_sequence`.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is malformed or of another form, or holds no person; the error names the
            frame or the line.

    Example:
        >>> from pyg_vision.data.readers import read_mediapipe
        >>> read_mediapipe("data/formats/hands.json").layout
        SkeletonLayout('hand', 21 joints)
    """
    path = Path(path)
    _check_arguments(part, landmarks, size)
    if path.suffix.lower() in (".csv", ".tsv", ".txt"):
        if landmarks == "world" or part not in (None, "pose", "hands"):
            raise ValueError(
                f"a table does not tell parts or world landmarks (got {part!r}, {landmarks!r})"
            )
        return read_landmark_table(path, part, read_size(size))
    record = read_any_json(path)
    if isinstance(record, dict) and "frames" in record:
        record = record["frames"]
        if not isinstance(record, list):
            raise SkeletonFileError(path, f"'frames' must be a list (got {show(record)})")
        if record and isinstance(record[0], dict) and "frameNum" in record[0]:
            record = _in_time(path, record)
    elif isinstance(record, dict) or (isinstance(record, list) and _is_person(record)):
        record = [record]  # a picture
    if not isinstance(record, list):
        raise SkeletonFileError(path, f"must hold a list of frames (got {type(record).__name__})")
    return _of_results(path, record, part, landmarks, size)


def read_hand_pictures(path: str | PathLike[str]) -> list[Data]:
    r"""Reads pictures of hands from a CSV file, a row for each, or from a JSON file.

    The CSV file has no header. A row holds the class, then :math:`x` and :math:`y` of the 21 joints
    of a hand with the wrist at the origin, as `hand-gesture-recognition-using-mediapipe
    <https://github.com/Kazuhito00/hand-gesture-recognition-using-mediapipe>`_ writes it. The JSON
    file is ``{"hands": [{"keypoints": [[x, y], …]}, …]}``, with two or three coordinates of each
    joint; where a hand has a :obj:`"gesture"` among the :obj:`"classes"` of the file, that is its
    class, and :obj:`"photo"` its name.

    Args:
        path (str or path): The file.

    Returns:
        list: A sequence of one frame for each picture, with its class, see
        :func:`~pyg_vision.data.skeleton_sequence`.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is malformed; the error names the line or the hand.

    Example:
        >>> from pyg_vision.data.readers import read_hand_pictures
        >>> [int(data.y) for data in read_hand_pictures("data/formats/keypoint.csv")]
        [0, 2]
    """
    path, layout = Path(path), skeleton_layout("hand")
    if path.suffix.lower() == ".json":
        return _read_hands(path, layout)
    found = []
    for number, row in csv_rows(path, ","):
        if len(row) != 1 + 2 * layout.num_joints:
            raise SkeletonFileError(
                path, f"line {number}: expected a class and 42 numbers (got {len(row)})"
            )
        label, *values = (read_number_text(path, text, number) for text in row)
        if not label.is_integer() or not 0 <= label < 2**31:
            raise SkeletonFileError(
                path, f"line {number}: the class must be a whole number (got {show(row[0])})"
            )
        if values[:2] != [0.0, 0.0]:
            raise SkeletonFileError(
                path, f"line {number}: the wrist must be the origin (got {row[1:3]})"
            )
        joints = to_float32(np.array(values)).reshape(1, 1, -1, 2)
        found.append(file_sequence(path, joints, layout, y=int(label)))
    if not found:
        raise SkeletonFileError(path, "holds no rows")
    return found


def _read_hands(path: Path, layout: SkeletonLayout) -> list[Data]:
    record = read_json(path)
    hands, classes = field(path, record, "hands", list), record.get("classes", [])
    if not isinstance(classes, list) or not all(isinstance(name, str) for name in classes):
        raise SkeletonFileError(path, "'classes' must be a list of names")
    if not hands:
        raise SkeletonFileError(path, "holds no hands")
    found = []
    for i, hand in enumerate(hands):
        points = field(path, hand, "keypoints", list, i)
        first = points[0] if points else None
        dims = len(first) if isinstance(first, list) else 0
        if dims not in (2, 3):
            raise SkeletonFileError(
                path, f"a joint must have 2 or 3 coordinates (got {show(first)})", i
            )
        joints = joint_rows(path, points, layout.num_joints, dims, i, 0)
        gesture = hand.get("gesture")
        y = None
        if gesture is not None:
            if gesture not in classes:
                raise SkeletonFileError(path, f"{show(gesture)} is none of the 'classes'", i)
            y = classes.index(gesture)
        data = file_sequence(path, joints[None, None], layout, y=y)
        data.name = str(hand.get("photo", i))
        found.append(data)
    return found


def is_hand_picture(row: list[str]) -> bool:
    r"""Whether the first row of a table is a class and a hand whose wrist is the origin."""
    try:
        values = [float(cell) for cell in row]
    except ValueError:
        return False
    shares = all(-1 <= value <= 1 for value in values[1:])
    return len(values) == 43 and values[0].is_integer() and values[1] == values[2] == 0 and shares


def _check_arguments(part: Part | None, landmarks: Landmarks, size: Size | None) -> None:
    if part is not None and part not in get_args(Part):
        raise ValueError(f"'part' must be one of {', '.join(get_args(Part))} (got {part!r})")
    if landmarks not in get_args(Landmarks):
        raise ValueError(f"'landmarks' must be 'image' or 'world' (got {landmarks!r})")
    if landmarks == "world" and size is not None:
        raise ValueError("'size' is that of the image, and world landmarks are metres")


def _part_of(results: list[Any], landmarks: Landmarks) -> Part | None:
    r"""Returns the first part of which a result has landmarks, the same for all frames."""
    for part in get_args(Part):
        names = NAMES[part, landmarks]
        if any(_is_result(one) and _get(one, name) for one in results for name in names):
            found: Part = part
            return found
    return None


def _is_result(value: Any) -> bool:
    r"""Whether it is an object with named parts, and not landmarks themselves."""
    if isinstance(value, tuple):
        return hasattr(value, "_fields")
    return not isinstance(value, list | None) and not hasattr(value, "landmark")


def _of_results(
    path: Path, results: list[Any], part: Part | None, landmarks: Landmarks, size: Size | None
) -> Data:
    _check_arguments(part, landmarks, size)
    scale = read_size(size)
    part = _part_of(results, landmarks) if part is None else part
    people: list[Person] = []
    layout: SkeletonLayout | None = None
    scored = False
    for t, result in enumerate(results):
        for m, points in enumerate(_people_of(path, result, part, landmarks, t)):
            if layout is None:
                if len(points) not in LAYOUT_OF:
                    raise SkeletonFileError(
                        path, f"expected 33 or 21 landmarks (got {len(points)})", t, m
                    )
                layout = skeleton_layout(LAYOUT_OF[len(points)])
                # A hand's visibility is always zero or absent.
                named = any(_score_name(point) is not None for point in points)
                scored = layout.name == "mediapipe" and named
            people.append(Person(t, None, _joints(path, points, layout, scored, t, m)))
    data = people_sequence(path, people, layout, range(len(results)), scored, scale)
    if size is not None:
        data.frame_size = scale
    return data


def _people_of(
    path: Path, result: Any, part: Part | None, landmarks: Landmarks, t: int
) -> list[list[Any]]:
    r"""Returns the landmarks of each person of a frame, as lists."""
    found = result
    if _is_result(result):
        parts = get_args(Part) if part is None else (part,)
        names = [name for one in parts for name in NAMES[one, landmarks]]
        there = [name for name in names if _has(result, name)]
        if not there:
            raise SkeletonFileError(path, f"expected '{names[0]}' (got {_fields(result)})", t)
        found = next((value for name in there if (value := _get(result, name))), None)
    found = _plain(found)
    if found is None or found == []:
        return []
    if not isinstance(found, list):
        raise SkeletonFileError(path, f"landmarks must be a list (got {show(found)})", t)
    people = [found] if _is_person(found) else [_plain(person) for person in found]
    for m, person in enumerate(people):
        if not isinstance(person, list):
            raise SkeletonFileError(path, f"landmarks must be a list (got {show(person)})", t, m)
    return [person for person in people if person]


def _plain(value: Any) -> Any:
    r"""Returns landmarks as a list, whatever container holds them."""
    inner = _get(value, "landmark") if _has(value, "landmark") else value
    if isinstance(inner, list) or inner is None or isinstance(inner, str | bytes | Mapping):
        return inner
    return list(inner) if isinstance(inner, Iterable) else inner


def _is_person(value: Sequence[Any]) -> bool:
    r"""Whether it is a list of points, and not of lists of them."""
    return len(value) > 0 and all(_has(point, "x") for point in value)


def _joints(
    path: Path, points: list[Any], layout: SkeletonLayout, scored: bool, t: int, m: int
) -> Array:
    if len(points) != layout.num_joints:
        raise SkeletonFileError(
            path, f"expected {layout.num_joints} landmarks (got {len(points)})", t, m
        )
    values: list[Any] = []
    for i, point in enumerate(points):
        name = _score_name(point)
        lacking = [axis for axis in "xyz" if not _has(point, axis)]
        lacking += ["visibility"] if scored and name is None else []
        if lacking:
            raise SkeletonFileError(path, f"landmark {i} has no '{lacking[0]}'", t, m)
        values += [_get(point, axis) for axis in "xyz"]
        values += [_get(point, name)] if scored and name is not None else []
    return numbers(path, values, len(values), t, m).reshape(layout.num_joints, -1)


def _score_name(point: Any) -> str | None:
    return next((name for name in _SCORES if _get(point, name) is not None), None)


def _has(value: Any, name: str) -> bool:
    return name in value if isinstance(value, Mapping) else hasattr(value, name)


def _get(value: Any, name: str) -> Any:
    if isinstance(value, Mapping):
        return value.get(name)
    return getattr(value, name, None)


def _fields(value: Any) -> object:
    return sorted(map(str, value))[:10] if isinstance(value, Mapping) else type(value).__name__


def _in_time(path: Path, frames: list[Any]) -> list[Any]:
    r"""Returns frames by their numbers; one without a number of its own has nobody in it."""
    numbered: dict[int, Any] = {}
    for t, frame in enumerate(frames):
        if not isinstance(frame, dict):
            raise SkeletonFileError(path, f"must be an object (got {type(frame).__name__})", t)
        number = whole(path, frame.get("frameNum"), "frameNum", t)
        if number in numbered:
            raise SkeletonFileError(path, f"'frameNum' {number} is listed twice", t)
        numbered[number] = frame
    first, last = min(numbered), max(numbered)
    if last - first > 2**20:
        raise SkeletonFileError(path, f"'frameNum' runs from {first} to {last}")
    return [numbered.get(number) for number in range(first, last + 1)]
