import io
import json
import logging
import tarfile

import pytest
import torch
from PIL import Image

from pyg_vision.training import (
    FirstSamples,
    ImageClassifier,
    Keeper,
    ShardData,
    ShardStream,
    find_shards,
)
from pyg_vision.training.shard_data import MOST, decode
from tests.faults import differences
from tests.training import small

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


def png(red):
    file = io.BytesIO()
    Image.new("RGB", (16, 16), (red, 0, 0)).save(file, "PNG")
    return file.getvalue()


def write(path, members):
    with tarfile.open(path, "w") as tar:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))


@pytest.fixture
def root(tmp_path):
    """Training shards of 6 images, test shards of 5 and 2; the red of an image tells it."""
    for shard, size in enumerate((6, 6, 6)):
        names = [(f"{i}.png", png(10 * shard + i)) for i in range(size)]
        labels = [(f"{i}.cls", b"%d" % (i % 2)) for i in range(size)]
        write(
            tmp_path / f"train-{shard}.tar",
            [m for pair in zip(names, labels, strict=True) for m in pair],
        )
    for shard, size in enumerate((5, 2)):
        members = []
        for i in range(size):
            members += [(f"x/{i}.jpeg.PNG"[:4] + "png", png(100 + 10 * shard + i))]
            members += [(f"x/{i}.json", json.dumps({"label": i % 2}).encode())]
        write(tmp_path / f"test-{shard}.tar", members)
    (tmp_path / "classes.json").write_text('["even", "odd"]')
    return tmp_path


def make(root, **options):
    given = {"image_size": 16, "batch_size": 4, "scale": (1.0, 1.0), "flip": 0.0,
             "mean": [0.0] * 3, "std": [1 / 255] * 3, "crop": 1.0, **options}  # fmt: skip
    return ShardData(
        str(root / "train-*.tar"), str(root / "test-*.tar"), str(root / "classes.json"), **given
    )


def reds(batches):
    return [round(float(image[0, 0, 0])) for images, _, _ in batches for image in images]


@pytest.mark.parametrize("workers", [0, 2])
def test_every_sample_once_an_epoch_in_another_order(root, workers):
    data = make(root, batch_size=2, num_workers=workers)
    data.setup("fit")
    loader = data.train_dataloader()
    assert len(loader) == 9
    orders = []
    for epoch in range(2):
        loader.sampler.set_epoch(epoch)
        batches = list(loader)
        orders.append(reds(batches))
        assert len(batches) == 9
        if workers == 0:
            assert sorted(orders[-1]) == [10 * s + i for s in range(3) for i in range(6)]
        for images, labels, index in batches:
            for image, label, number in zip(images, labels, index, strict=True):
                shard, place = divmod(int(number), MOST)
                assert round(float(image[0, 0, 0])) == 10 * shard + place
                assert int(label) == place % 2
    assert orders[0] != orders[1]
    again = make(root, batch_size=2, num_workers=workers)
    again.setup("fit")
    assert reds(again.train_dataloader()) == orders[0]


def test_repeated_samples_stand_in_a_row(root):
    data = make(root, batch_size=6, repeats=3, erasing=1.0)
    data.setup("fit")
    batches = list(data.train_dataloader())
    assert len(batches) == 3
    for images, _, index in batches:
        assert index.view(2, 3).unique(dim=1).size(1) == 1
        assert not torch.equal(images[0], images[1])  # erased at other places


def test_test_data_are_read_once_by_all_processes_together(root, monkeypatch):
    found = []
    for rank in range(3):
        data = make(root)
        monkeypatch.setattr(ShardData, "_rank", property(lambda self, r=rank: r))
        monkeypatch.setattr(ShardData, "_world_size", property(lambda self: 3))
        data.setup("test")
        found += [index for _, _, index in ShardStream(data, "test")]
    assert sorted(found) == [0, 1, 2, 3, 4, MOST, MOST + 1]


def test_all_processes_have_as_many_batches(root, monkeypatch):
    monkeypatch.setattr(ShardData, "_world_size", property(lambda self: 4))
    for rank in range(4):  # the fourth has no shard of its own
        monkeypatch.setattr(ShardData, "_rank", property(lambda self, r=rank: r))
        data = make(root, batch_size=2)
        data.setup("fit")
        assert len(list(data.train_dataloader())) == 2


@pytest.mark.parametrize("workers", [0, 1, 2, 4])
def test_workers_share_a_shard_out(root, workers):
    write(
        root / "one.tar", [m for i in range(12) for m in ((f"{i}.png", png(i)), (f"{i}.cls", b"0"))]
    )
    data = ShardData(
        str(root / "one.tar"), str(root / "test-*.tar"), str(root / "classes.json"), 16, 3,
        num_workers=workers, scale=(1.0, 1.0), mean=[0.0] * 3, std=[1 / 255] * 3,
    )  # fmt: skip
    data.setup("fit")
    assert sorted(reds(data.train_dataloader())) == list(range(12))


