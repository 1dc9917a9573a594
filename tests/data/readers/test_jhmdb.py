import pickle

import numpy as np
import pytest

from pyg_vision.data.readers import read_jhmdb
from tests.data.readers.listed import write


def content(**changed):
    pose = np.arange(3 * 15 * 2, dtype=np.float64).reshape(3, 15, 2)
    return pickle.dumps({"pose": [pose, -pose[:2]], "label": ["wave", "catch"], **changed})


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_sequences(tmp_path, protocol):
    value = pickle.loads(content())
    path = write(tmp_path, "a.pkl", pickle.dumps(value, protocol))
    first, second = read_jhmdb(path)
    assert [tuple(d.skeleton_shape) for d in (first, second)] == [(1, 3, 15), (1, 2, 15)]
    assert [int(data.y) for data in (first, second)] == [13, 0]
    assert second.pos[16].tolist() == [-32, -33]
    assert int(read_jhmdb(path, classes=["wave", "catch"])[0].y) == 0


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"label": ["wave"]}, "2 poses and 1 labels"),
        ({"label": ["wave", "dance"]}, "label 1 must be one of catch"),
        ({"label": ["wave", 1]}, "label 1 must be one of catch"),
        ({"pose": [np.zeros((3, 14, 2))] * 2}, r"pose 0 must be \[frames, 15, 2\]"),
        ({"pose": [np.zeros((0, 15, 2))] * 2}, r"pose 0 must be \[frames, 15, 2\]"),
        ({"pose": [], "label": []}, "not empty"),
        ({"pose": 3}, "must be lists"),
        ({"pose": [np.full((1, 15, 2), np.nan)] * 2}, "NaN"),
    ],
)
def test_malformed_files(tmp_path, changed, problem):
    with pytest.raises(ValueError, match=problem):
        read_jhmdb(write(tmp_path, "a.pkl", content(**changed)))


def test_other_pickles(tmp_path):
    with pytest.raises(ValueError, match="must hold a dict"):
        read_jhmdb(write(tmp_path, "a.pkl", pickle.dumps([1])))
    with pytest.raises(ValueError, match="refused"):
        read_jhmdb(write(tmp_path, "a.pkl", pickle.dumps(print)))
