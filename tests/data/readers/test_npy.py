import os
import pickle
import random

import numpy as np
import pytest
import torch

from pyg_vision.data import skeletons_to_dense
from pyg_vision.data.readers import (
    SkeletonFileError,
    npy_sequence,
    open_npy,
    read_npy,
    read_npy_labels,
)


def array(joints=25, channels=3, count=3, dtype=np.float32):
    """Three sequences of 6 frames and 2 persons; behind the first 4 and 1 of the last are zeros."""
    shape = (count, channels, 6, joints, 2)
    values = np.random.default_rng(0).uniform(1, 2, shape).astype(dtype)
    values[-1, :, 4:] = 0
    values[-1, ..., 1] = 0
    return values


def write(folder, values, labels=None, name="train_data_joint.npy"):
    np.save(folder / name, values)
    if labels is None:
        return folder / name
    path = folder / "train_label.pkl"
    if isinstance(labels, np.ndarray):
        path = folder / "train_label.npy"
        np.save(path, labels)
    else:
        path.write_bytes(pickle.dumps(labels))
    return folder / name, path


@pytest.mark.parametrize(
    "labels",
    [
        np.array([4, 0, 7]),
        np.array([4, 0, 7], dtype=np.uint8),
        (["a", "b", "c"], [4, 0, 7]),
        [["a", "b", "c"], (4, 0, 7)],
        (["a", "b", "c"], [np.int64(4), 0, 7]),
        (("a", "b", "c"), np.array([4, 0, 7])),
    ],
    ids=["npy", "npy of bytes", "pkl", "pkl of a list", "pkl of scalars", "pkl of an array"],
)
def test_an_array_becomes_sequences(tmp_path, labels):
    values = array()
    sequences = read_npy(*write(tmp_path, values, labels), layout="ntu")
    assert [data.y.item() for data in sequences] == [4, 0, 7]
    for data, value in zip(sequences, values, strict=True):
        assert data.skeleton_shape == (2, 6, 25)
        assert data.layout.name == "ntu"
        assert torch.equal(data.x, data.pos)
        assert torch.equal(skeletons_to_dense(data)[0], torch.from_numpy(value))


def test_the_names_of_the_sequences(tmp_path):
    _, path = write(tmp_path, array(), (["a", "b", "c"], [4, 0, 7]))
    assert read_npy_labels(path) == ([4, 0, 7], ["a", "b", "c"])
    _, path = write(tmp_path, array(), np.array([4, 0, 7]))
    assert read_npy_labels(path, 3) == ([4, 0, 7], None)


def test_no_labels(tmp_path):
    assert all("y" not in data for data in read_npy(write(tmp_path, array()), layout="ntu"))


@pytest.mark.parametrize(
    ("joints", "layout", "score"),
    [
        (17, "coco", True),
        (18, "openpose", True),
        (20, "kinect", False),
        (21, "hand", False),
        (24, "ntu_edge", False),
        (25, "ntu", False),
        (33, "mediapipe", False),
    ],
)
def test_score_is_told_by_the_layout(tmp_path, joints, layout, score):
    values = array(joints)
    data = read_npy(write(tmp_path, values), layout=layout)[0]
    assert data.layout.name == layout
    assert data.x.size(1) == 3
    assert data.pos.size(1) == (2 if score else 3)
    assert torch.equal(skeletons_to_dense(data)[0], torch.from_numpy(values[0]))


@pytest.mark.parametrize(
    ("channels", "layout", "score", "coordinates"),
    [
        (3, "body_25", None, 2),
        (3, "ntu", None, 3),
        (3, "ntu", True, 2),
        (3, "body_25", False, 3),
        (2, "body_25", None, 2),
        (4, "ntu", None, 3),
    ],
)
def test_layout_and_score_that_are_given(tmp_path, channels, layout, score, coordinates):
    data = read_npy(write(tmp_path, array(channels=channels)), layout=layout, score=score)[0]
    assert data.layout.name == layout
    assert (data.x.size(1), data.pos.size(1)) == (channels, coordinates)


