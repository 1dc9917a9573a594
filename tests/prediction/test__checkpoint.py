import errno
import pickle
import resource

import pytest
import torch

from pyg_vision.prediction import (
    CheckpointError,
    latest_checkpoint,
    read_checkpoint,
    write_checkpoint,
)


def checkpoint(value, size=10):
    return {"state_dict": {"weight": torch.full((size,), float(value))}, "epoch": value}


def value_of(path):
    return read_checkpoint(path)["epoch"]


def test_round_trip(tmp_path):
    path = tmp_path / "deep" / "last.ckpt"
    write_checkpoint(checkpoint(3), path)
    assert value_of(path) == 3
    assert [p.name for p in path.parent.iterdir()] == ["last.ckpt"]


class Full:
    """A file on a disk that is full after so many bytes."""

    def __init__(self, file, room):
        self.file, self.room = file, room

    def write(self, data):
        size = memoryview(data).nbytes
        self.room -= size
        if self.room < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        return self.file.write(data)

    def __getattr__(self, name):
        return getattr(self.file, name)

    def __enter__(self):
        return self

    def __exit__(self, *args):
        self.file.close()


@pytest.mark.parametrize("room", [0, 100, 2000])
def test_a_full_disk_leaves_the_checkpoint_before(tmp_path, monkeypatch, room):
    path = tmp_path / "last.ckpt"
    write_checkpoint(checkpoint(1), path)
    original = type(path).open
    monkeypatch.setattr(type(path), "open", lambda self, mode: Full(original(self, mode), room))
    with pytest.raises(CheckpointError, match="cannot write.*what was there before"):
        write_checkpoint(checkpoint(2, 10_000), path)
    monkeypatch.undo()
    assert value_of(path) == 1
    assert [p.name for p in tmp_path.iterdir()] == ["last.ckpt"]


def test_a_file_that_may_not_grow_leaves_the_checkpoint_before(tmp_path):
    path = tmp_path / "last.ckpt"
    write_checkpoint(checkpoint(1), path)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))
    try:
        with pytest.raises(CheckpointError, match="cannot write"):
            write_checkpoint(checkpoint(2, 1_000_000), path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert value_of(path) == 1


def broken(path, how):
    if how == "truncated":
        data = path.read_bytes()
        path.write_bytes(data[: len(data) // 2])
    elif how == "empty":
        path.write_bytes(b"")
    elif how == "text":
        path.write_text("weights")
    elif how == "pickle":
        path.write_bytes(pickle.dumps({"state_dict": print}))
    elif how == "code":
        torch.save({"state_dict": {"f": pytest.raises}}, path)
    else:
        torch.save({"weight": torch.ones(2)}, path)


@pytest.mark.parametrize("how", ["truncated", "empty", "text", "pickle", "code", "foreign"])
def test_what_is_no_checkpoint_is_one_line_and_the_one_before_is_used(tmp_path, how):
    write_checkpoint(checkpoint(1), tmp_path / "previous.ckpt")
    last = tmp_path / "last.ckpt"
    write_checkpoint(checkpoint(2), last)
    assert latest_checkpoint(tmp_path) == (last, [])
    broken(last, how)
    with pytest.raises(CheckpointError) as error:
        read_checkpoint(last)
    assert "\n" not in str(error.value)
    path, problems = latest_checkpoint(tmp_path)
    assert path == tmp_path / "previous.ckpt"
    assert "last.ckpt" in problems[0]
    broken(path, how)
    assert latest_checkpoint(tmp_path)[0] is None


def test_no_checkpoint_is_named(tmp_path):
    with pytest.raises(CheckpointError, match="there is no checkpoint"):
        read_checkpoint(tmp_path / "last.ckpt")
    assert latest_checkpoint(tmp_path) == (None, [])
