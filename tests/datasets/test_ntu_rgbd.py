import logging
import pickle

import pytest
from torch_geometric.loader import DataLoader

from pyg_vision.data.readers import ntu_name
from pyg_vision.datasets.ntu_rgbd import NTURGBD, _read_missing

# Of the list of missing samples, one of NTU RGB+D and one of NTU RGB+D 120.
MISSING = ["S001C002P005R002A008", "S019C001P046R001A075"]
NAMES = [
    "S001C001P001R001A001",
    "S001C002P003R002A060",
    "S002C003P003R001A002",
    "S017C001P040R001A050",
    "S018C001P045R001A061",
    "S032C002P106R001A120",
    "S001C002P038R001A001",
    *MISSING,
]


def write(path, frames=2):
    lines = [str(frames)]
    for _ in range(frames):
        lines += ["1", "72057594037931101 0 1 1 1 1 0 0.02 -0.23 2", "25"]
        lines += ["0.1 0.2 3.0 1 2 3 4 5 6 7 8 2"] * 25
    path.write_text("\n".join(lines) + "\n")


@pytest.fixture
def root(tmp_path):
    for folder in ("nturgb+d_skeletons", "nturgb+d_skeletons120"):
        (tmp_path / folder).mkdir()
    for i, name in enumerate(NAMES):
        folder = "nturgb+d_skeletons" + ("120" if ntu_name(name).action > 60 else "")
        write(tmp_path / folder / f"{name}.skeleton", i + 1)
    return tmp_path


def names(dataset):
    return [f"S{n[0]:03d}C{n[1]:03d}P{n[2]:03d}R{n[3]:03d}A{n[4]:03d}" for n in dataset.names]


BENCHMARKS = [
    ("xsub", 60, lambda name: name.subject in (1, 2, 4, 5, 38), 1),
    ("xview", 60, lambda name: name.camera != 1, 1),
    ("xsub", 120, lambda name: name.subject in (1, 2, 4, 5, 38, 45, 46), 2),
    ("xset", 120, lambda name: name.setup % 2 == 0, 0),
]


@pytest.mark.parametrize(("benchmark", "num_classes", "train", "missing"), BENCHMARKS)
def test_benchmarks(root, benchmark, num_classes, train, missing):
    sound = [n for n in NAMES if ntu_name(n).action <= num_classes and n not in MISSING]
    for split in ("train", "test"):
        dataset = NTURGBD(root, benchmark, split, num_classes)
        wanted = sorted(n for n in sound if train(ntu_name(n)) == (split == "train"))
        assert names(dataset) == wanted
        assert [NAMES[d.skeleton_shape.num_frames - 1] for d in dataset] == wanted
        assert dataset.labels == [data.y.item() for data in dataset]
        assert dataset.labels == [ntu_name(name).action - 1 for name in wanted]
        assert dataset.num_classes == num_classes
        total = sum(ntu_name(name).action <= num_classes for name in MISSING)
        assert dataset.num_missing == (missing if split == "train" else total - missing)


# How many samples were recorded is known, and so is how many remain in each published benchmark.
@pytest.mark.parametrize(
    ("benchmark", "num_classes", "recorded", "remaining"),
    [
        ("xsub", 60, (40320, 16560), (40091, 16487)),
        ("xview", 60, (37920, 18960), (37646, 18932)),
        ("xsub", 120, (63360, 51120), (63026, 50919)),
        ("xset", 120, (54720, 59760), (54468, 59477)),
    ],
)
def test_the_list_of_missing_samples_is_that_of_the_published_results(
    tmp_path, benchmark, num_classes, recorded, remaining
):
    listed = sorted(_read_missing(None))
    assert len(listed) == 535
    assert sum(ntu_name(name).action <= 60 for name in listed) == 302
    for name in listed:
        (tmp_path / f"{name}.skeleton").touch()
    for name in ("S001C001P001R001A001", "S002C002P003R001A001"):
        write(tmp_path / f"{name}.skeleton")
    found = [
        NTURGBD(tmp_path, benchmark, split, num_classes).num_missing for split in ("train", "test")
    ]
    assert found == [a - b for a, b in zip(recorded, remaining, strict=True)]


def test_the_names_of_the_classes(root):
    classes = NTURGBD(root, "xset", num_classes=120).classes
    assert len(set(classes)) == 120
    assert classes[0] == "drink water"
    assert classes[59] == "walking apart from each other"
    assert classes[60] == "put on headphone"
    assert classes[119].startswith("finger-guessing game")
    assert NTURGBD(root).classes == classes[:60]


