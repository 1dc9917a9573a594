r"""Published checkpoints onto our models, every key accounted for."""

from __future__ import annotations

import logging
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import Module

from pyg_vision.typing import Adapt
from pyg_vision.weights._checkpoint import find_state, looks_like, read_checkpoint
from pyg_vision.weights.key_rules import KeyRules, adapt_input

logger = logging.getLogger("pyg_vision")


@dataclass
class LoadReport:
    r"""What became of every key of a published checkpoint and of a model.

    Args:
        loaded (dict): Published name to ours, for the tensors that were loaded.
        resampled (dict): Ours to the shapes before and after, for position parameters and for a
            first convolution that was adapted to other channels.
        skipped (dict): Published name to the reason it was left out.
        missing (list): Our names that the checkpoint does not have.
        checked (list): Published names of what is no parameter of ours, such as the graph of a
            skeleton, and was found to be equal.
        unused (list): Published names that the model does without, such as the tables of a bias
            that it computes.
        entry (str): Under which name the file held the weights, such as :obj:`"state_dict_ema"`,
            empty if under none.

    Example:
        >>> from pyg_vision.nn import ViG
        >>> from pyg_vision.weights import LoadReport
        >>> report = LoadReport(loaded={"prediction.0.weight": "head.0.weight"})
        >>> print(report)
        1 loaded, 0 of them resampled, 0 skipped, 0 missing
          prediction.0.weight -> head.0.weight
    """

    loaded: dict[str, str] = field(default_factory=dict)
    resampled: dict[str, str] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    checked: list[str] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)
    entry: str = ""

    def __str__(self) -> str:
        lines = [
            f"{len(self.loaded)} loaded, {len(self.resampled)} of them resampled, "
            f"{len(self.skipped)} skipped, {len(self.missing)} missing"
        ]
        if self.entry:
            lines.append(f"  from '{self.entry}'")
        lines += [f"  {old} -> {new}" for old, new in self.loaded.items()]
        lines += [f"  resampled {name}: {shapes}" for name, shapes in self.resampled.items()]
        lines += [f"  skipped {name}: {reason}" for name, reason in self.skipped.items()]
        lines += [f"  missing {name}" for name in self.missing]
        lines += [f"  equal {name}" for name in self.checked]
        lines += [f"  unused {name}" for name in self.unused]
        return "\n".join(lines)


def load_published(
    model: Module,
    state_dict_or_path: Mapping[str, Tensor] | str | PathLike[str],
    strict: bool = True,
    averaged: bool = True,
    adapt: Collection[Adapt] = (),
) -> LoadReport:
    r"""Loads a checkpoint of the published code into one of our models.

    * The names and layouts of `huawei-noah/Efficient-AI-Backbones
      <https://github.com/huawei-noah/Efficient-AI-Backbones>`_ (:obj:`vig_pytorch`) are mapped onto
      :class:`~pyg_vision.nn.ViG`, :class:`~pyg_vision.nn.PyramidViG` and their dense twins, and so
      are those of `mmpretrain <https://github.com/open-mmlab/mmpretrain>`_. Position parameters of
      another size are resampled.
    * Those of the authors of MobileViG, MobileViGv2, GreedyViG, AdaptViG and WiGNet are mapped onto
      the models of these names and their dense twins. A position encoding that was merged with the
      identity for inference is taken apart, and what depends on the size of an image is left out.
    * Those of `yysijie/st-gcn <https://github.com/yysijie/st-gcn>`_, one stream or two, and those
      of ST-GCN in `pyskl <https://github.com/kennymckormick/pyskl>`_ and mmaction2 are mapped onto
      :class:`~pyg_vision.nn.STGCN` or :class:`~pyg_vision.nn.DenseSTGCN`. The graph that they hold
      must be that of the model: for pyskl's NTU RGB+D, :obj:`layout="ntu_pyskl"`. Of pyskl's
      adaptive graphs, :obj:`"importance"`, its default for ST-GCN, is the one that a model has.

    What training scripts wrap around a state dict is taken off: entries such as
    :obj:`"state_dict"`, :obj:`"model"` or :obj:`"ema"` in any nesting, and prefixes of parallel and
    compiled models. Everything is checked before the model changes.

    Args:
        model (torch.nn.Module): The model.
        state_dict_or_path (dict or path): The published state dict, or a :obj:`.pth` or
            :obj:`.safetensors` file of it. Files are read without unpickling code.
        strict (bool, optional): If :obj:`False`, tensors that do not fit (such as a head of
            other classes) are skipped and reported instead of raised. (default: :obj:`True`)
        averaged (bool, optional): Whether weights averaged over the training, such as
            :obj:`"state_dict_ema"`, are taken where a file holds both; the report says which were.
            (default: :obj:`True`)
        adapt (list of str, optional): What of the model may be of other sizes than the checkpoint:
            :obj:`"input"` for the channels of an image, to which the first convolution is adapted
            as timm does it, and :obj:`"head"` for the classes, whose layer stays as it is.
            (default: nothing)

    Returns:
        LoadReport: What became of every key.

    Raises:
        FileNotFoundError: If there is no such file.
        TypeError: If no published checkpoint is known for the model.
        ValueError: If the file is not a state dict or is truncated, or, if strict, a key is
            missing, unknown or of the wrong shape; whether strict or not, if it is a state dict
            of this package, or of another model.

    Example:
        >>> import torch
        >>> from pyg_vision.nn import STGCN
        >>> from pyg_vision.weights import load_published
        >>> model = STGCN(in_channels=3, num_classes=10, edge_importance=False)
        >>> published = {  # such as torch.load("st_gcn.pth") would give
        ...     name.replace("blocks.", "st_gcn_networks.").replace(".gcn.", ".gcn.conv."): value
        ...     for name, value in model.state_dict().items()
        ... }
        >>> len(load_published(model, published).skipped)
        0
    """
    rules = getattr(model, "published", None)
    if not isinstance(rules, KeyRules):
        raise TypeError(f"no published checkpoint is known for a {type(model).__name__}")
    source = "the state dict"
    if isinstance(state_dict_or_path, Mapping):
        found: object = dict(state_dict_or_path)
    else:
        source = f"'{Path(state_dict_or_path)}'"
        found = read_checkpoint(Path(state_dict_or_path))
    state, entry = find_state(found, source, averaged)

    _refuse_own(model, model.state_dict(), state, source)
    return load_by_rules(model, state, rules, source, entry, strict, adapt)


