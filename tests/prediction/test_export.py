import json

import pytest
import torch
from torch_geometric.data import Batch

from pyg_vision.cli import main
from pyg_vision.data import skeleton_sequence, skeletons_to_dense
from pyg_vision.nn import STGCN, ViG, get_model
from pyg_vision.prediction import ExportError, TrainedModel, export, export_model

pytestmark = pytest.mark.filterwarnings("ignore")


def trained(kind="skeleton"):
    torch.manual_seed(0)
    if kind == "skeleton":
        return TrainedModel.of(STGCN(2, 4, layout="coco", stages=[(8, 1, 1), (8, 1, 2)]).eval())
    options = {"channels": 16, "depth": 1, "k": 3, "image_size": 32}
    return TrainedModel.of(ViG(num_classes=2, **options).eval(), ["cat", "dog"])


@pytest.mark.parametrize(
    ("kind", "format"),
    [
        ("skeleton", "onnx"),
        ("image", "torch"),
        pytest.param("skeleton", "torch", marks=pytest.mark.slow),
        pytest.param("image", "onnx", marks=pytest.mark.slow),
    ],
)
def test_files_give_the_same(kind, format, tmp_path):
    model, path = trained(kind), tmp_path / f"model.{format}"
    assert export_model(model, path, format) < 1e-3
    about = json.loads((tmp_path / f"model.{format}.json").read_text())
    assert about["classes"] == model.classes
    assert about["input"]["kind"] == kind
    assert (about["layout"] is None) == (kind == "image")
    if format == "torch":
        x = torch.randn(1, 2, 60, 17, 1) if kind == "skeleton" else torch.randn(5, 3, 32, 32)
        with torch.no_grad():
            torch.testing.assert_close(torch.export.load(path).module()(x), model.model(x))


@pytest.mark.parametrize("factor", [1.01, float("nan")])
def test_a_file_that_gives_something_else_is_removed(factor, tmp_path, monkeypatch):
    (tmp_path / "model.pt2").write_text("an older one")
    monkeypatch.setattr(export, "_to_torch", lambda model, *rest: lambda x: model(x) * factor)
    with pytest.raises(ExportError, match=r"differs from the model by (0.01|nan)"):
        export_model(trained(), tmp_path / "model.pt2", "torch")
    assert [path.name for path in tmp_path.iterdir()] == ["model.pt2"]
    assert (tmp_path / "model.pt2").read_text() == "an older one"


def test_a_size_may_be_one_number(tmp_path):
    model = torch.nn.Sequential(torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten())
    model.image_size = 20
    one = TrainedModel.of(model, ["r", "g", "b"])
    assert export_model(one, tmp_path / "model.pt2", "torch") < 1e-3


def test_what_is_missing_or_unknown(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="'format' must be one of onnx, torch"):
        export_model(trained(), tmp_path / "model", "tflite")
    monkeypatch.setattr(export, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match="needs onnx, onnxscript, onnxruntime: pip install"):
        export_model(trained(), tmp_path / "model.onnx")


def test_the_command(tmp_path, capsys):
    options = '{"in_channels": 2, "layout": "coco", "stages": [[8, 1, 1], [8, 1, 2]]}'
    torch.save(trained().model.state_dict(), tmp_path / "a.pth")
    given = ["--checkpoint", str(tmp_path / "a.pth"), "--model", "stgcn", "--options", options]
    out = tmp_path / "a.pt2"
    assert main(["export", *given, "--format", "torch", "--out", str(out)]) == 0
    assert capsys.readouterr().out.startswith(f"written: {out} (outputs differ by ")
    assert main(["export", "--checkpoint", str(tmp_path / "none")]) == 1
    assert "there is no checkpoint" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("format", ["onnx", "torch"])
@pytest.mark.parametrize("name", ["stgcnpp", "agcn", "aagcn", "ctrgcn", "msg3d", "dgstgcn"])
def test_families_of_skeletons(name, format, tmp_path):
    small = {} if name == "msg3d" else {"stages": [(8, 2), (16, 1, 2)]}
    model = get_model(name, num_classes=5, layout="kinect", **small).eval()
    suffix = {"onnx": "onnx", "torch": "pt2"}[format]
    path = tmp_path / f"model.{suffix}"
    assert export_model(TrainedModel.of(model), path, format, num_persons=2) < 1e-3


def test_a_model_that_fills_up_sequences(tmp_path):
    options = {"stages": [(8, 1, 1), (8, 1, 2)], "padding": "published", "window": (12, 2)}
    model = STGCN(2, 4, layout="coco", **options).eval()
    path = tmp_path / "model.pt2"
    assert export_model(TrainedModel.of(model), path, "torch") < 1e-3
    one = skeleton_sequence(torch.rand(1, 9, 17, 2), "coco")
    with torch.no_grad():
        found = torch.export.load(path).module()(
            skeletons_to_dense(one, 12, 2).repeat(3, 1, 1, 1, 1)
        )
        torch.testing.assert_close(found[:1], model(Batch.from_data_list([one])))
    with pytest.raises(ValueError, match="fills up to 2 persons"):
        export_model(TrainedModel.of(model), path, "torch", num_persons=1)
