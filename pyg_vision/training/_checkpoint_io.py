r"""How Lightning writes and reads checkpoints here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lightning.pytorch.plugins.io import CheckpointIO

from pyg_vision.prediction import (
    LAST_CHECKPOINT,
    PREVIOUS_CHECKPOINT,
    read_checkpoint,
    write_checkpoint,
)


class AtomicCheckpointIO(CheckpointIO):
    r"""Lets Lightning write and read checkpoints by :func:`~pyg_vision.prediction.write_checkpoint`
    and :func:`~pyg_vision.prediction.read_checkpoint`.

    Example:
        >>> from lightning.pytorch import Trainer
        >>> from pyg_vision.training import AtomicCheckpointIO
        >>> trainer = Trainer(plugins=[AtomicCheckpointIO()], logger=False)
    """

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: Any, storage_options: Any | None = None
    ) -> None:
        r"""Writes a checkpoint; the one of that name becomes the previous one."""
        path = Path(path)
        fresh = path.with_name(f".{path.name}.new")
        write_checkpoint(checkpoint, fresh)
        if path.name == LAST_CHECKPOINT and path.exists():
            path.replace(path.with_name(PREVIOUS_CHECKPOINT))
        fresh.replace(path)

    def load_checkpoint(
        self, path: Any, map_location: Any | None = None, weights_only: bool | None = None
    ) -> dict[str, Any]:
        r"""Reads a checkpoint."""
        return read_checkpoint(path, map_location or "cpu")

    def remove_checkpoint(self, path: Any) -> None:
        r"""Removes a checkpoint."""
        Path(path).unlink(missing_ok=True)
