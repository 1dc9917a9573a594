import builtins
import collections
import os
import pathlib
import pickle
import random
import subprocess

import numpy as np
import pytest
import torch

from pyg_vision.data.readers import SkeletonFileError, open_pyskl, pyskl_sequence


def annotation(name="S001C001P001R001A001", joints=17, seed=0, **changes):
    generator = np.random.default_rng(seed)
    record = {
        "frame_dir": name,
        "total_frames": 4,
        "img_shape": (1080, 1920),
        "original_shape": (1080, 1920),
        "label": 3,
        "keypoint": generator.uniform(0, 1000, (2, 4, joints, 2)).astype(np.float16),
        "keypoint_score": generator.uniform(0, 1, (2, 4, joints)).astype(np.float16),
    }
    record.update(changes)
    return {key: value for key, value in record.items() if value is not Ellipsis}


RECORDS = [annotation("a", seed=1), annotation("b", seed=2, label=np.int64(5))]
CONTENT = {"split": {"xsub_train": ["a"], "xsub_val": ["b", "absent"]}, "annotations": RECORDS}


def write(folder, content, protocol=4, raw=False):
    path = folder / "ntu60.pkl"
    path.write_bytes(content if raw else pickle.dumps(content, protocol=protocol))
    return path


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_a_file_is_read(tmp_path, protocol):
    split, annotations = open_pyskl(write(tmp_path, CONTENT, protocol))
    assert split == CONTENT["split"]
    assert len(annotations) == 2
    for found, record in zip(annotations, RECORDS, strict=True):
        assert found.keys() == record.keys()
        assert found["img_shape"] == (1080, 1920)
        assert found["label"] == record["label"]
        for key in ("keypoint", "keypoint_score"):
            assert type(found[key]) is np.ndarray
            assert found[key].dtype == np.float16
            assert np.array_equal(found[key], record[key])


def test_older_files_are_a_list(tmp_path):
    found = open_pyskl(write(tmp_path, RECORDS))
    assert found.split == {}
    assert [record["frame_dir"] for record in found.annotations] == ["a", "b"]


ARRAYS = {
    "C order": np.arange(24, dtype=np.float32).reshape(2, 3, 4),
    "F order": np.asfortranarray(np.arange(24, dtype=np.float64).reshape(2, 3, 4)),
    "neither": np.arange(24).reshape(2, 3, 4).transpose(1, 0, 2),
    "strided": np.arange(24)[::3],
    "big endian": np.arange(5, dtype=">i4"),
    "truths": np.array([True, False]),
    "strings": np.array(["a", "bcd"]),
    "bytes": np.array([b"a", b"bcd"]),
    "no rows": np.empty((0, 3), dtype=np.int8),
    "no axes": np.array(2.5),
}


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_arrays_and_containers_of_all_kinds(tmp_path, protocol):
    again = np.arange(3.0)
    extra = {
        "arrays": ARRAYS,
        "again": [again, again],
        "scalars": [np.float32(2.5), np.int64(-7), np.bool_(True), np.str_("abc")],
        "plain": [None, True, 1.5, -1, 2**100, "ä", b"b", b"", bytearray(b"c"), (), (1, (2, [3]))],
        "sets": [{1, 2}, set(), frozenset("ab")],
        "ordered": collections.OrderedDict(x=1, y=2),
    }
    (found,) = open_pyskl(write(tmp_path, [annotation(**extra)], protocol)).annotations
    for name, array in ARRAYS.items():
        assert found["arrays"][name].dtype == array.dtype
        assert np.array_equal(found["arrays"][name], array), name
        assert found["arrays"][name].shape == array.shape
    assert found["again"][0] is found["again"][1]
    assert np.array_equal(found["again"][0], again)
    for name in ("scalars", "plain", "sets", "ordered"):
        assert found[name] == extra[name]
        assert list(map(type, found[name])) == list(map(type, extra[name]))
    assert type(found["ordered"]) is collections.OrderedDict


def test_the_names_of_numpy_1(tmp_path):
    raw = pickle.dumps(CONTENT, protocol=2).replace(b"numpy._core.", b"numpy.core.")
    assert b"numpy.core.multiarray" in raw
    found = open_pyskl(write(tmp_path, raw, raw=True))
    assert np.array_equal(found.annotations[1]["keypoint"], RECORDS[1]["keypoint"])


