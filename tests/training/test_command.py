"""The commands fit, validate and test, in this process."""

import json
import logging
import re
import shutil
from pathlib import Path

import pytest
import torch
import yaml
from PIL import Image

from pyg_vision.cli import main
from pyg_vision.prediction import load_trained
from pyg_vision.training import RunFolder, fit
from tests.faults import write_images

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")
SMALL = [
    "--config", "synthetic_motion", "--data.options", "{num_sequences: 14}",
    "--model.options", "{in_channels: 3, stages: [[4, 1, 1], [8, 1, 2]]}", "--model.ema", "0.9",
    "--trainer.accelerator", "cpu", "--trainer.max_epochs", "2", "--progress_bar", "false",
]  # fmt: skip
BRIEF = ["--report", "false"]


@pytest.fixture(autouse=True)
def logger_as_before():
    logger = logging.getLogger("pyg_vision")
    state = logger.handlers[:], logger.level, logger.propagate
    yield
    logger.handlers[:], logger.level, logger.propagate = state


def error_of(arguments, capsys):
    with pytest.raises(SystemExit) as end:
        raise SystemExit(main(arguments))
    lines = capsys.readouterr().err.strip().splitlines()
    assert end.value.code not in (0, None)
    assert len(lines) == 1, lines
    return lines[0]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "motion"
    assert main(["fit", *SMALL, "--run_dir", str(folder), "--seed", "3"]) == 0
    return folder


def test_a_run_leaves_what_it_was_and_what_it_found(run):
    config = yaml.safe_load((run / "config.yaml").read_text())
    assert config["model"]["init_args"]["seed"] == config["data"]["init_args"]["seed"] == 3
    assert config["model"]["init_args"]["lr"] == 1e-3
    environment = json.loads((run / "environment.json").read_text())
    assert environment["torch"] == torch.__version__
    assert len((run / "metrics.csv").read_text().splitlines()) == 3
    results = RunFolder(run).results()
    assert results["samples"] == 14
    assert len(results["confusion"]) == len(results["classes"]) == 7
    assert any((run / "tensorboard").iterdir())
    assert load_trained(run).classes == results["classes"]


def test_evaluation_finds_what_the_run_found(run, capsys):
    for command in ("test", "validate"):
        assert main([command, "--run_dir", str(run)]) == 0
        top1 = 100 * RunFolder(run).results()["top1"]
        assert f"top-1 {top1:.2f}%" in capsys.readouterr().out
    path = str(run / "checkpoints" / "last.ckpt")
    assert main(["test", *SMALL, "--checkpoint", path]) == 0
    assert f"top-1 {top1:.2f}%" in capsys.readouterr().out


def test_data_of_other_classes_than_the_checkpoint(run, tmp_path, capsys, monkeypatch):
    from pyg_vision.datasets import SyntheticMotion

    path = str(run / "checkpoints" / "last.ckpt")
    names = SyntheticMotion().classes
    given = ["test", *SMALL, "--checkpoint", path, "--run_dir", str(tmp_path)]
    monkeypatch.setattr(SyntheticMotion, "classes", property(lambda self: names[:5]))
    assert main(given) == 0  # those that the test data lacks
    capsys.readouterr()
    monkeypatch.setattr(SyntheticMotion, "classes", property(lambda self: ["a", "b"]))
    assert "the data has other classes than" in error_of(given, capsys)


def test_the_console_has_our_lines_only(tmp_path, capsys):
    assert main(["fit", *SMALL, *BRIEF, "--run_dir", str(tmp_path / "run")]) == 0
    out, err = capsys.readouterr()
    assert all(
        line.startswith(("epoch ", "top-1 ", "report: ")) or "waiting" in line
        for line in out.splitlines()
    )
    assert "Lightning" not in out + err
    assert "Tip" not in out + err


def test_finished_other_and_resumed_runs(run, capsys):
    same = ["fit", *SMALL, *BRIEF, "--run_dir", str(run), "--seed", "3"]
    assert "is finished; --overwrite" in error_of(same, capsys)
    assert "model.init_args.lr was 0.001, is 0.5" in error_of([*same, "--model.lr", "0.5"], capsys)
    before = RunFolder(run).results()
    (run / "results.json").unlink()
    assert main(same) == 0
    assert "going on from" in capsys.readouterr().out
    assert RunFolder(run).results() == before


