r"""The commands :obj:`fit`, :obj:`validate` and :obj:`test` of :obj:`pyg-vision`."""

from __future__ import annotations

import atexit
import json
import logging
import os
import re
import sys
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn

import torch
from jsonargparse import ArgumentParser, Namespace

from pyg_vision.prediction import CheckpointError, read_checkpoint
from pyg_vision.training._classifier import check_fit
from pyg_vision.training._launch import prepare, rank
from pyg_vision.training._results import log_results, write_results
from pyg_vision.training._run_folder import CONFIG, NOT_SAVED, RunError, RunFolder
from pyg_vision.training.sampling import DataError

# Arguments of Lightning's trainer that are ours to set.
OURS = {
    "logger", "callbacks", "default_root_dir", "enable_checkpointing", "enable_progress_bar",
    "enable_model_summary", "enable_autolog_hparams", "plugins", "use_distributed_sampler",
    "num_sanity_val_steps", "barebones", "fast_dev_run", "overfit_batches", "max_steps",
    "min_steps", "min_epochs", "limit_test_batches", "limit_predict_batches",
    "model_registry", "reload_dataloaders_every_n_epochs",
}  # fmt: skip


logger = logging.getLogger(__name__)

# What jsonargparse says of an error where there might have been None instead.
UNION = re.compile(
    r"Does not validate against any of the Union.*?Errors:\s+- (.*?)\s+- Expected a <class "
    r"'NoneType'>.*?Given value: (.*)",
    re.DOTALL,
)
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
    found = UNION.search(text)
    if found:
        key = text[: found.start()].strip()
        text = f"{key} {found[1]}. Got value: {found[2]}" if key else found[1]
    sys.stderr.write(f"pyg-vision: error: {' '.join(text.split()) or 'it failed'}\n")
    raise SystemExit(status)


def make_parser(command: str, text: str = "") -> ArgumentParser:
    r"""Returns the parser of a command.

    Args:
        command (str): One of :obj:`fit`, :obj:`validate` and :obj:`test`.
        text (str, optional): What it does. (default: nothing)
    """
    from lightning.pytorch import Trainer

    from pyg_vision.training import Classifier, KeyedDataModule

    hint = "--model.help ImageClassifier and --data.help ImageFolderData list those of a class"
    if command == "test":
        hint += "; --ensemble RUN RUN (--weights 2 1) evaluates what finished runs predicted"
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

    try:
        return _run(command, text, list(arguments))
    except (CheckpointError, RunError, NonFiniteLossError, OSError) as error:
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
    from pyg_vision.recipes import recipe_path
    from pyg_vision.training import Keeper

    parser = make_parser(command, text)
    names, arguments = _find_configs(arguments, recipe_path)
    if command != "fit":
        arguments = _as_trained(arguments, names)
    values: Namespace = parser.parse_args(arguments)
    values.run_dir = values.run_dir or f"runs/{'+'.join(names) or 'run'}"
    folder = RunFolder(values.run_dir)
    if values.threads is not None:
        if values.threads < 1:
            fail(f"--threads must be at least 1 (got {values.threads})")
        torch.set_num_threads(values.threads)
    config = json.loads(json.dumps(_as_dict(parser, values), default=str))
    config = {key: value for key, value in config.items() if key not in NOT_SAVED}
    if command == "fit" and rank() == 0:
        folder.check(config, values.overwrite)  # before any data is read
    path = None if command == "fit" else _to_evaluate(values, folder)
    module, data, options = _make(command, parser, values, path)
    if path is not None:
        return _evaluate(command, _make_trainer(values, options), module, data, path)
    keeper = Keeper(values.run_dir, values.checkpoint_steps, values.checkpoint_seconds)
    trainer = _make_trainer(values, options, keeper)
    prepare(folder, config, sys.argv, values.overwrite)
    return _fit(trainer, module, data, folder, keeper, config, values.report)


def _make(
    command: str, parser: ArgumentParser, values: Namespace, path: Path | None
) -> tuple[Any, Any, dict[str, Any]]:
    r"""Returns the module and the data, which fit one another, and the arguments of the trainer."""
    try:
        made = parser.instantiate(values)
        module, data, options = made.model, made.data, dict(vars(made.trainer))
        data.setup(command)
        if path is not None:
            about = _about(path)
            if about is not None:
                data.adopt_classes(list(about["classes"]))
        module.build(data.classes, data.model_options(), data.multi_label)
        if command == "fit":
            if options["limit_train_batches"] == 0:
                raise ValueError("'trainer.limit_train_batches' must not be 0")
            module.make_schedule(options["max_epochs"])
            data.train_dataloader()
        check_fit(module, data)
    except (ValueError, TypeError) as error:
        fail(error)
    sizes = [getattr(one, "image_size", None) for one in (module.model, data)]
    if None not in sizes and sizes[0] not in (sizes[1], (sizes[1],) * 2):
        logger.warning(
            "the model is made for images of %s pixels, those of the data have %s", *sizes
        )
    return module, data, options


