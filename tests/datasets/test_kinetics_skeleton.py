import json
import logging
import pickle

import pytest
from torch_geometric.loader import DataLoader

from pyg_vision.datasets.kinetics_skeleton import KineticsSkeleton

VIDEOS = {"-aa": ("abseiling", 0), "bb": ("zumba", 3), "cc": ("abseiling", 0), "dd": ("yoga", 1)}


def video(label, frames=1, persons=1):
    people = [{"pose": [0.5] * 36, "score": [0.1 * (i + 1)] * 18} for i in range(persons)]
    data = [{"frame_index": t + 1, "skeleton": people} for t in range(frames)]
    return {"data": data, "label": label[0], "label_index": label[1]}


def entry(label, has_skeleton=True):
    return {"has_skeleton": has_skeleton, "label": label[0], "label_index": label[1]}


def write_labels(root, labels, split="train"):
    content = labels if isinstance(labels, str) else json.dumps(labels)
    (root / f"kinetics_{split}_label.json").write_text(content)


@pytest.fixture
def root(tmp_path):
    for split in ("train", "val"):
        (tmp_path / f"kinetics_{split}").mkdir()
    for i, (name, label) in enumerate(VIDEOS.items()):
        path = tmp_path / "kinetics_train" / f"{name}.json"
        path.write_text(json.dumps(video(label, i + 1, persons=3)))
    path = tmp_path / "kinetics_val" / "ee.json"
    path.write_text(json.dumps(video(("yoga", 1), 9)))
    labels = {name: entry(label, name != "cc") for name, label in VIDEOS.items()}
    write_labels(tmp_path, dict(reversed(labels.items())))
    write_labels(tmp_path, {"ee": entry(("yoga", 1))}, "val")
    return tmp_path


def test_videos_with_a_skeleton(root):
    dataset = KineticsSkeleton(root)
    assert [path.stem for path in dataset.paths] == ["-aa", "bb", "dd"]
    assert [data.skeleton_shape for data in dataset] == [(3, t, 18) for t in (1, 2, 4)]
    assert dataset.labels == [data.y.item() for data in dataset] == [0, 3, 1]
    assert dataset.num_missing == 1
    assert dataset.classes == ["abseiling", "yoga", "2", "zumba"]
    assert dataset.num_classes == 4
    assert dataset[0].layout.name == "openpose"


def test_splits(root):
    dataset = KineticsSkeleton(root, "val")
    assert [data.skeleton_shape.num_frames for data in dataset] == [9]
    with pytest.raises(ValueError, match=r"'split' must be 'train' or 'val' \(got 'test'\)"):
        KineticsSkeleton(root, "test")


def test_the_number_of_persons(root):
    data = KineticsSkeleton(root, num_persons=2)[1]
    assert data.skeleton_shape == (2, 2, 18)
    assert data.x.view(2, 2, 18, 3)[:, 0, 0, 2].tolist() == pytest.approx([0.3, 0.2])


def test_files_are_read_when_they_are_asked_for(root, caplog):
    bad = root / "kinetics_train" / "bb.json"
    bad.write_text('{"data": []}')
    dataset = KineticsSkeleton(root)
    assert len(dataset) == 3
    assert dataset[2].y.item() == 1
    with pytest.raises(ValueError, match=r"bb.json': holds no frames"):
        dataset[1]
    with caplog.at_level(logging.WARNING):
        dataset = KineticsSkeleton(root, on_error="skip")
    assert dataset.skipped == (str(bad),)
    assert dataset.labels == [data.y.item() for data in dataset] == [0, 1]
    assert "skipped 1 of 3" in caplog.text


def test_a_file_without_a_label_takes_that_of_the_list(root):
    path = root / "kinetics_train" / "bb.json"
    path.write_text(json.dumps({**video(("zumba", 3)), "label_index": -1}))
    assert KineticsSkeleton(root)[1].y.tolist() == [3]


def test_a_file_with_another_label(root):
    path = root / "kinetics_train" / "bb.json"
    path.write_text(json.dumps(video(("yoga", 1))))
    with pytest.raises(ValueError, match=r"bb.json': has the label 1, but 3 in the list"):
        KineticsSkeleton(root)[1]


def test_parts_copies_and_batches(root):
    dataset = pickle.loads(pickle.dumps(KineticsSkeleton(root)))[1:]
    assert [path.stem for path in dataset.paths] == ["bb", "dd"]
    batch = next(iter(DataLoader(dataset, batch_size=2, num_workers=1)))
    assert batch.y.tolist() == dataset.labels == [3, 1]


