r"""Models that are told from the names and shapes of a checkpoint."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any

from torch import Tensor
from torch.nn import Module

from pyg_vision.typing import Adapt
from pyg_vision.weights._checkpoint import find_state, looks_like, read_checkpoint, read_config
from pyg_vision.weights._load_published import log_report
from pyg_vision.weights._load_weights import load_weights
from pyg_vision.weights._weights import known_weights

Describe = Callable[[Mapping[str, Tensor]], "Described | None"]

_families: dict[str, Describe] = {}


@dataclass(frozen=True)
class Described:
    r"""What the names and shapes of a checkpoint tell.

    Args:
        options (dict): Arguments of the model.
        input (dict): The preprocessing, in plain data, as a checkpoint of a training has it.

    Example:
        >>> from pyg_vision.weights import Described
        >>> Described({"channels": 192, "depth": 12}).options["depth"]
        12
    """

    options: dict[str, Any]
    input: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class CheckpointInfo:
    r"""What a file of weights is.

    Args:
        source (str): What was looked at.
        model (str, optional): The class of this package that it is a checkpoint of.
        options (dict): The arguments of that class that its names and shapes tell.
        input (dict): Its preprocessing, in plain data.
        classes (list of str, optional): The names of its classes.
        entry (str): Under which name the file holds the weights.
        num_tensors (int): The number of tensors.
        num_values (int): The number of their entries.
        dtypes (list of str): Their data types.
        names (list of str): The first names, with shapes.
        looks_like (str, optional): What else the names look like.
        state (dict): The tensors.
        multi_label (bool, optional): Whether an input has any number of its classes.
            (default: :obj:`False`)
        published (str, optional): The published weights that the file is, by its hash.
            (default: :obj:`None`)

    Example:
        >>> from pyg_vision.nn import ViG
        >>> from pyg_vision.weights import describe_checkpoint
        >>> model = ViG(channels=16, depth=1, k=3, num_classes=2, image_size=32)
        >>> info = describe_checkpoint(model.state_dict())
        >>> info.model, info.options["channels"], info.options["num_classes"]
        ('pyg_vision.nn.ViG', 16, 2)
    """

    source: str
    model: str | None
    options: dict[str, Any]
    input: dict[str, Any]
    classes: list[str] | None
    entry: str
    num_tensors: int
    num_values: int
    dtypes: list[str]
    names: list[str]
    looks_like: str | None
    state: dict[str, Tensor] = field(repr=False)
    multi_label: bool = False
    published: str | None = None

    def build(self, **options: Any) -> Module:
        r"""Returns the model with its weights, see :func:`from_published`.

        Args:
            **options (optional): Arguments of the model, in place of what the file tells.

        Raises:
            ValueError: If it is of no known model, or does not fit the options.
        """
        if self.model is None:
            looks = f"; it looks like a checkpoint of {self.looks_like}" if self.looks_like else ""
            raise ValueError(
                f"{self.source} is of no known model: {self.num_tensors} tensors, the first are "
                f"{', '.join(self.names)}{looks}"
            )
        find_builder = importlib.import_module("pyg_vision.nn").find_builder
        try:
            model: Module = find_builder(self.model)(**self.options | options)
        except (TypeError, ValueError, RuntimeError) as error:
            reason = str(error).strip().partition("\n")[0]
            raise ValueError(f"{self.source}: '{self.model}' cannot be made: {reason}") from error
        parts: tuple[tuple[str, Adapt], ...] = (("num_classes", "head"), ("in_channels", "input"))
        adapt = [p for name, p in parts if options.get(name) not in (None, self.options.get(name))]
        log_report(load_weights(model, self.state, adapt=adapt), self.source)
        return model

    def __str__(self) -> str:
        lines = [
            f"{self.source}: {self.num_tensors} tensors of {self.num_values:,} values "
            f"({', '.join(self.dtypes)}){f', in {self.entry!r}' if self.entry else ''}"
        ]
        if self.model is not None:
            options = ", ".join(f"{name}={value!r}" for name, value in self.options.items())
            lines.append(f"  model: {self.model}({options})")
        else:
            looks = f"; it looks like a checkpoint of {self.looks_like}" if self.looks_like else ""
            lines.append(f"  model: unknown{looks}")
            lines.append(f"  first: {', '.join(self.names)}")
        if self.published is not None:
            lines.append(f"  published: {self.published}")
        if self.input:
            lines.append(
                "  input: " + ", ".join(f"{name}={value!r}" for name, value in self.input.items())
            )
        if self.classes is not None:
            several = ", any number of them" if self.multi_label else ""
            shown = ", ".join(self.classes[:3])
            lines.append(f"  classes: {len(self.classes)}, {shown} …{several}")
        return "\n".join(lines)


def register_family(model: str, describe: Describe) -> None:
    r"""Makes a model known by the names and shapes of its checkpoints.

    Args:
        model (str): The path of its class, see :func:`~pyg_vision.nn.find_builder`.
        describe (Callable): Returns what a state dict tells, :obj:`None` if it is of another model.

    Example:
        >>> import torch
        >>> from pyg_vision.weights import Described, from_published, register_family
        >>> def describe(state):
        ...     return Described({"num_classes": 5}) if "toy_for_docs" in state else None
        >>> register_family("torchvision.models.resnet18", describe)
        >>> from_published({"toy_for_docs": torch.ones(1)})
        Traceback (most recent call last):
        ...
        TypeError: no published checkpoint is known for a ResNet
    """
    _families[model] = describe


def _trained_config(found: Mapping[str, Any]) -> dict[str, Any]:
    r"""Returns what a checkpoint of :obj:`pyg-vision fit` says of its classes and inputs."""
    about = found.get("pyg_vision")
    if not isinstance(about, dict):
        return {}
    carried: dict[str, Any] = {"multi_label": about.get("multi_label") is True}
    classes, given = about.get("classes"), about.get("input")
    if isinstance(classes, list) and all(isinstance(name, str) for name in classes):
        carried["classes"] = classes
    if isinstance(given, dict):
        carried["input"] = given
    return carried


def describe_checkpoint(
    state_dict_or_path: Mapping[str, Tensor] | str | PathLike[str], averaged: bool = True
) -> CheckpointInfo:
    r"""Says what a file of weights is: the model, and the arguments that names and shapes tell.

    Args:
        state_dict_or_path (dict or path): A state dict, or a :obj:`.pth` or :obj:`.safetensors`
            file, in the names of this package or in published ones.
        averaged (bool, optional): Whether averaged weights are taken where a file holds both.
            (default: :obj:`True`)

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is not a state dict or is truncated.

    Example:
        >>> import torch
        >>> from pyg_vision.weights import describe_checkpoint
        >>> print(describe_checkpoint({"weight": torch.ones(2, 3)}))
        the state dict: 1 tensors of 6 values (float32)
          model: unknown
          first: weight [2, 3]
    """
    carried: dict[str, Any] = {}
    if isinstance(state_dict_or_path, Mapping):
        source, found = "the state dict", dict(state_dict_or_path)
    else:
        path = Path(state_dict_or_path)
        source, found = f"'{path}'", read_checkpoint(path)  # type: ignore[assignment]
        carried = read_config(path) or _trained_config(found)
    state, entry = find_state(found, source, averaged)
    importlib.import_module("pyg_vision.nn")  # where the families are
    # A file that says itself what it is was not published: it need not be hashed.
    tells = isinstance(state_dict_or_path, Mapping) or bool(carried)
    published = None if tells else known_weights(path)
    if published is not None:
        meta = published.meta
        carried = {"classes": meta["categories"], "input": meta.get("input", {})}
    model = carried.get("model")
    told = Described(carried.get("options", {}), carried.get("input", {}))
    for name, describe in _families.items() if model is None else ():
        if (described := describe(state)) is not None:
            model, told = name, described
            break
    if published is not None:
        # What neither names nor shapes tell.
        known = meta.get("options", {})
        hidden = {key: known[key] for key in ("layout", "padding", "window") if key in known}
        told = Described(told.options | hidden, told.input)
    return CheckpointInfo(
        source=source,
        model=model,
        options=told.options,
        input=carried.get("input") or told.input,
        classes=carried.get("classes"),
        entry=entry,
        num_tensors=len(state),
        num_values=sum(value.numel() for value in state.values()),
        dtypes=sorted({str(value.dtype).removeprefix("torch.") for value in state.values()}),
        names=[f"{name} {list(value.shape)}" for name, value in list(state.items())[:3]],
        looks_like=looks_like(state),
        state=state,
        multi_label=carried.get("multi_label", False),
        published=None if published is None else str(published),
    )
