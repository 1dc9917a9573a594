import logging
import pickle

import numpy as np
import pytest
import torch
from torch_geometric.loader import DataLoader

from pyg_vision.data import skeleton_sequence
from pyg_vision.datasets.skeleton_dataset import SkeletonDataset, list_files, read_files


def sequences(labels=(2, 0, 2, 1)):
    return [
        skeleton_sequence(np.full((1, i + 1, 17, 2), i, dtype=np.float32), "coco", y=label)
        for i, label in enumerate(labels)
    ]


def test_a_list_of_sequences():
    dataset = SkeletonDataset(sequences())
    assert len(dataset) == 4
    assert [data.skeleton_shape.num_frames for data in dataset] == [1, 2, 3, 4]
    assert dataset.labels == [2, 0, 2, 1]
    assert (dataset.classes, dataset.num_classes) == (["0", "1", "2"], 3)
    assert (dataset.skipped, dataset.num_skipped) == ((), 0)
    assert dataset.num_node_features == 2


def test_classes_have_names():
    dataset = SkeletonDataset(sequences(), classes=["a", "b", "c", "d"])
    assert (dataset.classes, dataset.num_classes) == (["a", "b", "c", "d"], 4)


def test_writing_to_an_item_does_not_change_the_dataset():
    dataset = SkeletonDataset(sequences())
    dataset[3].x.zero_()
    dataset[3].y.fill_(9)
    assert dataset[3].x.unique().tolist() == [3]
    assert dataset.labels == [2, 0, 2, 1]


def test_the_transform_sees_each_item():
    def double(data):
        data.x = data.x * 2
        return data

    dataset = SkeletonDataset(sequences(), double)
    assert [data.x.max().item() for data in dataset] == [0, 2, 4, 6]
    assert [data.x.max().item() for data in dataset] == [0, 2, 4, 6]


def test_a_part_of_it_has_its_own_labels():
    dataset = SkeletonDataset(sequences())
    part = dataset[torch.tensor([3, 0])]
    assert part.labels == [1, 2]
    assert [data.skeleton_shape.num_frames for data in part] == [4, 1]
    assert part.num_classes == 3


def test_batches_and_copies():
    dataset = pickle.loads(pickle.dumps(SkeletonDataset(sequences())))
    batch = next(iter(DataLoader(dataset, batch_size=4)))
    assert batch.x.shape == ((1 + 2 + 3 + 4) * 17, 2)
    assert batch.y.tolist() == [2, 0, 2, 1]
    assert batch.skeleton_shape == [(1, t, 17) for t in (1, 2, 3, 4)]


def test_there_must_be_a_sequence():
    with pytest.raises(ValueError, match="a dataset needs at least one sequence"):
        SkeletonDataset([])


def read(path):
    if "bad" in path.name:
        raise ValueError(f"'{path}' is malformed")
    if "gone" in path.name:
        raise FileNotFoundError(path.name)
    return sequences()[int(path.stem)]


@pytest.fixture
def paths(tmp_path):
    names = ["0.json", "bad1.json", "2.json", *(f"bad{i}.json" for i in range(2, 8))]
    return [tmp_path / name for name in names]


def test_the_first_malformed_file_is_raised(paths):
    with pytest.raises(ValueError, match=r"bad1.json' is malformed"):
        read_files(paths, read)


def test_malformed_files_are_skipped_and_counted(paths, caplog):
    with caplog.at_level(logging.DEBUG, logger="pyg_vision"):
        found, skipped = read_files(paths, read, "skip")
    assert [data.skeleton_shape.num_frames for data in found] == [1, 3]
    assert skipped == tuple(str(path) for path in paths if "bad" in path.name)
    *details, warning = caplog.records
    assert [record.levelname for record in details] == ["DEBUG"] * 7
    assert "bad1.json' is malformed" in details[0].getMessage()
    assert warning.levelname == "WARNING"
    assert warning.getMessage().startswith("skipped 7 of 9 malformed skeleton files: ")
    assert warning.getMessage().endswith("bad5.json and 2 more")


def test_nothing_is_logged_if_all_files_are_sound(paths, caplog):
    found, skipped = read_files([paths[0], paths[2]], read, "skip")
    assert (len(found), skipped, caplog.records) == (2, (), [])


def test_a_missing_file_is_skipped_like_a_malformed_one(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_files([tmp_path / "gone.json"], read)
    assert read_files([tmp_path / "gone.json"], read, "skip") == (
        [],
        (str(tmp_path / "gone.json"),),
    )


def test_what_may_be_done_on_errors(paths):
    with pytest.raises(ValueError, match=r"'on_error' must be 'raise' or 'skip' \(got 'ignore'\)"):
        read_files(paths, read, "ignore")


def test_files_are_listed_in_order(tmp_path):
    for name in ("b.json", "a.json", "c.txt"):
        (tmp_path / name).touch()
    assert list_files(tmp_path, "*.json") == [tmp_path / "a.json", tmp_path / "b.json"]
    assert list_files(str(tmp_path), "*.txt") == [tmp_path / "c.txt"]


def test_there_must_be_files(tmp_path):
    with pytest.raises(FileNotFoundError, match=f"there is no folder '{tmp_path}/nowhere'"):
        list_files(tmp_path / "nowhere", "*")
    with pytest.raises(FileNotFoundError, match=rf"there are no files '\*.json' in '{tmp_path}'"):
        list_files(tmp_path, "*.json")


def test_a_part_has_the_classes_of_the_whole():
    dataset = SkeletonDataset(
        [skeleton_sequence(torch.zeros(2, 21, 3), "hand", y=y) for y in (0, 2, 1)]
    )
    part = dataset[:1]
    assert part.labels == [0]
    assert part.num_classes == dataset.num_classes == 3


def test_sequences_without_a_class_are_named():
    sequence = skeleton_sequence(torch.zeros(2, 21, 3), "hand")
    dataset = SkeletonDataset([sequence])
    with pytest.raises(ValueError, match="sequence 0 has no class 'y'"):
        _ = dataset.labels
