r"""Trained models as files of other runtimes, and the command :obj:`pyg-vision export`."""

from __future__ import annotations

import argparse
import json
import logging
import sys
import uuid
import warnings
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, get_args

import torch
from torch import Tensor
from torch.export import Dim

from pyg_vision.prediction._checkpoint import CheckpointError
from pyg_vision.prediction.command import add_model_options, open_models
from pyg_vision.prediction.trained_model import TrainedModel

Format = Literal["onnx", "torch"]
# Another runtime rounds otherwise; what is farther away is another function.
TOLERANCE = 1e-3
TEXT = "write a model as an ONNX file or a program of torch.export, and check that it is the same"


class ExportError(RuntimeError):
    r"""An export that failed, or gives something else than the model.

    Example:
        >>> from pyg_vision.prediction import ExportError
        >>> raise ExportError("'vig.onnx' differs from the model by 0.1")
        Traceback (most recent call last):
        ...
        pyg_vision.prediction.export.ExportError: 'vig.onnx' differs from the model by 0.1
    """


def export_model(
    trained: TrainedModel,
    path: str | Path,
    format: Format = "onnx",
    image_size: int | None = None,
    num_persons: int | None = None,
) -> float:
    r"""Writes a model to a file, and checks that the file gives the same.

    The input is a batch of images :math:`(B, C, H, W)` of any number, or a dense batch of
    sequences :math:`(N, C, T, V, M)` of any number and length. Of a model that fills up sequences,
    :math:`T` and :math:`M` are those that it fills them up to, which the file does not do. Beside
    the file, one with :obj:`.json` behind its name tells classes and preprocessing.

    Args:
        trained (TrainedModel): The model.
        path (str or pathlib.Path): The file.
        format (str, optional): :obj:`"onnx"` or :obj:`"torch"`. (default: :obj:`"onnx"`)
        image_size (int, optional): Height and width of an image. (default: those that the model
            was trained with)
        num_persons (int, optional): The persons of a sequence. (default: :obj:`1`, or as many as
            the model fills up sequences to)

    Returns:
        float: By how much the outputs differ at most, as a share of the largest one.

    Raises:
        ExportError: If the outputs differ by more than a thousandth; there is no file then.
        ImportError: If ONNX or its runtime is not installed.
        ValueError: If there is no such format, or the model fills up to other persons.

    Example:
        >>> from pyg_vision.nn import ViG
        >>> from pyg_vision.prediction import TrainedModel, export_model
        >>> model = ViG(channels=16, depth=1, k=3, num_classes=2, image_size=32).eval()
        >>> trained = TrainedModel.of(model, ["cat", "dog"])
        >>> export_model(trained, "cat_or_dog.pt2", format="torch") < 1e-3
        True
    """
    if format not in get_args(Format):
        raise ValueError(f"'format' must be one of {', '.join(get_args(Format))} (got {format!r})")
    path = Path(path)
    about_path = path.with_name(f"{path.name}.json")
    model = trained.model.to("cpu").eval()
    example, other, shapes = _inputs(trained, image_size, num_persons)
    part = path.with_name(f".{uuid.uuid4().hex}.part{path.suffix}")
    try:
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            run = (_to_onnx if format == "onnx" else _to_torch)(model, example, shapes, part)
            differences = [_difference(model(x), run(x)) for x in (example, other)]
        wrong = [value for value in differences if not value <= TOLERANCE]
        if wrong:
            raise ExportError(
                f"what was exported differs from the model by {wrong[0]:.2g} of its largest output"
            )
        if part.exists():
            part.replace(path)
    except ExportError:
        raise
    except (RuntimeError, torch.onnx.errors.OnnxExporterError) as error:
        raise ExportError(f"the model cannot be exported: {_line(error)}") from error
    finally:
        part.unlink(missing_ok=True)
    layout = None if trained.layout is None else trained.layout.to_dict()
    about = {
        "classes": trained.classes,
        "multi_label": trained.multi_label,
        "input": dict(trained.input),
        "layout": layout,
    }
    about_path.write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
    return max(differences)


def _difference(expected: Tensor, found: Tensor) -> float:
    r"""Returns by how much two outputs differ, as a share of the largest; NaN if one is."""
    return float((found - expected).abs().max() / expected.abs().max())


