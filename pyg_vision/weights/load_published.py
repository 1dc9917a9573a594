r"""Published checkpoints onto our models, every key accounted for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import Module

from pyg_vision.nn.models.st_gcn import STGCN
from pyg_vision.nn.models.vig import ViG
from pyg_vision.weights._family import Family
from pyg_vision.weights._st_gcn import ST_GCN
from pyg_vision.weights._vig import VIG

FAMILIES: tuple[tuple[type[Module], Family], ...] = ((ViG, VIG), (STGCN, ST_GCN))


@dataclass
class LoadReport:
    r"""What became of every key of a published checkpoint and of a model.

    Args:
        loaded (dict): Published name to ours, for the tensors that were loaded.
        resampled (dict): Ours to the shapes before and after, for position embeddings.
        skipped (dict): Published name to the reason it was left out.
        missing (list): Our names that the checkpoint does not have.
        checked (list): Published names of what is no parameter of ours, such as the graph of a
            skeleton, and was found to be equal.
    """

    loaded: dict[str, str] = field(default_factory=dict)
    resampled: dict[str, str] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    checked: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        lines = [
            f"{len(self.loaded)} loaded, {len(self.resampled)} of them resampled, "
            f"{len(self.skipped)} skipped, {len(self.missing)} missing"
        ]
        lines += [f"  {old} -> {new}" for old, new in self.loaded.items()]
        lines += [f"  resampled {name}: {shapes}" for name, shapes in self.resampled.items()]
        lines += [f"  skipped {name}: {reason}" for name, reason in self.skipped.items()]
        lines += [f"  missing {name}" for name in self.missing]
        lines += [f"  equal {name}" for name in self.checked]
        return "\n".join(lines)


def load_published(
    model: Module,
    state_dict_or_path: Mapping[str, Tensor] | str | PathLike[str],
    strict: bool = True,
) -> LoadReport:
    r"""Loads a checkpoint of the published code into one of our models.

    * The names and layouts of `huawei-noah/Efficient-AI-Backbones
      <https://github.com/huawei-noah/Efficient-AI-Backbones>`_ (:obj:`vig_pytorch`) are mapped onto
      :class:`~pyg_vision.nn.ViG` or :class:`~pyg_vision.nn.DenseViG`. A position embedding of
      another size is resampled.
    * Those of `yysijie/st-gcn <https://github.com/yysijie/st-gcn>`_, one stream or two, and those
      of ST-GCN in `pyskl <https://github.com/kennymckormick/pyskl>`_ and mmaction2 are mapped onto
      :class:`~pyg_vision.nn.STGCN` or :class:`~pyg_vision.nn.DenseSTGCN`. The graph that they hold
      must be that of the model: for pyskl's NTU RGB+D, :obj:`layout="ntu_pyskl"`. Of pyskl's
      adaptive graphs, :obj:`"importance"`, its default for ST-GCN, is the one that a model has.

    Everything is checked before the model changes.

    Args:
        model (torch.nn.Module): The model.
        state_dict_or_path (dict or path): The published state dict, or a :obj:`.pth` or
            :obj:`.safetensors` file of it. Files are read without unpickling code.
        strict (bool, optional): If :obj:`False`, tensors that do not fit (such as a head of
            other classes) are skipped and reported instead of raised. (default: :obj:`True`)

    Returns:
        LoadReport: What became of every key.

    Raises:
        FileNotFoundError: If there is no such file.
        TypeError: If no published checkpoint is known for the model.
        ValueError: If the file is not a state dict or is truncated, or, if strict, a key is
            missing, unknown or of the wrong shape.
    """
    family = _family_of(model)
    source = "the state dict"
    if isinstance(state_dict_or_path, Mapping):
        state = dict(state_dict_or_path)
    else:
        source = f"'{Path(state_dict_or_path)}'"
        state = _unwrap(_read(Path(state_dict_or_path)), source)
    state = _unwrap(state, source)

    report = LoadReport()
    own = model.state_dict()
    mapped: dict[str, Tensor] = {}
    constants = family.constants(model)
    for name, value in state.items():
        if (expected := _constant(name, constants)) is not None:
            if _equal(value, expected):
                report.checked.append(name)
            else:
                report.skipped[name] = (
                    "it is the graph of another layout or partition strategy than the model's"
                )
            continue
        new = family.rename(name)
        if new is None or new not in own:
            report.skipped[name] = "unknown" if new is None else f"the model has no '{new}'"
            continue
        fitted = family.fit(new, value, own[new])
        if fitted is None:
            fitted = family.resampled(new, value, own[new])
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

    if strict and (report.skipped or report.missing):
        problems = [f"{name}: {reason}" for name, reason in report.skipped.items()]
        problems += [f"{name}: missing" for name in report.missing]
        shown = "; ".join(problems[:5]) + (" …" if len(problems) > 5 else "")
        raise ValueError(
            f"{source} does not fit {type(model).__name__}: {len(report.skipped)} keys skipped, "
            f"{len(report.missing)} missing ({shown}); strict=False loads what fits"
        )
    if not mapped:
        raise ValueError(f"no key of {source} fits {type(model).__name__}")
    model.load_state_dict(mapped, strict=False)
    return report


def _family_of(model: Module) -> Family:
    for kind, family in FAMILIES:
        if isinstance(model, kind):
            return family
    raise TypeError(f"no published checkpoint is known for a {type(model).__name__}")


def _constant(name: str, constants: Mapping[str, Tensor]) -> Tensor | None:
    return next((value for pattern, value in constants.items() if re.search(pattern, name)), None)


def _equal(value: Tensor, expected: Tensor) -> bool:
    return value.shape == expected.shape and torch.allclose(
        value.float().cpu(), expected, rtol=1e-4, atol=1e-6
    )


def _read(path: Path) -> object:
    if not path.is_file():
        raise FileNotFoundError(f"there is no checkpoint '{path}'")
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            return load_file(path)
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as e:  # every reader has exceptions of its own for a broken file
        raise ValueError(
            f"'{path}' could not be read as a checkpoint of tensors; it is truncated, of another "
            f"format, or holds more than tensors ({type(e).__name__}: {e})"
        ) from e


def _unwrap(value: object, source: str) -> dict[str, Tensor]:
    r"""Returns the tensors, out of the wrappers that training scripts save."""
    if isinstance(value, Mapping):
        for key in ("state_dict", "model", "state_dict_ema"):
            if isinstance(value.get(key), Mapping):
                return _unwrap(value[key], source)
        if value and all(isinstance(v, Tensor) for v in value.values()):
            return {str(k).removeprefix("module."): v for k, v in value.items()}
        wrong = [str(k) for k, v in value.items() if not isinstance(v, Tensor)]
        if value:
            raise ValueError(f"{source} holds entries that are no tensors: {wrong[:5]}")
    raise ValueError(f"{source} holds no state dict (got '{type(value).__name__}')")
