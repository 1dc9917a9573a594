r"""The command :obj:`pyg-vision draw`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyg_vision.explain.attribution import METHODS
from pyg_vision.prediction._checkpoint import CheckpointError
from pyg_vision.prediction.command import add_model_options, open_models
from pyg_vision.prediction.drawing import draw_blocks, draw_class
from pyg_vision.prediction.inputs import find_images

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TEXT = "draw which patches of an image listen to which in each block, or what speaks for a class"


def add_parser(commands: Any) -> None:
    r"""Adds :obj:`draw` to the commands of a parser.

    Args:
        commands: What :meth:`argparse.ArgumentParser.add_subparsers` returned.
    """
    parser = commands.add_parser("draw", help=TEXT, description=TEXT)
    parser.add_argument(
        "inputs",
        nargs="+",
        metavar="IMAGE",
        help="an image, a folder of them, or a pattern such as 'photos/*.jpg'",
    )
    add_model_options(parser)
    parser.add_argument(
        "--out", metavar="DIR", default=".", help="where the pictures are written (here)"
    )
    parser.add_argument(
        "--at",
        type=float,
        nargs=2,
        action="append",
        metavar=("ROW", "COLUMN"),
        help="the place of a patch, from 0 to 1 of height and width; several times (two that "
        "differ)",
    )
    parser.add_argument(
        "--blocks", type=int, nargs="+", metavar="N", help="which blocks, from 1 on (all)"
    )
    parser.add_argument(
        "--attribute",
        choices=METHODS,
        nargs="?",
        const=METHODS[0],
        help=f"draw which pixels speak for a class instead ({METHODS[0]})",
    )
    parser.add_argument("--class", dest="label", help="which class (the most probable one)")
    parser.set_defaults(run=run, parser=parser)


def run(values: argparse.Namespace) -> int:
    r"""Draws what the command line asks for, and returns the exit status.

    Args:
        values (argparse.Namespace): The arguments.
    """
    if values.ensemble is not None:
        values.parser.error("'draw' takes one --checkpoint")
    if values.label is not None and values.attribute is None:
        values.parser.error("--class belongs to --attribute")
    if values.attribute is not None and (values.at or values.blocks):
        values.parser.error("--at and --blocks do not belong to --attribute")
    if min(values.blocks or [1]) < 1:
        values.parser.error(f"--blocks are counted from 1 (got {min(values.blocks)})")
    try:
        (trained,) = open_models(values)
        _check_blocks(trained.model, values.blocks)
        folder = Path(values.out)
        folder.mkdir(parents=True, exist_ok=True)
        for sample in find_images([*values.inputs]):
            if values.attribute is None:
                blocks = None if values.blocks is None else [n - 1 for n in values.blocks]
                figure, what = draw_blocks(trained, sample.value, values.at, blocks), "blocks"
            else:
                figure = draw_class(trained, sample.value, values.label, values.attribute)
                what = values.attribute
            path = _write(figure, folder, sample.source, what)
            sys.stdout.write(f"{path}\n")
    except (CheckpointError, OSError, TypeError, ValueError, ImportError) as error:
        line = " ".join(str(error).split())
        sys.stderr.write(f"pyg-vision draw: error: {line}\n")
        return 1
    return 0


def _check_blocks(model: Any, blocks: list[int] | None) -> None:
    r"""Refuses blocks that a model does not have, as they are counted on the command line."""
    if blocks is None or not hasattr(model, "block_grids"):
        return
    count = len(list(model.block_grids(*model.image_size)))
    if max(blocks) > count:
        raise ValueError(f"--blocks are 1 to {count} (got {max(blocks)})")


def _write(figure: Figure, folder: Path, source: str, what: str) -> Path:
    r"""Writes a picture under a name that no file has."""
    stem, number = f"{Path(source).stem}_{what}", 1
    path = folder / f"{stem}.png"
    while path.exists():
        number += 1
        path = folder / f"{stem}_{number}.png"
    figure.savefig(path, dpi=100)
    return path