def _inputs(
    trained: TrainedModel, image_size: int | None, num_persons: int | None
) -> tuple[Tensor, Tensor, Any]:
    r"""Returns two inputs of other sizes, and which sizes may be any."""
    generator = torch.Generator().manual_seed(0)
    if trained.layout is not None:
        channels: int = trained.model.in_channels  # type: ignore[assignment]
        joints, window = trained.layout.num_joints, getattr(trained.model, "window", None)
        if window is not None:  # batches are filled up to it, which no file does
            if num_persons not in (None, window[1]):
                raise ValueError(
                    f"the model fills up to {window[1]} persons, for so many it is exported (got "
                    f"'num_persons' {num_persons})"
                )
            shape = (channels, window[0], joints, window[1])
            example = torch.randn(2, *shape, generator=generator)
            return example, torch.randn(3, *shape, generator=generator), {0: Dim("batch")}
        shape = (channels, 31, joints, num_persons or 1)
        longer = (channels, 45, *shape[2:])
        example = torch.randn(2, *shape, generator=generator)
        other = torch.randn(3, *longer, generator=generator)
        return example, other, {0: Dim("batch"), 2: Dim("frames", min=5)}
    size: Any = getattr(trained.model, "image_size", None) or trained.input.get("image_size", 224)
    size = size if image_size is None else image_size
    height, width = (size, size) if isinstance(size, int) else size
    channels = getattr(trained.model, "in_channels", 3)
    example = torch.randn(2, channels, height, width, generator=generator)
    return example, torch.randn(3, *example.shape[1:], generator=generator), {0: Dim("batch")}


def _to_torch(model: Any, x: Tensor, shapes: Any, path: Path) -> Callable[[Tensor], Tensor]:
    torch.export.save(torch.export.export(model, (x,), dynamic_shapes=(shapes,)), path)
    module: Callable[[Tensor], Tensor] = torch.export.load(path).module()
    return module


def _to_onnx(model: Any, x: Tensor, shapes: Any, path: Path) -> Callable[[Tensor], Tensor]:
    missing = [name for name in ("onnx", "onnxscript", "onnxruntime") if find_spec(name) is None]
    if missing:
        raise ImportError(f"ONNX needs {', '.join(missing)}: pip install pyg-vision[export]")
    import onnxruntime  # type: ignore[import-untyped]
    from onnxruntime.capi import onnxruntime_pybind11_state as state  # type: ignore[import-untyped]

    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    program = torch.onnx.export(
        model, (x,), dynamo=True, dynamic_shapes=(shapes,), verbose=False, external_data=False
    )
    if program is None:
        raise ExportError("torch.onnx returned nothing")
    program.save(path)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name

    def run(value: Tensor) -> Tensor:
        try:
            return torch.from_numpy(session.run(None, {name: value.numpy()})[0])
        except (state.Fail, state.InvalidArgument, state.RuntimeException) as error:
            raise ExportError(f"what was exported cannot be run: {_line(error)}") from error

    return run


def _line(error: BaseException) -> str:
    return " ".join(str(error).strip().partition("\n")[0].split()) or type(error).__name__


def add_parser(commands: Any) -> None:
    r"""Adds :obj:`export` to the commands of a parser.

    Args:
        commands: What :meth:`argparse.ArgumentParser.add_subparsers` returned.
    """
    parser = commands.add_parser("export", help=TEXT, description=TEXT)
    add_model_options(parser)
    parser.add_argument("--format", choices=get_args(Format), default="onnx", help="(onnx)")
    parser.add_argument("--out", metavar="FILE", help="the file (model.onnx or model.pt2)")
    parser.add_argument("--image_size", type=int, help="height and width (those of the training)")
    parser.add_argument(
        "--num_persons", type=int, help="persons of a sequence (1, or those that are filled up to)"
    )
    parser.set_defaults(run=run, parser=parser)


def run(values: argparse.Namespace) -> int:
    r"""Exports what the command line asks for, and returns the exit status.

    Args:
        values (argparse.Namespace): The arguments.
    """
    path = Path(values.out or {"onnx": "model.onnx", "torch": "model.pt2"}[values.format])
    try:
        models = open_models(values)
        if len(models) != 1:
            values.parser.error("one model is exported at a time; give --checkpoint")
        difference = export_model(
            models[0], path, values.format, values.image_size, values.num_persons
        )
    except (CheckpointError, ExportError, OSError, TypeError, ValueError, ImportError) as error:
        sys.stderr.write(f"pyg-vision export: error: {' '.join(str(error).split())}\n")
        return 1
    sys.stdout.write(f"written: {path} (outputs differ by {difference:.1g} of the largest)\n")
    return 0