def test_a_checkpoint_of_other_code_is_refused(run, tmp_path, capsys):
    folder = Path(shutil.copytree(run, tmp_path / "run"))
    (folder / "results.json").unlink()
    path = folder / "checkpoints" / "last.ckpt"
    checkpoint = torch.load(path, weights_only=True)
    checkpoint["state_dict"]["no_more"] = torch.ones(1)
    torch.save(checkpoint, path)
    same = ["fit", *SMALL, *BRIEF, "--run_dir", str(folder), "--seed", "3"]
    message = error_of(same, capsys)
    assert message.endswith(f"'{path}' holds another model: Unexpected key(s) in state_dict: "
                            f'"no_more".')  # fmt: skip


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (["--model.learning_rate", "1"], "learning_rate"),
        (["--modle.lr", "1"], "modle"),
        (["--config", "no_such_recipe"], "there is no recipe 'no_such_recipe'"),
        (["--model.model", "vig_xl"], "there is no model 'vig_xl'"),
        (["--model.num_classes", "5"], "the model has 5 classes, but the data 7"),
        (["--trainer.accelerator", "cuda"], "CUDA|GPU|cuda"),
        (["--trainer.max_epochs", "1"], "a warm-up must be shorter than 1 epochs"),
        (["--data.batch_size", "many"], "batch_size"),
        (["--data.dataset", "NWUCLA", "--data.options", "{}", "--data.root", "nowhere"], "nowhere"),
        (["--data.batch_size", "15"], "no full batch of 15 in 14 samples"),
        (["--model.options", "{a:3}"], r'"options": Expected a .*dict.*Got value: {a:3}$'),
        (["--data.batch_size", "many"], '"batch_size": .*Got value: many'),
        (["--data.holdout", "2"], r"error: 'holdout' must be a share below 1 \(got 2.0\)$"),
        (["--data.holdout", "0.001"], r"a 'holdout' of 0.001 leaves 14 of 14 samples"),
        (["--threads", "0"], "--threads must be at least 1"),
        (["--trainer.limit_train_batches", "0"], "'trainer.limit_train_batches' must not be 0"),
        (["--trainer.fast_dev_run", "true"], "fast_dev_run"),
        (["--model.options.in_channels", "2"], "the model does not take the data: .*in_channels=2"),
        (["--model.options.layout", "coco"], "the model does not take the data: .*'coco'"),
        (["--model.ema", "7"], r"error: 'ema' must be between 0 and 1 \(got 7.0\)$"),
    ],
)
def test_what_is_wrong_is_one_line_before_any_work(change, message, tmp_path, capsys):
    if "cuda" in change and torch.cuda.is_available():
        pytest.skip("there is a GPU")
    line = error_of(["fit", *SMALL, *BRIEF, "--run_dir", str(tmp_path / "run"), *change], capsys)
    assert line.startswith("pyg-vision: error: ")
    assert re.search(message, line), line
    assert not (tmp_path / "run").exists()


def test_validation_data_are_those_that_were_held_out(tmp_path, capsys):
    given = ["fit", *SMALL, *BRIEF, "--data.holdout", "0.3", "--run_dir", str(tmp_path / "run")]
    assert main(given) == 0
    capsys.readouterr()
    for command, samples in (("validate", 4), ("test", 14)):
        assert main([command, "--run_dir", str(tmp_path / "run")]) == 0
        assert f"on {samples} samples" in capsys.readouterr().out
    last = (tmp_path / "run" / "metrics.csv").read_text().splitlines()[-1].split(",")[4]
    main(["validate", "--run_dir", str(tmp_path / "run")])
    assert f"loss {float(last):.4f}" in capsys.readouterr().out


def test_a_run_that_was_cut_short_is_not_finished(tmp_path, capsys):
    given = ["fit", *SMALL, *BRIEF, "--run_dir", str(tmp_path / "run")]
    assert main([*given, "--trainer.max_time", "00:00:00:00"]) == 0
    assert "stopped after 0 of 2 epochs" in capsys.readouterr().out
    assert not RunFolder(tmp_path / "run").is_finished


