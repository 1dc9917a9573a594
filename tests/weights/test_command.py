import torch
from torch.nn import Linear

from pyg_vision.cli import main
from pyg_vision.nn import PyramidViG
from pyg_vision.weights import from_pretrained
from tests.weights.test__pretrained import published, random_model


def test_commands(tmp_path, capsys):
    torch.save({"model_ema": published(random_model(PyramidViG))}, tmp_path / "p.pth")
    assert main(["inspect", str(tmp_path / "p.pth")]) == 0
    out = capsys.readouterr().out
    assert "pyg_vision.nn.PyramidViG(in_channels=4, num_classes=7, conv='mr'" in out
    assert "depths=[1, 2, 1]" in out
    assert "in 'model_ema'" in out
    assert main(["convert", str(tmp_path / "p.pth"), "--options", '{"k": 5}']) == 0
    assert "k=5" in capsys.readouterr().out
    from_pretrained(tmp_path / "p.safetensors")
    torch.save(Linear(2, 3).state_dict(), tmp_path / "l.pth")
    assert main(["inspect", str(tmp_path / "l.pth")]) == 0
    assert "model: unknown" in capsys.readouterr().out
    for arguments in (
        ["inspect", str(tmp_path / "nowhere.pth")],
        ["convert", str(tmp_path / "l.pth")],
        ["convert", str(tmp_path / "p.pth"), "--options", "[1]"],
        ["convert", str(tmp_path / "p.pth"), "--options", "{"],
        ["convert", str(tmp_path / "p.pth"), "--input", '{"kind": "sound"}'],
        ["convert", str(tmp_path / "p.safetensors")],
    ):
        assert main(arguments) == 1
        assert len(capsys.readouterr().err.strip().splitlines()) == 1
