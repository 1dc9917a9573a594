r"""Which files of a dataset can be read: looked at once, in parallel, and remembered."""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import torch
from torch.utils.data import DataLoader, Dataset

import pyg_vision

logger = logging.getLogger(__name__)

# Fewer files than this are read before a process could be started for them.
_WORTH_WORKERS = 512
_CHUNK = 64
# An entry: size and time of the file when it was read, and what was wrong with it.
Entry = tuple[int, int, str]

ABSENT = "there is no such file"


class _Checks(Dataset[tuple[int, str]]):
    r"""The items as a dataset of what is wrong with each, for the workers of a loader."""

    def __init__(self, items: Sequence[Any], check: Callable[[Any], str]) -> None:
        self.items = items
        self.check = check

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> tuple[int, str]:
        return index, self.check(self.items[index])


def find_problems(
    items: Sequence[Any],
    stamp: Callable[[Any], tuple[str, str]],
    check: Callable[[Any], str],
    identity: str,
) -> list[str]:
    r"""Returns what is wrong with each item, nothing for those that are sound.

    What was found is kept in the user's cache folder and holds as long as size and time of a file
    stay the same.

    Args:
        items (list): The items.
        stamp (Callable): Returns the name of an item and its file.
        check (Callable): Reads an item, and returns what is wrong with it.
        identity (str): Tells datasets apart that read the same files in other ways.
    """
    if items and not os.path.isabs(stamp(items[0])[1]):
        identity += f"|{os.getcwd()}"  # where such paths begin
    place = _place(identity)
    known = _load(place)
    problems = [ABSENT] * len(items)
    unknown: list[tuple[int, str, int, int]] = []
    path, now = None, None
    for i, item in enumerate(items):
        key, file = stamp(item)
        if file != path:  # many sequences may come from one file
            path, now = file, _stat(file)
        if now is None:
            continue
        entry = known.get(key)
        if entry is not None and entry[0] == now.st_size and entry[1] == now.st_mtime_ns:
            problems[i] = entry[2]
        else:
            unknown.append((i, key, now.st_size, now.st_mtime_ns))
    if unknown:
        for position, problem in _check_all([items[i] for i, *_ in unknown], check):
            i, key, size, time = unknown[position]
            problems[i] = problem
            known[key] = (size, time, problem)
        _save(place, known)
    return problems


def _check_all(items: list[Any], check: Callable[[Any], str]) -> list[tuple[int, str]]:
    from tqdm.auto import tqdm

    workers = 0 if len(items) < _WORTH_WORKERS else min(os.cpu_count() or 1, 16)
    loader = DataLoader(
        _Checks(items, check),
        batch_size=_CHUNK,
        num_workers=workers,
        collate_fn=list,
        # Else it would draw from the random numbers of the training.
        generator=torch.Generator(),
    )
    found: list[tuple[int, str]] = []
    # Shown on a terminal only.
    disable = None if workers else True
    with tqdm(total=len(items), desc="checking files", unit="file", disable=disable) as bar:
        for part in loader:
            found += part
            bar.update(len(part))
    return found


def cache_folder() -> Path:
    r"""Returns where the package keeps what it can make again: :obj:`$PYG_VISION_CACHE`, or
    :obj:`pyg_vision` in the user's cache folder.
    """
    given = os.environ.get("PYG_VISION_CACHE")
    if given:
        return Path(given)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pyg_vision"


def _place(identity: str) -> Path:
    name = f"{pyg_vision.__version__}|{identity}"
    return cache_folder() / "files" / f"{hashlib.sha256(name.encode()).hexdigest()[:32]}.json"


def _stat(path: str) -> os.stat_result | None:
    try:
        return os.stat(path)
    except OSError:
        return None


def _load(place: Path) -> dict[str, Entry]:
    try:
        value = json.loads(place.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(value, dict):
        return {}
    return {key: entry for key, entry in value.items() if _is_entry(entry)}


def _is_entry(entry: object) -> bool:
    if type(entry) is not list or len(entry) != 3:
        return False
    size, time, problem = entry
    return type(size) is int and type(time) is int and type(problem) is str


def _save(place: Path, known: dict[str, Entry]) -> None:
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(
            "w", encoding="utf-8", dir=place.parent, suffix=".tmp", delete=False
        ) as file:
            json.dump(known, file)
        os.replace(file.name, place)
    except OSError as error:  # a disk that is full or read-only costs time, not the dataset
        logger.warning("could not remember which files are sound in '%s': %s", place, error)
