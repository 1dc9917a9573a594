r"""The command :obj:`pyg-vision predict`."""

from __future__ import annotations

import argparse
import csv
import io
import json
import sys
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

import torch

from pyg_vision.pose import PoseSource, open_pose_source
from pyg_vision.pose.command import DEFAULT_POSE, add_pose_options, show_progress
from pyg_vision.pose.video import VIDEO_CODECS, VIDEO_EXTENSIONS
from pyg_vision.prediction._checkpoint import CheckpointError
from pyg_vision.prediction._prediction import Prediction
from pyg_vision.prediction.drawing import draw_prediction
from pyg_vision.prediction.inputs import is_picture_folder
from pyg_vision.prediction.predictor import Predictor
from pyg_vision.prediction.segments import merge_windows
from pyg_vision.prediction.trained_model import TrainedModel, load_trained, open_model
from pyg_vision.prediction.video_drawing import draw_video

TEXT = "predict the classes of images or skeleton sequences"


def add_parser(commands: Any) -> None:
    r"""Adds :obj:`predict` to the commands of a parser.

    Args:
        commands: What :meth:`argparse.ArgumentParser.add_subparsers` returned.
    """
    parser = commands.add_parser("predict", help=TEXT, description=TEXT)
    parser.add_argument(
        "inputs",
        nargs="*",
        metavar="INPUT",
        help="an image, a skeleton file or a video, a folder of them, or a pattern such as "
        "'photos/*.jpg'",
    )
    add_model_options(parser)
    add_pose_options(parser)
    parser.add_argument("--top_k", type=int, help="how many classes are shown (5; all labels)")
    parser.add_argument("--batch_size", type=int, default=32, help="inputs at once (32)")
    parser.add_argument("--json", metavar="FILE", help="write the predictions as JSON")
    parser.add_argument("--csv", metavar="FILE", help="write the predictions as CSV")
    parser.add_argument(
        "--draw",
        metavar="DIR",
        help="draw each image with its graph, each sequence with the response of its joints; or of "
        "a video a video such as drawn.mp4",
    )
    parser.add_argument(
        "--size",
        type=float,
        nargs=2,
        metavar=("W", "H"),
        help="width and height of a frame, for the pixels of OpenPose",
    )
    parser.add_argument(
        "--source",
        metavar="SOURCE",
        help="a live video in place of INPUT: the number of a camera, or - for a pipe",
    )
    parser.add_argument(
        "--window", type=int, help="frames of a window of a sequence (all; live 60)"
    )
    parser.add_argument("--stride", type=int, help="frames from window to window (the window)")
    parser.add_argument(
        "--merge", action="store_true", help="merge windows, which may overlap, into segments"
    )
    parser.add_argument(
        "--per-person", action="store_true", help="predict on each person of a sequence alone"
    )
    parser.add_argument(
        "--track",
        action="store_true",
        help="first follow the persons of a sequence, who are in any order in each frame",
    )
    parser.set_defaults(run=run, parser=parser)


def add_model_options(parser: argparse.ArgumentParser) -> None:
    r"""Adds the options that say which model is meant.

    Args:
        parser (argparse.ArgumentParser): The parser.
    """
    group = parser.add_argument_group("the model")
    which = group.add_mutually_exclusive_group(required=True)
    which.add_argument(
        "--checkpoint", metavar="FILE", help="a run of 'fit' or its checkpoint, or any weights"
    )
    which.add_argument(
        "--ensemble",
        nargs="+",
        metavar="RUN",
        help="several runs, whose probabilities are averaged",
    )
    group.add_argument(
        "--weights", type=float, nargs="+", metavar="N", help="the weight of each of them (equal)"
    )
    group.add_argument("--model", metavar="NAME", help="the model, where the file does not say it")
    group.add_argument("--options", metavar="JSON", help="its arguments, such as '{\"k\": 12}'")
    group.add_argument(
        "--layout", help="the skeleton, or a .json file of one, where it is not said otherwise"
    )
    group.add_argument(
        "--classes", metavar="FILE", help="a .json list of the names of classes, where not said"
    )
    group.add_argument(
        "--input",
        metavar="JSON",
        help="what is done to an input, as a checkpoint of 'fit' says it, in place of what it says",
    )
    group.add_argument(
        "--multi_label",
        action="store_true",
        help="an input has any number of labels, where the file does not say it",
    )
    group.add_argument("--device", default="cpu", help="such as 'cuda' (cpu)")


