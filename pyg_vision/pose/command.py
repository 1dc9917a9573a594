r"""The command :obj:`pyg-vision pose`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

from torch_geometric.data import Data
from torch_geometric.transforms import BaseTransform, Compose

from pyg_vision.data import joint_map, write_skeleton
from pyg_vision.data.writers import SKELETON_WRITERS
from pyg_vision.pose.pose_source import estimate_pose
from pyg_vision.pose.sources import POSE_SOURCES, open_pose_source
from pyg_vision.pose.video import Frame
from pyg_vision.transforms import SmoothJoints, ToLayout

DEFAULT_POSE = "mediapipe"
TEXT = "find the joints of people in videos, and write them as skeleton files"


def add_parser(commands: Any) -> None:
    r"""Adds :obj:`pose` to the commands of :obj:`pyg-vision`.

    Args:
        commands (argparse._SubParsersAction): The commands.
    """
    parser = commands.add_parser("pose", help=TEXT, description=TEXT)
    parser.add_argument(
        "inputs", nargs="+", metavar="INPUT", help="a video, or a folder of its frames"
    )
    parser.add_argument(
        "--out",
        required=True,
        metavar="FILE",
        help="a file .npz (all there is), .json (Kinetics-Skeleton) or .pkl (pyskl), or a folder "
        "of a file for each input",
    )
    parser.add_argument(
        "--format",
        choices=["npz", "json", "pkl"],
        default="npz",
        help="of the files of a folder (npz)",
    )
    add_pose_options(parser)
    parser.add_argument("--layout", help="the skeleton, such as openpose (that of the source)")
    parser.add_argument("--smooth", action="store_true", help="smooth the tracks of joints")
    parser.add_argument("--max_frames", type=int, help="how many frames are seen (all)")
    parser.set_defaults(run=run, parser=parser)


def add_pose_options(parser: argparse.ArgumentParser) -> None:
    r"""Adds the options that say how poses are found.

    Args:
        parser (argparse.ArgumentParser): The parser.
    """
    group = parser.add_argument_group("poses of videos")
    group.add_argument(
        "--pose",
        metavar="SOURCE",
        help=f"{', '.join(POSE_SOURCES)}, or keypoint-rcnn:FILE of weights ({DEFAULT_POSE})",
    )
    group.add_argument("--persons", type=int, help="the most persons of a frame (all)")
    group.add_argument(
        "--max_gap",
        type=int,
        default=10,
        help="the longest gap in the track of a joint that is filled, in frames; 0 for none (10)",
    )


def run(values: argparse.Namespace) -> int:
    r"""Finds poses as the command line asks for, and returns the exit status.

    Args:
        values (argparse.Namespace): The arguments.
    """
    try:
        out = Path(values.out)
        if out.suffix and len(values.inputs) > 1:
            raise ValueError(f"several inputs need a folder as --out (got '{out}')")
        if out.suffix and out.suffix.lower() not in SKELETON_WRITERS:
            raise ValueError(f"--out must end in {', '.join(SKELETON_WRITERS)} (got '{out}')")
        names = [_name_of(given) for given in values.inputs]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"two inputs are called '{twice}', and so would be their files")
        steps: list[BaseTransform] = [] if values.layout is None else [ToLayout(values.layout)]
        steps += [SmoothJoints()] if values.smooth else []
        with open_pose_source(values.pose or DEFAULT_POSE) as source:
            if values.layout is not None:
                joint_map(source.layout, values.layout)
            for given, name in zip(values.inputs, names, strict=True):
                data = estimate_pose(
                    given,
                    source,
                    values.persons,
                    max_gap=values.max_gap,
                    progress=partial(show_progress, name=name),
                    max_frames=values.max_frames,
                )
                path = out if out.suffix else out / f"{name}.{values.format}"
                data = Compose(steps)(data)
                written = write_skeleton(data, path, name)
                sys.stdout.write(f"{written}: {summary(data)}\n")
    except (ImportError, OSError, TypeError, ValueError) as error:
        sys.stderr.write(f"pyg-vision pose: error: {' '.join(str(error).split())}\n")
        return 1
    return 0


def _name_of(given: str) -> str:
    path = Path(given).resolve()
    return path.name if path.is_dir() else path.stem


def summary(data: Data) -> str:
    r"""Says what was found.

    Args:
        data (torch_geometric.data.Data): The sequence.
    """
    persons, frames, joints = data.skeleton_shape
    seen = (data.x != 0).view(persons, frames, -1).any(dim=2).any(dim=0)
    return (
        f"{frames} frames, {persons} person{'s' if persons > 1 else ''} of {joints} joints "
        f"('{data.layout.name}'), someone in {100 * float(seen.float().mean()):.0f}% of the frames"
    )


def show_progress(frames: Iterable[Frame], name: str | None = None) -> Iterable[Frame]:
    r"""Shows frames in a second on a terminal, if :obj:`tqdm` is installed.

    Args:
        frames (iterable): The frames.
        name (str, optional): What they are of. (default: :obj:`None`)
    """
    try:
        from tqdm import tqdm
    except ImportError:
        return frames
    bar: Iterable[Frame] = tqdm(frames, desc=name, unit=" frames", disable=None)
    return bar
