r"""Files from the network: resumed, checked, and complete or absent."""

from __future__ import annotations

import hashlib
import os
import urllib.error
import urllib.request
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

import torch
from filelock import FileLock

CHUNK = 2**20
TIMEOUT = 30.0  # seconds without an answer


def download(url: str, sha256: str | None = None, progress: bool = True) -> Path:
    r"""Returns the file of an address in the cache of :mod:`torch.hub`, which is
    :obj:`checkpoints` in :func:`torch.hub.get_dir`.

    What an interrupted download has left is continued. The file has its name only once it is
    complete and has the right hash: the published one, or, where none is published, that of the
    first download, which is kept beside the file. In the latter case the name ends in the first
    digits of the hash of the address, since files of other addresses may have the same name.

    Args:
        url (str): The address.
        sha256 (str, optional): The hash of the file, or how it begins. (default: :obj:`None`)
        progress (bool, optional): Whether to show a progress bar. (default: :obj:`True`)

    Raises:
        ConnectionError: If the file is not there and the network does not give it.
        ValueError: If the file has another hash.
    """
    name = cache_name(url, sha256)
    path = Path(torch.hub.get_dir()) / "checkpoints" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    pin = path.with_name(f"{name}.sha256")
    with FileLock(path.with_name(f"{name}.lock")):
        if path.is_file():
            wanted = sha256 or (pin.read_text().strip() if pin.is_file() else None)
            found = file_digest(path)
            if wanted is not None and not found.startswith(wanted.lower()):
                raise ValueError(
                    f"'{path}' is not the file of '{url}': its SHA-256 is {found}, not {wanted}; "
                    f"delete it to download it again"
                )
        else:
            part = path.with_name(f"{name}.part")
            _fetch(url, part, path, progress)
            found = file_digest(part)
            wanted = sha256 or (pin.read_text().strip() if pin.is_file() else found)
            if not found.startswith(wanted.lower()):
                part.unlink()
                raise ValueError(
                    f"'{url}' is not the file that was published: its SHA-256 is {found}, not "
                    f"{wanted}"
                )
            os.replace(part, path)
        if sha256 is None and not pin.is_file():
            pin.write_text(f"{found}\n")
    return path


def cache_name(url: str, sha256: str | None = None) -> str:
    r"""Returns the name of the file of an address in the cache, see :func:`download`.

    Args:
        url (str): The address.
        sha256 (str, optional): The published hash of the file. (default: :obj:`None`)

    Raises:
        ValueError: If the address names no file.
    """
    name = Path(unquote(urlparse(url).path)).name
    if not name or name in (".", ".."):
        raise ValueError(f"'url' must end with the name of a file (got '{url}')")
    if sha256 is not None:
        return name
    place = hashlib.sha256(url.encode()).hexdigest()[:8]
    return f"{Path(name).stem}-{place}{Path(name).suffix}"


def _fetch(url: str, part: Path, path: Path, progress: bool) -> None:
    r"""Downloads what is still missing of a file."""
    start = part.stat().st_size if part.is_file() else 0
    request = urllib.request.Request(url, headers={"User-Agent": "pyg_vision"})
    if start > 0:
        request.add_header("Range", f"bytes={start}-")
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
            if getattr(answer, "status", None) != 206:  # not a part of it, but all
                start = 0
            _copy(answer, part, start, path.name, progress)
    except urllib.error.HTTPError as error:
        if error.code == 416 and start > 0:  # nothing is left: the part is all, or too long
            part.unlink()
            return _fetch(url, part, path, progress)
        raise ConnectionError(_no_network(url, path, error)) from error
    except (OSError, HTTPException) as error:
        raise ConnectionError(_no_network(url, path, error)) from error
    return None


def _copy(answer: Any, part: Path, start: int, name: str, progress: bool) -> None:
    left = answer.headers.get("Content-Length")
    total = start + int(left) if left is not None else None
    # As torch.hub, which has a bar of its own where there is no tqdm.
    bar = torch.hub.tqdm(  # type: ignore[attr-defined]
        total=total, initial=start, desc=name, unit="B", unit_scale=True, disable=not progress
    )
    with part.open("ab" if start else "wb") as file, bar:
        while chunk := answer.read(CHUNK):
            file.write(chunk)
            bar.update(len(chunk))
        size = file.tell()
    if total is not None and size != total:
        raise ConnectionError(f"{size} of {total} bytes came")


def file_digest(path: Path) -> str:
    r"""Returns the SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _no_network(url: str, path: Path, error: Exception) -> str:
    unanswered = isinstance(error, urllib.error.URLError) and not hasattr(error, "code")
    reason = error.reason if unanswered else error  # type: ignore[attr-defined]
    return (
        f"'{url}' could not be downloaded ({type(error).__name__}: {reason}); what came is kept "
        f"and continued next time, or put the file at '{path}'"
    )
