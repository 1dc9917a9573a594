r"""The command :obj:`pyg-vision convert`."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from pyg_vision.weights._families import describe_checkpoint
from pyg_vision.weights._pretrained import convert


def add_parser(commands: Any) -> None:
    r"""Adds :obj:`convert` to the commands of :obj:`pyg-vision`.

    Args:
        commands (argparse._SubParsersAction): The commands.
    """
    text = "write published weights as a .safetensors file that says how its model is built"
    parser = commands.add_parser("convert", help=text, description=text)
    parser.add_argument("file", metavar="FILE", help="the published file")
    parser.add_argument("--out", metavar="FILE", help="the new one (FILE.safetensors)")
    parser.add_argument(
        "--options", metavar="JSON", help="arguments of the model, such as '{\"k\": 12}'"
    )
    parser.add_argument("--classes", metavar="FILE", help="a .json list of the names of classes")
    parser.add_argument(
        "--multi_label", action="store_true", help="an image has any number of the classes"
    )
    parser.add_argument(
        "--input", metavar="JSON", help="what is done to an input, in place of what the file says"
    )
    parser.set_defaults(run=_convert)


def _convert(values: argparse.Namespace) -> int:
    source = Path(values.file)
    out = source.with_suffix(".safetensors") if values.out is None else Path(values.out)
    try:
        if out.resolve() == source.resolve():
            raise ValueError(f"'{out}' is the file itself; give another --out")
        options = _json("--options", values.options, dict)
        given = _json("--input", values.input, dict)
        classes = None
        if values.classes is not None:
            classes = _json("--classes", Path(values.classes).read_text(encoding="utf-8"), list)
        several = values.multi_label or None
        written = convert(source, out, classes, multi_label=several, input=given, **(options or {}))
        sys.stdout.write(f"{describe_checkpoint(written)}\n")
    except (OSError, ValueError) as error:
        return _failed(error)
    return 0


def _json(name: str, text: str | None, kind: type) -> Any:
    if text is None:
        return None
    try:
        found = json.loads(text)
    except ValueError as error:
        raise ValueError(f"{name} is no JSON: {error}") from error
    if not isinstance(found, kind):
        raise ValueError(f"{name} must be a {kind.__name__} (got {type(found).__name__})")
    return found


def _failed(error: Exception) -> int:
    sys.stderr.write(f"pyg-vision: error: {error}\n")
    return 1
