r"""The command :obj:`pyg-vision`."""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Callable, Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    r"""Runs the command :obj:`pyg-vision` and returns its exit status.

    Args:
        arguments (list, optional): The command line. (default: that of the process)
    """
    # torch_geometric uses it when it is imported.
    warnings.filterwarnings("ignore", message=r".torch\.jit\.", category=FutureWarning)
    from pyg_vision._benchmarks import cli as benchmark
    from pyg_vision._benchmarks import kernels

    parser = argparse.ArgumentParser(
        prog="pyg-vision", description="Vision graph networks on PyTorch Geometric."
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    benchmark.add_parser(commands)
    kernels.add_parser(commands)
    values = parser.parse_args(arguments)
    run: Callable[[argparse.Namespace], int] = values.run
    return run(values)


if __name__ == "__main__":
    sys.exit(main())
