r"""The command :obj:`pyg-vision`."""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Callable, Sequence
from importlib.util import find_spec

# Their options are those of Lightning and of our classes, and need the extra 'train'.
TRAINING = {
    "fit": "train a model by a recipe, or go on with a run that was stopped",
    "validate": "evaluate a run or a checkpoint on its validation data",
    "test": "evaluate a run or a checkpoint on its test data",
}


def main(arguments: Sequence[str] | None = None) -> int:
    r"""Runs the command :obj:`pyg-vision` and returns its exit status.

    Args:
        arguments (list, optional): The command line. (default: that of the process)
    """
    # torch_geometric uses it when it is imported.
    warnings.filterwarnings("ignore", message=r".torch\.jit\.", category=FutureWarning)
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    if arguments and arguments[0] in TRAINING:
        return _train(arguments[0], arguments[1:])
    from pyg_vision._benchmarks import cli as benchmark
    from pyg_vision._benchmarks import kernels
    from pyg_vision.pose import command as pose
    from pyg_vision.prediction import command as predict
    from pyg_vision.prediction import draw_command as draw
    from pyg_vision.prediction import export
    from pyg_vision.prediction import inspect_command as inspect
    from pyg_vision.recipes import add_parser as add_recipes
    from pyg_vision.weights.command import add_parser as add_weights

    parser = argparse.ArgumentParser(
        prog="pyg-vision", description="Vision graph networks on PyTorch Geometric."
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for command, text in TRAINING.items():
        commands.add_parser(command, help=text)
    pose.add_parser(commands)
    predict.add_parser(commands)
    draw.add_parser(commands)
    export.add_parser(commands)
    inspect.add_parser(commands)
    add_weights(commands)
    add_recipes(commands)
    benchmark.add_parser(commands)
    kernels.add_parser(commands)
    values = parser.parse_args(arguments)
    run: Callable[[argparse.Namespace], int] = values.run
    return run(values)


def _train(command: str, arguments: Sequence[str]) -> int:
    if command == "test" and any(
        a.startswith("--ensemble") for a in arguments
    ):  # of what finished runs predicted
        from pyg_vision.prediction.ensemble import main as test_ensemble

        return test_ensemble(arguments)
    missing = [name for name in ("lightning", "jsonargparse") if find_spec(name) is None]
    if missing:
        sys.stderr.write(
            f"pyg-vision: error: '{command}' needs {' and '.join(missing)}: "
            f"pip install pyg-vision[train]\n"
        )
        return 2
    from pyg_vision.training.command import main as train

    return train(command, TRAINING[command], arguments)


if __name__ == "__main__":
    sys.exit(main())