GOOD = entry(("zumba", 3))
MALFORMED = {
    "empty": ("", "is no JSON"),
    "a list": ("[]", "must hold a JSON object"),
    "no record": ({"bb": None}, "'bb' must have 'has_skeleton'.* got None, None, None"),
    "no flag": ({"bb": {"label": "a", "label_index": 0}}, r"'bb' must have .* got None, 0, 'a'"),
    "a flag of 1": ({"bb": {**GOOD, "has_skeleton": 1}}, "'bb' must have .* got 1, 3, 'zumba'"),
    "no index": ({"bb": {**GOOD, "label_index": None}}, "'bb' must .* got True, None, 'zumba'"),
    "an index of text": ({"bb": {**GOOD, "label_index": "3"}}, "'bb' must .* got True, '3', "),
    "an index of truth": ({"bb": {**GOOD, "label_index": True}}, "'bb' must .* got True, True"),
    "a negative index": ({"bb": {**GOOD, "label_index": -1}}, "'bb' must .* got True, -1, "),
    "a huge index": ({"bb": {**GOOD, "label_index": 10**9}}, "'bb' must .* got True, 1000000000"),
    "no name": ({"bb": {**GOOD, "label": None}}, "'bb' must .* got True, 3, None"),
    "two names": (
        {"-aa": {**GOOD, "label": "yoga"}, "bb": GOOD},
        "'bb' calls the label 3 'zumba', which others call 'yoga'",
    ),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_labels_are_named(root, name):
    labels, message = MALFORMED[name]
    write_labels(root, labels)
    with pytest.raises(ValueError, match=rf"kinetics_train_label.json': {message}"):
        KineticsSkeleton(root)


def test_a_video_that_is_not_there(root):
    write_labels(root, {"bb": GOOD, "zz": GOOD})
    dataset = KineticsSkeleton(root)
    assert len(dataset) == 2
    with pytest.raises(FileNotFoundError, match=r"zz\.json"):
        dataset[1]
    dataset = KineticsSkeleton(root, on_error="skip")
    assert [path.stem for path in dataset.paths] == ["bb"]
    assert dataset.skipped == (str(root / "kinetics_train" / "zz.json"),)
    write_labels(root, {"zz": {**GOOD, "has_skeleton": False}, "bb": GOOD})
    assert len(KineticsSkeleton(root)) == 1


@pytest.mark.parametrize("on_error", ["raise", "skip"])
@pytest.mark.parametrize("frames", [1, 300])
def test_a_video_without_a_person_is_missing(root, on_error, frames):
    path = root / "kinetics_train" / "bb.json"
    path.write_text(json.dumps(video(VIDEOS["bb"], frames, persons=0)))
    for _ in range(2):  # the second time from the index
        dataset = KineticsSkeleton(root, on_error=on_error)
        assert [path.stem for path in dataset.paths] == ["-aa", "dd"]
        assert [data.y.item() for data in dataset] == dataset.labels == [0, 1]
        assert dataset.num_missing == 2
        assert getattr(dataset, "skipped", ()) == ()


@pytest.mark.parametrize("on_error", ["raise", "skip"])
def test_no_video_with_a_person(root, on_error):
    for path in (root / "kinetics_train").iterdir():
        path.write_text(json.dumps(video(VIDEOS[path.stem], persons=0)))
    with pytest.raises(ValueError, match=r"at least one sequence \(got 3 without a person.*-aa"):
        KineticsSkeleton(root, on_error=on_error)


def test_malformed_files_are_found_when_they_are_read(root):
    (root / "kinetics_train" / "bb.json").write_text("{")
    dataset = KineticsSkeleton(root)
    assert len(dataset) == 3
    assert dataset[2].num_nodes > 0
    with pytest.raises(ValueError, match=r"bb\.json': is no JSON"):
        dataset[1]


def test_there_must_be_videos(root, tmp_path):
    write_labels(root, {})
    with pytest.raises(ValueError, match="a dataset needs at least one sequence"):
        KineticsSkeleton(root)
    (root / "kinetics_train_label.json").unlink()
    with pytest.raises(FileNotFoundError, match=r"kinetics_train_label.json"):
        KineticsSkeleton(root)
    with pytest.raises(FileNotFoundError, match=r"there is no folder '.*kinetics_train'"):
        KineticsSkeleton(root / "nowhere")
