import csv
import json

import numpy as np
import pytest
import torch
from PIL import Image

from pyg_vision.cli import main
from pyg_vision.nn import STGCN, ViG

OPTIONS = {
    "stgcn": {"in_channels": 2, "layout": "coco", "stages": [[4, 1, 1]]},
    "vig_ti": {"channels": 16, "depth": 1, "k": 3, "image_size": 32},
}


@pytest.fixture
def given(tmp_path):
    torch.manual_seed(0)
    models = {
        "stgcn": STGCN(num_classes=3, **OPTIONS["stgcn"]),
        "vig_ti": ViG(num_classes=2, **OPTIONS["vig_ti"]),
    }

    def arguments(name):
        torch.save(models[name].state_dict(), tmp_path / f"{name}.pth")
        options = json.dumps(OPTIONS[name])
        return [
            "--checkpoint",
            str(tmp_path / f"{name}.pth"),
            "--model",
            name,
            "--options",
            options,
        ]

    return arguments


def test_images_to_terminal_json_csv_and_drawings(given, tmp_path, capsys):
    for i in range(2):
        folder = tmp_path / "photos" / str(i)
        folder.mkdir(parents=True)
        Image.effect_noise((40, 40), 90).convert("RGB").save(folder / "a.png")
    (tmp_path / "names.json").write_text('["cat", "dog"]')
    files = {name: str(tmp_path / f"out.{name}") for name in ("json", "csv")}
    rest = ["--classes", str(tmp_path / "names.json"), "--json", files["json"]]
    rest += ["--csv", files["csv"], "--draw", str(tmp_path / "drawn"), "--top_k", "2"]
    assert main(["predict", str(tmp_path / "photos"), *given("vig_ti"), *rest]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    found = json.loads((tmp_path / "out.json").read_text())
    assert [one["source"] for one in found] == [
        str(tmp_path / "photos" / i / "a.png") for i in "01"
    ]
    top = found[0]["classes"][0]
    assert lines[0].startswith(
        f"{found[0]['source']}  {top['name']} {100 * top['probability']:.1f}%"
    )
    assert {one["name"] for one in found[0]["classes"]} == {"cat", "dog"}
    with open(files["csv"]) as file:
        rows = list(csv.DictReader(file))
    assert [row["rank"] for row in rows] == ["1", "2", "1", "2"]
    assert float(rows[0]["probability"]) == top["probability"]
    assert sorted(path.name for path in (tmp_path / "drawn").iterdir()) == ["a.png", "a_2.png"]


def test_windows_of_persons_of_a_skeleton_file(given, tmp_path, capsys):
    x = np.random.default_rng(0).random((1, 2, 10, 17, 2), dtype=np.float32)
    np.save(tmp_path / "a.npy", x)
    rest = ["--layout", "coco", "--window", "6", "--stride", "4", "--per-person"]
    assert main(["predict", str(tmp_path / "a.npy"), *given("stgcn"), *rest]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition("a.npy ")[2].partition("  ")[0] for line in lines] == [
        "[0:6] person 0", "[0:6] person 1", "[4:10] person 0", "[4:10] person 1",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none.png"], "there is no file 'none.png'"),
        (["none.png", "--checkpoint", "none.ckpt"], "there is no checkpoint 'none.ckpt'"),
        (["none.png", "--window", "3"], "the model is of images"),
        (["none.png", "--options", "{"], "--options is no JSON"),
        (["none.png", "--device", "tpu9"], "there is no device 'tpu9'"),
        (["none.png", "--model", "vig"], "there is no model 'vig'"),
        (["none.png", "--weights", "2"], "--weights are of an --ensemble"),
        (["none.png", "--classes", "none.json"], "none.json"),
        (["none.png", "--top_k", "0"], "'top_k' must be"),
    ],
)
def test_what_is_wrong_is_one_line(given, arguments, message, capsys):
    try:
        status = main(["predict", *given("vig_ti"), *arguments])
    except SystemExit as end:
        status = end.code
    assert status in (1, 2)
    lines = capsys.readouterr().err.strip().splitlines()
    assert message in lines[-1]
    assert "Traceback" not in "".join(lines)
