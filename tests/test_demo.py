import pytest
import torch
from PIL import Image

from pyg_vision import demo
from pyg_vision.datasets import DigitsGraphs
from pyg_vision.nn import STGCN, ViG


@pytest.mark.slow
def test_learns_digits_and_motion_and_draws_both(tmp_path, caplog):
    with caplog.at_level("INFO", "pyg_vision.demo"):
        assert demo.main(["--out", str(tmp_path / "out")]) == 0
    assert "held-out third" in caplog.text
    with Image.open(tmp_path / "out" / "china_graphs.png") as picture:
        assert picture.width == 1200
        colors = picture.convert("RGB").getcolors(2**24)
    assert colors is not None
    assert len(colors) > 10_000  # the photograph is in it
    state = torch.load(tmp_path / "out" / "vig_digits.pt", weights_only=True)
    model = ViG(channels=48, depth=4, k=4, num_classes=10, in_channels=1, image_size=8,
                patch_size=2, use_dilation=False)  # fmt: skip
    model.load_state_dict(state)
    assert demo.test_accuracy(model) >= 0.96
    assert "synthetic figures that it has not seen" in caplog.text
    with Image.open(tmp_path / "out" / "motion.gif") as animation:
        assert animation.n_frames > 20
    moving = STGCN(in_channels=3, num_classes=7)
    moving.load_state_dict(torch.load(tmp_path / "out" / "st_gcn_motion.pt", weights_only=True))
    assert demo.motion_accuracy(moving) >= 0.8


def test_an_accuracy_below_the_target_is_a_failure(tmp_path, monkeypatch, caplog):
    model = ViG(channels=8, depth=1, k=2, num_classes=10, in_channels=1, image_size=8,
                patch_size=2).eval()  # fmt: skip
    moving = STGCN(3, 7).eval()
    shares = {"digits": 0.5, "motion": 0.9}
    monkeypatch.setattr(demo, "train_digits", lambda epochs, seed: (model, shares["digits"]))
    monkeypatch.setattr(demo, "train_motion", lambda epochs, seed: (moving, shares["motion"]))
    assert demo.main(["--out", str(tmp_path)]) == 1
    assert "digits is below the 96%" in caplog.text
    assert "motion is below" not in caplog.text
    shares.update(digits=0.97, motion=0.7)
    assert demo.main(["--out", str(tmp_path)]) == 1
    assert "motion is below the 80%" in caplog.text
    shares.update(motion=0.8)
    assert demo.main(["--out", str(tmp_path)]) == 0


def test_accuracy_is_over_the_held_out_third():
    digits = DigitsGraphs("test")
    assert len(digits) == pytest.approx(1797 / 3, abs=1)

    class Oracle(torch.nn.Module):
        def forward(self, batch):
            return torch.nn.functional.one_hot((batch.y + (batch.y == 3)) % 10, 10)

    share = (digits.labels != 3).float().mean().item()
    assert demo.test_accuracy(Oracle()) == pytest.approx(share)


def test_photograph_is_cropped_to_the_proportions_of_the_grid():
    assert demo.crop_to(torch.rand(3, 427, 640), (28, 42)).shape == (3, 420, 630)


@pytest.mark.parametrize("option", ["--epochs", "--motion-epochs"])
def test_wrong_number_of_epochs_is_named(option, capsys):
    with pytest.raises(SystemExit):
        demo.main([option, "0"])
    assert f"{option} must be at least 1 (got 0)" in capsys.readouterr().err


def test_motion_accuracy_is_over_figures_of_the_test_split():
    class Oracle(torch.nn.Module):
        def forward(self, batch):
            return torch.nn.functional.one_hot((batch.y + (batch.y == 3)) % 7, 7)

    assert demo.motion_accuracy(Oracle()) == pytest.approx(6 / 7)
