"""Resident memory of a whole model, in a process that runs nothing else."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from functools import partial
from pathlib import Path

import torch

import pyg_vision
from pyg_vision._benchmarks.core import Case, Options
from pyg_vision._benchmarks.environment import ROOT

# Processes at a time. They are not timed, and most of their time is the start of Python.
WORKERS = 2


def measure(
    suite: str, case: Case, contenders: Sequence[str], options: Options
) -> dict[str, int | None]:
    """Returns the peak resident bytes of processes that each run one contender once."""
    job = partial(_measure_one, suite, case, options)
    with ThreadPoolExecutor(WORKERS) as pool:
        return dict(zip(contenders, pool.map(job, contenders), strict=True))


def _measure_one(suite: str, case: Case, options: Options, contender: str) -> int | None:
    job = {
        "suite": suite,
        "case": asdict(case),
        "contender": contender,
        "options": {**options.as_dict(), "suites": [suite]},
    }
    command = [
        sys.executable,
        "-W",
        "ignore",
        "-m",
        "pyg_vision._benchmarks.resident",
        json.dumps(job),
    ]
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {**os.environ, "PYTHONPATH": path}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    return int(done.stdout) if done.returncode == 0 else None


def peak_resident() -> int:
    """Returns the most memory this process ever held, in bytes."""
    status = Path("/proc/self/status")
    if status.is_file():
        # Not ru_maxrss where this is at hand: a process inherits that from its parent.
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def main(argument: str) -> None:
    """Runs the job that :func:`_measure_one` describes and prints the peak."""
    from pyg_vision._benchmarks.suites import SUITES

    job = json.loads(argument)
    fields = job["options"]
    options = Options(**{**fields, "out": Path(fields["out"])})
    torch.set_num_threads(options.threads)
    suite = SUITES[job["suite"]]
    if suite.alone is None:
        raise ValueError(f"suite '{suite.name}' runs no contender alone")
    with pyg_vision.set_validation(False):
        suite.alone(suite.case_type(**job["case"]), options, job["contender"])()
    sys.stdout.write(f"{peak_resident()}\n")


if __name__ == "__main__":
    main(sys.argv[1])
