r"""The commands :obj:`fit`, :obj:`validate` and :obj:`test` of :obj:`pyg-vision`."""

from __future__ import annotations

import json
import logging
import os
import re
import resource
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import torch
from jsonargparse import ArgumentParser, Namespace
from torch.utils.data import default_collate

from pyg_vision.prediction import CheckpointError, read_checkpoint
from pyg_vision.training._run_folder import CONFIG, NOT_SAVED, RunFolder, write_text

# Arguments of Lightning's trainer that are ours to set.
OURS = {
    "logger", "callbacks", "default_root_dir", "enable_checkpointing", "enable_progress_bar",
    "enable_model_summary", "enable_autolog_hparams", "plugins", "use_distributed_sampler",
    "num_sanity_val_steps", "barebones", "model_registry", "reload_dataloaders_every_n_epochs",
}  # fmt: skip


ROLE = re.compile(r":\w+:`~?([^`]*)`")


class Parser(ArgumentParser):
    r"""A parser whose errors are one line, and whose help shows docstrings without their roles."""

    def format_help(self, *args: Any, **kwargs: Any) -> str:
        r"""Returns the help."""
        return ROLE.sub(r"\1", super().format_help(*args, **kwargs))

    def error(self, message: str, ex: Exception | None = None) -> NoReturn:
        r"""Ends the process with what is wrong."""
        fail(message)


def fail(message: object, status: int = 2) -> NoReturn:
    r"""Ends the process with one line that says what is wrong.

    Args:
        message: What is wrong.
        status (int, optional): The exit status. (default: :obj:`2`)
    """
    text = str(message)
    # jsonargparse says of our own errors that no subtype of "class or None" fits.
    own = re.search(r"Errors:\s+- (.*?)\s+- Expected a <class 'NoneType'>", text, re.DOTALL)
    lines = [line.strip() for line in (own[1] if own else text).splitlines() if line.strip()]
    sys.stderr.write(f"pyg-vision: error: {' '.join(lines) or 'it failed'}\n")
    raise SystemExit(status)


def make_parser(command: str, text: str = "") -> ArgumentParser:
    r"""Returns the parser of a command.

    Args:
        command (str): One of :obj:`fit`, :obj:`validate` and :obj:`test`.
        text (str, optional): What it does. (default: nothing)
    """
    from lightning.pytorch import Trainer

    from pyg_vision.training import Classifier, KeyedDataModule

    hint = (
        "--model.help ImageClassifier and --data.help ImageFolderData list the options of a class"
    )
    parser = Parser(prog=f"pyg-vision {command}", description=f"{text}; {hint}")
    parser.add_argument(
        "--config",
        action="config",
        help="a recipe (see 'pyg-vision recipes') or the path of a YAML file; of several, the "
        "later ones hold",
    )
    parser.add_argument("--seed", type=int, default=0, help="of weights, order and augmentation")
    parser.add_argument(
        "--run_dir", type=str | None, default=None, help="the folder of the run (runs/<config>)"
    )
    if command == "fit":
        parser.add_argument(
            "--overwrite", type=bool, default=False, help="remove the run that is there"
        )
    else:
        parser.add_argument(
            "--checkpoint", type=str | None, default=None, help="a file (the run's last one)"
        )
    parser.add_argument(
        "--checkpoint_steps",
        type=int,
        default=0,
        help="after how many steps within an epoch a checkpoint is written; 0: none for that",
    )
    parser.add_argument(
        "--checkpoint_seconds", type=float, default=600.0, help="after how many seconds"
    )
    parser.add_argument("--progress_bar", type=bool, default=True, help="whether to show it")
    if command == "fit":
        parser.add_argument("--report", type=bool, default=True, help="whether to write the page")
    parser.add_argument("--threads", type=int | None, default=None, help="threads of the CPU")
    parser.add_subclass_arguments(Classifier, "model", required=True)
    parser.add_subclass_arguments(KeyedDataModule, "data", required=True)
    parser.add_class_arguments(Trainer, "trainer", skip=OURS, instantiate=False)
    parser.link_arguments("seed", "model.init_args.seed")
    parser.link_arguments("seed", "data.init_args.seed")
    return parser