def test_an_image_is_augmented_alike_whoever_reads_it(root):
    found = []
    for workers in (0, 1, 3):
        data = make(root, batch_size=2, num_workers=workers, scale=(0.2, 1.0), erasing=1.0)
        data.setup("fit")
        found.append({
            int(number): image
            for images, _, index in data.train_dataloader()
            for image, number in zip(images, index, strict=True)
        })  # fmt: skip
    assert len(found[0]) == 18
    for other in found[1:]:
        assert all(torch.equal(found[0][number], image) for number, image in other.items())


def test_a_truncated_shard_is_refused(root):
    path = root / "train-1.tar"
    path.write_bytes(path.read_bytes()[: 512 * 8])
    with pytest.raises(ValueError, match="train-1.tar' is truncated, or no tar file"):
        make(root).setup("fit")


def test_first_samples_and_raw_ones(root):
    data = make(root)
    data.setup("test")
    first = FirstSamples(data, root / "test-0.tar")
    assert len(first) == 5
    assert round(float(first[3][0][0, 0, 0])) == 103
    image, source = data.raw_sample(MOST + 1)
    assert image.getpixel((0, 0)) == (111, 0, 0)
    assert source == f"{root / 'test-1.tar'}:x/1"
    for call in (first.__getitem__, data.raw_sample):
        with pytest.raises(IndexError, match="has no sample 5"):
            call(5)


@pytest.mark.parametrize(
    "pattern", ["pipe:curl http://x/a.tar", "http://x/a.tar", "s3://x/a.tar", "-", "file:a.tar"]
)
def test_nothing_but_local_files_is_opened(pattern):
    with pytest.raises(ValueError, match="must be local files, not commands or addresses"):
        find_shards(pattern)


class Bomb:
    def __reduce__(self):
        return (print, ("run",))


def test_nothing_else_is_decoded(root, capsys):
    import pickle

    write(root / "test-0.tar", [("a.png", png(3)), ("a.cls", b"1"), ("a.pyd", pickle.dumps(Bomb())),
                                ("a.pkl", pickle.dumps(Bomb())), ("a.pth", b"x")])  # fmt: skip
    data = make(root)
    data.setup("test")
    assert reds(data.test_dataloader())[0] == 3
    assert "run" not in capsys.readouterr().out
    from webdataset import utils

    assert utils.enforce_security


@pytest.mark.parametrize(
    ("sample", "message"),
    [
        ({"cls": b"1"}, "must have an image, as jpg"),
        ({"png": b"no", "cls": b"1"}, "the image of sample 'a' of 't.tar' cannot be read"),
        ({"png": png(1)}, "must have a class, as cls or as label of json"),
        ({"png": png(1), "cls": b"one"}, "must have a class"),
        ({"png": png(1), "json": b"{}"}, "must have a class"),
        ({"png": png(1), "cls": b"2"}, r"must be below 2 \(got 2\)"),
        ({"png": png(1), "json": b'{"label": true}'}, "must be below 2"),
    ],
)
def test_what_is_wrong_with_a_sample_is_named(sample, message):
    with pytest.raises(ValueError, match=message):
        decode({"__key__": "a", "__url__": "t.tar", **sample}, 2)


def test_what_is_missing_is_named(root):
    with pytest.raises(FileNotFoundError, match="there are no shards 'none"):
        find_shards("none-*.tar")
    with pytest.raises(ValueError, match="no full batch of 30 in 18 samples"):
        make(root, batch_size=30).setup("fit")
    with pytest.raises(ValueError, match="no part of tar shards can be held out"):
        make(root, holdout=0.1)
    (root / "classes.json").write_text("{}")
    with pytest.raises(ValueError, match="must hold a list of the names"):
        make(root).setup("test")


def train(root, folder, path=None):
    data = make(root, batch_size=3, flip=0.5)
    model = {"channels": 16, "depth": 1, "k": 3, "image_size": 16, "patch_size": 4,
             "use_dilation": False, "dropout": 0.2}  # fmt: skip
    module = ImageClassifier("pyg_vision.nn.ViG", options=model, lr=1e-2)
    keeper = Keeper(folder, every_n_steps=2)
    small.trainer(folder, keeper, max_epochs=2).fit(
        module, datamodule=data, ckpt_path=path, weights_only=True
    )
    return module.state_dict()


def test_a_training_goes_on_from_the_end_of_an_epoch(root, tmp_path, monkeypatch, caplog):
    caplog.set_level(logging.INFO, "pyg_vision")
    expected = train(root, tmp_path / "whole")
    # Nothing is written within an epoch, so the checkpoint before the last is that of the first.
    previous = tmp_path / "whole" / "checkpoints" / "previous.ckpt"
    assert torch.load(previous, weights_only=True)["global_step"] == 6
    found = train(root, tmp_path / "rest", previous)
    assert differences(expected, found) == []
    assert "tar shards: going on from the end of epoch 1" in caplog.text