def open_models(values: argparse.Namespace) -> list[TrainedModel]:
    r"""Returns the models that the options name, and ends the process where there are none.

    Args:
        values (argparse.Namespace): The options.
    """
    device = _device(values)
    if values.ensemble:
        if values.model is not None or values.input is not None:
            values.parser.error(
                "--model and --input are for one --checkpoint; --ensemble takes runs of 'fit'"
            )
        several = [load_trained(path, device) for path in values.ensemble]
        return [replace(one, multi_label=one.multi_label or values.multi_label) for one in several]
    if values.weights is not None:
        values.parser.error("--weights are of an --ensemble")
    given = None if values.input is None else _json(values, "--input", values.input)
    if values.model is None and values.options:
        values.parser.error("--options belong to a --model")
    if values.model is None:
        found = load_trained(values.checkpoint, device, given)
        if values.classes is not None:
            classes = _json(values, "--classes", Path(values.classes).read_text(encoding="utf-8"))
            found = TrainedModel.of(found.model, classes, found.input, found.multi_label)
        return [replace(found, multi_label=found.multi_label or values.multi_label)]
    options = {} if values.options is None else _json(values, "--options", values.options)
    if values.layout is not None:
        options["layout"] = values.layout
    classes = None
    if values.classes is not None:
        classes = _json(values, "--classes", Path(values.classes).read_text(encoding="utf-8"))
    found = open_model(values.checkpoint, values.model, options, classes, given, values.multi_label)
    return [found.to(device)]


def run(values: argparse.Namespace) -> int:
    r"""Predicts what the command line asks for, and returns the exit status.

    Args:
        values (argparse.Namespace): The arguments.
    """
    try:
        if bool(values.inputs) == (values.source is not None):
            raise ValueError("give INPUTs, or a live --source")
        if values.source is not None:
            return _run_live(values)
        drawn = None if values.draw is None else Path(values.draw)
        is_video = drawn is not None and drawn.suffix.lower() in VIDEO_EXTENSIONS
        predictor = Predictor(open_models(values), values.device, values.weights, values.batch_size)
        _check(values, predictor.kind, drawn if is_video else None)
        k = predictor.num_shown(values.top_k)
        whole = is_video or values.merge  # with the probabilities of all classes
        found = []
        with open_pose(values, predictor.kind) as pose:
            for sample, prediction in predictor.predict_each(
                [*values.inputs],
                len(predictor.classes) if whole else k,
                layout=values.layout,
                size=None if values.size is None else tuple(values.size),
                window=values.window,
                stride=values.stride,
                per_person=values.per_person,
                track=values.track,
                pose=pose,
                persons=values.persons,
                max_gap=values.max_gap,
                progress=show_progress,
            ):
                found.append((sample if is_video else None, prediction))
                if not values.merge:
                    sys.stdout.write(as_line(_best(prediction, k)) + "\n")
                if drawn is not None and not is_video:
                    figure = draw_prediction(predictor.models[0], sample.value, prediction)
                    figure.savefig(_free_name(drawn, prediction), dpi=100)
        rows = [prediction for _, prediction in found]
        if values.merge:
            rows = merge_windows(rows)
            sys.stdout.writelines(as_line(_best(row, k)) + "\n" for row in rows)
        rows = [_best(row, k) for row in rows]
        if values.json is not None:
            text = json.dumps([row.as_dict() for row in rows], indent=1)
            Path(values.json).write_text(text + "\n", encoding="utf-8")
        if values.csv is not None:
            Path(values.csv).write_text(as_csv(rows), encoding="utf-8")
        if is_video and drawn is not None:
            samples = [(sample, row) for sample, row in found if sample is not None]
            draw_video(
                predictor.models[0], values.inputs[0], samples, drawn, progress=show_progress
            )
    except (CheckpointError, OSError, TypeError, ValueError, ImportError) as error:
        line = " ".join(str(error).split())
        sys.stderr.write(f"pyg-vision predict: error: {line}\n")
        return 1
    return 0


def _check(values: argparse.Namespace, kind: str, video: Path | None) -> None:
    r"""Checks options that belong together, before anything is predicted."""
    if values.merge and values.window is None:
        raise ValueError("--merge merges windows, of which --window says how long they are")
    if video is None:
        return
    if kind != "skeleton":
        raise ValueError(f"a video is drawn of skeletons, the model is of images (got '{video}')")
    if video.suffix.lower() not in VIDEO_CODECS:
        raise ValueError(f"a video is written as {', '.join(VIDEO_CODECS)} (got '{video}')")
    if len(values.inputs) > 1 or not _is_video(Path(values.inputs[0])):
        raise ValueError(f"a video is drawn of one video or folder of pictures (got '{video}')")


def _run_live(values: argparse.Namespace) -> int:
    r"""Predicts on a camera or a pipe until it ends, a line for each change of the label."""
    names = ("json", "csv", "draw", "merge", "per_person", "track", "size")
    asked = [name for name in names if getattr(values, name) not in (None, False)]
    if asked:
        raise ValueError(f"--{asked[0].replace('_', '-')} is of INPUTs, not of a live --source")
    models = [
        replace(one, model=one.model.fuse()) if hasattr(one.model, "fuse") else one  # type: ignore[operator]
        for one in open_models(values)
    ]
    predictor = Predictor(models, values.device, values.weights, values.batch_size)
    frames: Any = int(values.source) if values.source.isdecimal() else values.source
    delays: list[float] = []
    label, dropped, begin = None, 0, time.monotonic()
    with open_pose_source(values.pose or DEFAULT_POSE) as pose:
        stream = predictor.stream(
            frames,
            pose,
            60 if values.window is None else values.window,
            1 if values.stride is None else values.stride,
            values.top_k,
            values.persons,
            values.max_gap,
            realtime=True,
        )
        with suppress(KeyboardInterrupt):
            for found in stream:
                delays.append(found.latency)
                dropped = found.dropped
                row = found.prediction
                now = None if row is None else row.label
                if now != label and row is not None:
                    where = f"{found.frame.time:.2f} s, {1000 * found.latency:.0f} ms late"
                    sys.stdout.write(f"{as_line(row)}  ({where}, {dropped} dropped)\n")
                    sys.stdout.flush()
                label = now
    if not delays:
        raise ValueError(
            "the live video ended before a window was full; of one that comes faster than people "
            "are found pictures are left out, give a recorded video as INPUT"
        )
    rate = len(delays) / (time.monotonic() - begin)
    sys.stderr.write(
        f"{len(delays)} windows, {rate:.1f} a second, {1000 * median(delays):.0f} ms late in "
        f"the middle, {dropped} pictures dropped\n"
    )
    return 0