def main(command: str, text: str, arguments: Sequence[str]) -> int:
    r"""Runs a command and returns its exit status.

    Args:
        command (str): One of :obj:`fit`, :obj:`validate` and :obj:`test`.
        text (str): What it does.
        arguments (list of str): What follows it on the command line.
    """
    _be_quiet()
    from pyg_vision.training._keeper import NonFiniteLossError
    from pyg_vision.training._run_folder import RunError
    from pyg_vision.training.sampling import DataError

    try:
        return _run(command, text, list(arguments))
    except (CheckpointError, RunError, NonFiniteLossError, FileNotFoundError) as error:
        fail(error, 1)
    except DataError as error:
        # That of a worker process is the last line of its traceback.
        fail(str(error).strip().splitlines()[-1].rpartition("DataError: ")[2], 1)
    except (RuntimeError, MemoryError) as error:
        if _is_of_memory(error):
            fail(f"out of memory ({_first_line(error)})", 1)
        raise
    except KeyboardInterrupt:
        fail("interrupted; the same command goes on from the last checkpoint", 130)


def fit(recipe: str, run_dir: str | Path, overrides: Sequence[str] = ()) -> RunFolder:
    r"""Trains a model as :obj:`pyg-vision fit` does, or goes on with a run that was stopped.

    Args:
        recipe (str): The name of a recipe, or the path of a YAML file.
        run_dir (str or pathlib.Path): The folder of the run.
        overrides (list of str, optional): Further arguments, as on the command line.
            (default: none)

    Raises:
        SystemExit: As the command ends where something is wrong, after one line that says what.

    Example:
        >>> from pyg_vision.training import fit
        >>> brief = ["--trainer.max_epochs=1", "--model.warm_up=0", "--report=false"]
        >>> run = fit("digits", "runs/digits", brief)
        epoch 1/1...
        >>> run.results()["samples"]
        599
    """
    status = main("fit", "", ["--config", recipe, "--run_dir", str(run_dir), *overrides])
    if status != 0:
        raise SystemExit(status)
    return RunFolder(run_dir)


def _is_of_memory(error: BaseException) -> bool:
    return (
        isinstance(error, (torch.OutOfMemoryError, MemoryError))
        or "can't allocate memory" in str(error).lower()
    )


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0] or "no more is there"


