import pytest
import torch
from PIL import Image

from pyg_vision import demo
from pyg_vision.nn import STGCN, ViG
from pyg_vision.prediction import TrainedModel, load_trained
from pyg_vision.training import RunFolder


@pytest.mark.slow
def test_learns_digits_and_motion_and_draws_both(tmp_path, caplog):
    with caplog.at_level("INFO", "pyg_vision.demo"):
        assert demo.main(["--out", str(tmp_path / "out")]) == 0
    with Image.open(tmp_path / "out" / "china_graphs.png") as picture:
        assert picture.width == 1200
        colors = picture.convert("RGB").getcolors(2**24)
    assert colors is not None
    assert len(colors) > 10_000  # the photograph is in it
    with Image.open(tmp_path / "out" / "motion.gif") as animation:
        assert animation.n_frames > 20
    for name, model, least in (("digits", ViG, 0.985), ("motion", STGCN, 0.8)):
        run = RunFolder(tmp_path / "out" / name)
        assert run.results()["top1"] >= least
        assert isinstance(load_trained(run.path).model, model)


def test_an_accuracy_below_the_target_is_a_failure(tmp_path, monkeypatch, caplog):
    model = ViG(channels=8, depth=1, k=2, num_classes=10, in_channels=1, image_size=8,
                patch_size=2).eval()  # fmt: skip
    moving = STGCN(3, 7).eval()
    trained = {
        "digits": TrainedModel(model, [], lambda x: x, {}, {}),
        "synthetic_motion": TrainedModel(moving, list("abcdefg"), lambda x: x, {}, {}),
    }
    shares = {"digits": 0.5, "synthetic_motion": 0.9}
    monkeypatch.setattr(demo, "draw_photo", lambda *args: None)
    monkeypatch.setattr(demo, "animate_motion", lambda *args: None)
    monkeypatch.setattr(demo, "train", lambda name, *args: (trained[name], shares[name]))
    assert demo.main(["--out", str(tmp_path)]) == 1
    assert "digits is below the 96%" in caplog.text
    assert "motion is below" not in caplog.text
    shares.update(digits=0.97, synthetic_motion=0.7)
    assert demo.main(["--out", str(tmp_path)]) == 1
    assert "motion is below the 80%" in caplog.text
    shares.update(synthetic_motion=0.8)
    assert demo.main(["--out", str(tmp_path)]) == 0


def test_photograph_is_cropped_to_the_proportions_of_the_grid():
    assert demo.crop_to(torch.rand(3, 427, 640), (28, 42)).shape == (3, 420, 630)


@pytest.mark.parametrize("option", ["--epochs", "--motion-epochs"])
def test_wrong_number_of_epochs_is_named(option, capsys):
    with pytest.raises(SystemExit):
        demo.main([option, "0"])
    assert f"{option} must be at least 1 (got 0)" in capsys.readouterr().err
