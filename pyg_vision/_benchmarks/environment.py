"""Where and with what a run was made."""

from __future__ import annotations

import datetime
import functools
import os
import platform
import subprocess
import sys
import time
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import torch

from pyg_vision._benchmarks.core import Options

ROOT = Path(__file__).resolve().parents[2]
# What turns AVX-512 off, in torch, oneDNN, MKL and numpy. All read it when they are loaded.
AVX2 = {
    "ATEN_CPU_CAPABILITY": "avx2",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "MKL_ENABLE_INSTRUCTIONS": "AVX2",
    "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR",
}
PACKAGES = ("torch-geometric", "torch-cluster", "torch-scatter", "pyg-lib", "triton")


def describe_machine(options: Options) -> dict[str, Any]:
    is_cuda = options.device == "cuda"
    return {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "commit": git_commit(),
        "python": platform.python_version(),
        "packages": {"torch": torch.__version__, **{name: _version(name) for name in PACKAGES}},
        "platform": platform.platform(),
        "cpu": cpu_model(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "instruction_sets": instruction_sets(),
        "load_average": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        "device": torch.cuda.get_device_name() if is_cuda else cpu_model(),
        "device_type": options.device,
        "cuda": torch.version.cuda if is_cuda else None,
    }


def cpu_model() -> str:
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


@functools.cache
def instruction_sets() -> dict[str, str | None]:
    """What the libraries use, as each of them says; of MKL, which does not say it on every
    processor, the limit it was given.
    """
    code = "import torch; torch.nn.functional.conv2d(torch.ones(16,16,8,8), torch.ones(16,16,1,1))"
    environment = {**os.environ, "ONEDNN_VERBOSE": "1"}
    command = [sys.executable, "-W", "ignore", "-c", code]
    found = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    isa = [line.partition("isa:")[2] for line in found.stdout.splitlines() if ",isa:" in line]
    simd = (np.show_config(mode="dicts") or {}).get("SIMD Extensions", {}).get("found", [])
    return {
        "torch": torch.backends.cpu.get_cpu_capability(),
        "oneDNN": isa[0].removeprefix("Intel ") if isa else None,
        "numpy": simd[-1] if simd else None,
        "MKL limit": os.environ.get("MKL_ENABLE_INSTRUCTIONS"),
    }


class OtherWork:
    """Tells how busy other processes kept the machine since it was made."""

    def __init__(self) -> None:
        self.begin = self._read()

    def busy_cores(self) -> float | None:
        """The cores, on average, that neither this process nor its children kept busy."""
        wall, busy, mine = (b - a for a, b in zip(self.begin, self._read(), strict=True))
        return round(max(0.0, busy - mine) / wall, 2) if wall > 0 and busy > 0 else None

    @staticmethod
    def _read() -> tuple[float, float, float]:
        machine, own = psutil.cpu_times(), psutil.Process().cpu_times()
        idle = machine.idle + getattr(machine, "iowait", 0.0)
        mine = own.user + own.system + own.children_user + own.children_system
        total = sum(getattr(machine, name) for name in ("user", "nice", "system", "idle"))
        extra = sum(getattr(machine, name, 0.0) for name in ("iowait", "irq", "softirq", "steal"))
        return time.monotonic(), total + extra - idle, mine


def git_commit() -> str | None:
    """The commit of the repository, marked where files differ from it."""
    if not (ROOT / ".git").exists():  # installed, perhaps below some other repository
        return None
    try:
        commit = _git("rev-parse", "HEAD")
        return f"{commit}-dirty" if _git("status", "--porcelain") else commit
    except (OSError, subprocess.CalledProcessError):
        return None


def _git(*args: str) -> str:
    command = ["git", "-C", str(ROOT), *args]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