def _run(command: str, text: str, arguments: list[str]) -> int:
    from lightning.fabric.plugins.environments.slurm import SLURMEnvironment
    from lightning.pytorch import Trainer
    from lightning.pytorch.loggers import TensorBoardLogger

    from pyg_vision.recipes import recipe_path
    from pyg_vision.training import AtomicCheckpointIO, Keeper, Progress, SyncNorms

    parser = make_parser(command, text)
    names, arguments = _find_configs(arguments, recipe_path)
    if command != "fit":
        arguments = _from_run(arguments)
    values: Namespace = parser.parse_args(arguments)
    run_dir = Path(values.run_dir or f"runs/{'+'.join(names) or 'run'}")
    values.run_dir = str(run_dir)
    folder = RunFolder(run_dir)
    if values.threads is not None:
        torch.set_num_threads(values.threads)
    config = json.loads(json.dumps(_as_dict(parser, values), default=str))
    config = {key: value for key, value in config.items() if key not in NOT_SAVED}

    if command == "fit" and folder.path.is_dir() and not values.overwrite:
        folder.prepare(config, sys.argv)  # raises before any data is read
    path = None if command == "fit" else _to_evaluate(values, folder)
    try:
        made = parser.instantiate(values)
        module, data = made.model, made.data
        data.setup(command)
        if path is not None:
            data.classes = _classes_of(path, data.classes)
        module.build(data.classes, data.model_options())
        if command == "fit":
            module.make_schedule(made.trainer.max_epochs)
            data.train_dataloader()
    except (ValueError, TypeError) as error:
        fail(error)
    callbacks: list[Any] = [Progress(values.progress_bar)]
    given = dict(vars(made.trainer))
    plugins: list[Any] = [AtomicCheckpointIO()]
    if given.pop("sync_batchnorm", False):
        plugins.append(SyncNorms())
    if SLURMEnvironment.detect():
        plugins.append(SLURMEnvironment(auto_requeue=False))  # the keeper does that
    keeper = Keeper(run_dir, values.checkpoint_steps, values.checkpoint_seconds)
    try:
        trainer = Trainer(
            **given,
            logger=TensorBoardLogger(str(run_dir), name="", version="tensorboard")
            if command == "fit"
            else False,
            callbacks=[*callbacks, keeper] if command == "fit" else callbacks,
            default_root_dir=str(run_dir),
            enable_progress_bar=False,
            enable_model_summary=False,
            plugins=plugins,
            use_distributed_sampler=False,
            num_sanity_val_steps=0,
        )
    except Exception as error:  # Lightning's, of many kinds
        fail(str(error).splitlines()[0])
    if path is not None:
        return _evaluate(command, trainer, module, data, path)
    folder.prepare(config, sys.argv, values.overwrite)
    keeper.extra = {
        "config": config,
        "classes": data.classes,
        "input": data.preprocessing(),
        "options": {name: value for name, value in module.options.items() if name != "layout"},
        "layout": _layout_of(module.model),
    }
    path = folder.checkpoint()
    if path is not None:
        logging.getLogger("pyg_vision").info("going on from %s", path)
    try:
        trainer.fit(module, datamodule=data, ckpt_path=path, weights_only=True)
    except (RuntimeError, MemoryError) as error:
        if _is_of_memory(error):
            fail(
                f"out of memory at a batch of {data.batch_size} ({_first_line(error)}); try a "
                f"smaller --data.batch_size with --trainer.accumulate_grad_batches, or "
                f"--trainer.precision bf16-mixed",
                1,
            )
        raise
    seconds = keeper.seconds
    trainer.test(module, datamodule=data, verbose=False)
    if trainer.is_global_zero:
        history = keeper.history if values.report else None
        _write_results(module, data, trainer, folder, history, seconds)
    return 0


def _layout_of(model: Any) -> dict[str, Any] | None:
    r"""Returns the skeleton of a model in plain data, so that a checkpoint needs no other file."""
    layout = getattr(model, "layout", None)
    return None if layout is None else layout.to_dict()


def _to_evaluate(values: Namespace, folder: Any) -> Path:
    path = Path(values.checkpoint) if values.checkpoint else folder.checkpoint()
    if path is None:
        fail(f"there is no checkpoint below '{folder.path}'; give --checkpoint FILE", 1)
    return path


def _classes_of(path: Path, found: list[str]) -> list[str]:
    r"""Returns the classes of a checkpoint, which the data must have, the last ones perhaps not."""
    about = read_checkpoint(path).get("pyg_vision")
    if about is None:
        return found
    classes = list(about["classes"])
    if found != classes[: len(found)]:
        raise ValueError(
            f"the data has other classes than '{path}': {len(found)}, {found[:3]}, and "
            f"{len(classes)}, {classes[:3]}"
        )
    return classes


def _evaluate(command: str, trainer: Any, module: Any, data: Any, path: Path) -> int:
    evaluate = trainer.validate if command == "validate" else trainer.test
    evaluate(module, datamodule=data, ckpt_path=path, verbose=False, weights_only=True)
    _report(module.results)
    return 0


