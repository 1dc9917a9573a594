import logging

import numpy as np
import pytest
import scipy.io

from pyg_vision.datasets.utd_mhad import UTDMHAD

NAMES = [(1, 1, 1), (1, 2, 1), (2, 7, 4), (9, 8, 2), (10, 1, 1), (27, 3, 1)]


@pytest.fixture
def root(tmp_path):
    for i, (action, subject, trial) in enumerate(NAMES):
        path = tmp_path / f"a{action}_s{subject}_t{trial}_skeleton.mat"
        scipy.io.savemat(path, {"d_skel": np.full((20, 3, i + 1), float(i))})
    return tmp_path


@pytest.mark.parametrize(
    ("split", "subjects"), [("train", {1, 3, 7}), ("test", {2, 8}), ("all", {1, 2, 3, 7, 8})]
)
def test_splits_are_by_subject(root, split, subjects):
    dataset = UTDMHAD(root, split)
    expected = [name for name in NAMES if name[1] in subjects]
    assert dataset.names == expected
    assert [NAMES[data.skeleton_shape.num_frames - 1] for data in dataset] == expected
    assert dataset.labels == [action - 1 for action, _, _ in expected]
    assert dataset.split == split


def test_the_names_of_the_classes(root):
    dataset = UTDMHAD(root)
    assert dataset.num_classes == len(set(dataset.classes)) == 27
    assert dataset.classes[0] == "right arm swipe to the left"
    assert dataset.classes[26] == "squat (two arms stretch out)"


def test_malformed_files(root, caplog):
    bad = root / "a2_s7_t4_skeleton.mat"
    bad.write_bytes(b"")
    with pytest.raises(ValueError, match=r"a2_s7_t4_skeleton.mat': is no MATLAB file"):
        UTDMHAD(root)
    assert len(UTDMHAD(root, "test")) == 2
    with caplog.at_level(logging.WARNING):
        dataset = UTDMHAD(root, on_error="skip")
    assert dataset.skipped == (str(bad),)
    assert dataset.names == [(1, 1, 1), (10, 1, 1), (27, 3, 1)]
    assert dataset.labels == [0, 9, 26]
    assert "skipped 1 of 4" in caplog.text


def test_a_file_of_another_name(root, caplog):
    other = root / "a99_s1_t1_skeleton.mat"
    other.touch()
    with pytest.raises(ValueError, match="the action must be 1 to 27"):
        UTDMHAD(root)
    with caplog.at_level(logging.WARNING):
        dataset = UTDMHAD(root, on_error="skip")
    assert f"skipped 1 of 7 skeleton files of another name: {other}" in caplog.text
    assert dataset.skipped == (str(other),)
    assert len(dataset) == 4
    assert dataset.num_skipped == 1


def test_a_transform(root):
    def tag(data):
        data.tag = 1
        return data

    assert all(data.tag == 1 for data in UTDMHAD(root, transform=tag))


def test_arguments_are_checked(root):
    with pytest.raises(ValueError, match=r"'split' must be one of train, test, all \(got 'val'\)"):
        UTDMHAD(root, "val")
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        UTDMHAD(root / "nowhere")
    (root / "a28_s1_t1_skeleton.mat").touch()
    with pytest.raises(ValueError, match=r"the action must be 1 to 27 \(got 28\)"):
        UTDMHAD(root)
