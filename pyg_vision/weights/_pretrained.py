r"""Models from a file alone."""

from __future__ import annotations

import importlib
import json
import os
import uuid
from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from torch import Tensor
from torch.nn import Module

from pyg_vision.weights._checkpoint import CONFIG_ENTRY, read_config
from pyg_vision.weights._families import describe_checkpoint


def from_published(
    state_dict_or_path: Mapping[str, Tensor] | str | PathLike[str],
    averaged: bool = True,
    **options: Any,
) -> Module:
    r"""Returns the model of a checkpoint, which is told from its names and shapes.

    Family, sizes, classes, channels and size of the images and, but for one case, the convolution
    are told; the model is built and loaded strictly. With other :obj:`num_classes` the head is a
    new one, with other :obj:`in_channels` the first convolution is adapted, and with another
    :obj:`image_size` position parameters are resampled, which is logged.

    Names and shapes are the same for :obj:`conv="mr"`, which all released checkpoints of Vision GNN
    have, and :obj:`conv="edge"`; give the latter for a checkpoint of it. So are those of any number
    of neighbours :obj:`k` and of most activations.

    Args:
        state_dict_or_path (dict or path): A state dict, or a :obj:`.pth` or :obj:`.safetensors`
            file, in published names or in ours.
        averaged (bool, optional): Whether averaged weights are taken where a file holds both.
            (default: :obj:`True`)
        **options (optional): Arguments of the model, in place of what the file tells.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is of no known model, or does not fit the options.

    Example:
        >>> from pyg_vision.nn import ViG
        >>> from pyg_vision.weights import from_published
        >>> published = {  # such as torch.load("vig_ti_74.5.pth") would give
        ...     name.replace("stem.", "stem.convs.").replace("head.", "prediction.")
        ...     .replace(".grapher.conv.", ".0.graph_conv.gconv.").replace(".grapher.", ".0.")
        ...     .replace(".ffn.", ".1.").replace("blocks.", "backbone."): value
        ...     for name, value in ViG(channels=16, depth=1, image_size=64).state_dict().items()
        ... }
        >>> model = from_published(published)
        >>> model.channels, model.depth, model.image_size
        (16, 1, Size2D(height=64, width=64))
    """
    return describe_checkpoint(state_dict_or_path, averaged).build(**options)


def from_pretrained(path: str | PathLike[str], **options: Any) -> Module:
    r"""Returns the model of a file that :func:`convert` wrote, which says how it was built.

    Args:
        path (str or path): The :obj:`.safetensors` file.
        **options (optional): Arguments of the model, in place of those in the file.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file does not say how its model is built, or does not fit it.

    Example:
        >>> from pyg_vision.nn import ViG
        >>> from pyg_vision.weights import convert, from_pretrained
        >>> state = ViG(channels=16, depth=1, num_classes=2, image_size=64).state_dict()
        >>> path = convert(state, "toy_vig.safetensors", classes=["cat", "dog"])
        >>> from_pretrained(path).num_classes
        2
    """
    info = describe_checkpoint(path)
    if read_config(Path(path)) is None:
        raise ValueError(
            f"'{path}' does not say how its model is built; from_published tells it from names and "
            f"shapes"
        )
    return info.build(**options)


def convert(
    state_dict_or_path: Mapping[str, Tensor] | str | PathLike[str],
    out: str | PathLike[str],
    classes: Sequence[str] | None = None,
    averaged: bool = True,
    multi_label: bool | None = None,
    input: Mapping[str, Any] | None = None,
    **options: Any,
) -> Path:
    r"""Writes a :obj:`.safetensors` file in our names that carries the configuration of its model,
    its preprocessing and the names of its classes, and returns its path.

    Args:
        state_dict_or_path (dict or path): What :func:`from_published` takes.
        out (str or path): The file to write; there is never a part of one.
        classes (list of str, optional): The names of the classes. (default: those that the file
            names, if it does)
        averaged (bool, optional): Whether averaged weights are taken where a file holds both.
            (default: :obj:`True`)
        multi_label (bool, optional): Whether an image has any number of the classes.
            (default: what the file says, if not :obj:`False`)
        input (dict, optional): What is done to an input, in plain data, see
            :meth:`pyg_vision.prediction.TrainedModel.of`. (default: what the file says)
        **options (optional): Arguments of the model, in place of what the file tells.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is of no known model, does not fit the options, has another number of
            classes, or the input is of no known kind.

    Example:
        >>> from pyg_vision.nn import ViG
        >>> from pyg_vision.weights import convert, describe_checkpoint
        >>> state = ViG(channels=16, depth=1, num_classes=2, image_size=64).state_dict()
        >>> info = describe_checkpoint(convert(state, "toy_vig.safetensors", ["cat", "dog"]))
        >>> info.classes
        ['cat', 'dog']
    """
    from safetensors.torch import save_file

    out = Path(out)
    if out.suffix != ".safetensors":
        raise ValueError(f"'out' must end with .safetensors (got '{out}')")
    info = describe_checkpoint(state_dict_or_path, averaged)
    model = info.build(**options)
    count = getattr(model, "num_classes", None)
    if classes is not None and len(classes) != count:
        raise ValueError(f"the model has {count} classes (got {len(classes)} names)")
    if classes is None and info.classes is not None and len(info.classes) == count:
        classes = info.classes
    if input is not None:  # tried, before a file says it
        trained = importlib.import_module("pyg_vision.prediction").TrainedModel
        trained.of(model, classes, input)
    config = {
        "model": info.model,
        "options": info.options | options,
        "input": info.input if input is None else dict(input),
        "classes": None if classes is None else list(classes),
        "multi_label": info.multi_label if multi_label is None else multi_label,
    }
    part = out.with_name(f".{out.name}.{uuid.uuid4().hex}.part")
    out.parent.mkdir(parents=True, exist_ok=True)
    try:
        tensors = {name: value.contiguous() for name, value in model.state_dict().items()}
        save_file(tensors, part, metadata={CONFIG_ENTRY: json.dumps(config)})
        os.replace(part, out)
    finally:
        part.unlink(missing_ok=True)
    return out
