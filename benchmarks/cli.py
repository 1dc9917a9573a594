"""The command line."""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Sequence
from pathlib import Path

import torch

from benchmarks import report
from benchmarks.core import DTYPES, Options
from benchmarks.report.terminal import Terminal
from benchmarks.runner import run
from benchmarks.suites import SUITES


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the suites; returns 1 where contenders disagree or raise."""
    options = parse(arguments)
    # A beta notice of torch, once for every process.
    warnings.filterwarnings("ignore", message="Sparse CSR tensor support is in beta")
    terminal = Terminal()
    result = run([SUITES[name] for name in options.suites], options, terminal)
    files = report.write(result, options.out)
    terminal.finish(result, [str(path) for path in files])
    return int(result.failed)


def parse(arguments: Sequence[str] | None) -> Options:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Times sparse layers against the published dense code and the best dense code, "
        "after checking that all compute the same.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--suite", nargs="+", choices=list(SUITES), default=list(SUITES))
    parser.add_argument("--quick", action="store_true", help="a subset, in under two minutes")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--dtype", choices=list(DTYPES), default="fp32", help="autocast for models")
    parser.add_argument("--threads", type=_positive, default=1, help="of the CPU")
    parser.add_argument("--compile", action="store_true", help="torch.compile every contender")
    parser.add_argument(
        "--repeats",
        type=_positive,
        default=None,
        metavar="N",
        help="samples of a contender; by default what time allows, 5 to 30 (quick: 3 to 10)",
    )
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results"), metavar="DIR")
    values = parser.parse_args(arguments)
    if values.device == "cuda" and not torch.cuda.is_available():
        parser.error("--device cuda: there is no GPU that torch can use")
    return Options(
        suites=tuple(dict.fromkeys(values.suite)),
        out=values.out,
        quick=values.quick,
        device=values.device,
        dtype_name=values.dtype,
        threads=values.threads,
        compile=values.compile,
        repeats=values.repeats,
    )


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1 (got {value})")
    return value