def test_zeros_at_the_end_are_kept_or_trimmed(tmp_path):
    values = array()
    path = write(tmp_path, values)
    assert read_npy(path, layout="ntu")[-1].skeleton_shape == (2, 6, 25)
    full, _, short = read_npy(path, layout="ntu", trim=True)
    assert full.skeleton_shape == (2, 6, 25)
    assert short.skeleton_shape == (1, 4, 25)
    dense = skeletons_to_dense(short)[0]
    assert torch.equal(dense, torch.from_numpy(values[-1, :, :4, :, :1]))


def test_zeros_elsewhere_are_kept(tmp_path):
    values = array()
    values[-1, :, :2] = 0  # the first frames
    values[-1, :, :4, :, 1] = 1
    values[-1, :, :4, :, 0] = 0  # and the first person
    data = read_npy(write(tmp_path, values), layout="ntu", trim=True)[-1]
    assert data.skeleton_shape == (2, 4, 25)


def test_one_frame_and_person_always_remain(tmp_path):
    data = read_npy(write(tmp_path, np.zeros((1, 3, 6, 25, 2))), layout="ntu", trim=True)[0]
    assert data.skeleton_shape == (1, 1, 25)
    assert not data.x.any()


@pytest.mark.parametrize("dtype", [np.float16, np.float64, np.int32, ">f4"])
def test_other_types_become_floats(tmp_path, dtype):
    values = array().astype(dtype)
    data = read_npy(write(tmp_path, values), layout="ntu")[0]
    assert data.x.dtype == torch.float32
    expected = torch.from_numpy(values[0].astype(np.float32))
    assert torch.equal(skeletons_to_dense(data)[0], expected)


def test_the_array_is_mapped_and_not_read(tmp_path):
    opened = open_npy(write(tmp_path, array()))
    assert isinstance(opened, np.memmap)
    assert not opened.flags.writeable


def test_sequences_may_be_written_to(tmp_path):
    path = write(tmp_path, array())
    read_npy(path, layout="ntu")[0].x.zero_()
    assert open_npy(path)[0].any()


def test_a_sequence_of_an_array():
    data = npy_sequence(array()[0], "ntu", y=3)
    assert data.y.item() == 3
    with pytest.raises(SkeletonFileError, match=r"'array': must be \[channels, frames, joints, p"):
        npy_sequence(array())
    with pytest.raises(SkeletonFileError, match=r"\(got shape \[3, 0, 25, 2\]\)"):
        npy_sequence(np.zeros((3, 0, 25, 2)))


def saved(values):
    return lambda path: np.save(path, values, allow_pickle=True)


def declares(shape, descr="<f4"):
    """A file of 1 kB that declares an array of another shape."""

    def make(path):
        with path.open("wb") as file:
            header = {"shape": shape, "fortran_order": False, "descr": descr}
            np.lib.format.write_array_header_1_0(file, header)
            file.write(bytes(1000))

    return make


def header(content, version=b"\x01\x00"):
    def make(path):
        text = content.encode() + b"\n"
        path.write_bytes(b"\x93NUMPY" + version + len(text).to_bytes(2, "little") + text)

    return make


