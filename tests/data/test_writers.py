import pickle

import numpy as np
import pytest
import torch

from pyg_vision.data import SkeletonLayout, skeleton_sequence, write_skeleton
from pyg_vision.data.readers import SkeletonFileError, read_kinetics, read_skeletons
from pyg_vision.datasets import PysklDataset


def people(dims=2, scale=100.0, score=True, y=None):
    torch.manual_seed(0)
    keypoints = (scale * torch.rand(2, 5, 17, dims)).float() + 0.5
    keypoints[0, 1] = 0  # the first is not seen, the second is
    keypoints[:, 3] = 0  # nobody
    seen = (keypoints != 0).any(3).float()
    given = torch.rand(2, 5, 17) * seen if score else None
    return skeleton_sequence(keypoints, "coco", y=y, score=given)


@pytest.mark.parametrize("suffix", [".npz", ".json", ".pkl"])
@pytest.mark.parametrize("y", [None, 3])
def test_what_is_written_is_read(tmp_path, suffix, y):
    data = people(y=y)
    data.frame_size = (128, 64)
    (found,) = read_skeletons(write_skeleton(data, tmp_path / f"a{suffix}"))
    size = torch.tensor([128.0, 64]) if suffix == ".json" else 1.0
    torch.testing.assert_close(found.pos * size, data.pos, rtol=1e-6, atol=0)
    assert torch.equal(found.x[:, 2], data.x[:, 2])
    assert found.layout == data.layout
    assert ("y" in found) == (y is not None)
    if y is not None:
        assert found.y.tolist() == [3]
    first = (tmp_path / f"a{suffix}").read_bytes()
    assert write_skeleton(data, tmp_path / f"a{suffix}").read_bytes() == first
    assert [path.name for path in tmp_path.iterdir()] == [f"a{suffix}"]


def test_all_that_npz_holds(tmp_path):
    data = people(dims=3)
    data.pixels = torch.rand(data.num_nodes, 2)
    data.time = torch.arange(5).double().repeat_interleave(17).repeat(2) / 30
    data.frame_size = (128.5, 64)
    (found,) = read_skeletons(write_skeleton(data, tmp_path / "a.npz"))
    for name in ("x", "pos", "pixels", "time"):
        assert torch.equal(found[name], data[name]), name
    assert found.frame_size == (128.5, 64)


def test_any_layout_and_its_name(tmp_path):
    stick = SkeletonLayout("stick", ("a", "b"), ((1, 0),), center=0, pairs=((0, 1),))
    data = skeleton_sequence(torch.rand(1, 3, 2, 2) + 0.1, stick)
    data.frame_size = (32, 16)
    for suffix in (".npz", ".json", ".pkl"):
        path = write_skeleton(data, tmp_path / f"a{suffix}")
        (found,) = read_skeletons(path)
        assert found.layout == stick
        with pytest.raises(ValueError, match="holds the joints of layout 'stick', not of 'coco'"):
            read_skeletons(path, "coco")
    assert PysklDataset(tmp_path / "a.pkl").layout == stick
    assert read_kinetics(tmp_path / "a.json").x.shape == (6, 3)  # sure of every joint


def test_units(tmp_path):
    pixels, shares = people(), people(scale=0.4)
    with pytest.raises(ValueError, match="does not tell the size of a frame"):
        write_skeleton(pixels, tmp_path / "a.json")
    with pytest.raises(ValueError, match="does not tell the size of a frame"):
        write_skeleton(shares, tmp_path / "a.pkl")
    shares.frame_size = (10, 20)
    (found,) = read_skeletons(write_skeleton(shares, tmp_path / "a.pkl"))
    torch.testing.assert_close(found.pos, shares.pos * torch.tensor([10, 20]))
    assert found.frame_size == (10, 20)
    assert torch.equal(read_skeletons(write_skeleton(shares, tmp_path / "a.json"))[0].x, shares.x)
    with pytest.raises(ValueError, match="has two coordinates"):
        write_skeleton(people(dims=3), tmp_path / "a.json")
    write_skeleton(people(dims=3), tmp_path / "b.pkl")


