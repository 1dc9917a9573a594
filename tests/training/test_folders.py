import pytest

from pyg_vision.training import share_of_classes, split_folders


def test_folders_of_splits_or_of_classes(tmp_path):
    (tmp_path / "cat").mkdir()
    assert split_folders(tmp_path) == {"train": tmp_path, "test": tmp_path}
    (tmp_path / "train").mkdir()
    with pytest.raises(FileNotFoundError, match="must be a folder with 'test' or 'val' in it"):
        split_folders(tmp_path)
    (tmp_path / "val").mkdir()
    assert split_folders(str(tmp_path))["test"] == tmp_path / "val"
    (tmp_path / "test").mkdir()
    assert split_folders(str(tmp_path))["test"] == tmp_path / "test"
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        split_folders(tmp_path / "none")


def test_each_class_is_divided_in_the_same_proportion():
    labels = [0] * 10 + [2] * 5 + [1] * 2
    found = share_of_classes(labels, 0.2)
    assert sorted(found["train"] + found["test"]) == list(range(17))
    counts = [sum(labels[i] == label for i in found["test"]) for label in range(3)]
    assert counts == [2, 1, 1]
    assert share_of_classes(labels, 0.2) == found
    assert share_of_classes(labels, 0.2, seed=1) != found


def test_what_cannot_be_divided():
    with pytest.raises(ValueError, match="class 1 has one sample"):
        share_of_classes([0, 0, 1], 0.2)
    with pytest.raises(ValueError, match="must be a share between 0 and 1"):
        share_of_classes([0, 0], 1.0)
