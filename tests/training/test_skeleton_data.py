import pickle

import numpy as np
import pytest
import torch

from pyg_vision.data import skeleton_sequence, write_skeleton
from pyg_vision.prediction import find_skeletons
from pyg_vision.training import SkeletonArraysData, SkeletonData, SkeletonFolderData
from tests.training import small


def test_batches_of_graphs_that_know_their_number():
    _, data = small.skeletons()
    data.setup("fit")
    assert data.classes[0]
    batch = next(iter(data.train_dataloader()))
    assert batch.num_graphs == 4
    assert int(batch.sample_number.max()) < 14
    found = list(data.val_dataloader())
    assert torch.cat([b.sample_number for b in found]).tolist() == list(range(14))


def test_training_and_test_have_their_own_transforms():
    data = SkeletonData(
        "SyntheticMotion",
        2,
        options={"num_sequences": 7},
        train_transforms=[{"SampleFrames": {"num_frames": 5, "random": True}}],
        test_transforms=[{"SampleFrames": {"num_frames": 9}}],
    )
    data.setup("fit")
    frames = [
        next(iter(loader)).skeleton_shape
        for loader in (data.train_dataloader(), data.val_dataloader())
    ]
    assert [int(shape[0][1]) for shape in frames] == [5, 9]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dataset": "NWUCLB"}, "no data set 'NWUCLB' with splits"),
        ({"dataset": "ImageFolderGraphs"}, "no data set 'ImageFolderGraphs' with splits"),
        ({"train_transforms": [{"Turn": {}}]}, "pyg_vision.transforms has no 'Turn'"),
        ({"test_transforms": [{"SampleFrames": {"n": 1}}]}, "'SampleFrames': .*unexpected keyword"),
        ({"test_transforms": [{"A": {}, "B": {}}]}, "one name with its arguments"),
    ],
)
def test_wrong_arguments_are_named_before_data_is_read(options, message):
    with pytest.raises(ValueError, match=message):
        SkeletonData(**{"dataset": "NWUCLA", "batch_size": 2, "root": "none", **options})


def test_a_missing_folder_is_named():
    with pytest.raises(FileNotFoundError, match="no_such_folder"):
        SkeletonData("NWUCLA", 2, root="no_such_folder").setup("fit")


def test_arrays_of_the_published_code(tmp_path):
    rng = np.random.default_rng(0)
    for split, size in (("train", 6), ("test", 4)):
        x = rng.random((size, 3, 8, 25, 2), dtype=np.float32)
        x[0, :, 5:] = x[0, ..., 1] = 0
        np.save(tmp_path / f"{split}_data.npy", x)
        np.save(tmp_path / f"{split}_label.npy", np.arange(size) % 3)
    data = SkeletonArraysData(str(tmp_path), 2, "ntu", trim=True)
    data.setup("fit")
    assert data.classes == ["0", "1", "2"]
    assert tuple(data.test_set[0].skeleton_shape) == (1, 5, 25)
    assert isinstance(data.test_set.data._array, np.memmap)
    assert data.model_options()["in_channels"] == 3
    raw, source = data.raw_sample(1)
    assert (tuple(raw.skeleton_shape), source) == ((2, 8, 25), "test sequence 1")
    (tmp_path / "test_label.npy").unlink()
    with pytest.raises(FileNotFoundError, match="must hold 'test_label.pkl' or 'test_label.npy'"):
        SkeletonArraysData(str(tmp_path), 2, "ntu").setup("fit")


def test_a_stream_is_that_of_the_steps_which_make_one():
    steps = [{"CenterSkeleton": {"joint": "neck"}}, {"SkeletonStream": {}}]
    for stream, shape in (("joint", "joint"), ("bone_motion", "bone motion")):
        data = SkeletonData(
            "SyntheticMotion",
            batch_size=4,
            options={"num_sequences": 14},
            train_transforms=steps,
            test_transforms=[*steps, {"SampleFrames": {"num_frames": 9}}],
            stream=stream,
        )
        data.setup("fit")
        (batch, *_) = data.test_dataloader()
        found = batch.stream if "stream" in batch else ["joint"]
        assert set(found) == {shape}
        told = data.preprocessing()["transforms"]
        assert told[1] == {"SkeletonStream": {"stream": stream}}
    assert steps[1] == {"SkeletonStream": {}}


def test_a_stream_that_no_step_makes():
    with pytest.raises(ValueError, match="'stream' is 'bone', but no step is a SkeletonStream"):
        SkeletonData("SyntheticMotion", batch_size=4, stream="bone")


@pytest.mark.parametrize(
    "steps", [["CenterSkeleton"], ["SkeletonStream"], [None], [{"SkeletonStream": "bone"}], [{}]]
)
def test_malformed_steps_are_named(steps):
    with pytest.raises(ValueError, match="a transform is one name|'SkeletonStream': "):
        SkeletonData("SyntheticMotion", batch_size=4, train_transforms=steps)


def test_files_that_tell_the_size_of_some_frames(tmp_path):
    records = [
        {"frame_dir": str(i), "label": i % 2, "keypoint": np.full((1, 8, 17, 2), 50.0)}
        for i in range(4)
    ]
    records[1]["img_shape"] = (100, 200)
    names = ["0", "1", "2", "3"]
    content = {"split": {"train": names, "test": names}, "annotations": records}
    (tmp_path / "a.pkl").write_bytes(pickle.dumps(content))
    data = SkeletonData(
        "PysklDataset", batch_size=4, root=str(tmp_path / "a.pkl"), options={"layout": "coco"},
    )  # fmt: skip
    data.setup("fit")
    (batch,) = data.test_dataloader()
    assert batch.num_graphs == 4


def test_poses_are_trained_on_in_the_units_of_predictions(tmp_path):
    """Of a frame that is not square, pixels and shares of it are other motions."""
    torch.manual_seed(0)
    for i, name in enumerate(("run", "walk")):
        pos = torch.rand(1, 9, 17, 2) * torch.tensor([640.0, 320.0]) + 3
        data = skeleton_sequence(pos, "coco", score=torch.rand(1, 9, 17) + 0.1)
        data.frame_size = (640, 320)
        if i:  # only some files tell it
            data.time = torch.arange(9).double().repeat_interleave(17)
        write_skeleton(data, tmp_path / name / "a.npz")
    module = SkeletonFolderData(root=str(tmp_path), batch_size=2, layout="coco")
    for name in ("run", "walk"):
        path = tmp_path / name / "a.npz"
        (sample,) = find_skeletons(path)
        found = module.read(path)
        assert torch.equal(found.x, sample.value.x)
        assert float(found.pos.max()) < 1.1
        assert {"time", "pixels"}.isdisjoint(found.keys())
