r"""The callback that keeps checkpoints and metrics of a run."""

from __future__ import annotations

import csv
import io
import logging
import os
import signal
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch.callbacks import Checkpoint

from pyg_vision.prediction import LAST_CHECKPOINT, latest_checkpoint
from pyg_vision.training._evaluation import SCORES
from pyg_vision.training._run_folder import write_text

logger = logging.getLogger(__name__)

METRICS = "metrics.csv"
TERMINATED = 143
# After how many batches several processes ask one another whether to write a checkpoint.
AGREE_EVERY = 10


class NonFiniteLossError(FloatingPointError):
    r"""A loss that is no number.

    Example:
        >>> from pyg_vision.training import NonFiniteLossError
        >>> raise NonFiniteLossError("the loss is nan at step 7")
        Traceback (most recent call last):
        ...
        pyg_vision.training._keeper.NonFiniteLossError: the loss is nan at step 7
    """


class Keeper(Checkpoint):
    r"""Writes checkpoints within epochs and at their ends, and the metrics of each epoch.

    A run that was stopped at any moment goes on from the last checkpoint with the same metrics,
    which are part of it. A loss that is not finite ends the run before it changes a weight. After
    SIGTERM, a checkpoint is written and the process ends with status 143; after SIGUSR1, in a job
    of SLURM, the job is queued again, too.

    Args:
        folder (str or pathlib.Path): The folder of the run.
        every_n_steps (int, optional): After how many batches within an epoch a checkpoint is
            written; never if zero. (default: :obj:`0`)
        every_seconds (float, optional): After how many seconds. (default: :obj:`600.0`)

    Example:
        >>> from lightning.pytorch import Trainer
        >>> from pyg_vision.training import Keeper
        >>> trainer = Trainer(callbacks=[Keeper("runs/digits")], logger=False)
    """

    def __init__(
        self, folder: str | Path, every_n_steps: int = 0, every_seconds: float = 600.0
    ) -> None:
        self.folder = Path(folder)
        self.every_n_steps, self.every_seconds = every_n_steps, every_seconds
        self.history: list[dict[str, Any]] = []
        self.extra: dict[str, Any] = {}
        self.saved_at = self.started_at = time.monotonic()
        self.seconds_before = 0.0
        self.terminated = self.requeue = False
        self._handlers: dict[int, Any] = {}

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        r"""Takes SIGTERM, which Lightning would answer within a step or before the end of an
        epoch.
        """
        self.started_at = time.monotonic()
        # Not before: Lightning puts back the handlers that it found when it began.
        if threading.current_thread() is threading.main_thread():
            signals = [signal.SIGTERM]
            if "SLURM_JOB_ID" in os.environ:
                signals.append(signal.SIGUSR1)  # sbatch --signal=SIGUSR1@90
            self._handlers = {number: signal.signal(number, self._note) for number in signals}

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
        r"""Gives SIGTERM back."""
        self._give_back()

    def teardown(self, trainer: Any, pl_module: Any, stage: str) -> None:
        r"""Gives SIGTERM back."""
        self._give_back()

    def _give_back(self) -> None:
        while self._handlers:
            signal.signal(*self._handlers.popitem())

    def _note(self, number: int, frame: Any) -> None:
        self.terminated = True
        self.requeue |= number == signal.SIGUSR1

    @property
    def state_key(self) -> str:
        r"""The name of the state in a checkpoint."""
        return "Keeper"

    def state_dict(self) -> dict[str, Any]:
        r"""Returns the metrics of all epochs, and how long they took."""
        return {"history": self.history, "seconds": self.seconds}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        r"""Takes the metrics of the epochs before."""
        self.history = list(state_dict["history"])
        self.seconds_before = float(state_dict["seconds"])

    @property
    def seconds(self) -> float:
        r"""The seconds of training, those before an interruption included."""
        return self.seconds_before + time.monotonic() - self.started_at

    def on_save_checkpoint(self, trainer: Any, pl_module: Any, checkpoint: dict[str, Any]) -> None:
        r"""Adds what a checkpoint is read with: classes, inputs and configuration."""
        checkpoint["pyg_vision"] = self.extra

    def on_before_backward(self, trainer: Any, pl_module: Any, loss: torch.Tensor) -> None:
        r"""Ends a run whose loss is not finite."""
        if bool(torch.isfinite(loss)):
            return
        rate = trainer.optimizers[0].param_groups[0]["lr"]
        path, _ = latest_checkpoint(self.folder / "checkpoints")
        good = f"the last good checkpoint is '{path}'" if path else "there is no checkpoint yet"
        raise NonFiniteLossError(
            f"the loss is {float(loss)} at step {trainer.global_step} (epoch "
            f"{trainer.current_epoch + 1}, learning rate {rate:.3g}); {good}"
        )

    def on_train_batch_end(self, trainer: Any, *args: Any) -> None:
        r"""Writes a checkpoint where it is time."""
        batch = trainer.fit_loop.epoch_loop.batch_progress.current.processed
        if batch >= trainer.num_training_batches or trainer.fit_loop._should_accumulate():
            return  # the end of the epoch writes one; within a step none would be right
        due = self.every_n_steps > 0 and batch % self.every_n_steps == 0
        stop = False
        if trainer.world_size == 1 or batch % AGREE_EVERY == 0:
            late = time.monotonic() - self.saved_at >= self.every_seconds
            stop = self._any(trainer, self.terminated)
            due |= stop | self._any(trainer, late)
        if due:
            self.save(trainer, within=True)
        if stop:
            self._stop(trainer)

    def _any(self, trainer: Any, here: bool) -> bool:
        r"""Whether something is so in any process: all must write a checkpoint together."""
        if trainer.world_size == 1:
            return here
        found: bool = trainer.strategy.reduce_boolean_decision(here, all=False)
        return found

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        r"""Writes the metrics of the epoch, and a checkpoint."""
        row: dict[str, Any] = {"epoch": trainer.current_epoch + 1, "step": trainer.global_step}
        row["lr"] = trainer.optimizers[0].param_groups[0]["lr"]
        row["train/loss"] = pl_module.mean_loss
        if pl_module.results:  # where there was an evaluation
            found = pl_module.results
            row |= {f"val/{name}": found[name] for name in ("loss", *SCORES) if name in found}
        self.history.append(row)
        self.save(trainer)
        if trainer.is_global_zero:
            write_text(self.folder / METRICS, as_csv(self.history))
        if self._any(trainer, self.terminated):
            self._stop(trainer)

    def _stop(self, trainer: Any) -> None:
        self._give_back()  # Lightning calls no hook after SystemExit
        requeue = self._any(trainer, self.requeue)
        if requeue and trainer.is_global_zero:
            job = os.environ["SLURM_JOB_ID"]
            logger.info("the job %s is queued again", job)
            try:
                subprocess.run(["scontrol", "requeue", job], check=True, capture_output=True)
            except (OSError, subprocess.CalledProcessError) as error:
                logger.warning("scontrol could not queue the job again: %s", error)
        raise SystemExit(TERMINATED)

    def save(self, trainer: Any, within: bool = False) -> None:
        r"""Writes a checkpoint.

        Args:
            trainer (lightning.pytorch.Trainer): The trainer.
            within (bool, optional): Whether this is within an epoch, where data that are read in
                one go need none. (default: :obj:`False`)
        """
        if within and not trainer.datamodule.resumes_within_epochs:
            return
        trainer.save_checkpoint(self.folder / "checkpoints" / LAST_CHECKPOINT)
        self.saved_at = time.monotonic()


def as_csv(rows: list[dict[str, Any]]) -> str:
    r"""Returns rows as the text of a CSV file, whose columns are those of any row.

    Args:
        rows (list of dict): The rows.

    Example:
        >>> from pyg_vision.training._keeper import as_csv
        >>> as_csv([{"epoch": 1}, {"epoch": 2, "loss": 0.5}]).split()
        ['epoch,loss', '1,', '2,0.5']
    """
    names = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