def test_a_file_of_python_2(tmp_path):
    """There the bytes of an array are a string, and containers may be called by name."""
    dtype = b"cnumpy\ndtype\nU\2f4K\0K\1\x87R(K\3U\1<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb"
    array = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\0\x85U\1b\x87R"
    array += b"(K\1K\1K\2\x86" + dtype + b"\x89U\x08\0\0\x80?\0\0\0@tb"
    values = {
        b"x": array,
        b"y": b"c__builtin__\nlist\n](K\1K\2e\x85R",
        b"z": b"c__builtin__\ntuple\n)R",
    }
    raw = pickle.dumps([annotation()], protocol=2)
    assert raw.endswith(b"a.")  # the annotation is the top of the stack, before it joins the list
    raw = raw[:-2] + b"".join(b"U\1" + key + value + b"s" for key, value in values.items()) + b"a."
    (found,) = open_pyskl(write(tmp_path, raw, raw=True)).annotations
    assert found["x"].tolist() == [[1, 2]]
    assert (found["y"], found["z"]) == ([1, 2], ())
    (expected,) = pickle.loads(raw, encoding="latin1")
    assert np.array_equal(found["x"], expected["x"])
    assert (found["y"], found["z"]) == (expected["y"], expected["z"])


# Each writes the file `marker` when it is unpickled by an unpickler that knows no limits.
class Call:
    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def hostile(marker):
    path = pathlib.Path(marker)
    code = f"open({marker!r}, 'w').close()"
    get = Call(getattr, os, "system")
    return {
        "os.system": Call(os.system, f"touch {marker}"),
        "os.mkdir": Call(os.mkdir, marker),
        "eval": Call(builtins.eval, code),
        "exec": Call(builtins.exec, code),
        "open": Call(builtins.open, marker, "w"),
        "getattr": Call(getattr, path, "touch"),
        "import": Call(__import__, "os"),
        "subprocess": Call(subprocess.call, ["touch", marker]),
        "a method": Call(path.touch),
        "a path": path,
        "numpy.load": Call(np.load, marker),
        "numpy.save": Call(np.save, marker, np.zeros(2)),
        "numpy.ones": Call(np.ones, 3),
        "a function": os.getcwd,
        "a class": pathlib.Path,
        "an instance": random.Random(),
        "an exception": ValueError("x"),
        "a slice": slice(1, 2),
        "a range": range(3),
        "a complex": 1j,
        "a counter": collections.Counter("a"),
        "a default dict": collections.defaultdict(list),
        "a default": collections.defaultdict(get.call[0]),
        "a matrix": np.ma.array([1, 2]),
        "a tensor": torch.zeros(2),
        "objects": np.array([Call(os.system, f"touch {marker}")], dtype=object),
        "plain objects": np.array([1, "a", None], dtype=object),
        "records": np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")]),
        "complex numbers": np.array([1j]),
        "dates": np.array(["2020-01-01"], dtype="M8[D]"),
        "a type": np.float32,
        "a tuple for a key": {(1, 2): 3},
        "a tuple in a set": {(1, 2)},
        "a frozen set in a set": frozenset([frozenset("a")]),
    }


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("name", hostile("x"))
def test_anything_else_is_refused(tmp_path, name, protocol):
    marker = tmp_path / "marker"
    value = hostile(str(marker))[name]
    for content in (value, [annotation(x=value)], {"annotations": RECORDS, "split": value}):
        path = write(tmp_path, content, protocol)
        with pytest.raises(SkeletonFileError, match="is no pickle of plain containers and arr"):
            open_pyskl(path)
        assert not marker.exists()


def test_hostile_pickles_are_hostile(tmp_path):
    """Otherwise the test above would show nothing."""
    marker = tmp_path / "marker"
    for name in ("os.system", "eval", "exec", "open", "os.mkdir", "subprocess", "objects"):
        raw = pickle.dumps(hostile(str(marker))[name])
        pickle.loads(raw)
        assert marker.exists(), name
        marker.rmdir() if marker.is_dir() else marker.unlink()