def test_other_data_than_before_are_noticed(tmp_path, capsys):
    root = write_images(tmp_path / "images", per_class=4)
    given = ["fit", "--config", "image_folder", "--data.root", str(root), "--data.image_size", "16"]
    given += ["--model.options", "{channels: 8, depth: 1, k: 2, image_size: 16, patch_size: 4}"]
    given += ["--data.num_workers", "0", "--data.batch_size", "2", "--trainer.max_epochs", "2"]
    given += ["--model.warm_up", "0", "--progress_bar", "false", "--trainer.accelerator", "cpu"]
    given += [*BRIEF, "--run_dir", str(tmp_path / "run")]
    assert main(given) == 0
    (tmp_path / "run" / "results.json").unlink()
    (root / "train" / "flat" / "0.png").rename(root / "train" / "flat" / "z.png")
    assert "the data changed since" in error_of(given, capsys)
    (root / "train" / "flat" / "z.png").rename(root / "train" / "flat" / "0.png")
    (tmp_path / "run" / "metrics.csv").unlink()
    assert main(given) == 0
    assert len((tmp_path / "run" / "metrics.csv").read_text().splitlines()) == 3


def test_double_precision_comes_to_its_end(tmp_path, capsys):
    given = ["fit", *SMALL, "--trainer.precision", "64-true", "--run_dir", str(tmp_path / "run")]
    assert main(given) == 0
    assert "the report cannot" not in capsys.readouterr().out
    assert (tmp_path / "run" / "report.html").exists()


def test_a_model_is_evaluated_as_it_was_trained(run, tmp_path, capsys, monkeypatch):
    top1 = f"top-1 {100 * RunFolder(run).results()['top1']:.2f}%"
    path = str(run / "checkpoints" / "last.ckpt")
    assert main(["test", "--checkpoint", path]) == 0
    assert top1 in capsys.readouterr().out
    assert main(["test", "--config", "synthetic_motion", "--checkpoint", path]) == 0
    assert top1 in capsys.readouterr().out
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "synthetic_motion").symlink_to(run)
    assert main(["test", "--config", "synthetic_motion"]) == 0
    assert top1 in capsys.readouterr().out
    other = [
        "test",
        "--checkpoint",
        path,
        "--model.options",
        "{in_channels: 3, stages: [[8, 1, 1]]}",
    ]
    assert "holds another model" in error_of(other, capsys)


def test_a_file_in_place_of_the_folder(tmp_path, capsys):
    (tmp_path / "run").write_text("")
    given = ["fit", *SMALL, *BRIEF, "--run_dir", str(tmp_path / "run")]
    assert "run' is a file; choose another --run_dir" in error_of(given, capsys)


def test_an_empty_folder_is_not_taken_before_the_data_are_read(tmp_path, capsys):
    given = ["fit", *SMALL, *BRIEF, "--run_dir", str(tmp_path)]
    assert "5 classes" in error_of([*given, "--model.num_classes", "5"], capsys)
    assert list(tmp_path.iterdir()) == []
    assert main(given) == 0


def test_no_checkpoint_to_evaluate(tmp_path, capsys):
    assert "there is no checkpoint" in error_of(
        ["test", *SMALL, "--run_dir", str(tmp_path)], capsys
    )


def test_from_python(tmp_path):
    run = fit("synthetic_motion", tmp_path / "run", [*SMALL[2:], *BRIEF])
    assert run.is_finished
    with pytest.raises(SystemExit):
        fit("synthetic_motion", tmp_path / "run", [*SMALL[2:], *BRIEF])


