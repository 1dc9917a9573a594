"""A training of twenty steps in float64, run by test_two_processes.py in one process and in two.

Run as ``python -m tests.training.two_processes KIND FOLDER``; in several by torch.distributed.run.
"""

import json
import sys
from pathlib import Path

import torch
from lightning.pytorch import Trainer
from lightning.pytorch.callbacks import Callback

from pyg_vision.training import (
    AtomicCheckpointIO,
    ImageClassifier,
    ImageFolderData,
    SkeletonClassifier,
    SkeletonData,
    SyncNorms,
)

STEPS = 20
BATCH = 4  # of all processes together


class Losses(Callback):
    """Keeps the mean loss over all processes of each step."""

    def __init__(self):
        self.losses = []

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
        loss = outputs["loss"].detach().clone()
        self.losses.append(float(trainer.strategy.reduce(loss, reduce_op="mean")))


def make(kind, folder, processes):
    share = {"batch_size": BATCH // processes, "drop_last": kind == "images"}
    if kind == "images":
        data = ImageFolderData(str(folder / "images"), 16, scale=(1.0, 1.0), flip=0.0, **share)
        options = {"channels": 16, "depth": 2, "k": 3, "image_size": 16, "patch_size": 4,
                   "use_dilation": False}  # fmt: skip
        return ImageClassifier("pyg_vision.nn.ViG", options=options, lr=1e-2, ema=0.9), data
    # Sequences of 30 to 60 frames: the processes see other numbers of them.
    data = SkeletonData("SyntheticMotion", options={"num_sequences": 35}, **share)
    options = {"in_channels": 3, "stages": [(4, 1, 1), (8, 1, 2)]}
    return SkeletonClassifier("stgcn", options=options, optimizer="sgd", lr=0.05, ema=0.9), data


def main(kind, folder):
    torch.set_num_threads(1)
    from lightning.pytorch.plugins.environments import TorchElasticEnvironment

    processes = TorchElasticEnvironment().world_size() if TorchElasticEnvironment.detect() else 1
    module, data = make(kind, folder, processes)
    losses = Losses()
    trainer = Trainer(
        max_steps=STEPS, max_epochs=99, accelerator="cpu", devices=processes, logger=False,
        strategy="ddp" if processes > 1 else "auto", precision="64-true",
        enable_progress_bar=False, enable_model_summary=False, enable_checkpointing=False,
        callbacks=[losses], plugins=[AtomicCheckpointIO(), SyncNorms()],
        num_sanity_val_steps=0, use_distributed_sampler=False, default_root_dir=folder,
    )  # fmt: skip
    trainer.fit(module, datamodule=data)
    trainer.test(module, datamodule=data, verbose=False)
    found = {"losses": losses.losses, "index": module.results["predictions"]["index"].tolist(),
             "top1": module.results["top1"], "loss": module.results["loss"]}  # fmt: skip
    if trainer.is_global_zero:
        (folder / f"{kind}_{processes}.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
