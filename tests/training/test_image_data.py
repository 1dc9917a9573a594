import pytest
import torch
from PIL import Image
from torchvision.transforms import v2

from pyg_vision.training import DataError, ImageFolderData, RandAugmentIncreasing, TorchvisionData
from tests.faults import write_images


@pytest.fixture
def root(tmp_path):
    return write_images(tmp_path / "images", per_class=6)


def test_batches_of_training_and_evaluation(root):
    data = ImageFolderData(str(root), image_size=16, batch_size=5, eval_batch_size=7)
    data.setup("fit")
    assert data.classes == ["flat", "steep"]
    loader = data.train_dataloader()
    assert len(loader) == 2
    images, labels, _ = next(iter(loader))
    assert images.shape == (5, 3, 16, 16)
    assert images.dtype == torch.float32
    assert labels.shape == (5,)
    found = list(data.val_dataloader())
    assert torch.cat([index for *_, index in found]).tolist() == list(range(12))
    assert torch.cat([label for _, label, _ in found]).tolist() == [0] * 6 + [1] * 6


def test_evaluation_is_resize_centre_crop_normalise(root):
    data = ImageFolderData(str(root), 16, 2, mean=[0.4] * 3, std=[0.2] * 3, crop=0.8)
    image = Image.open(next((root / "val").rglob("*.png"))).convert("RGB")
    resized = image.resize((20, 20), Image.Resampling.BICUBIC).crop((2, 2, 18, 18))
    expected = (v2.functional.pil_to_tensor(resized) / 255 - 0.4) / 0.2
    torch.testing.assert_close(data.eval_transform()(image), expected)
    assert data.preprocessing()["crop"] == 0.8


def test_colours_are_jittered_only_without_rand_augment(root):
    def kinds(**options):
        steps = ImageFolderData(str(root), 16, 2, **options).train_transform().transforms
        return [type(step) for step in steps]

    assert v2.ColorJitter in kinds(color_jitter=0.4)
    both = kinds(color_jitter=0.4, rand_augment="m9-inc1", erasing=0.25)
    assert v2.ColorJitter not in both
    assert RandAugmentIncreasing in both
    assert both[-1] is v2.RandomErasing
    assert v2.RandomErasing not in kinds()


def test_erased_pixels_are_noise_each_by_itself(root):
    data = ImageFolderData(str(root), 32, 2, erasing=1.0, scale=(1.0, 1.0), flip=0.0)
    torch.manual_seed(0)
    out = data.train_transform()(Image.new("RGB", (32, 32), (255, 255, 255)))
    noise = out[out != 1.0]
    assert 3 * 0.02 * 32**2 * 0.5 < noise.numel() < 3 * 32**2 / 3 * 1.2
    assert noise.unique().numel() > 0.9 * noise.numel()
    assert noise.std() == pytest.approx(1.0, abs=0.2)


def test_a_last_batch_of_one_image_is_refused(root):
    data = ImageFolderData(str(root), 16, 11, drop_last=False)
    data.setup("fit")
    with pytest.raises(ValueError, match="of 12 samples would have 1, too few for batch norms"):
        data.train_dataloader()


def test_a_part_that_is_held_out(root):
    data = ImageFolderData(str(root), 16, 2, holdout=0.25, seed=3)
    data.setup("fit")
    assert (len(data.train_set), len(data.val_set), len(data.test_set)) == (9, 3, 12)
    numbers = [{item[2] for item in part} for part in (data.train_set, data.val_set)]
    assert numbers[0] | numbers[1] == set(range(12))
    again = ImageFolderData(str(root), 16, 2, holdout=0.25, seed=3)
    again.setup("fit")
    assert again.val_set.indices == data.val_set.indices


def test_what_is_missing_is_named(tmp_path, root):
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        ImageFolderData(str(tmp_path / "none"), 16, 2).setup("fit")
    (root / "train" / "odd").mkdir()
    Image.new("RGB", (4, 4)).save(root / "train" / "odd" / "a.png")
    with pytest.raises(ValueError, match=r"same classes \(got \['odd'\] in one\)"):
        ImageFolderData(str(root), 16, 2).setup("fit")


def test_classes_alone_are_divided(root):
    data = ImageFolderData(str(root / "train"), 16, 2, test_share=0.25)
    data.setup("fit")
    assert data.classes == ["flat", "steep"]
    assert (len(data.train_set), len(data.test_set)) == (8, 4)
    files = data.paths()
    assert len(set(files)) == 4
    image, source = data.raw_sample(3)
    assert source == files[3]
    assert image.tobytes() == Image.open(files[3]).convert("RGB").tobytes()


def test_a_file_that_vanished_is_named(root):
    data = ImageFolderData(str(root), 16, 4)
    data.setup("fit")
    gone = root / "train" / "flat" / "3.png"
    gone.unlink()
    with pytest.raises(DataError, match=str(gone)):
        list(data.train_dataloader())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_size": 0}, "'batch_size' must be at least 1"),
        ({"crop": 1.5}, "'crop' must be a share"),
        ({"holdout": 1.0}, "'holdout' must be a share below 1"),
        ({"num_workers": -1}, "'num_workers' must be at least 0"),
        ({"rand_augment": "m9"}, "RandAugment is written as"),
    ],
)
def test_wrong_arguments_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        ImageFolderData("unused", **{"image_size": 16, "batch_size": 2, **options})


def test_data_sets_of_torchvision():
    with pytest.raises(ValueError, match="no data set 'CIFAR11'"):
        TorchvisionData("CIFAR11", "unused", 32, 2)
    with pytest.raises(ValueError, match="is not divided into splits"):
        TorchvisionData("FakeData", "unused", 32, 2)
    assert TorchvisionData("CIFAR10", "unused", 32, 2).kind.__name__ == "CIFAR10"


@pytest.mark.parametrize("parameter", ["train", "split"])
def test_splits_by_either_name(parameter, monkeypatch):
    class ByTrain:
        classes = ("a", "b")

        def __init__(self, root, train=True):
            self.items = [(Image.new("RGB", (8, 8)), 0)] * (4 if train else 2)

        def __len__(self):
            return len(self.items)

        def __getitem__(self, index):
            return self.items[index]

    class BySplit(ByTrain):
        def __init__(self, root, split="train"):
            if split not in ("train", "val"):
                raise ValueError(f"no split {split}")
            super().__init__(root, split == "train")

    kind = ByTrain if parameter == "train" else BySplit
    monkeypatch.setattr("torchvision.datasets.Toy", kind, raising=False)
    data = TorchvisionData("Toy", "unused", 8, 2)
    data.setup("fit")
    assert data.classes == ["a", "b"]
    assert (len(data.train_set), len(data.test_set)) == (4, 2)
