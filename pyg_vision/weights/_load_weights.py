r"""Weights from a file, in our names or in published ones."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from os import PathLike
from pathlib import Path

from torch import Tensor
from torch.nn import Module

from pyg_vision.typing import Adapt
from pyg_vision.weights._checkpoint import find_state, read_checkpoint
from pyg_vision.weights._load_published import LoadReport, load_by_rules, load_published
from pyg_vision.weights.key_rules import KeyRules


def read_weights(path: str | PathLike[str], averaged: bool = True) -> dict[str, Tensor]:
    r"""Returns the tensors of a checkpoint, out of the wrappers that training scripts save.

    Args:
        path (str or path): A :obj:`.pth` or :obj:`.safetensors` file.
        averaged (bool, optional): Whether averaged weights are taken where there are both.
            (default: :obj:`True`)

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it holds no state dict, or is truncated.

    Example:
        >>> import torch
        >>> from pyg_vision.weights import read_weights
        >>> torch.save({"state_dict": {"weight": torch.ones(2)}}, "toy_weights.pth")
        >>> read_weights("toy_weights.pth")
        {'weight': tensor([1., 1.])}
    """
    path = Path(path)
    return find_state(read_checkpoint(path), f"'{path}'", averaged).state


def load_weights(
    model: Module,
    state_dict_or_path: Mapping[str, Tensor] | str | PathLike[str],
    averaged: bool = True,
    adapt: Collection[Adapt] = (),
) -> LoadReport:
    r"""Loads a checkpoint into a model, whether it has the names of this package or published ones.

    Args:
        model (torch.nn.Module): The model.
        state_dict_or_path (dict or path): What :func:`read_weights` returned, or a :obj:`.pth` or
            :obj:`.safetensors` file.
        averaged (bool, optional): Whether averaged weights are taken where there are both.
            (default: :obj:`True`)
        adapt (list of str, optional): What of the model may be of other sizes than a published
            checkpoint, see :func:`load_published`. (default: nothing)

    Returns:
        LoadReport: What became of every key.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it does not fit the model.

    Example:
        >>> import torch
        >>> from pyg_vision.nn import STGCN
        >>> from pyg_vision.weights import load_weights
        >>> model = STGCN(in_channels=3, num_classes=10)
        >>> torch.save(model.state_dict(), "toy_stgcn.pth")
        >>> load_weights(model, "toy_stgcn.pth").skipped
        {}
    """
    if isinstance(state_dict_or_path, Mapping):
        state, source = dict(state_dict_or_path), "the state dict"
    else:
        state, source = read_weights(state_dict_or_path, averaged), f"'{state_dict_or_path}'"
    own = model.state_dict()
    rules = getattr(model, "published", None)
    if isinstance(rules, KeyRules) and 2 * sum(name in own for name in state) > len(state):
        # Sizes may differ as those of a published checkpoint may.
        return load_by_rules(model, state, replace(rules, rename=str), source, adapt=adapt)
    if state.keys() != own.keys():
        return load_published(model, state, averaged=averaged, adapt=adapt)
    try:
        model.load_state_dict(state)
    except RuntimeError as error:
        reason = str(error).strip().splitlines()[-1].strip()
        raise ValueError(f"{source} does not fit {type(model).__name__}: {reason}") from error
    return LoadReport(loaded={name: name for name in state})
