"""The command line."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from pyg_vision._benchmarks import report
from pyg_vision._benchmarks.core import DTYPES, Options
from pyg_vision._benchmarks.environment import AVX2
from pyg_vision._benchmarks.report.terminal import Terminal
from pyg_vision._benchmarks.runner import run
from pyg_vision._benchmarks.suites import SUITES

DESCRIPTION = (
    "Times sparse layers against the published dense code and the best dense code, after checking "
    "that all compute the same. Models are also held against a floor: the operations of their "
    "products and convolutions at the best rate that this processor reaches."
)


def add_parser(commands: Any) -> None:
    """Adds ``benchmark`` to the commands of a parser."""
    parser = commands.add_parser(
        "benchmark",
        help="time sparse layers and models against dense ones",
        description=DESCRIPTION,
    )
    parser.add_argument(
        "--suite",
        nargs="+",
        choices=list(SUITES),
        default=list(SUITES),
        metavar="NAME",
        help=f"which suites to run, of {', '.join(SUITES)} (default: all)",
    )
    parser.add_argument("--quick", action="store_true", help="a subset, in about two minutes")
    parser.add_argument(
        "--device", choices=("cpu", "cuda"), default="cpu", help="where to run (default: cpu)"
    )
    parser.add_argument(
        "--dtype",
        choices=list(DTYPES),
        default="fp32",
        help="of the features of operators; models run in it by autocast (default: fp32)",
    )
    parser.add_argument(
        "--threads", type=_positive, default=1, metavar="N", help="threads of the CPU (default: 1)"
    )
    parser.add_argument("--compile", action="store_true", help="torch.compile every contender")
    parser.add_argument(
        "--isa",
        choices=("all", "avx2"),
        default="all",
        help="the instruction sets that libraries may use; avx2 turns AVX-512 off (default: all)",
    )
    parser.add_argument(
        "--repeats",
        type=_positive,
        default=None,
        metavar="N",
        help="samples of a contender (default: what time allows, 3 to 30, if quick 3 to 10)",
    )
    parser.add_argument(
        "--max-nodes",
        type=_positive,
        default=None,
        metavar="N",
        help="leave out graphs of images with more nodes (default: none; the largest of suite vig "
        "takes half an hour)",
    )
    parser.add_argument(
        "--targets",
        action="store_true",
        help="also print what the developers of this package want to reach, and whether it was",
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("benchmarks/results"),
        metavar="DIR",
        help="the folder for results.json, results.md and, with matplotlib, plots "
        "(default: %(default)s)",
    )
    parser.set_defaults(run=run_benchmarks, parser=parser)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the suites; returns 1 where contenders disagree or raise."""
    parser = argparse.ArgumentParser()
    add_parser(parser.add_subparsers())
    return run_benchmarks(parser.parse_args(["benchmark", *(arguments or [])]))


def run_benchmarks(values: argparse.Namespace) -> int:
    """Runs what the command line asks for; returns the exit status."""
    if values.device == "cuda" and not torch.cuda.is_available():
        values.parser.error("--device cuda: there is no GPU that torch can use")
    if values.isa == "avx2" and any(os.environ.get(k) != v for k, v in AVX2.items()):
        # Libraries read these when they are loaded.
        again = [sys.executable, "-m", "pyg_vision.cli", "benchmark", *_as_arguments(values)]
        return subprocess.run(again, env={**os.environ, **AVX2}, check=False).returncode
    options = Options(
        suites=tuple(dict.fromkeys(values.suite)),
        out=values.out,
        quick=values.quick,
        device=values.device,
        dtype_name=values.dtype,
        threads=values.threads,
        compile=values.compile,
        repeats=values.repeats,
        max_nodes=values.max_nodes,
        targets=values.targets,
    )
    # A beta notice of torch, once for every process.
    warnings.filterwarnings("ignore", message="Sparse CSR tensor support is in beta")
    terminal = Terminal()
    result = run([SUITES[name] for name in options.suites], options, terminal)
    files = report.write(result, options.out)
    terminal.finish(result, [str(path) for path in files])
    return int(result.failed)


def _as_arguments(values: argparse.Namespace) -> list[str]:
    arguments = ["--suite", *values.suite]
    for name in ("device", "dtype", "threads", "isa", "out", "repeats", "max_nodes"):
        value = getattr(values, name)
        arguments += [] if value is None else [f"--{name.replace('_', '-')}", str(value)]
    return arguments + [f"--{n}" for n in ("quick", "compile", "targets") if getattr(values, n)]


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1 (got {value})")
    return value
