import json
import logging
from collections import Counter

import pytest
from torch_geometric.loader import DataLoader

from pyg_vision.data.readers.nw_ucla import ACTIONS
from pyg_vision.datasets.nw_ucla import NWUCLA

NAMES = [
    f"a{action:02d}_s{subject:02d}_e00_v{view:02d}"
    for action in (1, 12)
    for subject in (1, 2)
    for view in (1, 2, 3)
]


@pytest.fixture
def root(tmp_path):
    for i, name in enumerate(NAMES):
        frames = [[[float(t), float(v), 1.0] for v in range(20)] for t in range(i + 1)]
        (tmp_path / f"{name}.json").write_text(json.dumps({"skeletons": frames}))
    return tmp_path


@pytest.mark.parametrize(("split", "views"), [("train", {1, 2}), ("test", {3}), ("all", {1, 2, 3})])
def test_splits_are_by_view(root, split, views):
    dataset = NWUCLA(root, split)
    expected = [i for i, name in enumerate(NAMES) if int(name[-2:]) in views]
    assert [data.skeleton_shape.num_frames - 1 for data in dataset] == expected
    assert {name.view for name in dataset.names} == views
    assert dataset.labels == [0 if i < 6 else 9 for i in expected]
    assert dataset.num_classes == 10
    assert dataset.classes[0] == "pick up with one hand"
    assert dataset.classes[9] == "carry"
    assert dataset.split == split


def test_malformed_files(root, caplog):
    bad = root / f"{NAMES[4]}.json"
    bad.write_text('{"skeletons": []}')
    with pytest.raises(ValueError, match=f"{NAMES[4]}.json': holds no frames"):
        NWUCLA(root)
    with caplog.at_level(logging.WARNING):
        dataset = NWUCLA(root, on_error="skip")
    assert dataset.skipped == (str(bad),)
    assert dataset.num_skipped == 1
    assert len(dataset) == len(dataset.names) == 7
    # The names still belong to their sequences.
    for data, name in zip(dataset, dataset.names, strict=True):
        stem = f"a{name.action:02d}_s{name.subject:02d}_e{name.episode:02d}_v{name.view:02d}"
        assert data.skeleton_shape.num_frames == NAMES.index(stem) + 1
    assert "skipped 1 of 8 malformed" in caplog.text


def test_other_files_are_ignored(root):
    (root / "notes.json").write_text("[]")
    (root / "a01_s01_e00_v01.txt").write_text("")
    assert len(NWUCLA(root, "all")) == 12


def test_a_transform(root):
    def only_x(data):
        data.x = data.x[:, :1]
        return data

    assert NWUCLA(root, transform=only_x)[0].num_node_features == 1


def test_arguments_are_checked(root, tmp_path):
    with pytest.raises(ValueError, match=r"'split' must be one of train, test, all \(got 'val'\)"):
        NWUCLA(root, "val")
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        NWUCLA(root / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match="there are no files 'a"):
        NWUCLA(tmp_path / "empty")


def test_the_real_dataset(shared):
    root = shared / "data" / "nw_ucla"
    train, test = NWUCLA(root), NWUCLA(root, "test")
    assert (len(train), len(test)) == (1020, 464)
    assert train.num_skipped == test.num_skipped == 0
    for dataset, view, most in ((train, 2, 201), (test, 3, 134)):
        frames = [data.skeleton_shape.num_frames for data in dataset]
        assert (min(frames), max(frames)) == (1, most)
        assert Counter(frames)[1] == 1
        assert dataset.names[frames.index(1)] == (2, 9, 4, view)
        assert set(dataset.labels) == set(range(10))
        assert {data.num_node_features for data in dataset} == {3}
    batch = next(iter(DataLoader(train, batch_size=64, shuffle=True)))
    assert batch.validate()
    assert batch.num_graphs == 64
    assert len(batch.skeleton_shape) == 64
    assert {layout.name for layout in batch.layout} == {"kinect"}


def test_names_follow_the_order(shared):
    dataset = NWUCLA(shared / "data" / "nw_ucla", "test").shuffle()[:20]
    assert len(dataset.names) == 20
    for name, data in zip(dataset.names, dataset, strict=True):
        assert ACTIONS.index(name.action) == int(data.y)
