"""The damaging script finds faults, and fifty files of each reader have none."""

import numpy as np
import pytest

from pyg_vision.data import skeleton_sequence
from tests.fuzz_readers import READERS, Reader, check, fuzz


@pytest.mark.parametrize("name", READERS)
def test_damaged_files_are_read_or_named(name):
    assert fuzz(name, 50, seed=1) == []


def ones(path):
    return [skeleton_sequence(np.ones((1, 17, 2), np.float32), "coco")]


def raises(error):
    def read(path):
        raise error

    return read


@pytest.mark.parametrize(
    ("read", "problem"),
    [
        (ones, "a value that the file does not hold: 1.0"),
        (raises(KeyError("x")), "KeyError: 'x'"),
        (raises(ValueError("two\nlines")), "an error of several lines"),
        (raises(ValueError("bad")), "an error that names no file"),
        (raises(SystemExit(1)), "SystemExit"),
    ],
)
def test_faults_are_found(tmp_path, read, problem):
    reader = Reader("a.json", b"", read)
    assert check(reader, tmp_path / "a.json", b'{"a": 0.5}').startswith(problem)


def test_sound_answers_are_none(tmp_path):
    path = tmp_path / "a.json"
    assert check(Reader("a.json", b"", ones), path, b"[1]") == ""
    assert check(Reader("a.json", b"", raises(ValueError(f"{path}: no"))), path, b"[1]") == ""
