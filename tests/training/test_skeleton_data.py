import pytest
import torch

from pyg_vision.training import SkeletonData
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
