import numpy as np
import pytest

from pyg_vision.data.readers import ctr_gcn_sequence, open_ctr_gcn, read_ctr_gcn


def arrays(**changed):
    x = np.zeros((2, 6, 150), dtype=np.float32)
    x[0] = np.arange(150) + 1
    x[1, :4, :75] = 2
    y = np.eye(60)[[49, 3]]
    return {"x_train": x, "y_train": y, "x_test": x[:0], "y_test": y[:0], **changed}


def test_rows_are_two_persons_of_joints(tmp_path):
    np.savez(tmp_path / "a.npz", **arrays())
    x, labels = open_ctr_gcn(tmp_path / "a.npz", "train")
    assert labels == [49, 3]
    assert x[0, 0, 1, 2].tolist() == [82, 83, 84]
    first, second = read_ctr_gcn(tmp_path / "a.npz")
    assert first.skeleton_shape == (2, 6, 25)
    assert second.skeleton_shape == (1, 4, 25)
    assert first.pos.view(2, 6, 25, 3)[1, 0, 2].tolist() == [82, 83, 84]
    assert (int(second.y), second.name) == (3, "train 1")


def test_a_split_may_be_empty(tmp_path):
    np.savez_compressed(tmp_path / "a.npz", **arrays())
    assert read_ctr_gcn(tmp_path / "a.npz", "test") == []
    assert len(read_ctr_gcn(tmp_path / "a.npz", "train")) == 2


def test_an_empty_sequence_keeps_a_frame():
    assert ctr_gcn_sequence(np.zeros((5, 2, 25, 3))).skeleton_shape == (1, 1, 25)


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"x_train": np.zeros((2, 6, 149), np.float32)}, r"must be \[sequences, frames, 150\]"),
        ({"y_train": np.zeros((2, 60))}, "a single one in each row"),
        ({"y_train": np.full((2, 60), 0.5)}, "a single one in each row"),
        ({"y_train": np.eye(60)[:1]}, r"must be \[2, classes\]"),
        ({"x_train": np.array({"a": 1}, dtype=object)}, "is no array of numbers"),
    ],
)
def test_malformed_files(tmp_path, changed, problem):
    np.savez(tmp_path / "a.npz", **arrays(**changed))
    with pytest.raises(ValueError, match=problem):
        read_ctr_gcn(tmp_path / "a.npz")


def test_other_files(tmp_path):
    (tmp_path / "a.npz").write_bytes(b"no archive")
    with pytest.raises(ValueError, match=r"is no \.npz file"):
        read_ctr_gcn(tmp_path / "a.npz")
    np.savez(tmp_path / "a.npz", x=np.zeros(3))
    with pytest.raises(ValueError, match="'x_train' is missing"):
        read_ctr_gcn(tmp_path / "a.npz")
    with pytest.raises(ValueError, match="'split' must be"):
        open_ctr_gcn(tmp_path / "a.npz", "val")


def test_files_without_sequences(tmp_path):
    given = arrays()
    np.savez(tmp_path / "a.npz", **{name: value[:0] for name, value in given.items()})
    with pytest.raises(ValueError, match="holds no sequences"):
        read_ctr_gcn(tmp_path / "a.npz")
    empty = {"x_train": np.zeros((10**7, 0, 150), np.float32), "y_train": np.zeros((10**7, 0))}
    np.savez(tmp_path / "a.npz", **{**given, **empty})
    with pytest.raises(ValueError, match="must not be empty"):
        read_ctr_gcn(tmp_path / "a.npz")


def test_small_files_that_declare_much(tmp_path):
    np.savez_compressed(
        tmp_path / "a.npz", **arrays(x_train=np.zeros((3000, 300, 150), np.float32))
    )
    with pytest.raises(ValueError, match="declares 540000128 bytes"):
        read_ctr_gcn(tmp_path / "a.npz")