def _make_trainer(values: Namespace, options: dict[str, Any], keeper: Any = None) -> Any:
    r"""Returns the trainer, which trains where there is a keeper."""
    from lightning.fabric.plugins.environments.slurm import SLURMEnvironment
    from lightning.pytorch import Trainer
    from lightning.pytorch.loggers import TensorBoardLogger

    from pyg_vision.training import AtomicCheckpointIO, Progress, SyncNorms

    given = dict(options)
    plugins: list[Any] = [AtomicCheckpointIO()]
    if given.pop("sync_batchnorm", False):
        plugins.append(SyncNorms())
    if SLURMEnvironment.detect():
        plugins.append(SLURMEnvironment(auto_requeue=False))  # the keeper does that
    callbacks: list[Any] = [Progress(values.progress_bar)]
    board: Any = False
    if keeper is not None:
        callbacks.append(keeper)
        board = TensorBoardLogger(values.run_dir, name="", version="tensorboard")
    try:
        return Trainer(
            **given,
            logger=board,
            callbacks=callbacks,
            default_root_dir=values.run_dir,
            enable_progress_bar=False,
            enable_model_summary=False,
            plugins=plugins,
            use_distributed_sampler=False,
            num_sanity_val_steps=0,
        )
    except Exception as error:  # Lightning's, of many kinds
        fail(str(error).splitlines()[0])


def _fit(
    trainer: Any,
    module: Any,
    data: Any,
    folder: RunFolder,
    keeper: Any,
    config: dict[str, Any],
    report: bool,
) -> int:
    keeper.extra = {
        "config": config,
        "classes": data.classes,
        "multi_label": module.multi_label,
        "input": data.preprocessing(),
        "options": {name: value for name, value in module.options.items() if name != "layout"},
        "layout": _layout_of(module.model),
        "data": data.fingerprint(),
    }
    path = folder.checkpoint()
    if path is not None:
        _check_same_data(path, keeper.extra["data"])
        logger.info("going on from %s", path)
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
        _refuse_other_model(error, path)
        raise
    done, epochs = trainer.current_epoch, trainer.max_epochs
    if done < epochs:
        logger.info("stopped after %d of %d epochs; the same command goes on", done, epochs)
        return 0
    seconds, module.results = keeper.seconds, {}
    trainer.test(module, datamodule=data, verbose=False)
    if trainer.is_global_zero:
        write_results(module, data, folder, keeper.history, seconds, report)
    return 0


def _about(path: str | Path) -> dict[str, Any] | None:
    r"""Returns what :func:`fit` says in a checkpoint beside its tensors, which are not read."""
    return read_checkpoint(path, mmap=True).get("pyg_vision")


def _check_same_data(path: Path, now: dict[str, Any]) -> None:
    r"""Refuses to go on with other data than a checkpoint was written with."""
    before = (_about(path) or {}).get("data")
    if before is None or before == now:
        return
    for name, value in now.items():
        if before.get(name) != value:
            what = {"classes": "other classes", "names": "other files or labels"}.get(
                name, f"{value} {name} samples instead of {before.get(name)}"
            )
            raise RunError(f"the data changed since '{path}' was written: {what}; --overwrite true "
                           f"runs it again")  # fmt: skip


def _layout_of(model: Any) -> dict[str, Any] | None:
    r"""Returns the skeleton of a model in plain data, so that a checkpoint needs no other file."""
    layout = getattr(model, "layout", None)
    return None if layout is None else layout.to_dict()


def _to_evaluate(values: Namespace, folder: RunFolder) -> Path:
    path = Path(values.checkpoint) if values.checkpoint else folder.checkpoint()
    if path is None:
        fail(f"there is no checkpoint below '{folder.path}'; give --checkpoint FILE", 1)
    return path


def _refuse_other_model(error: BaseException, path: Path | None) -> None:
    r"""Ends with one line where a checkpoint is that of another model, or of older code."""
    if "loading state_dict" in str(error):
        fail(f"'{path}' holds another model: {str(error).strip().splitlines()[-1].strip()}", 1)


def _evaluate(command: str, trainer: Any, module: Any, data: Any, path: Path) -> int:
    evaluate = trainer.validate if command == "validate" else trainer.test
    try:
        evaluate(module, datamodule=data, ckpt_path=path, verbose=False, weights_only=True)
    except RuntimeError as error:
        _refuse_other_model(error, path)
        raise
    log_results(module.results)
    return 0


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


def _as_trained(arguments: list[str], names: list[str]) -> list[str]:
    r"""Puts the configuration of the run behind those that are named, so that a model is evaluated
    as it was trained but for what is said otherwise: that of its folder, or of the checkpoint.
    """
    given = dict(_options(arguments))
    folder = Path(given.get("--run_dir") or f"runs/{'+'.join(names) or 'run'}")
    path = folder / CONFIG
    if "--checkpoint" in given:
        about = _about(given["--checkpoint"])
        if about is None:
            return arguments
        file = tempfile.NamedTemporaryFile("w", suffix=".yaml", delete=False)
        atexit.register(os.unlink, file.name)
        with file:
            json.dump(about["config"], file)
        path = Path(file.name)
    if not path.exists():
        return arguments
    last = max((i for i, a in enumerate(arguments) if a.startswith("--config")), default=-1)
    end = 0 if last < 0 else last + (1 if "=" in arguments[last] else 2)
    return [*arguments[:end], "--config", str(path), *arguments[end:]]


def _options(arguments: list[str]) -> Iterator[tuple[str, str]]:
    for i, argument in enumerate(arguments):
        name, sign, value = argument.partition("=")
        if sign:
            yield name, value
        elif i + 1 < len(arguments):
            yield name, arguments[i + 1]


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
