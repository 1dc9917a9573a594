r"""What a user sees while a model is trained."""

from __future__ import annotations

import logging
import time
from typing import Any

from lightning.pytorch.callbacks import Checkpoint
from tqdm import tqdm

from pyg_vision.training._evaluation import SCORES

logger = logging.getLogger(__name__)

# A larger share of the time than this, spent waiting for data, is worth a warning.
MUCH_WAITING = 0.2
# The first batches start workers and fill caches.
IGNORED_BATCHES = 2


class Progress(Checkpoint):  # which runs after the module has its mean loss
    r"""A bar with loss and learning rate, and a line for each epoch with the accuracy, the samples
    a second, and the share of the time that was spent waiting for data.

    Args:
        bar (bool, optional): Whether to show the bar. (default: :obj:`True`)

    Example:
        >>> from lightning.pytorch import Trainer
        >>> from pyg_vision.training import Progress
        >>> trainer = Trainer(callbacks=[Progress()], logger=False)
    """

    def __init__(self, bar: bool = True) -> None:
        self.shows_bar = bar
        self.bar: Any = None
        self.warned = False
        self._reset()

    def _reset(self) -> None:
        self.ready_at = time.monotonic()
        self.waited = self.worked = 0.0
        self.batches = self.samples = 0

    @property
    def samples_per_second(self) -> float:
        r"""The samples a second of this epoch so far."""
        return self.samples / max(self.waited + self.worked, 1e-9)

    @property
    def waiting(self) -> float:
        r"""The share of the time that was spent waiting for data."""
        return self.waited / max(self.waited + self.worked, 1e-9)

    def on_train_epoch_start(self, trainer: Any, pl_module: Any) -> None:
        r"""Begins a bar."""
        self._reset()
        if self.shows_bar and trainer.is_global_zero:
            self.bar = tqdm(
                total=trainer.num_training_batches,
                desc=f"epoch {trainer.current_epoch + 1}/{trainer.max_epochs}",
                leave=False,
                mininterval=1.0,
            )

    def on_train_batch_start(self, trainer: Any, pl_module: Any, batch: Any, index: int) -> None:
        r"""Takes the time that the batch was waited for."""
        self.started_at = time.monotonic()
        if self.batches >= IGNORED_BATCHES:
            self.waited += self.started_at - self.ready_at

    def on_train_batch_end(self, trainer: Any, pl_module: Any, outputs: Any, *args: Any) -> None:
        r"""Takes the time that the batch took."""
        self.ready_at = time.monotonic()
        if self.batches >= IGNORED_BATCHES:
            self.worked += self.ready_at - self.started_at
            data = trainer.datamodule
            self.samples += data.batch_size * trainer.world_size
        self.batches += 1
        if self.bar is not None:
            rate = trainer.optimizers[0].param_groups[0]["lr"]
            loss = f"{float(outputs['loss']):.3f}"
            speed = f"{self.samples_per_second:.0f} {pl_module.unit}/s"
            self.bar.set_postfix_str(f"loss {loss}, lr {rate:.2g}, {speed}", refresh=False)
            self.bar.update()

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        r"""Writes the line of an epoch."""
        if self.bar is not None:
            self.bar.close()
            self.bar = None
        if not trainer.is_global_zero:
            return
        found = trainer.callback_metrics
        parts = [f"epoch {trainer.current_epoch + 1}/{trainer.max_epochs}"]
        parts.append(f"loss {pl_module.mean_loss:.4f}")
        scores = (name for name in SCORES if f"val/{name}" in found)
        if (main := next(scores, None)) is not None:
            parts.append(f"{SCORES[main]} {100 * float(found[f'val/{main}']):.2f}%")
        if self.samples > 0:
            parts.append(f"{self.samples_per_second:.0f} {pl_module.unit}/s")
            parts.append(f"waiting for data {100 * self.waiting:.0f}%")
        logger.info(", ".join(parts))
        if self.waiting > MUCH_WAITING and not self.warned:
            self.warned = True
            logger.warning(
                "%.0f%% of the time is spent waiting for data; try more than %d --data.num_workers",
                100 * self.waiting,
                trainer.datamodule.num_workers,
            )

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
        r"""Ends the bar."""
        if self.bar is not None:
            self.bar.close()