def load_by_rules(
    model: Module,
    state: Mapping[str, Tensor],
    rules: KeyRules,
    source: str = "the state dict",
    entry: str = "",
    strict: bool = True,
    adapt: Collection[Adapt] = (),
) -> LoadReport:
    r"""Loads tensors whose names the rules map onto those of a model.

    Args:
        model (torch.nn.Module): The model.
        state (dict): The tensors.
        rules (KeyRules): The rules.
        source (str, optional): What errors call the tensors. (default: :obj:`"the state dict"`)
        entry (str, optional): Under which name they were. (default: none)
        strict (bool, optional): As for :func:`load_published`. (default: :obj:`True`)
        adapt (list of str, optional): As for :func:`load_published`. (default: nothing)
    """
    report = LoadReport(entry=entry)
    own = model.state_dict()
    mapped: dict[str, Tensor] = {}
    constants = rules.constants(model)
    for name, value in state.items():
        if (expected := _constant(name, constants)) is not None:
            if _equal(value, expected):
                report.checked.append(name)
            else:
                report.skipped[name] = (
                    "it is the graph of another layout or partition strategy than the model's"
                )
            continue
        new = rules.rename(name)
        if new is None or new not in own:
            if new is not None and any(re.search(pattern, name) for pattern in rules.unused):
                report.unused.append(name)
                continue
            report.skipped[name] = "unknown" if new is None else f"the model has no '{new}'"
            continue
        value = rules.adjust(name, value)
        fitted = rules.fit(new, value, own[new])
        if fitted is None:
            fitted = rules.resampled(new, value, own[new])
            if fitted is None and "input" in adapt and new == rules.first:
                fitted = _with_input(value, own[new])
            if fitted is not None:
                report.resampled[new] = f"{list(value.shape)} -> {list(own[new].shape)}"
        if fitted is None:
            report.skipped[name] = (
                f"shape {list(value.shape)} does not fit '{new}' of shape {list(own[new].shape)}"
            )
            continue
        mapped[new] = fitted
        report.loaded[name] = new
    report.missing = [name for name in own if name not in mapped]

    if 2 * len(mapped) < len(own):
        looks = looks_like(state)
        what = f"; it looks like a checkpoint of {looks}" if looks else ""
        raise ValueError(
            f"{source} is no checkpoint of {type(model).__name__}: {len(mapped)} of its "
            f"{len(state)} tensors fit, the model has {len(own)} (first of the file: "
            f"{', '.join(list(state)[:3])}){what}"
        )
    left = [name for name in (*report.skipped, *report.missing) if not _of_head(name, rules, adapt)]
    if strict and left:
        problems = [f"{name}: {report.skipped.get(name, 'missing')}" for name in left]
        shown = "; ".join(problems[:5]) + (" …" if len(problems) > 5 else "")
        raise ValueError(
            f"{source} does not fit {type(model).__name__}: {len(report.skipped)} keys skipped, "
            f"{len(report.missing)} missing ({shown}); strict=False loads what fits"
        )
    model.load_state_dict(mapped, strict=False)
    return report


def log_report(report: LoadReport, source: str) -> None:
    r"""Logs what was resampled, and what was left out of a model.

    Args:
        report (LoadReport): The report.
        source (str): The file.
    """
    for name, shapes in report.resampled.items():
        logger.info("%s: resampled %s: %s", source, name, shapes)
    for name, reason in report.skipped.items():
        logger.info("%s: left out %s: %s", source, name, reason)


def _with_input(value: Tensor, own: Tensor) -> Tensor | None:
    adapted = adapt_input(value, own.size(1)) if value.dim() == own.dim() == 4 else value
    return adapted if adapted.shape == own.shape else None


def _of_head(name: str, rules: KeyRules, adapt: Collection[Adapt]) -> bool:
    r"""Returns whether a published name or ours belongs to a head that may be another."""
    if "head" not in adapt or not rules.head:
        return False
    return (rules.rename(name) or name).startswith(rules.head)


def _refuse_own(
    model: Module, own: Mapping[str, Tensor], state: Mapping[str, Tensor], source: str
) -> None:
    r"""Raises if a state dict has our names, which need no mapping."""
    if 2 * sum(name in own for name in state) > len(state):
        raise ValueError(
            f"{source} is pyg_vision's own state dict of a {type(model).__name__}; use "
            f"model.load_state_dict"
        )


def _constant(name: str, constants: Mapping[str, Tensor]) -> Tensor | None:
    return next((value for pattern, value in constants.items() if re.search(pattern, name)), None)


def _equal(value: Tensor, expected: Tensor) -> bool:
    return value.shape == expected.shape and torch.allclose(
        value.float().cpu(), expected, rtol=1e-4, atol=1e-6
    )
