r"""Models as a training left them."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import Module
from torch_geometric.data import Data

from pyg_vision._warn import warn
from pyg_vision.data import SkeletonLayout, skeletons_to_dense
from pyg_vision.nn import find_builder
from pyg_vision.prediction._checkpoint import (
    CheckpointError,
    NoTrainingError,
    latest_checkpoint,
    read_checkpoint,
)
from pyg_vision.prediction._preprocess import make_input
from pyg_vision.weights import (
    describe_checkpoint,
    load_weights,
    read_weights,
)


@dataclass(frozen=True)
class TrainedModel:
    r"""A trained model with all that it takes to use it.

    Args:
        model (torch.nn.Module): The model, in evaluation mode.
        classes (list of str): The names of the classes.
        transform (Callable): What is done to an input before the model sees it.
        input (dict): The same in plain data.
        config (dict, optional): The configuration of the training. (default: none)
        multi_label (bool, optional): Whether an input has any number of labels, each with a
            probability of its own, in place of one class. (default: :obj:`False`)

    Example:
        >>> import torch
        >>> from pyg_vision.prediction import TrainedModel
        >>> about = {"kind": "image"}
        >>> trained = TrainedModel(torch.nn.Linear(2, 2), ["cat", "dog"], torch.tensor, about)
        >>> trained.model(trained.transform([1.0, 2.0])).shape
        torch.Size([2])
    """

    model: Module
    classes: list[str]
    transform: Callable[[Any], Any]
    input: Mapping[str, Any]
    config: Mapping[str, Any] = field(default_factory=dict)
    multi_label: bool = False

    @classmethod
    def of(
        cls,
        model: Module,
        classes: Sequence[str] | None = None,
        input: Mapping[str, Any] | None = None,
        multi_label: bool = False,
    ) -> TrainedModel:
        r"""Returns a model with what is not given: numbers as names of classes, the
        preprocessing of ViG for images, and none for skeletons.

        Args:
            model (torch.nn.Module): The model.
            classes (list of str, optional): The names of the classes. (default: their numbers)
            input (dict, optional): What is done to an input, in plain data, as a checkpoint of
                :obj:`pyg-vision fit` has it. (default: as above)
            multi_label (bool, optional): Whether an input has any number of labels.
                (default: :obj:`False`)

        Raises:
            ValueError: If the names are not as many as the classes of the model.
        """
        count = getattr(model, "num_classes", None)
        if classes is None and count is None:
            raise ValueError(f"'classes' must be given for a {type(model).__name__}")
        names = list(map(str, range(count or 0))) if classes is None else check_classes(classes)
        if count is not None and count != len(names):
            raise ValueError(f"the model has {count} classes (got {len(names)} names)")
        if input is None:
            skeletons = getattr(model, "layout", None) is not None
            size = getattr(model, "image_size", 224)
            height = size if isinstance(size, int) else size[0]
            input = {"kind": "skeleton", "transforms": []} if skeletons else {
                "kind": "image", "image_size": height, "crop": 0.9, "interpolation": "bicubic",
                "mean": [0.5] * 3, "std": [0.5] * 3,
            }  # fmt: skip
        return cls(model.eval(), names, make_input(input), input, multi_label=multi_label)

    def probabilities(self, logits: Tensor) -> Tensor:
        r"""Returns the probability of each class: the softmax of logits, or the sigmoid where an
        input has any number of labels.

        Args:
            logits (torch.Tensor): The logits :math:`(N, K)`.
        """
        return logits.sigmoid() if self.multi_label else logits.softmax(-1)

    @property
    def kind(self) -> str:
        r"""What it is a model of: :obj:`"image"` or :obj:`"skeleton"`."""
        return "skeleton" if self.input.get("kind") == "skeleton" else "image"

    @property
    def layout(self) -> SkeletonLayout | None:
        r"""The skeleton of a model of sequences."""
        found: SkeletonLayout | None = getattr(self.model, "layout", None)
        return found

    def to(self, device: torch.device | str) -> TrainedModel:
        r"""Returns it with the model on a device.

        Args:
            device (torch.device): The device.
        """
        return replace(self, model=self.model.to(device))


def run_model(model: Module, batch: Any) -> Tensor:
    r"""Returns the logits of a batch, of graphs of sequences also for a dense twin, which takes
    none.

    Args:
        model (torch.nn.Module): The model.
        batch (torch.Tensor or Batch): Images or sequences.

    Example:
        >>> from pyg_vision.datasets import SyntheticMotion
        >>> from pyg_vision.nn import DenseSTGCN
        >>> from pyg_vision.prediction import run_model
        >>> run_model(DenseSTGCN(3, 7).eval(), SyntheticMotion(1)[0]).shape
        torch.Size([1, 7])
    """
    logits: Tensor = model(_dense(model, batch))
    return logits


def node_scores(model: Module, data: Data) -> Tensor:
    r"""Returns the class scores of each joint in each frame that is left,
    :math:`(M, T^{\prime}, V, K)`.

    Args:
        model (torch.nn.Module): A model of skeletons with :obj:`extract_feature`.
        data (torch_geometric.data.Data): A single sequence.

    Example:
        >>> from pyg_vision.datasets import SyntheticMotion
        >>> from pyg_vision.nn import STGCN
        >>> from pyg_vision.prediction import node_scores
        >>> data = SyntheticMotion(num_sequences=1, num_frames=12)[0]
        >>> node_scores(STGCN(3, 7).eval(), data).shape
        torch.Size([1, 3, 18, 7])
    """
    one: Any = _dense(model, data)
    found: Any = model.extract_feature(one)  # type: ignore[operator]
    if isinstance(found, tuple):
        scores: Tensor = found[0][0].permute(3, 1, 2, 0)
        return scores
    persons, frames, joints = found.skeleton_shape[0]
    return found.scores.view(persons, frames, joints, -1)


def _dense(model: Module, batch: Any) -> Any:
    takes_graphs = getattr(model, "takes_graphs", True)
    return skeletons_to_dense(batch) if isinstance(batch, Data) and not takes_graphs else batch


def load_trained(
    path: str | os.PathLike[str],
    device: torch.device | str = "cpu",
    input: Mapping[str, Any] | None = None,
) -> TrainedModel:
    r"""Loads a model from a checkpoint of :obj:`pyg-vision fit`: the average of its weights where
    the training kept one; or from a file of :func:`~pyg_vision.weights.convert` or of published
    weights whose model is known by its names and shapes.

    Nothing in the file is run, and the model is one of this package or of torchvision.

    Args:
        path (str or pathlib.Path): The checkpoint, or the folder of the run.
        device (torch.device, optional): Where the model goes. (default: the CPU)
        input (dict, optional): What is done to an input, in plain data, see
            :meth:`TrainedModel.of`. (default: what the file says; of a file of weights of skeletons
            that says nothing, nothing is done, with a warning)

    Raises:
        CheckpointError: If the file cannot be read, or its model is not known.

    Example:
        >>> from pyg_vision.prediction import load_trained
        >>> from pyg_vision.training import fit
        >>> brief = ["--trainer.max_epochs=1", "--model.warm_up=0", "--report=false"]
        >>> run = fit("digits", "runs/digits", brief)
        epoch 1/1...
        >>> load_trained(run.path).classes
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']
    """
    if os.path.isdir(path):
        folder = os.path.join(path, "checkpoints")
        newest, problems = latest_checkpoint(folder)
        if newest is None:
            raise CheckpointError(
                problems[0] if problems else f"there is no checkpoint in '{path}'"
            )
        path = newest
    if Path(path).suffix == ".safetensors":
        return _from_weights(path, input).to(device)
    try:
        found = read_checkpoint(path)
    except NoTrainingError:
        return _from_weights(path, input).to(device)
    about = found.get("pyg_vision")
    if not isinstance(about, dict):
        return _from_weights(path, input).to(device)
    other = None if input is None else make_input(input)
    try:
        given = about["config"]["model"]["init_args"]
        classes = [str(name) for name in about["classes"]]
        options = dict(about.get("options", given.get("options")) or {})
        if about.get("layout") is not None:
            options["layout"] = SkeletonLayout.from_dict(about["layout"])
        model = find_builder(given["model"])(num_classes=len(classes), **options)
        model.load_state_dict(_weights(found["state_dict"]))
        about_input = about["input"] if input is None else input
        transform = make_input(about_input) if other is None else other
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise CheckpointError(f"'{path}' holds a model that cannot be made: {reason}") from error
    model = model.to(device).eval()
    multi_label = bool(about.get("multi_label", False))
    return TrainedModel(model, classes, transform, about_input, about["config"], multi_label)


def open_model(
    path: str | os.PathLike[str],
    model: str,
    options: Mapping[str, Any] | None = None,
    classes: Sequence[str] | None = None,
    input: Mapping[str, Any] | None = None,
    multi_label: bool = False,
) -> TrainedModel:
    r"""Loads a model from a file that does not say which one it holds, such as a published one.

    Args:
        path (str or pathlib.Path): A :obj:`.pth` or :obj:`.safetensors` file, in the names of
            this package or in published ones.
        model (str): The name of the model, see :func:`~pyg_vision.nn.find_builder`.
        options (dict, optional): Its arguments. (default: none)
        classes (list of str, optional): The names of the classes. (default: their numbers)
        input (dict, optional): What is done to an input, in plain data, see
            :meth:`TrainedModel.of`. (default: as for ViG; for skeletons nothing)
        multi_label (bool, optional): Whether an input has any number of labels.
            (default: :obj:`False`)

    Raises:
        CheckpointError: If the file cannot be read or does not fit the model.
        ValueError: If there is no such model, or it takes no such arguments.

    Example:
        >>> import torch
        >>> from pyg_vision.nn import STGCN
        >>> from pyg_vision.prediction import open_model
        >>> torch.save(STGCN(in_channels=3, num_classes=10).state_dict(), "converted.pth")
        >>> open_model("converted.pth", "stgcn", {"in_channels": 3}).classes[-1]
        '9'
    """
    try:
        state = read_weights(path)
    except (FileNotFoundError, ValueError) as error:
        raise CheckpointError(str(error)) from error
    given, rows = dict(options or {}), _classes_of(state)
    names = None if classes is None else check_classes(classes)
    if names is not None and rows not in (0, len(names)):
        raise ValueError(f"'{path}' is of {rows} classes (got {len(names)} names)")
    given.setdefault("num_classes", rows if names is None else len(names))
    try:
        made = find_builder(model)(**given)
    except TypeError as error:
        raise ValueError(f"'{model}' cannot be made: {error}") from error
    try:
        load_weights(made, state)
    except (TypeError, ValueError, RuntimeError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise CheckpointError(f"'{path}': {reason}") from error
    if names is None:
        names = list(map(str, range(given["num_classes"])))
    return TrainedModel.of(made, names, input, multi_label)


def _from_weights(path: str | os.PathLike[str], input: Mapping[str, Any] | None) -> TrainedModel:
    r"""Returns the model that a file of weights tells by itself."""
    if input is not None:
        make_input(input)
    try:
        info = describe_checkpoint(path)
        if info.model is None:
            raise CheckpointError(f"the model of '{path}' is not known; name its --model")
        given = info.input if input is None else input
        made = TrainedModel.of(info.build(), info.classes, given or None, info.multi_label)
    except (OSError, ValueError) as error:
        raise CheckpointError(str(error)) from error
    if not given and made.kind == "skeleton":
        warn(
            f"'{path}' does not say how sequences are prepared for its model, so they go into it "
            f"as they are; 'input' says it"
        )
    return made


def check_classes(classes: Any) -> list[str]:
    r"""Returns the names of classes, which must be a list of text.

    Args:
        classes (list of str): The names.

    Raises:
        ValueError: If it is something else.

    Example:
        >>> from pyg_vision.prediction import check_classes
        >>> check_classes(["cat", "dog"])
        ['cat', 'dog']
    """
    if not isinstance(classes, Sequence) or isinstance(classes, str) or not classes:
        raise ValueError(f"the classes must be a list of names (got {type(classes).__name__})")
    odd = [name for name in classes if not isinstance(name, str)]
    if odd:
        raise ValueError(f"the classes must be a list of names (got {odd[0]!r} in it)")
    return list(classes)


def _classes_of(state: Mapping[str, Any]) -> int:
    r"""Returns the rows of the last matrix, which is that of the classes in every known file."""
    rows = [value.size(0) for value in state.values() if value.dim() > 1]
    return int(rows[-1]) if rows else 0


def _weights(state: Mapping[str, Any]) -> dict[str, Any]:
    averaged = "ema.module."
    prefix = averaged if any(name.startswith(averaged) for name in state) else "model."
    return {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}
