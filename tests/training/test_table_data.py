import logging
import re

import numpy as np
import pytest
import torch
import yaml
from PIL import Image

from pyg_vision.cli import main
from pyg_vision.prediction import Predictor, ensemble_accuracy, load_trained
from pyg_vision.training import ImageTableData, RunFolder

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")
COLORS = ("red", "green", "blue")


def write_table(root, count=40, header="file,labels,split"):
    """Images whose channels are bright or not, and a table of which ones are."""
    random = np.random.default_rng(0)
    lines = [header]
    for i in range(count):
        on = random.random(3) < 0.5
        pixels = random.integers(0, 60, (16, 16, 3)) + 180 * on
        Image.fromarray(pixels.astype(np.uint8)).save(root / f"{i}.png")
        names = ";".join(name for name, one in zip(COLORS, on, strict=True) if one)
        lines.append(f"{i}.png,{names},{'val' if i % 4 == 0 else 'train'}")
    path = root / "labels.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def read(path, **options):
    data = ImageTableData(str(path), image_size=8, batch_size=2, **options)
    data.setup("fit")
    return data


def write(root, *lines):
    for name in "abcd":
        Image.new("RGB", (8, 8)).save(root / f"{name}.png")
    path = root / "labels.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_labels_in_one_column_and_in_a_column_each_are_the_same(tmp_path):
    one = write(tmp_path, "file,labels,split", "a.png,x; y,train", "b.png,,train", "c.png,y,test")
    found = read(one)
    assert found.classes == ["x", "y"]
    each = write(tmp_path, "file,split,x,y", "a.png,train,1,1", "b.png,train,0,0",
                 "c.png,val,0,1")  # fmt: skip
    for data in (found, read(each)):
        assert [item[1].tolist() for item in data.images("train")] == [[1, 1], [0, 0]]
        _, labels, index = next(iter(data.test_dataloader()))
        assert labels.tolist() == [[0, 1]]
        assert labels.dtype == torch.float32
        assert index.tolist() == [0]
    # The columns are in the order of the table.
    turned = write(tmp_path, "y,x,file", "1,1,a.png", "1,1,b.png", "1,1,c.png")
    assert read(turned, test_share=0.4).classes == ["y", "x"]


