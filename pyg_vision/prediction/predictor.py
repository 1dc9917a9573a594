r"""Predictions of trained models on any input."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypedDict, Unpack

import torch
from torch import Tensor
from torch_geometric.data import Batch, Data

from pyg_vision._checks import check_int
from pyg_vision._warn import warn
from pyg_vision.data import SkeletonLayout, joint_map
from pyg_vision.data.skeleton import read_layout
from pyg_vision.pose import Frame, PoseSource
from pyg_vision.prediction._prediction import Prediction
from pyg_vision.prediction.inputs import Sample, find_images, find_skeletons
from pyg_vision.prediction.live import LivePrediction, LiveStream
from pyg_vision.prediction.trained_model import TrainedModel, load_trained, run_model
from pyg_vision.transforms import ToLayout, TrackPersons, cut_windows


class InputOptions(TypedDict, total=False):
    r"""How sequences are read and cut.

    Args:
        layout (str or SkeletonLayout): The skeleton, where neither an input nor the model tells it.
        size (tuple): Width and height of a frame, for the pixels of OpenPose.
        window (int): The frames of a window of a sequence. (default: all)
        stride (int): The frames from one window to the next. (default: :obj:`window`)
        per_person (bool): Whether each person is predicted on alone. (default: :obj:`False`)
        track (bool): Whether persons, listed in any order in each frame, are followed from frame
            to frame first. (default: :obj:`False`)
        pose (PoseSource): What finds the joints of people in videos and pictures.
        persons (int): The most persons of a frame of a video. (default: all)
        max_gap (int): The longest gap in the track of a joint in a video that is filled, in frames.
            (default: :obj:`10`)
        progress (Callable): Wraps the frames of a video, such as :obj:`tqdm.tqdm`.

    Example:
        >>> from pyg_vision.prediction import InputOptions
        >>> InputOptions(window=60, stride=30)
        {'window': 60, 'stride': 30}
    """

    layout: str | SkeletonLayout | None
    size: tuple[float, float] | None
    window: int | None
    stride: int | None
    per_person: bool
    track: bool
    pose: PoseSource | None
    persons: int | None
    max_gap: int
    progress: Callable[[Iterable[Frame]], Iterable[Frame]] | None


@dataclass(frozen=True)
class _Part:
    r"""What is predicted on by itself: an input, or a window of it."""

    source: str
    value: Any
    frames: tuple[int, int] | None = None
    person: int | None = None
    seconds: tuple[float, float] | None = None


class Predictor:
    r"""Predicts classes; made once, called many times.

    Of several models, the mean of their probabilities counts, as of the streams of the `"Two-Stream
    Adaptive Graph Convolutional Networks" <https://arxiv.org/abs/1805.07694>`_ paper.

    Args:
        models (str, pathlib.Path, TrainedModel or list): A run, a checkpoint of
            :obj:`pyg-vision fit`, or a model, see :func:`load_trained` and :func:`open_model`; or
            several of them.
        device (torch.device, optional): Where the models run. (default: the CPU)
        weights (list of float, optional): The weight of each model. (default: equal ones)
        batch_size (int, optional): How many inputs a model sees at once. (default: :obj:`32`)

    Raises:
        CheckpointError: If a checkpoint cannot be read.
        ValueError: If the models have other classes or other kinds of inputs, or there is not one
            positive weight for each.

    Example:
        >>> import torch
        >>> from pyg_vision.nn import STGCN
        >>> from pyg_vision.prediction import Predictor, TrainedModel
        >>> model = STGCN(in_channels=3, num_classes=2, layout="kinect").eval()
        >>> predictor = Predictor(TrainedModel.of(model, ["sit down", "stand up"]))
        >>> predictions = predictor("data/nw_ucla/a01_s01_e00_v01.json")
        >>> len(predictions), round(sum(predictions[0].probabilities), 4)
        (1, 1.0)
    """

    def __init__(
        self,
        models: str | os.PathLike[str] | TrainedModel | Sequence[Any],
        device: torch.device | str = "cpu",
        weights: Sequence[float] | None = None,
        batch_size: int = 32,
    ) -> None:
        given: list[Any] = (
            list(models)
            if isinstance(models, Sequence) and not isinstance(models, str)
            else [models]
        )
        self.device = torch.device(device)
        self.models = [
            (found if isinstance(found, TrainedModel) else load_trained(found)).to(self.device)
            for found in given
        ]
        if not self.models:
            raise ValueError("there must be at least one model")
        self.weights = [1.0] * len(self.models) if weights is None else list(map(float, weights))
        if len(self.weights) != len(self.models) or not min(self.weights) > 0:
            raise ValueError(
                f"'weights' must be {len(self.models)} positive numbers, one for each model (got "
                f"{weights})"
            )
        self.batch_size = check_int("batch_size", batch_size)
        first = self.models[0]
        self.classes, self.kind = first.classes, first.kind
        for other in self.models[1:]:
            if other.classes != first.classes or other.kind != first.kind:
                raise ValueError(
                    f"the models must have the same classes and kind of inputs (got {first.kind} "
                    f"with {len(first.classes)} classes, and {other.kind} with "
                    f"{len(other.classes)})"
                )
            if other.multi_label != first.multi_label:
                raise ValueError("the models must all have one class an input, or all several")

    def __call__(
        self, inputs: Any, top_k: int | None = None, **options: Unpack[InputOptions]
    ) -> list[Prediction]:
        r"""Predicts.

        Args:
            inputs: Images or sequences, see :func:`find_images` and :func:`find_skeletons`.
            top_k (int, optional): How many classes are returned. (default: five, and all where an
                input has any number of labels)
            **options (optional): How sequences are read and cut, see :class:`InputOptions`.
        """
        return [prediction for _, prediction in self.predict_each(inputs, top_k, **options)]

    def predict_each(
        self, inputs: Any, top_k: int | None = None, **options: Unpack[InputOptions]
    ) -> Iterator[tuple[Sample, Prediction]]:
        r"""Yields each input, or each window of it, with what is predicted of it.

        Args:
            inputs: As of a call.
            top_k (int, optional): How many classes are returned. (default: as of a call)
            **options (optional): As of a call.
        """
        k = self.num_shown(top_k)
        parts = self._parts(inputs, options)
        while chunk := list(islice(parts, self.batch_size)):
            values, order = self.probabilities([part.value for part in chunk]).topk(k)
            for part, row, index in zip(chunk, values.tolist(), order.tolist(), strict=True):
                names = [self.classes[i] for i in index]
                prediction = Prediction(
                    part.source, names, row, part.frames, part.person, part.seconds
                )
                yield Sample(part.source, part.value), prediction

    def stream(
        self,
        frames: Any,
        pose: PoseSource,
        window: int = 60,
        stride: int = 1,
        top_k: int | None = None,
        persons: int | None = None,
        max_gap: int = 10,
        realtime: bool | None = None,
    ) -> Iterator[LivePrediction]:
        r"""Yields predictions on a camera or a stream of pictures, while it goes on.

        Pictures are read, people found in them, and windows classified in three threads. With
        :obj:`realtime`, what is behind looks at the newest picture that has come in, and those
        before it are left out; else none is. Only the joints of a window are remembered.

        Args:
            frames: The number of a camera, :obj:`"-"` for a video that is piped to the process, or
                any other video or pictures, see :func:`~pyg_vision.pose.read_frames`.
            pose (PoseSource): What finds people.
            window (int, optional): The pictures of a window. (default: :obj:`60`)
            stride (int, optional): The pictures from one window to the next. (default: :obj:`1`)
            top_k (int, optional): How many classes are returned. (default: as of a call)
            persons (int, optional): The most persons of a picture. (default: all)
            max_gap (int, optional): The longest gap in the track of a joint that is filled, in
                pictures. (default: :obj:`10`)
            realtime (bool, optional): Whether pictures are left out where later ones are there.
                (default: of cameras and pipes)

        Raises:
            TypeError: If the models are not of skeletons.
            VideoError: If the camera is not there, or no longer.
        """
        if self.kind != "skeleton":
            raise TypeError("a stream of pictures is for models of skeletons")
        k = self.num_shown(top_k)
        live = isinstance(frames, int) or _is_pipe(frames) if realtime is None else realtime

        def predict(data: Data) -> Prediction:
            data = self._with_joints(data, "the stream")
            values, order = self.probabilities([data]).topk(k)
            names = [self.classes[i] for i in order[0].tolist()]
            return Prediction("stream", names, values[0].tolist(), seconds=_seconds(data))

        return iter(
            LiveStream(
                frames,
                pose,
                predict,
                check_int("window", window),
                check_int("stride", stride),
                None if persons is None else check_int("persons", persons),
                check_int("max_gap", max_gap, 0),
                live,
            )
        )

    def num_shown(self, top_k: int | None = None) -> int:
        r"""Returns how many classes a prediction has.

        Args:
            top_k (int, optional): How many are asked for. (default: five, and all where an input
                has any number of labels)
        """
        if top_k is None:
            top_k = len(self.classes) if self.models[0].multi_label else 5
        return min(check_int("top_k", top_k), len(self.classes))

    @torch.inference_mode()
    def probabilities(self, values: Sequence[Any]) -> Tensor:
        r"""Returns the probabilities :math:`(N, K)` of images or sequences, which are not yet
        transformed.

        Args:
            values (list): Images of PIL, or graphs of sequences.
        """
        total = sum(self.weights)
        found = [
            weight / total * self._run(model, values)
            for model, weight in zip(self.models, self.weights, strict=True)
        ]
        return torch.stack(found).sum(0).cpu()

    def _parts(self, inputs: Any, options: InputOptions) -> Iterator[_Part]:
        cuts = any(
            value is not None and value is not False
            for name, value in options.items()
            if name in ("window", "stride", "per_person", "track")
        )
        if self.kind == "image":
            if cuts:
                raise ValueError("windows and persons are of sequences, the model is of images")
            for sample in find_images(inputs):
                yield _Part(sample.source, sample.value)
            return
        layout = options.get("layout") or self.models[0].layout
        for source, given in find_skeletons(
            inputs,
            layout,
            options.get("size"),
            options.get("pose"),
            options.get("persons"),
            options.get("max_gap", 10),
            options.get("progress"),
        ):
            data = self._with_joints(given, source)
            if not bool((data.x != 0).any()):
                raise ValueError(f"nobody is seen in '{source}'")
            if not cuts:
                yield _Part(source, data, seconds=_seconds(data))
                continue
            tracked = TrackPersons()(data) if options.get("track") else data
            per_person = options.get("per_person", False)
            for part in cut_windows(
                tracked, options.get("window"), options.get("stride"), per_person
            ):
                frames = (part.start, part.stop)
                yield _Part(source, part.data, frames, part.person, _seconds(part.data))

    def _with_joints(self, data: Data, source: str) -> Data:
        r"""Returns a sequence with the joints of the models."""
        wanted, layout = self.models[0].layout, read_layout(data)
        if wanted is None or layout is None or layout.joints == wanted.joints:
            return data
        try:
            parts = joint_map(layout, wanted)
        except ValueError as error:
            raise ValueError(
                f"'{source}' is of another skeleton than the model: {error}"
            ) from error
        missing = [joint for joint, of in zip(wanted.joints, parts, strict=True) if not of]
        if missing:
            warn(
                f"'{source}' is of layout '{layout.name}' and has no {', '.join(missing)}, which "
                f"the model knows: they are zeros"
            )
        return ToLayout(wanted)(data.__copy__())

    def _run(self, trained: TrainedModel, values: Sequence[Any]) -> Tensor:
        made = [trained.transform(_unlabelled(value)) for value in values]
        # Several clips of a sequence are seen one by one, and their probabilities averaged.
        clips = [one if isinstance(one, list) else [one] for one in made]
        flat = [without_size(clip) for several in clips for clip in several]
        rows = []
        for i in range(0, len(flat), self.batch_size):
            part = flat[i : i + self.batch_size]
            whole: Any = (
                torch.stack(part) if isinstance(part[0], Tensor) else Batch.from_data_list(part)
            )
            logits = run_model(trained.model, whole.to(self.device))
            if logits.size(-1) != len(trained.classes):
                raise ValueError(
                    f"the model gives {logits.size(-1)} classes (got {len(trained.classes)} names)"
                )
            rows.append(trained.probabilities(logits.float()))
        counts = [len(several) for several in clips]
        return torch.stack([part.mean(0) for part in torch.split(torch.cat(rows), counts)])


def _seconds(data: Data) -> tuple[float, float] | None:
    r"""Returns when a sequence begins and ends, if it tells its time."""
    if "time" not in data:
        return None
    times = data.time.view(data.skeleton_shape).amax(dim=(0, 2)).tolist()
    step = (times[-1] - times[0]) / max(len(times) - 1, 1)
    return times[0], times[-1] + step  # the last frame is shown as long as the others


def _is_pipe(frames: Any) -> bool:
    return isinstance(frames, str) and frames == "-"


def without_size(value: Any) -> Any:
    r"""Leaves out the size of a frame, which only some files tell, once it has been used: no batch
    could be made of those that do and those that do not.
    """
    if isinstance(value, Data) and "frame_size" in value:
        del value.frame_size
    return value


def _unlabelled(value: Any) -> Any:
    r"""Leaves out what only some files have, which no batch could be made of."""
    if not isinstance(value, Data):
        return value
    kept = ("x", "pos", "skeleton_shape", "layout", "frame_size")
    return Data(**{name: value[name] for name in kept if name in value})
