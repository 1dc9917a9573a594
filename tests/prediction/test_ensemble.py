import pytest
import torch

from pyg_vision.cli import main
from pyg_vision.prediction import CheckpointError, ensemble_accuracy, write_checkpoint


def write(folder, logits, labels=(0, 1, 1), index=(0, 1, 2)):
    found = {"logits": torch.tensor(logits), "labels": torch.tensor(labels)}
    write_checkpoint(
        {"state_dict": {**found, "index": torch.tensor(index)}}, folder / "predictions.pt"
    )
    return str(folder)


@pytest.fixture
def runs(tmp_path):
    joint = write(tmp_path / "joint", [[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    bone = write(tmp_path / "bone", [[0.0, 0.5], [0.0, 2.0], [0.0, 2.0]])
    return [joint, bone]


def test_the_weights_decide(runs, capsys):
    equal = ensemble_accuracy(runs)
    assert list(equal.values()) == pytest.approx([2 / 3, 2 / 3, 1.0])
    assert ensemble_accuracy(runs, [9, 1])["ensemble"] == pytest.approx(2 / 3)
    assert ensemble_accuracy(runs, [1, 9])["ensemble"] == pytest.approx(2 / 3)
    assert main(["test", "--ensemble", *runs, "--weights", "1", "1"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "top-1 100.00%  ensemble"


def test_what_does_not_belong_together(runs, tmp_path, capsys):
    other = write(tmp_path / "other", [[1.0, 0.0]] * 3, labels=(0, 0, 1))
    with pytest.raises(ValueError, match="were tested on other data"):
        ensemble_accuracy([runs[0], other])
    third = write(tmp_path / "third", [[1.0, 0.0, 0.0]] * 3)
    with pytest.raises(ValueError, match="have other classes"):
        ensemble_accuracy([runs[0], third])
    with pytest.raises(ValueError, match="one positive weight for each"):
        ensemble_accuracy(runs, [1])
    with pytest.raises(ValueError, match="two runs or more"):
        ensemble_accuracy(runs[:1])
    with pytest.raises(CheckpointError, match="there is no checkpoint"):
        ensemble_accuracy([runs[0], tmp_path / "none"])
    with pytest.raises(SystemExit):
        main(["test", "--ensemble", runs[0]])
    assert "two runs or more" in capsys.readouterr().err


def test_large_logits_of_several_labels_are_told_apart(tmp_path):
    labels = [[1.0], [0.0], [1.0]]
    runs = [write(tmp_path / n, [[90.0], [80.0], [70.0]], labels) for n in "ab"]
    found = ensemble_accuracy(runs)
    assert found[runs[0]] == pytest.approx((1 + 2 / 3) / 2)
