r"""Checkpoints of a training: whole or absent, and read without running code in them."""

from __future__ import annotations

import os
import pickle
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

LAST_CHECKPOINT, PREVIOUS_CHECKPOINT = "last.ckpt", "previous.ckpt"


class CheckpointError(RuntimeError):
    r"""A checkpoint that cannot be written or read.

    Example:
        >>> from pyg_vision.prediction import CheckpointError
        >>> raise CheckpointError("cannot read 'last.ckpt'")
        Traceback (most recent call last):
        ...
        pyg_vision.prediction._checkpoint.CheckpointError: cannot read 'last.ckpt'
    """


class NoTrainingError(CheckpointError):
    r"""A file that can be read, but is no checkpoint of a training."""


def write_checkpoint(checkpoint: Mapping[str, Any], path: str | os.PathLike[str]) -> None:
    r"""Writes a checkpoint under another name, then renames it: there is never a part of one.

    Args:
        checkpoint (dict): Tensors and plain data.
        path (str or pathlib.Path): The file.

    Raises:
        CheckpointError: If it cannot be written; an older one of that name stays as it is.

    Example:
        >>> import torch
        >>> from pyg_vision.prediction import read_checkpoint, write_checkpoint
        >>> write_checkpoint({"state_dict": {"weight": torch.ones(2)}}, "last.ckpt")
        >>> read_checkpoint("last.ckpt")["state_dict"]
        {'weight': tensor([1., 1.])}
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{uuid.uuid4().hex}.part")
    try:
        with part.open("wb") as file:
            torch.save(dict(checkpoint), file)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except (OSError, RuntimeError) as error:  # RuntimeError: torch's of a file that ends
        raise CheckpointError(
            f"cannot write the checkpoint '{path}' ({_line(error)}); what was there before is as it"
            f" was"
        ) from error
    finally:
        part.unlink(missing_ok=True)


def read_checkpoint(
    path: str | os.PathLike[str], map_location: Any = "cpu", mmap: bool = False
) -> dict[str, Any]:
    r"""Reads a checkpoint, of which nothing is run.

    Args:
        path (str or pathlib.Path): The file.
        map_location (torch.device, optional): Where tensors go. (default: the CPU)
        mmap (bool, optional): Whether tensors stay in the file until they are used, as suits who
            wants the rest. (default: :obj:`False`)

    Raises:
        CheckpointError: If there is none, or it is truncated or something else.

    Example:
        >>> import torch
        >>> from pyg_vision.prediction import read_checkpoint, write_checkpoint
        >>> write_checkpoint({"state_dict": {"weight": torch.zeros(1)}}, "toy.ckpt")
        >>> read_checkpoint("toy.ckpt")
        {'state_dict': {'weight': tensor([0.])}}
    """
    try:
        found = torch.load(path, map_location=map_location, weights_only=True, mmap=mmap)
    except FileNotFoundError as error:
        raise CheckpointError(f"there is no checkpoint '{path}'") from error
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError, ValueError) as error:
        raise CheckpointError(
            f"'{path}' cannot be read as a checkpoint; it is truncated or something else "
            f"({_line(error)})"
        ) from error
    if not isinstance(found, dict) or "state_dict" not in found:
        raise NoTrainingError(f"'{path}' is no checkpoint of a training")
    return found


def _line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def latest_checkpoint(folder: str | os.PathLike[str]) -> tuple[Path | None, list[str]]:
    r"""Returns the newest readable checkpoint of a run, and what is wrong with newer ones.

    Args:
        folder (str or pathlib.Path): The folder of checkpoints.

    Example:
        >>> from pyg_vision.prediction import latest_checkpoint
        >>> latest_checkpoint("no_such_folder")
        (None, [])
    """
    problems = []
    for name in (LAST_CHECKPOINT, PREVIOUS_CHECKPOINT):
        path = Path(folder) / name
        if not path.exists():
            continue
        try:
            read_checkpoint(path)
        except CheckpointError as error:
            problems.append(str(error))
        else:
            return path, problems
    return None, problems