@pytest.mark.parametrize("model", ["STGCN", "DenseSTGCN"])
def test_recordings_end_to_end(model, shared, tmp_path):
    root = tmp_path / "ucla"
    root.mkdir()
    for action in (1, 8):
        for view in (1, 3):
            found = shared.glob(f"data/nw_ucla/a{action:02d}_s0[1-3]_e*_v0{view}.json")
            for path in sorted(found)[:4]:
                (root / path.name).symlink_to(path)
    frames = [{"CenterSkeleton": {"joint": "spine"}}, {"SampleFrames": {"num_frames": 8}}]
    given = ["--data.root", str(root), "--data.test_transforms", json.dumps(frames)]
    given += ["--model.model", f"pyg_vision.nn.{model}", "--progress_bar", "false"]
    given += ["--trainer.max_epochs", "1", "--model.warm_up", "0", "--trainer.accelerator", "cpu"]
    given += BRIEF
    run = fit("stgcn_nw_ucla_joint", tmp_path / "run", given)
    assert run.results()["samples"] == 8
    assert run.results()["top1"] in [i / 8 for i in range(9)]


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.\nMore lines."),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to"),
        MemoryError(),
    ],
)
def test_no_memory_says_at_which_batch_and_what_to_try(error, tmp_path, capsys, monkeypatch):
    def fail(*args):
        raise error

    monkeypatch.setattr("pyg_vision.training.SkeletonClassifier.training_step", fail)
    given = ["fit", *SMALL, *BRIEF, "--run_dir", str(tmp_path / "run"), "--data.batch_size", "7"]
    line = error_of(given, capsys)
    assert "out of memory at a batch of 7" in line
    assert "a smaller --data.batch_size with --trainer.accumulate_grad_batches" in line


def test_a_full_disk_ends_the_run_with_one_line(tmp_path, capsys, monkeypatch):
    given = ["fit", *SMALL, *BRIEF, "--run_dir", str(tmp_path / "run")]
    save = torch.save

    def full(checkpoint, file):
        if checkpoint.get("epoch") == 1:
            file.write(b"a part of it")
            raise OSError(28, "No space left on device")
        save(checkpoint, file)

    monkeypatch.setattr(torch, "save", full)
    line = error_of(given, capsys)
    assert "cannot write the checkpoint" in line
    assert "No space left on device" in line
    monkeypatch.setattr(torch, "save", save)
    assert main(given) == 0  # goes on from the checkpoint before
    assert "going on from" in capsys.readouterr().out
    assert len((tmp_path / "run" / "metrics.csv").read_text().splitlines()) == 3


@pytest.mark.parametrize("workers", ["0", "1"])
def test_a_file_that_cannot_be_read_is_named(workers, tmp_path, capsys):
    root = tmp_path / "photos"
    for name in ("a", "b"):
        (root / name).mkdir(parents=True)
        for i in range(4):
            Image.new("RGB", (8, 8)).save(root / name / f"{i}.png")
    (root / "a" / "2.png").write_bytes(b"")
    given = ["fit", "--config", "image_folder", "--data.root", str(root), "--data.image_size", "16"]
    given += ["--model.options", "{channels: 8, depth: 1, k: 2, image_size: 16, patch_size: 4}"]
    given += ["--data.num_workers", workers, "--data.batch_size", "2", "--trainer.max_epochs", "6"]
    given += ["--trainer.accelerator", "cpu", "--run_dir", str(tmp_path / "run"), *BRIEF]
    line = error_of([*given, "--progress_bar", "false"], capsys)
    assert line.startswith("pyg-vision: error: sample ")
    assert f"cannot be read: cannot identify image file '{root / 'a' / '2.png'}'" in line


def test_help_explains_every_option(capsys):
    with pytest.raises(SystemExit):
        main(["fit", "--help"])
    text = capsys.readouterr().out
    for option in ("--config", "--run_dir", "--overwrite", "--seed", "--trainer.max_epochs"):
        assert option in text
    for name in ("--model.help=ImageClassifier", "--data.help=ImageFolderData"):
        with pytest.raises(SystemExit):
            main(["fit", name])
        shown = capsys.readouterr().out
        assert ":obj:" not in shown
        assert "mixup" in shown or "test_share" in shown
    with pytest.raises(SystemExit):
        main(["--help"])
    listed = capsys.readouterr().out
    assert all(name in listed for name in ("fit", "test", "recipes", "benchmark"))


def test_without_the_extra(monkeypatch, capsys):
    monkeypatch.setattr("pyg_vision.cli.find_spec", lambda name: None)
    assert main(["fit"]) == 2
    assert "'fit' needs lightning and jsonargparse: pip install pyg-vision[train]" in (
        capsys.readouterr().err
    )