MALFORMED = {
    "empty": (lambda path: path.write_bytes(b""), "is no array of numbers"),
    "text": (lambda path: path.write_text("<html>404"), "is no array of numbers"),
    "a pickle": (lambda path: path.write_bytes(pickle.dumps([1])), "is no array of numbers"),
    "an archive": (lambda path: np.savez(path.open("wb"), a=[1]), "is no array of numbers"),
    "objects": (saved(np.array([os.system, None])), "is no array of numbers"),
    "a folder": (lambda path: path.mkdir(), r"is no array of numbers \(IsADirectoryError"),
    "four axes": (saved(np.zeros((3, 6, 25, 2))), r"must be \[sequences, .*\[3, 6, 25, 2\];"),
    "one axis": (saved(np.zeros(3)), r"\(got shape \[3\]\)"),
    "no axes": (saved(np.array(3)), r"\(got shape \[\]\)"),
    "one channel": (saved(np.zeros((2, 1, 6, 25, 2))), r"\(got shape \[2, 1, 6, 25, 2\]\)"),
    "channels last": (saved(np.zeros((2, 6, 25, 2, 3))), r"\(got shape \[2, 6, 25, 2, 3\]\)"),
    "truths": (saved(np.zeros((2, 3, 6, 25, 2), bool)), r"must hold numbers \(got bool\)"),
    "complex": (saved(np.zeros((2, 3, 6, 25, 2), complex)), r"must hold numbers \(got complex"),
    "strings": (saved(np.zeros((2, 3, 6, 25, 2), "U3")), r"must hold numbers \(got <U3\)"),
    "records": (saved(np.zeros((2, 3, 6, 25, 2), [("a", "f4")])), "must hold numbers"),
    "huge": (declares((10**6, 3, 300, 25, 2)), "is no array of numbers"),
    "huger": (declares((10**30, 3, 300, 25, 2)), "is no array of numbers"),
    "negative": (declares((-1, 3, 300, 25, 2)), "is no array of numbers"),
    "a header of words": (header("hello"), "is no array of numbers"),
    "a header of code": (header("__import__('os').system('true')"), "is no array of numbers"),
    "a deep header": (header("(" * 9000), "is no array of numbers"),
    "a deeper header": (header("-" * 9000 + "1"), "is no array of numbers"),
    "a header of bytes": (header("\udcff".encode("utf-8", "surrogatepass").hex()), "is no array"),
    "an unknown version": (header("{}", b"\x09\x00"), "is no array of numbers"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_arrays_are_named(tmp_path, name):
    make, message = MALFORMED[name]
    path = tmp_path / "data.npy"
    make(path)
    with pytest.raises(SkeletonFileError, match=message) as info:
        read_npy(path, layout="ntu")
    assert str(info.value).startswith(f"'{path}'")


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("value", [np.nan, np.inf, 1e300])
def test_the_sequence_of_a_bad_value_is_named(tmp_path, value):
    values = array(dtype=np.float64)
    values[1, 2, 3, 4, 1] = value
    path = write(tmp_path, values)
    with pytest.raises(
        SkeletonFileError, match=r"npy\[1\]': .* NaN or infinite, the first at \[1,"
    ):
        read_npy(path, layout="ntu")


def test_the_layout_must_fit(tmp_path):
    path = write(tmp_path, array())
    with pytest.raises(SkeletonFileError, match=r"npy': layout 'coco' has 17 joints \(got 25"):
        read_npy(path, layout="coco")
    with pytest.raises(SkeletonFileError, match=r"2 or 3\]"):
        read_npy(write(tmp_path, array(channels=2)), layout="ntu", score=True)


@pytest.mark.parametrize(
    ("joints", "names"),
    [
        (17, "'coco' or 'h36m'"),
        (20, "'kinect' or 'msr_action3d'"),
        (25, "'body_25' or 'body_25b' or 'ntu' or 'ntu_pyskl'"),
        (19, "a SkeletonLayout"),
    ],
)
def test_a_layout_is_not_guessed(tmp_path, joints, names):
    message = rf"'layout' must say which skeleton these {joints} joints are, .*{names}"
    for labels in (None, tmp_path / "nowhere.npy"):
        with pytest.raises(SkeletonFileError, match=rf"data_joint\.npy': {message}"):
            read_npy(write(tmp_path, array(joints)), labels)
    with pytest.raises(SkeletonFileError, match=message):
        npy_sequence(array(joints)[0])


def test_a_coordinate_is_no_score(tmp_path):
    values = array(17)
    values[1, 2, 0, 0, 0] = -0.25
    with pytest.raises(SkeletonFileError, match=r"npy\[1\]': a score is negative .*'h36m'"):
        read_npy(write(tmp_path, values), layout="coco")
    data = read_npy(write(tmp_path, values), layout="h36m")[1]
    assert data.pos[0, 2] == -0.25
    assert read_npy(write(tmp_path, values), layout="coco", score=False)[1].pos.size(1) == 3
    above = read_npy(write(tmp_path, array(17)), layout="coco")[0]
    assert above.x[:, 2].max() > 1


@pytest.mark.parametrize("shape", [(0, 3, 6, 25, 2), (3, 3, 0, 25, 2), (3, 3, 6, 25, 0)])
def test_an_empty_array_is_named(tmp_path, shape):
    path = write(tmp_path, np.zeros(shape))
    with pytest.raises(SkeletonFileError, match=r"data_joint\.npy': (must be .*empty|is no array)"):
        read_npy(path, layout="ntu")


def test_a_missing_dimension_is_suggested(tmp_path):
    path = write(tmp_path, array()[..., 0])
    with pytest.raises(SkeletonFileError, match=r"add the last dim.* array\[\.\.\., None\]"):
        read_npy(path, layout="ntu")
    with pytest.raises(SkeletonFileError, match=r"add the last dim.* array\[\.\.\., None\]"):
        npy_sequence(array()[0, ..., 0], "ntu")


@pytest.mark.parametrize(
    "labels",
    [
        (["a", "b", "c"], [4, 0, 7], [6, 6, 4]),
        [["a", "b", "c"], [4, 0, 7], np.array([6, 6, 4])],
        np.array([[4], [0], [7]]),
        (["a", "b", "c"], np.array([[4], [0], [7]])),
    ],
)
def test_other_forms_of_labels(tmp_path, labels):
    _, path = write(tmp_path, array(), labels)
    assert read_npy_labels(path, 3).labels == [4, 0, 7]


LABELS = {
    "another number": (np.array([1, 2]), r"has 2 labels, for 3 sequences"),
    "one label": (np.array(1), r"the labels must be \[sequences\] \(got shape \[\]\)"),
    "one of each class": (np.eye(3, dtype=int), r"the labels must be \[sequences\] .*\[3, 3\]"),
    "halves": (np.array([0.0, 1.0, 1.5]), r"label 0 must be the index of a class \(got 0.0\)"),
    "words": (np.array(["a", "b", "c"]), r"label 0 must be .* \(got 'a'\)"),
    "negative": (np.array([0, 1, -1]), r"label 2 must be the index of a class \(got -1\)"),
    "objects": (np.array([0, 1, None]), "is no array of numbers"),
    "a list": ([0, 1], "the names must be a list of strings"),
    "a dict": ({"a": 0}, r"must hold \(names, labels\), .* \(got dict\)"),
    "four lists": ([[], [], [], []], r"must hold \(names, labels\), .* \(got list of 4\)"),
    "another number in a pickle": ((["a", "b"], [0, 1]), r"has 2 labels, for 3 sequences"),
    "a name more": ((["a", "b", "c", "d"], [0, 1, 2]), "has 4 names, but 3 labels"),
    "names of numbers": (([1, 2, 3], [0, 1, 2]), "the names must be a list of strings"),
    "a text": (("abc", [0, 1, 2]), "the names must be a list of strings"),
    "truths in a pickle": ((["a", "b", "c"], [0, True, 2]), r"label 1 must be .* \(got True\)"),
    "texts in a pickle": ((["a", "b", "c"], ["0", 1, 2]), r"label 0 must be .* \(got '0'\)"),
    "a text for labels": (
        (["a", "b", "c"], "012"),
        r"the labels must be one for each sequence \(got str\)",
    ),
    "a huge label": ((["a", "b", "c"], [0, 2**20000, 2]), r"label 1 must be .* \(got int\)"),
    "a function": ((["a", "b", "c"], [os.system, 1, 2]), "is no pickle of plain containers"),
}


@pytest.mark.parametrize("name", LABELS)
def test_malformed_labels_are_named(tmp_path, name):
    labels, message = LABELS[name]
    data_path, label_path = write(tmp_path, array(), labels)
    with pytest.raises(SkeletonFileError, match=message) as info:
        read_npy(data_path, label_path, layout="ntu")
    assert str(info.value).startswith(f"'{label_path}'")


def test_missing_files(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_npy(tmp_path / "nowhere.npy")
    for name in ("nowhere.npy", "nowhere.pkl"):
        with pytest.raises(FileNotFoundError):
            read_npy(write(tmp_path, array()), tmp_path / name, layout="ntu")


def test_damaged_files_are_refused_or_read(tmp_path):
    path = write(tmp_path, array(count=1))
    raw = path.read_bytes()
    generator = random.Random(0)
    refused = 0
    for _ in range(300):
        damaged = bytearray(raw)
        for _ in range(generator.randint(1, 3)):
            damaged[generator.randrange(128)] = generator.randrange(256)
        path.write_bytes(damaged)
        try:
            read_npy(path, layout="ntu")
        except ValueError:
            refused += 1
    assert 50 < refused < 300