def test_a_list_of_ones_own(root, tmp_path):
    path = tmp_path / "missing.txt"
    path.write_text(f"# mine\n\n{NAMES[0]}.skeleton\n {NAMES[6]}  # short\n")
    dataset = NTURGBD(root, missing=path)
    assert names(dataset) == [MISSING[0]]
    assert dataset.num_missing == 2
    path.write_text("")
    assert NTURGBD(root, missing=str(path)).num_missing == 0


@pytest.mark.parametrize("content", ["abc", f"{NAMES[0]} {NAMES[1]}", "535 of the captured"])
def test_a_list_of_something_else(root, tmp_path, content):
    path = tmp_path / "missing.txt"
    path.write_text(f"{NAMES[0]}\n{content}\n")
    with pytest.raises(ValueError, match=rf"missing.txt': names a sample '{content}'"):
        NTURGBD(root, missing=path)


def test_a_list_that_is_no_text(root, tmp_path):
    path = tmp_path / "missing.txt"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ValueError, match=r"missing.txt': is no text"):
        NTURGBD(root, missing=path)
    with pytest.raises(FileNotFoundError):
        NTURGBD(root, missing=tmp_path / "nowhere.txt")


def test_files_are_read_when_they_are_asked_for(root, caplog):
    bad = root / "nturgb+d_skeletons" / f"{NAMES[0]}.skeleton"
    bad.write_text("1\n1\n")
    dataset = NTURGBD(root)
    assert len(dataset) == 2
    assert dataset[1].y.item() == 0
    with pytest.raises(ValueError, match=rf"{NAMES[0]}.skeleton', frame 0, person 0: ends where"):
        dataset[0]
    with caplog.at_level(logging.WARNING):
        dataset = NTURGBD(root, on_error="skip")
    assert names(dataset) == [NAMES[6]]
    assert dataset.skipped == (str(bad),)
    assert dataset.num_skipped == 1
    assert dataset.labels == [0]
    assert f"skipped 1 of 2 malformed skeleton sequences: {bad}" in caplog.text


def test_no_sound_file(tmp_path):
    (tmp_path / f"{NAMES[0]}.skeleton").write_text("0\n")
    with pytest.raises(
        ValueError, match=r"none of 1 sequences can be read, the first being '.*A001"
    ):
        NTURGBD(tmp_path, on_error="skip")
    with pytest.raises(ValueError, match="a dataset needs at least one sequence"):
        NTURGBD(tmp_path, split="test")


def test_a_file_of_another_name(root):
    (root / "S1.skeleton").touch()
    with pytest.raises(ValueError, match="S1.skeleton': the name must be"):
        NTURGBD(root)
    dataset = NTURGBD(root, on_error="skip")
    assert len(dataset) == 2
    assert dataset.skipped == (str(root / "S1.skeleton"),)


def test_parts_copies_and_batches(root):
    dataset = NTURGBD(root, "xset", "test", 120, transform=lambda data: data)
    part = dataset[1:]
    assert names(part) == names(dataset)[1:]
    assert part.labels == dataset.labels[1:]
    dataset = pickle.loads(pickle.dumps(NTURGBD(root, "xset", "test", 120)))
    batch = next(iter(DataLoader(dataset, batch_size=8, num_workers=1)))
    assert batch.y.tolist() == dataset.labels


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_classes": 61}, r"'num_classes' must be 60 or 120 \(got 61\)"),
        ({"benchmark": "xset"}, r"'benchmark' must be one of xsub, xview with 60 classes"),
        (
            {"benchmark": "xview", "num_classes": 120},
            r"'benchmark' must be one of xsub, xset with 120 classes \(got 'xview'\)",
        ),
        ({"split": "val"}, r"'split' must be 'train' or 'test' \(got 'val'\)"),
        ({"on_error": "ignore"}, r"'on_error' must be 'raise' or 'skip' \(got 'ignore'\)"),
    ],
)
def test_arguments_are_checked(root, arguments, message):
    with pytest.raises(ValueError, match=message):
        NTURGBD(root, **arguments)


def test_there_must_be_files(tmp_path):
    with pytest.raises(FileNotFoundError, match="there are no files"):
        NTURGBD(tmp_path)
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        NTURGBD(tmp_path / "nowhere")