def test_other_names_of_columns_and_folders(tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    write(folder)
    path = tmp_path / "table.csv"
    # A byte order mark, as Excel writes it.
    path.write_text("\ufeffname,tags,set\na.png,x|y,train\nb.png,y,test\n", encoding="utf-8")
    data = read(path, root=str(folder), file_column="name", label_column="tags",
                split_column="set", separator="|")  # fmt: skip
    assert data.classes == ["x", "y"]
    assert data.paths() == [str(folder / "b.png")]
    assert data.raw_sample(0)[1] == str(folder / "b.png")


def test_classes_are_divided_in_the_same_proportion(tmp_path):
    lines = [f"{i}.png,{'x' if i < 12 else 'y'}" for i in range(16)] + ["16.png,z"]
    for i in range(17):
        Image.new("RGB", (8, 8)).save(tmp_path / f"{i}.png")
    data = read(write(tmp_path, "file,labels", *lines), multi_label=False, test_share=0.25)
    found = {split: [row.labels[0] for row in rows] for split, rows in data.splits.items()}
    assert sorted(found["test"]) == ["x"] * 3 + ["y"]
    assert sorted(found["train"]) == ["x"] * 9 + ["y"] * 3 + ["z"]  # the only one


def test_a_table_of_test_images_has_the_classes_of_the_model(tmp_path):
    path = write(tmp_path, "file,labels,split", "a.png,y,test", "b.png,,test")
    data = ImageTableData(str(path), image_size=8, batch_size=2)
    data.setup("test")
    data.adopt_classes(["x", "y", "z"])
    assert data.classes == ["x", "y", "z"]
    assert next(iter(data.test_dataloader()))[1].tolist() == [[0, 1, 0], [0, 0, 0]]
    data.setup("validate")
    assert next(iter(data.val_dataloader()))[1].tolist() == [[0, 1, 0], [0, 0, 0]]
    with pytest.raises(ValueError, match="has the label 'y', which is none of the 1 of the model"):
        data.adopt_classes(["x"])
    with pytest.raises(ValueError, match="has no train images"):
        ImageTableData(str(path), image_size=8, batch_size=2).setup("fit")


def test_one_class_each(tmp_path):
    path = write(tmp_path, "file,labels", "a.png,x", "b.png,y", "c.png,x", "d.png,y")
    data = read(path, multi_label=False, test_share=0.25)
    assert not data.multi_label
    assert [len(data.images(split)) for split in ("train", "test")] == [2, 2]  # of each class one
    labels = next(iter(data.train_dataloader()))[1]
    assert labels.dtype == torch.int64
    assert labels.shape == (2,)


@pytest.mark.parametrize(
    ("lines", "options", "message"),
    [
        (["name,labels", "a.png,x"], {}, "must have a column 'file'"),
        (["file,labels", "a.png,x", "e.png,x"], {}, "1 of 2 images of .* such as .*e.png"),
        (["file,labels,split", "a.png,x,training"], {}, "line 2 .* train, test or val"),
        (["file,labels,split", "a.png,x,train"], {}, "has no test images"),
        (["file,labels,split", "a.png,x,train", "b.png,y,test"], {},
         "no training image with the label 'y'"),
        (["file,x", "a.png,yes"], {}, "line 2 .*'x' must be 0 or 1"),
        (["file,labels", "a.png"], {}, "line 2 .* as many values"),
        (["file,labels", "a.png,x,y"], {}, "line 2 .* as many values"),
        (["file,labels", "a.png,x;y"], {"multi_label": False}, "line 2 .* must have one class"),
        (["file,labels", "a.png,x", "a.png,y"], {}, "must list .*a.png' once"),
        (["file,dog,dog", "a.png,1,0"], {}, "must not have two columns 'dog'"),
        (["file,labels", "a.png,x"], {"split_column": "set"}, "must have a column 'set'"),
        (["file,labels", "a.png,x"], {"label_column": "tags"}, "must have a column 'tags'"),
        (["file,labels", "a.png,x"], {"separator": ""}, "'separator' must not be empty"),
        (["file,labels", "a.png,x"], {"test_share": 1.0}, "'test_share' must be a share"),
    ],
)  # fmt: skip
def test_tables_that_cannot_be_used(tmp_path, lines, options, message):
    path = write(tmp_path, *lines)
    with pytest.raises((ValueError, FileNotFoundError), match=message) as error:
        read(path, **options)
    assert "\n" not in str(error.value)
    with pytest.raises(FileNotFoundError, match="there is no table"):
        read(tmp_path / "none.csv")


def test_validation_images_are_no_test_images(tmp_path):
    path = write(tmp_path, "file, labels, split", "a.png,x,train", "b.png,x,val", "c.png,x, test")
    with pytest.warns(UserWarning, match="marked 'val' are left out"):
        data = read(path)
    assert data.paths() == [str(tmp_path / "c.png")]


def test_rare_labels_are_for_training(tmp_path):
    path = write(tmp_path, "file,labels", "a.png,x", "b.png,x;y", "c.png,z", "d.png,")
    assert [row.path.name for row in read(path).splits["test"]] == ["d.png"]


@pytest.fixture
def logger_as_before():
    logger = logging.getLogger("pyg_vision")
    state = logger.handlers[:], logger.level, logger.propagate
    yield
    logger.handlers[:], logger.level, logger.propagate = state


@pytest.mark.usefixtures("logger_as_before")
def test_several_labels_are_learned_reported_and_predicted(tmp_path, capsys):
    table = write_table(tmp_path)
    model = "{channels: 16, depth: 1, k: 3, image_size: 16, patch_size: 4, use_dilation: false}"
    given = ["fit", "--config", "image_table", "--data.table", str(table), "--model.options", model,
             "--data.image_size", "16", "--data.batch_size", "10", "--data.num_workers", "0",
             "--data.color_jitter", "0", "--model.warm_up", "0", "--model.lr", "1e-2",
             "--model.mixup", "0.1", "--trainer.max_epochs", "8", "--progress_bar", "false",
             "--trainer.accelerator", "cpu"]  # fmt: skip
    runs = [str(tmp_path / f"run{seed}") for seed in range(2)]
    for seed, folder in enumerate(runs):
        assert main([*given, "--run_dir", folder, "--seed", str(seed)]) == 0
    out = capsys.readouterr().out
    assert re.search(r"epoch 8/8, loss [0-9.]+, mAP [0-9.]+%", out)
    assert re.search(r"mAP [0-9.]+%, F1 [0-9.]+%, loss [0-9.]+ on 10 samples", out)
    results = RunFolder(runs[0]).results()
    assert results["classes"] == sorted(COLORS)
    assert results["map"] > 0.9
    assert np.array(results["counts"]).sum(1).tolist() == [10, 10, 10]
    header = (tmp_path / "run0" / "metrics.csv").read_text().splitlines()[0]
    assert header.endswith("val/loss,val/map,val/f1")
    report = (tmp_path / "run0" / "report.html").read_text()
    assert "average precision" in report
    assert "Confusion" not in report

    trained = load_trained(runs[0])
    assert trained.multi_label
    logits = torch.tensor([[0.0, 4.0, 4.0]])
    torch.testing.assert_close(trained.probabilities(logits), logits.sigmoid())
    white = Image.new("RGB", (16, 16), (230, 230, 230))
    black = Image.new("RGB", (16, 16), (20, 20, 20))
    first, second = Predictor(runs)([white, black])
    assert sorted(first.labels()) == sorted(COLORS)
    assert second.labels() == []
    assert first.labels(threshold=1.1) == []
    found = ensemble_accuracy(runs)
    assert found[runs[0]] == pytest.approx(results["map"], abs=1e-6)
    assert main(["test", "--ensemble", *runs]) == 0
    assert re.search(r"mAP [0-9.]+%  ensemble", capsys.readouterr().out)
    assert main(["validate", "--run_dir", runs[0], "--progress_bar", "false"]) == 0
    assert f"mAP {100 * results['map']:.2f}%" in capsys.readouterr().out
    # Images of one label only, of a table that has no others.
    lines = table.read_text().splitlines()
    chosen = [line.replace("train", "test") for line in lines[1:] if line.split(",")[1] == "blue"]
    (tmp_path / "blue.csv").write_text("\n".join([lines[0], *chosen]) + "\n")
    other = ["--run_dir", runs[0], "--data.table", str(tmp_path / "blue.csv")]
    assert main(["test", *other, "--progress_bar", "false"]) == 0
    assert f"on {len(chosen)} samples" in capsys.readouterr().out
    config = yaml.safe_load((tmp_path / "run0" / "config.yaml").read_text())
    assert config["data"]["init_args"]["multi_label"] is True
