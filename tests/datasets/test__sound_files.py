import contextlib
import json
import os
import pickle

import numpy as np
import pytest
import torch

from pyg_vision.datasets import _sound_files
from pyg_vision.datasets._sound_files import ABSENT, cache_folder, find_problems
from pyg_vision.datasets.npy import SkeletonArrays
from pyg_vision.datasets.ntu_rgbd import NTURGBD
from pyg_vision.datasets.pyskl import PysklDataset


@pytest.fixture
def files(tmp_path):
    for i in range(5):
        (tmp_path / f"{i}.txt").write_text("bad" if i == 3 else "good")
    return [tmp_path / f"{i}.txt" for i in range(6)]  # the last is absent


class Reader:
    def __init__(self):
        self.read = []

    def __call__(self, path):
        self.read.append(path.name)
        return "it is bad" if path.read_text() == "bad" else ""


def find(files, check, identity=""):
    return find_problems(files, lambda path: (str(path), str(path)), check, identity)


def test_each_file_is_read_once(files):
    check = Reader()
    expected = ["", "", "", "it is bad", "", ABSENT]
    assert find(files, check) == expected
    assert check.read == ["0.txt", "1.txt", "2.txt", "3.txt", "4.txt"]
    assert find(files, check) == find(files[::-1], check)[::-1] == expected
    assert len(check.read) == 5
    assert find(files, check, "other options") == expected
    assert len(check.read) == 10


def test_a_file_that_changed_is_read_again(files):
    check = Reader()
    find(files, check)
    files[3].write_text("good")  # another size
    files[0].write_text("bad!"[:3])
    time = files[1].stat().st_mtime_ns
    os.utime(files[1], ns=(time, time + 10))  # another time
    files[5].write_text("good")  # no longer absent
    files[4].unlink()
    check.read.clear()
    assert find(files, check) == ["it is bad", "", "", "", ABSENT, ""]
    assert check.read == ["0.txt", "1.txt", "3.txt", "5.txt"]


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{",
        "[" * 100_000,
        '{"a": 1}',
        "\x00",
        '{"PATH": [4, "x", ""]}',
        '{"PATH": [4, true, ""]}',
        '{"PATH": null}',
    ],
)
def test_a_damaged_index_is_made_anew(files, content):
    check = Reader()
    find(files, check)
    (place,) = (cache_folder() / "files").iterdir()
    place.write_text(content.replace("PATH", str(files[0])))
    assert find(files, check) == ["", "", "", "it is bad", "", ABSENT]
    assert len(check.read) == 10
    assert json.loads(place.read_text())[str(files[3])][2] == "it is bad"
    assert len(list((cache_folder() / "files").iterdir())) == 1


def test_without_a_place_for_the_index(files, tmp_path, monkeypatch, caplog):
    (tmp_path / "file").touch()
    monkeypatch.setenv("PYG_VISION_CACHE", str(tmp_path / "file"))
    assert find(files, Reader())[3] == "it is bad"
    assert "could not remember which files are sound" in caplog.text


def check_by_name(path):
    return "odd" if int(path.stem) % 2 else ""


class Bar(contextlib.nullcontext):
    def __init__(self, total, **options):
        self.total, self.done = total, 0
        super().__init__(self)

    def update(self, count):
        self.done += count


def test_many_files_are_read_in_parallel(tmp_path, monkeypatch):
    bars = []
    monkeypatch.setattr("tqdm.auto.tqdm", lambda **kwargs: bars.append(Bar(**kwargs)) or bars[-1])
    monkeypatch.setattr(_sound_files, "_WORTH_WORKERS", 100)
    paths = [tmp_path / f"{i}.txt" for i in range(200)]
    for path in paths:
        path.touch()
    before = torch.get_rng_state()
    assert find(paths, check_by_name) == ["", "odd"] * 100
    assert torch.equal(torch.get_rng_state(), before)
    assert [(bar.total, bar.done) for bar in bars] == [(200, 200)]


def test_the_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("PYG_VISION_CACHE", str(tmp_path / "a"))
    assert cache_folder() == tmp_path / "a"
    monkeypatch.delenv("PYG_VISION_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "b"))
    assert cache_folder() == tmp_path / "b" / "pyg_vision"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache" / "pyg_vision"


def test_every_lazy_dataset_remembers(tmp_path, monkeypatch):
    values = np.ones((3, 3, 5, 17, 1), np.float32)
    values[1, 0, 0, 0, 0] = np.nan
    np.save(tmp_path / "data.npy", values)
    keypoint = values.transpose(0, 4, 2, 3, 1)
    records = [{"frame_dir": str(i), "keypoint": keypoint[i], "label": 0} for i in range(3)]
    (tmp_path / "data.pkl").write_bytes(pickle.dumps(records))
    for i in (1, 2):
        (tmp_path / f"S001C001P001R001A00{i}.skeleton").write_text("0\n" if i == 1 else "x")

    def arrays(layout):
        return SkeletonArrays(tmp_path / "data.npy", layout=layout, score=False, on_error="skip")

    def annotations(layout):
        return PysklDataset(tmp_path / "data.pkl", layout=layout, on_error="skip")

    for make in (arrays, annotations):
        assert len(make("h36m")) == 2
        with monkeypatch.context() as patch:
            patch.setattr("pyg_vision.datasets._lazy_skeletons.LazySkeletonDataset.check", None)
            assert len(make("h36m").skipped) == 1
            with pytest.raises(TypeError):  # other options are looked at for themselves
                make("coco")
    with pytest.raises(ValueError, match="none of 2 sequences can be read"):
        NTURGBD(tmp_path, on_error="skip")
    with monkeypatch.context() as patch:
        patch.setattr("pyg_vision.datasets._lazy_skeletons.LazySkeletonDataset.check", None)
        with pytest.raises(ValueError, match="none of 2 sequences can be read"):
            NTURGBD(tmp_path, on_error="skip")


def test_relative_paths_of_two_folders_are_apart(tmp_path, monkeypatch):
    stamp = (1_700_000_000, 1_700_000_000)
    for name, text in (("a", "good"), ("b", "bad!")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.txt").write_text(text)
        os.utime(tmp_path / name / "x.txt", stamp)
    found = []
    for name in ("a", "b", "a"):
        monkeypatch.chdir(tmp_path / name)
        check = lambda path: path.read_text()  # noqa: E731
        found += find([tmp_path.__class__("x.txt")], check)
    assert found == ["good", "bad!", "good"]
