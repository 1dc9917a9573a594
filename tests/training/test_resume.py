"""A training that is stopped anywhere goes on as if it had not been."""

import shutil

import pytest
import torch

from pyg_vision.training import Keeper
from tests.faults import differences, write_images
from tests.training import small

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


class Collector(Keeper):
    """Keeps a copy of each checkpoint."""

    def __init__(self, folder, every_n_steps):
        super().__init__(folder, every_n_steps)
        self.copies = []

    def save(self, trainer, within=False):
        super().save(trainer, within)
        path = self.folder / f"copy{len(self.copies)}.ckpt"
        shutil.copy(self.folder / "checkpoints" / "last.ckpt", path)
        self.copies.append(path)


def run(make, folder, path=None, **options):
    keeper = Collector(folder, every_n_steps=2)
    module, data = make()
    trainer = small.trainer(folder, keeper, **options)
    trainer.fit(module, datamodule=data, ckpt_path=path, weights_only=True)
    state = torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)
    kept = {name: state[name] for name in ("state_dict", "optimizer_states", "lr_schedulers")}
    kept["history"] = keeper.history
    kept["predictions"] = module.results["predictions"]
    return kept, keeper.copies


def test_skeletons_from_within_an_epoch_and_from_its_end(tmp_path):
    expected, copies = run(small.skeletons, tmp_path / "whole", max_epochs=2)
    assert len(copies) == 4  # two in each epoch
    for number, path in enumerate(copies[:2]):
        found, _ = run(small.skeletons, tmp_path / f"rest{number}", path, max_epochs=2)
        assert differences(expected, found) == [], path.name


@pytest.mark.slow
@pytest.mark.parametrize("options", [{}, {"accumulate_grad_batches": 2}])
def test_skeletons_from_every_checkpoint(tmp_path, options):
    expected, copies = run(small.skeletons, tmp_path / "whole", **options)
    assert len(copies) > 5
    assert len(expected["history"]) == 3
    for number, path in enumerate(copies[:-1]):
        found, _ = run(small.skeletons, tmp_path / f"rest{number}", path, **options)
        assert differences(expected, found) == [], path.name


@pytest.mark.slow
def test_images_from_every_checkpoint_with_any_number_of_workers(tmp_path):
    root = write_images(tmp_path / "images", per_class=6)
    expected, copies = run(lambda: small.images(root), tmp_path / "whole")
    for number, path in enumerate(copies[:-1]):
        workers = 2 if number == 1 else 0
        found, _ = run(lambda w=workers: small.images(root, w), tmp_path / f"rest{number}", path)
        assert differences(expected, found) == [], path.name


def test_images_with_workers(tmp_path):
    root = write_images(tmp_path / "images", per_class=6)
    expected, copies = run(lambda: small.images(root), tmp_path / "whole", max_epochs=2)
    found, _ = run(lambda: small.images(root, 2), tmp_path / "rest", copies[0], max_epochs=2)
    assert differences(expected, found) == []


def test_a_difference_is_found():
    a = {"x": torch.ones(2), "y": [1.0, float("nan")]}
    assert differences(a, {"x": torch.ones(2), "y": [1.0, float("nan")]}) == []
    assert differences(a, {"x": torch.tensor([1.0, 1.1]), "y": [1.0, 2.0]}) == [".x", ".y[1]"]
    assert differences(a, {"x": torch.ones(2)}) == [": ['y']"]
