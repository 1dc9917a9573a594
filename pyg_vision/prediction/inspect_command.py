r"""The command :obj:`pyg-vision inspect`: what a file of weights or of skeletons holds."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch_geometric.data import Data

from pyg_vision.data import SkeletonLayout, skeleton_layout
from pyg_vision.data.readers import read_skeletons, skeleton_format
from pyg_vision.transforms import KeepCoordinates
from pyg_vision.typing import Up
from pyg_vision.weights import describe_checkpoint

TEXT = "say what a file of weights or of skeletons holds, and draw a frame"
WEIGHTS = (".pth", ".pt", ".ckpt", ".safetensors", ".bin")
# Where a score of zero says that the place of a joint was inferred, not that it is missing.
_INFERRED = ("msr_action3d", "kinect_csv")
_NAMED = 4


def add_parser(commands: Any) -> None:
    r"""Adds :obj:`inspect` to the commands of a parser.

    Args:
        commands: What :meth:`argparse.ArgumentParser.add_subparsers` returned.
    """
    parser = commands.add_parser("inspect", help=TEXT, description=TEXT)
    parser.add_argument(
        "path",
        metavar="PATH",
        help="a .pth, .ckpt or .safetensors file, a skeleton file, or a folder of frames",
    )
    parser.add_argument("--layout", help="the skeleton, or a .json file of one, where not told")
    parser.add_argument(
        "--format", default="auto", help="the format of skeletons (told by content)"
    )
    parser.add_argument(
        "--draw", metavar="FILE", help="where the frame is drawn (the name of PATH, as .png, here)"
    )
    parser.set_defaults(run=run)


def run(values: argparse.Namespace) -> int:
    r"""Prints what a file holds, and returns the exit status.

    Args:
        values (argparse.Namespace): The arguments.
    """
    path = Path(values.path)
    try:
        if path.suffix.lower() in WEIGHTS and not path.is_dir():
            sys.stdout.write(f"{describe_checkpoint(path)}\n")
            return 0
        kind = skeleton_format(path) if values.format == "auto" else values.format
        layout = None if values.layout is None else skeleton_layout(values.layout)
        sequences = read_skeletons(path, layout, format=kind)
        sys.stdout.write(describe_skeletons(path, kind, sequences) + "\n")
        target = Path(f"{path.stem}.png" if values.draw is None else values.draw)
        frame = draw_frame(sequences[0], kind, target)
        sys.stdout.write(f"  drawn: frame {frame} of the first sequence, '{target}'\n")
    except (OSError, TypeError, ValueError, ImportError) as error:
        line = " ".join(str(error).split())
        sys.stderr.write(f"pyg-vision: error: {line}\n")
        return 1
    return 0


def describe_skeletons(path: Path, kind: str, sequences: Sequence[Data]) -> str:
    r"""Says what was read from a skeleton file.

    Args:
        path (pathlib.Path): The file.
        kind (str): Its format.
        sequences (list of Data): What it holds.

    Example:
        >>> from pathlib import Path
        >>> from pyg_vision.data.readers import read_skeletons
        >>> from pyg_vision.prediction.inspect_command import describe_skeletons
        >>> path = Path("data/nw_ucla/a01_s01_e00_v01.json")
        >>> print(describe_skeletons(path, "nw_ucla", read_skeletons(path)))
        'data/nw_ucla/a01_s01_e00_v01.json': 1 sequence
          format: nw_ucla
          layout: kinect, 20 joints
          frames: 3
          persons: 1
          coordinates: x 0 to 0, y 0 to 1.9, z 2 to 2
          missing joints: none
          classes: 0
    """
    shapes = [data.skeleton_shape for data in sequences]
    layout: SkeletonLayout = sequences[0].layout
    several = "s" if len(sequences) > 1 else ""
    lines = [
        f"'{path}': {len(sequences)} sequence{several}",
        f"  format: {kind}",
        f"  layout: {layout.name}, {layout.num_joints} joints",
        f"  frames: {_range([shape.num_frames for shape in shapes])}",
        f"  persons: {_range([shape.num_persons for shape in shapes])}",
    ]
    there = [_present(data, kind) for data in sequences]
    seen = [data.pos[mask.flatten()] for data, mask in zip(sequences, there, strict=True)]
    spans = []
    for i, axis in enumerate("xyz"):
        values = [pos[:, i] for pos in seen if pos.size(1) > i and len(pos)]
        if values:
            low, high = (float(f(torch.cat(values))) for f in (torch.min, torch.max))
            spans.append(f"{axis} {low:.4g} to {high:.4g}")
    if spans:
        lines.append(f"  coordinates: {', '.join(spans)}")
    scores = [data.x[:, -1] for data in sequences if data.x.size(1) > data.pos.size(1)]
    if scores:
        score = torch.cat(scores)
        lines.append(f"  score: {float(score.min()):.4g} to {float(score.max()):.4g}")
    lines.append(f"  missing joints: {_missing(layout, there)}")
    labels = sorted({int(data.y) for data in sequences if "y" in data})
    if labels:
        shown = ", ".join(map(str, labels[:10])) + (" …" if len(labels) > 10 else "")
        lines.append(f"  classes: {shown}")
    return "\n".join(lines)


def draw_frame(data: Data, kind: str, path: Path) -> int:
    r"""Draws the middle frame of those in which someone is seen, and returns its number.

    Args:
        data (torch_geometric.data.Data): A sequence.
        kind (str): The format that it was read from.
        path (pathlib.Path): The picture.

    Example:
        >>> from pathlib import Path
        >>> from pyg_vision.datasets import SyntheticMotion
        >>> from pyg_vision.prediction.inspect_command import draw_frame
        >>> draw_frame(SyntheticMotion(1, num_frames=21)[0], "csv", Path("frame.png"))
        10
    """
    from pyg_vision.visualization import draw_skeleton  # which needs matplotlib

    seen = _present(data, kind).any(dim=2).any(dim=0).nonzero().flatten().tolist()
    frame = seen[len(seen) // 2] if seen else 0
    if kind in _INFERRED:
        data = KeepCoordinates(data.pos.size(1), score=False)(data)
    draw_skeleton(data, [frame], trail=0, up=_up(data, kind)).savefig(path, dpi=100)
    return frame


def _present(data: Data, kind: str) -> Tensor:
    r"""Marks the joints :math:`(M, T, V)` that a file has."""
    shape, dims = data.skeleton_shape, data.pos.size(1)
    there = (data.pos != 0).any(dim=1)
    if data.x.size(1) > dims and kind not in _INFERRED:
        there = there & (data.x[:, dims] != 0)
    found: Tensor = there.view(tuple(shape))
    # The origin is a place like others where the rest of a person is there.
    if data.x.size(1) == dims or kind in _INFERRED:
        found = found.any(dim=2, keepdim=True).expand(tuple(shape))
    return found


def _missing(layout: SkeletonLayout, there: Sequence[Tensor]) -> str:
    r"""Says which share of the joints of all persons and frames is missing, and which most."""
    absent = sum((~one).sum(dim=(0, 1)) for one in there)
    total = sum(one.size(0) * one.size(1) for one in there)
    counts: list[int] = torch.as_tensor(absent).tolist()
    if not any(counts):
        return "none"
    share = 100 * sum(counts) / (total * len(counts))
    order = sorted(range(len(counts)), key=lambda v: -counts[v])[:_NAMED]
    named = (f"{layout.joints[v]} {100 * counts[v] / total:.0f}%" for v in order if counts[v])
    return f"{share:.1f}% ({', '.join(named)})"


def _range(values: Sequence[int]) -> str:
    low, high = min(values), max(values)
    return str(low) if low == high else f"{low} to {high}"


def _up(data: Data, kind: str) -> Up:
    r"""Returns the axis that points up in files of a format."""
    if data.pos.size(1) == 2 or kind == "mediapipe":
        return "-y"
    if kind in ("h36m", "mmpose"):
        return "z"
    screen = kind == "msr_action3d" and float(data.pos.abs().max()) > 100  # pixels and depth
    return "-y" if screen else "y"
