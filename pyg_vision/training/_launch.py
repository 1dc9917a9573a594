r"""What several processes that were launched together agree on before they can talk."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from typing import Any

from pyg_vision.training._run_folder import RunError, RunFolder, write_text

READY = ".ready"
# How long the others wait for the first process, which may remove an older run.
PATIENCE = 600.0


def rank() -> int:
    r"""Returns which process this is, of all that were launched."""
    for name in ("RANK", "SLURM_PROCID", "LOCAL_RANK"):
        if os.environ.get(name, "").isdigit():
            return int(os.environ[name])
    return 0


def launch_token() -> str | None:
    r"""Returns what names a launch of several processes by torchrun or SLURM, :obj:`None` for one
    process, or for those that Lightning starts, which come after the folder was prepared.
    """
    get = os.environ.get
    if "RANK" in os.environ and int(get("WORLD_SIZE", "1")) > 1:
        restart = get("TORCHELASTIC_RESTART_COUNT", "0")
        return f"{get('TORCHELASTIC_RUN_ID')} {get('MASTER_ADDR')} {get('MASTER_PORT')} {restart}"
    if int(get("SLURM_NTASKS", "1")) > 1 and "SLURM_PROCID" in os.environ:
        return f"{get('SLURM_JOB_ID')} {get('SLURM_STEP_ID')} {get('SLURM_RESTART_COUNT', '0')}"
    return None


def is_restart() -> bool:
    r"""Whether the same command was started before, by who launches it."""
    counts = ("SLURM_RESTART_COUNT", "TORCHELASTIC_RESTART_COUNT")
    return any(os.environ.get(name, "0") not in ("", "0") for name in counts)


def prepare(
    folder: RunFolder, config: Mapping[str, Any], command: Sequence[str], overwrite: bool
) -> None:
    r"""Lets the first process prepare the folder of a run, and the others wait for it.

    Args:
        folder (RunFolder): The folder.
        config (dict): The resolved configuration.
        command (list of str): The command line.
        overwrite (bool): Whether a run that is there is removed; not by a command that is
            started again.

    Raises:
        RunError: If the folder cannot take the run, or the first process does not prepare it.
    """
    token = launch_token()
    if rank() == 0:
        folder.prepare(config, command, overwrite and not is_restart())
        if token is not None:
            write_text(folder.path / READY, token)
        return
    end = time.monotonic() + PATIENCE
    while token is not None:
        try:
            if (folder.path / READY).read_text(encoding="utf-8") == token:
                return
        except OSError:
            pass  # not there yet
        if time.monotonic() > end:
            raise RunError(f"the first process did not prepare '{folder.path}' in {PATIENCE:.0f} s")
        time.sleep(0.1)