def _write_results(
    module: Any, data: Any, trainer: Any, folder: Any, history: Any, seconds: float
) -> None:
    from pyg_vision.prediction import TrainedModel, write_checkpoint
    from pyg_vision.training import write_report

    found = module.results
    predictions = found.pop("predictions")
    predictions = {name: value.cpu() for name, value in predictions.items()}
    write_checkpoint({"state_dict": predictions}, folder.path / "predictions.pt")
    trained = TrainedModel.of(module.evaluated.cpu(), data.classes, data.preprocessing())
    facts = _facts(trained, data, seconds)
    page = None
    if history is not None:
        page = write_report(
            folder.path / "report.html",
            trained,
            found,
            predictions,
            history,
            title=folder.path.name,
            facts=facts,
            config=(folder.path / CONFIG).read_text(encoding="utf-8"),
            data=data,
        )
    write_text(folder.path / "resources.json", json.dumps(facts, indent=1))
    # Last, since it is what says that the run is finished.
    folder.finish({**found, "classes": module.classes, "epochs": trainer.max_epochs})
    _report(found)
    if page is not None:
        logging.getLogger("pyg_vision").info("report: %s", page)


def _facts(trained: Any, data: Any, seconds: float) -> dict[str, str]:
    r"""Returns what a report says of the model beside its accuracy."""
    from pyg_vision.training import count_macs

    parameters = sum(p.numel() for p in trained.model.parameters())
    item = data.test_set[0]
    batch = (data.collate or default_collate)([item])
    clip = batch[0] if isinstance(batch, (list, tuple)) else batch
    macs = count_macs(trained.model, clip)
    if torch.cuda.is_available():
        memory = torch.cuda.max_memory_allocated() / 2**20
    else:
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
    return {
        "parameters": f"{parameters / 1e6:.2f} M",
        "multiply-adds of a sample": f"{macs / 1e9:.3g} G",
        "training": f"{seconds / 60:.1f} min",
        "peak memory": f"{memory:.0f} MiB",
    }


def _report(found: dict[str, Any]) -> None:
    logging.getLogger("pyg_vision").info(
        "top-1 %.2f%%, top-5 %.2f%%, loss %.4f on %d samples",
        100 * found["top1"],
        100 * found["top5"],
        found["loss"],
        found["samples"],
    )


def _find_configs(arguments: list[str], find: Any) -> tuple[list[str], list[str]]:
    r"""Returns the names of the configurations, and the arguments with their paths."""
    names, found = [], []
    previous = ""
    for argument in arguments:
        if previous == "--config" or argument.startswith("--config="):
            value = argument.removeprefix("--config=")
            try:
                path = find(value)
            except ValueError as error:
                fail(error)
            names.append(path.stem)
            argument = argument.replace(value, str(path))
        found.append(argument)
        previous = argument
    return names, found


def _from_run(arguments: list[str]) -> list[str]:
    r"""Puts the configuration of the run before the other arguments."""
    for i, argument in enumerate(arguments):
        value = arguments[i + 1] if argument == "--run_dir" and i + 1 < len(arguments) else None
        if argument.startswith("--run_dir="):
            value = argument.removeprefix("--run_dir=")
        if value is not None and (Path(value) / CONFIG).exists():
            return ["--config", os.path.join(value, CONFIG), *arguments]
    return arguments


def _as_dict(parser: ArgumentParser, values: Namespace) -> dict[str, Any]:
    import yaml

    found: dict[str, Any] = yaml.safe_load(parser.dump(values, skip_link_targets=False))
    return found


def _be_quiet() -> None:
    r"""Leaves the console to our own lines."""
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    logging.getLogger("lightning.fabric").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module=r"lightning\.")
    warnings.filterwarnings("ignore", message=r".torch\.jit\.", category=FutureWarning)
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(logging.Formatter("%(message)s"))
    logger = logging.getLogger("pyg_vision")
    logger.handlers[:] = [handler]
    logger.setLevel(logging.INFO)
    logger.propagate = False
