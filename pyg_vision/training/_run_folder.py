r"""The folder of a run: what was asked for, and how far it came."""

from __future__ import annotations

import json
import os
import platform
import shutil
import sys
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
import yaml

import pyg_vision
from pyg_vision.prediction import latest_checkpoint

CONFIG, ENVIRONMENT, RESULTS = "config.yaml", "environment.json", "results.json"
# What a configuration does not hold.
NOT_SAVED = ("run_dir", "overwrite", "config", "report")
# What may differ between a run and its continuation.
FREE = (*NOT_SAVED, "progress_bar", "checkpoint_steps", "checkpoint_seconds")


class RunError(RuntimeError):
    r"""A folder that cannot take a run.

    Example:
        >>> from pyg_vision.training import RunError
        >>> raise RunError("the run 'runs/digits' is finished")
        Traceback (most recent call last):
        ...
        pyg_vision.training._run_folder.RunError: the run 'runs/digits' is finished
    """


class RunFolder:
    r"""The folder of a run.

    It holds the resolved configuration, versions and command line before the first step, the
    checkpoints and the metrics meanwhile, and results at the end.

    Args:
        path (str or pathlib.Path): The folder.

    Example:
        >>> from pyg_vision.training import RunFolder
        >>> folder = RunFolder("runs/digits")
        >>> folder.prepare({"seed": 0}, command=["fit"])
        >>> folder.is_finished
        False
        >>> folder.checkpoint()  # there is nothing to go on from
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.checkpoints = self.path / "checkpoints"

    @property
    def is_finished(self) -> bool:
        r"""Whether the run came to its end."""
        return (self.path / RESULTS).exists()

    def config(self) -> dict[str, Any]:
        r"""Returns the configuration that the run was begun with.

        Raises:
            RunError: If this is the folder of no run.
        """
        try:
            found = yaml.safe_load((self.path / CONFIG).read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise RunError(f"'{self.path}' is the folder of no run") from error
        except yaml.YAMLError as error:
            raise RunError(f"'{self.path / CONFIG}' is no YAML file") from error
        if not isinstance(found, dict):
            raise RunError(f"'{self.path / CONFIG}' is no configuration")
        return found

    def prepare(
        self, config: Mapping[str, Any], command: Sequence[str], overwrite: bool = False
    ) -> None:
        r"""Takes the folder for a run, or for the rest of the one that is there.

        Args:
            config (dict): The resolved configuration.
            command (list of str): The command line.
            overwrite (bool, optional): Whether a run that is there is removed.
                (default: :obj:`False`)

        Raises:
            RunError: If another run is there, or a finished one, or other files.
        """
        if self.check(config, overwrite):
            return
        if overwrite and (self.path / CONFIG).exists():
            shutil.rmtree(self.path)
        self.checkpoints.mkdir(parents=True, exist_ok=True)
        environment = {
            "command": list(command),
            "python": platform.python_version(),
            "pyg_vision": pyg_vision.__version__,
            "torch": torch.__version__,
            "platform": platform.platform(),
            "threads": torch.get_num_threads(),
        }
        write_text(self.path / ENVIRONMENT, json.dumps(environment, indent=1))
        # Last, since it is what makes the folder that of a run.
        write_text(self.path / CONFIG, yaml.safe_dump(_plain(config), sort_keys=False))

    def check(self, config: Mapping[str, Any], overwrite: bool = False) -> bool:
        r"""Returns whether the folder holds the rest of a run to go on with, and changes nothing.

        Args:
            config (dict): The resolved configuration.
            overwrite (bool, optional): Whether a run that is there would be removed.
                (default: :obj:`False`)

        Raises:
            RunError: If another run is there, or a finished one, or other files.
        """
        if self.path.exists() and not self.path.is_dir():
            raise RunError(f"'{self.path}' is a file; choose another --run_dir")
        if not self.path.is_dir() or not any(self.path.iterdir()):
            return False
        if not (self.path / CONFIG).exists():
            if self._barely_begun():
                return False
            raise RunError(f"'{self.path}' holds files, but no run; choose another --run_dir")
        if overwrite:
            return False
        differences = compare(self.config(), config)
        if differences:
            raise RunError(
                f"'{self.path}' holds a run with another configuration: "
                f"{'; '.join(differences)}; choose another --run_dir, or --overwrite"
            )
        if self.is_finished:
            raise RunError(f"the run '{self.path}' is finished; --overwrite runs it again")
        return True

    def _barely_begun(self) -> bool:
        r"""Whether all that is there is what a run writes before its configuration."""
        names = {path.name for path in self.path.iterdir() if not path.name.endswith(".part")}
        return names <= {self.checkpoints.name, ENVIRONMENT} and not (
            self.checkpoints.is_dir() and any(self.checkpoints.iterdir())
        )

    def checkpoint(self) -> Path | None:
        r"""Returns the newest checkpoint that can be read, if there is one."""
        path, problems = latest_checkpoint(self.checkpoints)
        for problem in problems:
            then = f"going on from '{path}'" if path else "there is none before it"
            sys.stderr.write(f"warning: {problem}; {then}\n")
        return path

    def results(self) -> dict[str, Any]:
        r"""Returns the results of a finished run.

        Raises:
            RunError: If it is not finished.
        """
        try:
            found: dict[str, Any] = json.loads((self.path / RESULTS).read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise RunError(f"the run '{self.path}' is not finished") from error
        return found

    def finish(self, results: Mapping[str, Any]) -> None:
        r"""Writes the results, which end the run.

        Args:
            results (dict): Plain data.
        """
        write_text(self.path / RESULTS, json.dumps(results, indent=1))


def write_text(path: Path, text: str) -> None:
    r"""Writes a file as a whole.

    Args:
        path (pathlib.Path): The file.
        text (str): What it holds.

    Example:
        >>> from pathlib import Path
        >>> from pyg_vision.training._run_folder import write_text
        >>> write_text(Path("note.txt"), "hello")
        >>> Path("note.txt").read_text()
        'hello'
    """
    part = path.with_name(f".{path.name}.{uuid.uuid4().hex}.part")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def compare(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    r"""Returns in which respects two configurations differ, in dotted names.

    Args:
        old (dict): The one.
        new (dict): The other.

    Example:
        >>> from pyg_vision.training._run_folder import compare
        >>> compare({"model": {"lr": 0.1}}, {"model": {"lr": 0.2}})
        ['model.lr was 0.1, is 0.2']
    """
    a, b = _flat(_plain(old)), _flat(_plain(new))
    return [
        f"{key} was {a.get(key)!r}, is {b.get(key)!r}"
        for key in sorted({*a, *b})
        if a.get(key) != b.get(key) and key.partition(".")[0] not in FREE
    ]


def _flat(value: Any, prefix: str = "") -> dict[str, Any]:
    if not isinstance(value, dict) or not value:
        return {prefix: value}
    found: dict[str, Any] = {}
    for key, part in value.items():
        found |= _flat(part, f"{prefix}.{key}" if prefix else str(key))
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)
