import pickle

import numpy as np
import pytest

from pyg_vision.data.readers import read_h36m
from pyg_vision.data.readers.h36m import KEPT


def save(path, **arrays):
    boxes = {name: np.empty((), dtype=object) for name in arrays}
    for name, value in arrays.items():
        boxes[name][()] = value
    np.savez(path, **boxes)
    return path


def ramp(*shape):
    return np.arange(np.prod(shape), dtype=np.float32).reshape(shape)


def test_motion_capture(tmp_path):
    videos = {"S1": {"Walking 1": ramp(4, 32, 3)}, "S5": {"Eating": ramp(5, 17, 3)}}
    walking, eating = read_h36m(save(tmp_path / "a.npz", positions_3d=videos))
    assert (walking.name, eating.name) == ("S1 Walking 1", "S5 Eating")
    assert walking.layout.name == "h36m"
    array = walking.pos.view(4, 17, 3).numpy()
    np.testing.assert_array_equal(array, videos["S1"]["Walking 1"][:, KEPT])


@pytest.mark.parametrize("cameras", [[ramp(4, 17, 2), ramp(5, 17, 2)], ramp(2, 4, 17, 3)])
def test_cameras(tmp_path, cameras):
    path = save(
        tmp_path / "a.npz",
        positions_2d={"S1": {"Walking": cameras}},
        metadata={"layout_name": "coco"},
    )
    found = read_h36m(path, size=(10, 100))
    assert [data.name for data in found] == ["S1 Walking camera 0", "S1 Walking camera 1"]
    assert found[1].layout.name == "coco"
    np.testing.assert_allclose(found[0].pos[0], cameras[0][0, 0, :2] / [10, 100])
    assert found[0].x.size(1) == cameras[0].shape[2]


def test_the_layout_of_true_joints_is_known(tmp_path):
    poses = {"S1": {"Walking": [ramp(4, 17, 2)]}}
    about = {"layout_name": "h36m"}
    path = save(tmp_path / "data_2d_h36m_gt.npz", positions_2d=poses, metadata=about)
    assert read_h36m(path)[0].layout.name == "h36m"
    path = save(tmp_path / "data_2d_h36m_cpn.npz", positions_2d=poses, metadata=about)
    with pytest.raises(ValueError, match="'layout' must say"):
        read_h36m(path)


class Call:
    def __reduce__(self):
        return (print, ("run",))


def test_no_code_is_run(tmp_path, capsys):
    path = save(tmp_path / "a.npz", positions_3d={"S1": Call()})
    with pytest.raises(ValueError, match="refused"):
        read_h36m(path)
    assert capsys.readouterr().out == ""
    pickle.loads(pickle.dumps(Call()))
    assert capsys.readouterr().out == "run\n"


@pytest.mark.parametrize(
    ("videos", "problem"),
    [
        ([], "must hold a dict of subjects"),
        ({"S1": 3}, "must hold a dict of videos"),
        ({"S1": {"a": [1]}}, r"S1 a\]': must be \[frames, joints, 3\]"),
        ({"S1": {"a": ramp(2, 16, 3)}}, "layout 'h36m' has 17 joints"),
        ({"S1": {"a": ramp(2, 17, 2)}}, "must have 3 coordinates"),
        ({}, "holds no video"),
    ],
)
def test_malformed_files(tmp_path, videos, problem):
    with pytest.raises(ValueError, match=problem):
        read_h36m(save(tmp_path / "a.npz", positions_3d=videos))


def test_other_files(tmp_path):
    np.savez(tmp_path / "a.npz", x=np.zeros(3))
    with pytest.raises(ValueError, match="must hold 'positions_3d'"):
        read_h36m(tmp_path / "a.npz")
    np.savez(tmp_path / "a.npz", np.zeros((3, 16, 3)))
    with pytest.raises(ValueError, match=r"must be \[frames, 17, 3\]"):
        read_h36m(tmp_path / "a.npz")
