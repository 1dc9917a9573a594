import json

import pytest
import yaml

from pyg_vision.training import RunError, RunFolder
from pyg_vision.training._run_folder import compare

CONFIG = {"seed": 1, "model": {"lr": 0.1, "milestones": (3, 5)}, "run_dir": "a"}


def test_a_new_run_says_what_it_is_before_it_begins(tmp_path):
    folder = RunFolder(tmp_path / "run")
    folder.prepare(CONFIG, ["pyg-vision", "fit"])
    assert folder.config()["model"] == {"lr": 0.1, "milestones": [3, 5]}
    environment = json.loads((folder.path / "environment.json").read_text())
    assert environment["command"] == ["pyg-vision", "fit"]
    assert {"torch", "python", "pyg_vision"} <= set(environment)
    assert not folder.is_finished
    with pytest.raises(RunError, match="is not finished"):
        folder.results()


def test_the_same_run_goes_on_and_another_is_an_error(tmp_path):
    folder = RunFolder(tmp_path)
    folder.prepare(CONFIG, [])
    folder.prepare({**CONFIG, "run_dir": "elsewhere"}, [])  # where it is may change
    other = {**CONFIG, "seed": 2, "data": {"root": "x"}}
    with pytest.raises(RunError) as error:
        folder.prepare(other, [])
    assert "seed was 1, is 2" in str(error.value)
    assert "data.root was None, is 'x'" in str(error.value)
    assert folder.config()["seed"] == 1
    folder.prepare(other, [], overwrite=True)
    assert folder.config()["seed"] == 2


def test_a_run_that_was_killed_before_it_began(tmp_path):
    folder = RunFolder(tmp_path)
    folder.checkpoints.mkdir()
    (tmp_path / "environment.json").write_text("{}")
    (tmp_path / ".config.yaml.part").write_text("seed")
    folder.prepare(CONFIG, [])
    assert folder.config()["seed"] == 1
    # But not the files of someone else.
    other = RunFolder(tmp_path / "other")
    other.checkpoints.mkdir(parents=True)
    (other.checkpoints / "last.ckpt").write_bytes(b"")
    with pytest.raises(RunError, match="holds files, but no run"):
        other.prepare(CONFIG, [])


def test_a_finished_run_is_not_begun_again(tmp_path):
    folder = RunFolder(tmp_path)
    folder.prepare(CONFIG, [])
    folder.finish({"top1": 0.5})
    assert folder.is_finished
    assert folder.results() == {"top1": 0.5}
    with pytest.raises(RunError, match="is finished; --overwrite"):
        folder.prepare(CONFIG, [])
    folder.prepare(CONFIG, [], overwrite=True)
    assert not folder.is_finished


def test_other_files_are_never_removed(tmp_path):
    (tmp_path / "thesis.txt").write_text("ten years")
    for overwrite in (False, True):
        with pytest.raises(RunError, match="holds files, but no run"):
            RunFolder(tmp_path).prepare(CONFIG, [], overwrite)
    assert (tmp_path / "thesis.txt").exists()


@pytest.mark.parametrize(("text", "message"), [("a: [", "no YAML"), ("- 1", "no configuration")])
def test_a_broken_configuration_is_named(tmp_path, text, message):
    (tmp_path / "config.yaml").write_text(text)
    with pytest.raises(RunError, match=message):
        RunFolder(tmp_path).config()
    with pytest.raises(RunError, match="the folder of no run"):
        RunFolder(tmp_path / "none").config()


def test_what_is_compared_is_what_the_file_would_hold():
    written = yaml.safe_load(yaml.safe_dump({"a": {"b": [1, 2]}, "c": {}}))
    assert compare(written, {"a": {"b": (1, 2)}, "c": {}}) == []
    assert compare({"a": {}}, {"a": {"b": 1}}) == ["a was {}, is None", "a.b was None, is 1"]
