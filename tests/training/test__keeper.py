import math
import os
import signal

import pytest
import torch
from lightning.pytorch.callbacks import Callback

from pyg_vision.prediction import CheckpointError, read_checkpoint
from pyg_vision.training import Keeper, NonFiniteLossError
from pyg_vision.training._keeper import as_csv
from tests.training import small

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


class At(Callback):
    """Does something after a step."""

    def __init__(self, step, action):
        self.step, self.action = step, action

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
        if trainer.global_step == self.step:
            self.action(pl_module)


def spoil(module):
    with torch.no_grad():
        next(module.model.parameters()).fill_(math.nan)


def test_a_loss_that_is_no_number_ends_the_run(tmp_path):
    module, data = small.skeletons()
    keeper = Keeper(tmp_path, every_n_steps=1)
    trainer = small.trainer(tmp_path, callbacks=[At(4, spoil), keeper])
    with pytest.raises(NonFiniteLossError) as error:
        trainer.fit(module, datamodule=data)
    text = str(error.value)
    assert "the loss is nan at step 4 (epoch 2, learning rate " in text
    assert f"the last good checkpoint is '{tmp_path / 'checkpoints' / 'last.ckpt'}'" in text
    state = read_checkpoint(tmp_path / "checkpoints" / "last.ckpt")["state_dict"]
    assert all(bool(v.isfinite().all()) for v in state.values() if v.is_floating_point())


def test_a_first_loss_that_is_no_number(tmp_path):
    module, data = small.skeletons()
    keeper = Keeper(tmp_path)
    trainer = small.trainer(tmp_path, callbacks=[At(0, spoil), keeper])
    with pytest.raises(NonFiniteLossError, match="step 0 .*there is no checkpoint yet"):
        trainer.fit(module, datamodule=data)


@pytest.mark.parametrize("step", [1, 2])  # within an epoch, and at its end
def test_sigterm_writes_a_checkpoint_and_ends_with_143(tmp_path, step):
    module, data = small.skeletons()
    stop = At(step, lambda module: os.kill(os.getpid(), signal.SIGTERM))
    keeper = Keeper(tmp_path)
    trainer = small.trainer(tmp_path, callbacks=[stop, keeper])
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit) as end:
        trainer.fit(module, datamodule=data)
    assert signal.getsignal(signal.SIGTERM) == before
    assert end.value.code == 143
    assert read_checkpoint(tmp_path / "checkpoints" / "last.ckpt")["global_step"] == step + 1


def test_the_signal_of_slurm_queues_the_job_again(tmp_path, monkeypatch):
    scontrol = tmp_path / "scontrol"
    scontrol.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/asked\n')
    scontrol.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    module, data = small.skeletons()
    stop = At(1, lambda module: os.kill(os.getpid(), signal.SIGUSR1))
    trainer = small.trainer(tmp_path, callbacks=[stop, Keeper(tmp_path)])
    monkeypatch.setenv("SLURM_JOB_ID", "417")  # after Lightning looked for it
    before = signal.getsignal(signal.SIGUSR1)
    with pytest.raises(SystemExit) as end:
        trainer.fit(module, datamodule=data)
    assert end.value.code == 143
    assert (tmp_path / "asked").read_text() == "requeue 417\n"
    assert signal.getsignal(signal.SIGUSR1) == before
    assert read_checkpoint(tmp_path / "checkpoints" / "last.ckpt")["global_step"] == 2


def test_a_checkpoint_that_cannot_be_written_ends_the_run(tmp_path, monkeypatch):
    module, data = small.skeletons()

    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(CheckpointError, match="No space left"):
        small.trainer(tmp_path).fit(module, datamodule=data)


def test_metrics_of_each_epoch(tmp_path):
    module, data = small.skeletons()
    small.trainer(tmp_path, max_epochs=2).fit(module, datamodule=data)
    head, *rows = (tmp_path / "metrics.csv").read_text().splitlines()
    assert head == "epoch,step,lr,train/loss,val/loss,val/top1,val/top5"
    assert [row.split(",")[:2] for row in rows] == [["1", "3"], ["2", "6"]]
    module, data = small.skeletons()
    folder = tmp_path / "rarely"
    options = {"max_epochs": 3, "check_val_every_n_epoch": 2}
    small.trainer(folder, **options).fit(module, datamodule=data)
    lines = (folder / "metrics.csv").read_text().splitlines()
    assert [line.endswith(",,,") for line in lines[1:]] == [True, False, True]
    assert as_csv([{"a": 1}, {"b": 2}]) == "a,b\n1,\n,2\n"