def open_pose(values: argparse.Namespace, kind: str) -> AbstractContextManager[PoseSource | None]:
    r"""Returns the source of poses, if one is named, or there is a video among the inputs.

    Args:
        values (argparse.Namespace): The options.
        kind (str): What the models are of.
    """
    if kind != "skeleton":  # folders of images may be large
        return nullcontext()
    paths = [Path(given) for given in values.inputs]
    inner = (p for path in paths if path.is_dir() for p in path.rglob("*"))
    asked = (
        values.pose is not None
        or any(map(_is_video, paths))
        or any(path.suffix.lower() in VIDEO_EXTENSIONS for path in inner)
    )
    return open_pose_source(values.pose or DEFAULT_POSE) if asked else nullcontext()


def as_line(prediction: Prediction) -> str:
    r"""Returns a prediction as a line of text.

    Args:
        prediction (Prediction): The prediction.

    Example:
        >>> from pyg_vision.prediction import Prediction
        >>> from pyg_vision.prediction.command import as_line
        >>> as_line(Prediction("a.csv", ["wave", "clap"], [0.75, 0.25], frames=(0, 60)))
        'a.csv [0:60]  wave 75.0%, clap 25.0%'
    """
    frames, person = prediction.frames, prediction.person
    where = prediction.source
    where += "" if frames is None else f" [{frames[0]}:{frames[1]}]"
    where += "" if person is None else f" person {person}"
    pairs = zip(prediction.classes, prediction.probabilities, strict=True)
    return f"{where}  " + ", ".join(f"{name} {100 * value:.1f}%" for name, value in pairs)


def as_csv(predictions: Sequence[Prediction]) -> str:
    r"""Returns predictions as the text of a CSV file, a line for each class of each: the frames of
    a window, and where it is of a video, when it begins and ends in seconds.

    Args:
        predictions (list of Prediction): The predictions.

    Example:
        >>> from pyg_vision.prediction import Prediction
        >>> from pyg_vision.prediction.command import as_csv
        >>> print(as_csv([Prediction("cat.jpg", ["cat", "dog"], [0.9, 0.1])]))
        source,start,stop,begin,end,person,rank,class,probability
        cat.jpg,,,,,,1,cat,0.9
        cat.jpg,,,,,,2,dog,0.1
        <BLANKLINE>
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(
        ["source", "start", "stop", "begin", "end", "person", "rank", "class", "probability"]
    )
    for row in predictions:
        start, stop = row.frames if row.frames is not None else ("", "")
        seconds = ["", ""] if row.seconds is None else [f"{time:.3f}" for time in row.seconds]
        person = "" if row.person is None else row.person
        pairs = zip(row.classes, row.probabilities, strict=True)
        for rank, (name, value) in enumerate(pairs, 1):
            writer.writerow([row.source, start, stop, *seconds, person, rank, name, value])
    return text.getvalue()


def _best(prediction: Prediction, count: int) -> Prediction:
    r"""Returns a prediction with its most probable classes."""
    return replace(
        prediction,
        classes=prediction.classes[:count],
        probabilities=prediction.probabilities[:count],
    )


def _is_video(path: Path) -> bool:
    return is_picture_folder(path) or path.suffix.lower() in VIDEO_EXTENSIONS


def _device(values: argparse.Namespace) -> torch.device:
    try:
        device = torch.device(values.device)
    except RuntimeError:
        values.parser.error(f"there is no device '{values.device}'")
    if device.type == "cuda" and not torch.cuda.is_available():
        values.parser.error("no GPU is found; leave out --device")
    return device


def _json(values: argparse.Namespace, option: str, text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        values.parser.error(f"{option} is no JSON ({error})")


def _free_name(folder: Path, prediction: Prediction) -> Path:
    r"""Returns the name of a drawing, which none before it has."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = Path(prediction.source).stem.replace(":", "_") or "input"
    if prediction.frames is not None:
        stem += f"_{prediction.frames[0]}"
    if prediction.person is not None:
        stem += f"_person{prediction.person}"
    path, number = folder / f"{stem}.png", 1
    while path.exists():
        number += 1
        path = folder / f"{stem}_{number}.png"
    return path