def test_damaged_files_are_refused_or_read(tmp_path):
    """Whatever a few changed bytes do, no other error comes out."""
    generator = random.Random(0)
    refused = 0
    for protocol in (2, 4, 5):
        raw = pickle.dumps(CONTENT, protocol=protocol)
        for _ in range(300):
            damaged = bytearray(raw)
            for _ in range(generator.randint(1, 4)):
                damaged[generator.randrange(len(damaged))] = generator.randrange(256)
            try:
                for record in open_pyskl(write(tmp_path, bytes(damaged), raw=True)).annotations:
                    pyskl_sequence(record, "coco")
            except ValueError:
                refused += 1
    assert 50 < refused < 900


def test_files_may_be_cut_off_anywhere(tmp_path):
    raw = pickle.dumps(CONTENT)
    for count in [*range(0, 200), *range(200, len(raw), 37)]:
        with pytest.raises(SkeletonFileError):
            open_pyskl(write(tmp_path, raw[:count], raw=True))


def only(**changes):
    return [annotation("a"), annotation("b", **changes)]


NAN = np.full((2, 4, 17, 2), np.nan)
MALFORMED = {
    "a number": (5, r"must hold a dict with a list of 'annotations', .* \(got 5\)"),
    "nothing": (None, r"\(got None\)"),
    "no annotations": ({"split": {}}, r"\(got None\)"),
    "a dict of annotations": ({"annotations": {}}, r"\(got dict\)"),
    "an empty list": ([], "holds no annotations"),
    "split a list": ({"annotations": RECORDS, "split": []}, r"'split' must be a dict \(got list"),
    "split of text": ({"annotations": RECORDS, "split": {"a": "b"}}, "split 'a' must be a list of"),
    "split of numbers": ({"annotations": RECORDS, "split": {"a": [1]}}, "split 'a' must be a list"),
    "split 1": ({"annotations": RECORDS, "split": {1: []}}, "split 1 must be a list of 'frame_dir"),
    "a text": ([RECORDS[0], "b"], r"annotation 1: must be a dict \(got str\)"),
    "no name": (only(frame_dir=...), r"annotation 1: 'frame_dir' must be a string \(got None\)"),
    "a number for a name": (only(frame_dir=7), r"annotation 1: 'frame_dir' must be .* \(got 7\)"),
    "no keypoints": (only(keypoint=...), r"annotation 1 \('b'\): 'keypoint' must be an array"),
    "keypoints elsewhere": (
        only(keypoint=..., raw_file="k400_kpfiles_2d/b.pkl"),
        r"annotation 1 \('b'\): its keypoints are in another file \('raw_file'\)",
    ),
    "a list of keypoints": (
        only(keypoint=[[[[1.0, 2.0]]]]),
        r"annotation 1 \('b'\): 'keypoint' must be an array of numbers \(got list\)",
    ),
    "strings": (only(keypoint=np.array(["a"])), r"\(got array of <U1\)"),
    "truths": (only(keypoint=np.ones((2, 4, 17, 2), bool)), r"\(got array of bool\)"),
    "compressed keypoints": (
        only(keypoint=np.ones((9, 17, 3))),
        r"'keypoint' must be \[persons, frames, joints, 2 or 3\] .* \(got shape \[9, 17, 3\]\)",
    ),
    "four channels": (only(keypoint=np.ones((2, 4, 17, 4))), r"\(got shape \[2, 4, 17, 4\]\)"),
    "no frames": (only(keypoint=np.ones((2, 0, 17, 2))), r"\(got shape \[2, 0, 17, 2\]\)"),
    "other frames": (only(total_frames=5), "'total_frames' is 5, but 'keypoint' has 4"),
    "frames of text": (only(total_frames="4"), "'total_frames' is '4', but 'keypoint' has 4"),
    "a score of another shape": (
        only(keypoint_score=np.ones((2, 4, 18))),
        r"annotation 1 \('b'\): 'keypoint_score' must have the shape \[2, 4, 17\] \(got \[2, 4, 18",
    ),
    "a score of text": (only(keypoint_score="x"), r"'keypoint_score' must be an array .*\(got str"),
    "a label of text": (only(label="3"), r"annotation 1 \('b'\): 'label' must be the index of a"),
    "several labels": (only(label=[1, 2]), r"'label' must be the index of a class \(got list\)"),
    "a half label": (only(label=1.5), r"'label' must be the index of a class \(got float\)"),
    "a label of truth": (only(label=True), r"'label' must be the index of a class \(got True\)"),
    "a negative label": (only(label=-2), r"'label' must be the index of a class \(got -2\)"),
    "a huge label": (only(label=2**20000), r"'label' must be the index of a class \(got int\)"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_annotations_are_named(tmp_path, name):
    content, message = MALFORMED[name]
    path = write(tmp_path, content)
    with pytest.raises(SkeletonFileError, match=message) as info:
        open_pyskl(path)
    assert str(info.value).startswith(f"'{path}'")


def test_a_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        open_pyskl(tmp_path / "nowhere.pkl")
    with pytest.raises(SkeletonFileError, match="IsADirectoryError"):
        open_pyskl(tmp_path)


def test_an_annotation_becomes_a_sequence():
    record = annotation()
    data = pyskl_sequence(record, "coco")
    assert data.skeleton_shape == (2, 4, 17)
    assert data.layout.name == "coco"
    assert data.y.tolist() == [3]
    assert data.x.dtype == torch.float32
    found = data.x.view(2, 4, 17, 3)
    assert torch.equal(found[..., :2], torch.from_numpy(record["keypoint"]).float())
    assert torch.equal(found[..., 2], torch.from_numpy(record["keypoint_score"]).float())


def test_a_layout_is_not_guessed():
    for joints, names in ((17, "'coco' or 'h36m'"), (25, "'body_25' or .*'ntu_pyskl'")):
        message = f"'layout' must say which skeleton these {joints} joints are, such as {names}"
        with pytest.raises(ValueError, match=message):
            pyskl_sequence(annotation(joints=joints))


def test_a_negative_score():
    score = np.full((2, 4, 17), 0.5)
    score[1, 2, 3] = -0.1
    with pytest.raises(ValueError, match=r"a score is negative \(got -0\.1\)"):
        pyskl_sequence(annotation(keypoint_score=score), "coco")


def test_a_file_of_one_annotation(tmp_path):
    record = annotation("alone")
    path = write(tmp_path, record)
    assert open_pyskl(path).split == {}
    (found,) = open_pyskl(path).annotations
    assert found["frame_dir"] == "alone"


def test_two_of_one_name(tmp_path):
    records = [annotation("me"), annotation("me")]
    assert len(open_pyskl(write(tmp_path, records)).annotations) == 2
    content = {"split": {"train": ["me"]}, "annotations": records}
    with pytest.raises(SkeletonFileError, match=r"annotation 1 \('me'\) has the name of annot"):
        open_pyskl(write(tmp_path, content))


def test_a_layout_that_is_given():
    assert pyskl_sequence(annotation(joints=25), "body_25").layout.name == "body_25"
    message = r"the annotation \('S001C.*'\) is malformed: layout 'hand' has 21 joints \(got 17"
    with pytest.raises(ValueError, match=message):
        pyskl_sequence(annotation(), "hand")
    with pytest.raises(ValueError, match="these 19 joints are, as a Skel"):
        pyskl_sequence(annotation(joints=19))
    with pytest.raises(TypeError, match="'layout' must be a name or a SkeletonLayout"):
        pyskl_sequence(annotation(), 17)


def test_neither_score_nor_label():
    keypoint = np.ones((1, 4, 25, 3), np.float16)
    data = pyskl_sequence(annotation(keypoint=keypoint, keypoint_score=..., label=...), "ntu_pyskl")
    assert data.x.shape == (100, 3)
    assert "y" not in data


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"keypoint": NAN}, "'keypoints' holds a value that is NaN or infinite"),
        (
            {"keypoint": np.full((2, 4, 17, 2), 1e39)},
            "'keypoints' holds a value that is NaN or inf",
        ),
        ({"keypoint_score": NAN[..., 0]}, "'score' holds a value that is NaN or infinite"),
        ({"keypoint": None}, "'keypoint' must be an array of numbers"),
        ({"total_frames": 3}, "'total_frames' is 3"),
    ],
)
def test_values_are_looked_at_when_a_sequence_is_made(changes, message):
    with pytest.raises(ValueError, match=rf"the annotation \('me'\) is malformed: {message}"):
        pyskl_sequence(annotation("me", **changes), "coco")


def test_sequences_of_a_file_may_be_written_to(tmp_path):
    record = open_pyskl(write(tmp_path, CONTENT)).annotations[0]
    data = pyskl_sequence(record, "coco")
    data.x.zero_()
    assert record["keypoint"].any()