def test_a_pickle_is_plain(tmp_path):
    data = people()
    data.frame_size = (128, 64)
    path = write_skeleton(data, tmp_path / "a.pkl", "walk")
    (annotation,) = pickle.loads(path.read_bytes())["annotations"]
    assert annotation["frame_dir"] == "walk"
    assert annotation["img_shape"] == (64, 128)
    assert annotation["label"] == -1
    assert annotation["keypoint"].shape == (2, 5, 17, 2)
    assert "y" not in read_skeletons(path)[0]


def test_what_is_wrong(tmp_path):
    data = people()
    with pytest.raises(ValueError, match=r"'path' must end in \.npz, \.json, \.pkl"):
        write_skeleton(data, tmp_path / "a.txt")
    bare = data.clone()
    del bare.layout
    with pytest.raises(ValueError, match="does not tell its 'layout'"):
        write_skeleton(bare, tmp_path / "a.npz")
    data.y = torch.tensor([[0, 1]])
    with pytest.raises(ValueError, match="one label of a sequence"):
        write_skeleton(data, tmp_path / "a.npz")
    assert not list(tmp_path.iterdir())
    data.y = torch.tensor([-1])
    assert "y" not in read_skeletons(write_skeleton(data, tmp_path / "a.npz"))[0]


def test_shares_with_pixels_beside_them(tmp_path):
    data = people(scale=0.4)
    data.pixels = data.pos * torch.tensor([100.0, 50])
    (found,) = read_skeletons(write_skeleton(data, tmp_path / "a.pkl"))
    assert torch.equal(found.pos, data.pixels)
    assert torch.equal(read_skeletons(write_skeleton(data, tmp_path / "a.json"))[0].pos, data.pos)


def arrays():
    layout = np.frombuffer(b'{"name": "s", "joints": ["a", "b"], "bones": [[1, 0]], "center": 0}',
                           np.uint8)  # fmt: skip
    return {"keypoints": np.ones((1, 3, 2, 2)), "layout": layout, "score": np.ones((1, 3, 2)),
            "time": np.arange(3.0), "frame_size": np.array([9, 8])}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("keypoints", np.ones((3, 2, 2)), r"must be \[M, T, V, 2 or 3\]"),
        ("keypoints", np.ones((1, 3, 5, 2)), r"'score' must be of shape \[1, 3, 5\]"),
        ("keypoints", np.full((1, 3, 2, 2), np.nan), "NaN or infinite"),
        ("layout", np.frombuffer(b"[]", np.uint8), "its 'layout' is none"),
        ("layout", np.frombuffer(b"{", np.uint8), "Expecting property name"),
        ("layout", np.ones(3), "must be bytes of JSON"),
        ("score", np.ones((1, 3)), r"'score' must be of shape \[1, 3, 2\]"),
        ("score", -np.ones((1, 3, 2)), "a score is negative"),
        ("time", np.array([0, 2, 1.0]), "'time' must not go back"),
        ("time", np.array([0, 1, np.inf]), "NaN or infinite"),
        ("frame_size", np.array([0, 1]), "'frame_size' must be positive"),
        ("label", np.array([-2]), "'label' must be an index"),
        ("label", np.array([0.5]), "'label' must be an index"),
    ],
)
def test_malformed_arrays_are_named(tmp_path, name, value, message):
    np.savez(tmp_path / "good.npz", **arrays())
    assert read_skeletons(tmp_path / "good.npz")[0].x.shape == (6, 3)
    np.savez(tmp_path / "a.npz", **arrays() | {name: value})
    with pytest.raises(SkeletonFileError, match=message):
        read_skeletons(tmp_path / "a.npz")
