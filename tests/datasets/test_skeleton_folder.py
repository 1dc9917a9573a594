import json
import logging
from functools import partial

import numpy as np
import pytest
from torch_geometric.data import Data

from pyg_vision.data import skeleton_sequence
from pyg_vision.data.readers import read_openpose
from pyg_vision.datasets.skeleton_folder import SkeletonFolder


def read(path):
    frames = int(path.read_text())
    return skeleton_sequence(np.ones((frames, 17, 2)), "coco", y=7)


@pytest.fixture
def root(tmp_path):
    for name, counts in {"walk": (1, 2), "clap": (3,), "jump": (4, 5)}.items():
        (tmp_path / name).mkdir()
        for i, frames in enumerate(counts):
            (tmp_path / name / f"{name}_{i}.json").write_text(str(frames))
    (tmp_path / "README.md").write_text("not a class")
    return tmp_path


def test_files_become_sequences_with_the_index_of_their_folder(root):
    dataset = SkeletonFolder(root, read)
    assert dataset.classes == ["clap", "jump", "walk"]
    assert dataset.num_classes == 3
    assert dataset.labels == [data.y.item() for data in dataset] == [0, 1, 1, 2, 2]
    assert [data.skeleton_shape.num_frames for data in dataset] == [3, 4, 5, 1, 2]
    assert dataset.paths[0] == str(root / "clap" / "clap_0.json")
    assert dataset[3:].paths == dataset.paths[3:]


def test_other_patterns(root):
    (root / "walk" / "deep").mkdir()
    (root / "walk" / "deep" / "more.json").write_text("9")
    (root / "walk" / "note.txt").write_text("8")
    assert len(SkeletonFolder(root, read)) == 5
    deep = SkeletonFolder(root, read, "**/*.json")
    assert deep.labels == [0, 1, 1, 2, 2, 2]
    for name in ("clap", "jump"):
        (root / name / "note.txt").write_text("6")
    assert [d.skeleton_shape.num_frames for d in SkeletonFolder(root, read, "*.txt")] == [6, 6, 8]


def test_hidden_files_are_no_data(root):
    (root / ".git").mkdir()
    (root / "walk" / ".DS_Store").write_text("x")
    assert len(SkeletonFolder(root, read, "*")) == 5


def test_folders_may_be_sequences(tmp_path):
    for name, video, frames in (("b", "v1", 2), ("a", "v2", 3)):
        folder = tmp_path / name / video
        folder.mkdir(parents=True)
        for t in range(frames):
            people = [{"pose_keypoints_2d": [50.0] * 75}]
            path = folder / f"{video}_{t:012d}_keypoints.json"
            path.write_text(json.dumps({"people": people}))
    dataset = SkeletonFolder(tmp_path, partial(read_openpose, size=(100, 50)), pattern="*")
    assert [data.skeleton_shape for data in dataset] == [(1, 3, 25), (1, 2, 25)]
    assert dataset.labels == [0, 1]
    assert dataset[0].pos[0].tolist() == [0.5, 1.0]


def test_malformed_files(root, caplog):
    bad = root / "jump" / "jump_0.json"
    bad.write_text("x")
    with pytest.raises(ValueError, match="invalid literal"):
        SkeletonFolder(root, read)
    with caplog.at_level(logging.WARNING):
        dataset = SkeletonFolder(root, read, on_error="skip")
    assert dataset.skipped == (str(bad),)
    assert dataset.labels == [0, 1, 2, 2]
    assert [data.skeleton_shape.num_frames for data in dataset] == [3, 5, 1, 2]
    assert str(bad) not in dataset.paths
    assert len(dataset.paths) == 4
    assert dataset.num_classes == 3


def test_only_malformed_files(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.json").write_text("x")
    with pytest.raises(ValueError, match="a dataset needs at least one sequence"):
        SkeletonFolder(tmp_path, read, on_error="skip")


def test_the_reader_must_return_a_graph(root):
    with pytest.raises(
        TypeError, match=r"'read' must return a Data \(got 'str' for '.*clap_0.json"
    ):
        SkeletonFolder(root, lambda path: path.read_text())


def test_a_transform(root):
    dataset = SkeletonFolder(root, read, transform=lambda data: Data(x=data.x[:1], y=data.y))
    assert [data.num_nodes for data in dataset] == [1] * 5


def test_there_must_be_files(root):
    (root / "wave").mkdir()
    with pytest.raises(FileNotFoundError, match=r"there are no files '\*.json' in '.*wave'"):
        SkeletonFolder(root, read)
    (root / "wave" / ".hidden.json").write_text("1")
    with pytest.raises(FileNotFoundError, match=r"there are no files '\*.json' in '.*wave'"):
        SkeletonFolder(root, read)
    with pytest.raises(FileNotFoundError, match="there is no folder of a class in"):
        SkeletonFolder(root / "clap", read)
    with pytest.raises(FileNotFoundError, match="there is no folder '.*nowhere'"):
        SkeletonFolder(root / "nowhere", read)


def test_an_empty_folder_of_a_video_is_skipped(tmp_path):
    for name in ("full", "empty"):
        (tmp_path / "walk" / name).mkdir(parents=True)
    people = [{"pose_keypoints_2d": [0.5] * 54}]
    path = tmp_path / "walk" / "full" / "full_000000000000_keypoints.json"
    path.write_text(json.dumps({"people": people}))
    dataset = SkeletonFolder(tmp_path, read_openpose, pattern="*", on_error="skip")
    assert dataset.paths == [str(tmp_path / "walk" / "full")]
    assert dataset.skipped == (str(tmp_path / "walk" / "empty"),)
    with pytest.raises(FileNotFoundError, match="no JSON file with 'people' in .*empty"):
        SkeletonFolder(tmp_path, read_openpose, pattern="*")
