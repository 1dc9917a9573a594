import logging
import os
import pickle

import numpy as np
import pytest
import torch
from torch_geometric.loader import DataLoader

from pyg_vision.data import SkeletonLayout
from pyg_vision.datasets.pyskl import PysklDataset


def annotation(i, label=None, value=1.0):
    record = {
        "frame_dir": f"video_{i}",
        "total_frames": i + 1,
        "keypoint": np.full((1, i + 1, 17, 2), value, dtype=np.float16),
        "keypoint_score": np.full((1, i + 1, 17), 0.5, dtype=np.float16),
    }
    return record if label is None else {**record, "label": label}


RECORDS = [annotation(i, label) for i, label in enumerate((2, 0, 4, 2))]
SPLIT = {"train": ["video_0", "video_3"], "val": ["video_1", "absent"], "none": ["absent"]}


def write(folder, records=RECORDS, split=SPLIT):
    path = folder / "ucf101_hrnet.pkl"
    path.write_bytes(pickle.dumps({"split": split, "annotations": records}))
    return path


def frames(dataset):
    return [data.skeleton_shape.num_frames for data in dataset]


def test_all_annotations(tmp_path):
    dataset = PysklDataset(write(tmp_path), layout="coco")
    assert frames(dataset) == [1, 2, 3, 4]
    assert dataset.labels == [data.y.item() for data in dataset] == [2, 0, 4, 2]
    assert dataset.classes == ["0", "1", "2", "3", "4"]
    assert dataset.num_classes == 5
    assert dataset.names == [f"video_{i}" for i in range(4)]
    assert dataset[0].layout.name == "coco"
    assert dataset.num_node_features == 3


def test_splits(tmp_path):
    path = write(tmp_path)
    train, val = PysklDataset(path, "train", "coco"), PysklDataset(path, "val", "coco")
    assert (frames(train), train.num_missing) == ([1, 4], 0)
    assert (frames(val), val.num_missing) == ([2], 1)
    with pytest.raises(ValueError, match=r"has no split 'test' \(got 'train', 'val', 'none'\)"):
        PysklDataset(path, "test", "coco")
    with pytest.raises(ValueError, match=r"split 'none' has no annotations"):
        PysklDataset(path, "none", "coco")
    with pytest.raises(ValueError, match=r"has no split 'train' \(got none\)"):
        PysklDataset(write(tmp_path, split={}), "train", "coco")


def test_the_layout(tmp_path):
    path = write(tmp_path)
    own = SkeletonLayout(
        "chain", tuple("abcdefghijklmnopq"), tuple((i + 1, i) for i in range(16)), 0
    )
    assert PysklDataset(path, layout=own)[0].layout is own
    message = r"ucf101_hrnet.pkl': annotation 1: .*'video_1'.* layout 'ntu' has 25 joints"
    with pytest.raises(ValueError, match=message):
        PysklDataset(path, layout="ntu")[1]
    with pytest.raises(ValueError, match="'layout' must be one of"):
        PysklDataset(path, layout="dog")


def test_malformed_values(tmp_path, caplog):
    records = [*RECORDS[:2], annotation(2, 1, np.nan), RECORDS[3]]
    path = write(tmp_path, records)
    dataset = PysklDataset(path, layout="coco")
    assert dataset[3].y.item() == 2
    with pytest.raises(ValueError, match=r"pkl': annotation 2: .*'video_2'.* NaN or infinite"):
        dataset[2]
    with caplog.at_level(logging.WARNING):
        dataset = PysklDataset(path, layout="coco", on_error="skip")
    assert frames(dataset) == [1, 2, 4]
    assert dataset.labels == [2, 0, 2]
    assert dataset.skipped == ("video_2",)
    assert "skipped 1 of 4 malformed skeleton sequences: video_2" in caplog.text
    with pytest.raises(
        ValueError, match="none of 1 sequences can be read, the first being 'video_2"
    ):
        PysklDataset(write(tmp_path, records[2:3]), layout="coco", on_error="skip")


def test_no_labels(tmp_path):
    dataset = PysklDataset(write(tmp_path, [annotation(0, 1), annotation(1)]), layout="coco")
    assert "y" not in dataset[1]
    with pytest.raises(ValueError, match="'video_1' has no label"):
        dataset.labels  # noqa: B018
    assert dataset[:1].labels == [1]


def test_items_may_be_written_to(tmp_path):
    dataset = PysklDataset(write(tmp_path), layout="coco")
    dataset[0].x.zero_()
    assert dataset[0].x.any()


def test_parts_copies_and_batches(tmp_path):
    dataset = pickle.loads(pickle.dumps(PysklDataset(write(tmp_path), layout="coco")))[
        torch.tensor([3, 1])
    ]
    assert dataset.names == ["video_3", "video_1"]
    batch = next(iter(DataLoader(dataset, batch_size=2, num_workers=1)))
    assert batch.y.tolist() == dataset.labels == [2, 0]


class Call:
    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return os.mkdir, (self.marker,)


def test_no_code_of_a_file_runs(tmp_path):
    marker = tmp_path / "marker"
    path = write(tmp_path, [{**RECORDS[0], "x": Call(str(marker))}])
    with pytest.raises(ValueError, match=r"it asks for 'posix', 'mkdir': refused"):
        PysklDataset(path, layout="coco")
    assert not marker.exists()


def test_arguments_are_checked(tmp_path):
    with pytest.raises(ValueError, match=r"'on_error' must be 'raise' or 'skip'"):
        PysklDataset(write(tmp_path), layout="coco", on_error="ignore")
    with pytest.raises(FileNotFoundError):
        PysklDataset(tmp_path / "nowhere.pkl")
