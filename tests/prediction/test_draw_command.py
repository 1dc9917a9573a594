import json

import pytest
import torch
from PIL import Image

from pyg_vision.cli import main
from pyg_vision.nn import STGCN, ViG


@pytest.fixture
def model(tmp_path):
    torch.manual_seed(0)
    options = {"channels": 16, "depth": 2, "k": 3, "image_size": 32, "patch_size": 4,
               "use_dilation": False}  # fmt: skip
    vig = ViG(**options, num_classes=2)
    path = tmp_path / "vig.pth"
    torch.save(vig.state_dict(), path)
    classes = tmp_path / "classes.json"
    classes.write_text('["cat", "dog"]')
    given = {"checkpoint": path, "options": json.dumps(options), "classes": classes}
    named = [text for name, value in given.items() for text in (f"--{name}", str(value))]
    return ["--model", "pyg_vision.nn.ViG", *named]


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in ("a", "b"):
        Image.new("RGB", (48, 32), (90, 200, 40)).save(folder / f"{name}.png")
    return folder


def test_blocks_and_classes_of_each_image(model, photos, tmp_path, capsys):
    out = tmp_path / "drawn"
    draw = ["draw", str(photos), *model, "--out", str(out)]
    assert main([*draw, "--at", "0.5", "0.5", "--blocks", "1", "2"]) == 0
    assert capsys.readouterr().out.splitlines() == [str(out / f"{n}_blocks.png") for n in "ab"]
    assert main([*draw, "--attribute", "--class", "dog"]) == 0
    assert main([*draw, "--attribute", "occlusion"]) == 0
    assert main(draw) == 0  # nothing is overwritten
    assert {path.name for path in out.iterdir()} == {
        f"{n}_{what}.png" for n in "ab"
        for what in ("blocks", "integrated_gradients", "occlusion", "blocks_2")
    }  # fmt: skip
    assert Image.open(out / "a_blocks.png").size[0] == 1200


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--blocks", "1", "3"], r"--blocks are 1 to 2 (got 3)"),
        (["--blocks", "0"], "--blocks are counted from 1"),
        (["--at", "0.5", "2"], "'points' must be pairs"),
        (["--class", "dog"], "--class belongs to --attribute"),
        (["--attribute", "--class", "owl"], "'label' must be one of 2 classes"),
        (["--attribute", "--at", "0", "0"], "do not belong to --attribute"),
    ],
)
def test_what_cannot_be_drawn_is_said_in_a_line(
    model, photos, tmp_path, capsys, arguments, message
):
    with pytest.raises(SystemExit) as end:
        raise SystemExit(
            main(["draw", str(photos / "a.png"), *model, "--out", str(tmp_path), *arguments])
        )
    assert end.value.code not in (0, None)
    assert message in capsys.readouterr().err.strip().splitlines()[-1]


def test_models_of_skeletons_have_no_images(photos, tmp_path, capsys):
    path = tmp_path / "stgcn.pth"
    torch.save(STGCN(3, 4, stages=[(4, 1, 1)]).state_dict(), path)
    options = '{"in_channels": 3, "stages": [[4, 1, 1]]}'
    given = ["--checkpoint", str(path), "--model", "stgcn", "--options", options]
    assert main(["draw", str(photos), *given, "--out", str(tmp_path)]) == 1
    assert "the model must be one of images" in capsys.readouterr().err
