"""A model of graphs and its dense twin train alike."""

import pytest
import torch
from lightning.pytorch.callbacks import Callback

from pyg_vision.training import (
    ImageClassifier,
    ImageFolderData,
    Keeper,
    SkeletonClassifier,
    SkeletonData,
)
from tests.faults import write_images
from tests.training import small

STEPS = 50


class Losses(Callback):
    def __init__(self):
        self.losses = []

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
        self.losses.append(float(outputs["loss"]))


def train(folder, module, data, weights):
    losses = Losses()
    data.setup("fit")
    module.build(data.classes)
    module.model.load_state_dict(weights)
    trainer = small.trainer(
        folder, max_epochs=99, max_steps=STEPS, precision="64-true",
        callbacks=[losses, Keeper(folder)], limit_val_batches=0, enable_checkpointing=True,
    )  # fmt: skip
    trainer.fit(module, datamodule=data)
    return losses.losses, {name: p.detach() for name, p in module.model.named_parameters()}


def images(folder, model):
    root = folder / "images"
    if not root.exists():
        write_images(root, per_class=12)
    data = ImageFolderData(str(root), 16, 8, scale=(1.0, 1.0), flip=0.0)
    options = {"channels": 16, "depth": 3, "k": 3, "image_size": 16, "patch_size": 4,
               "use_dilation": False}  # fmt: skip
    path = {"sparse": "pyg_vision.nn.ViG", "dense": "pyg_vision.nn.DenseViG"}[model]
    return ImageClassifier(path, options=options, optimizer="sgd", lr=0.02), data


def skeletons(folder, model):
    data = SkeletonData(
        "SyntheticMotion", batch_size=7, options={"num_sequences": 35, "num_frames": 30}
    )
    options = {"in_channels": 3, "stages": [(8, 1, 1), (16, 1, 2)]}
    path = {"sparse": "pyg_vision.nn.STGCN", "dense": "pyg_vision.nn.DenseSTGCN"}[model]
    return SkeletonClassifier(path, options=options, optimizer="sgd", lr=0.05), data


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("make", [images, skeletons])
def test_fifty_steps_are_equal(make, tmp_path):
    module, data = make(tmp_path, "sparse")
    data.setup("fit")
    module.build(data.classes)
    weights = module.model.state_dict()
    found = {
        model: train(tmp_path / model, *make(tmp_path, model), weights)
        for model in ("sparse", "dense")
    }
    losses = {model: torch.tensor(values) for model, (values, _) in found.items()}
    assert len(losses["sparse"]) == STEPS
    torch.testing.assert_close(losses["sparse"], losses["dense"], rtol=0, atol=1e-8)
    assert losses["sparse"][-5:].mean() < losses["sparse"][:5].mean()
    for name, value in found["sparse"][1].items():
        other = found["dense"][1][name].view_as(value)
        torch.testing.assert_close(value, other, rtol=0, atol=1e-7, msg=name)
