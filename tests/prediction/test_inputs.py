import numpy as np
import pytest
import torch
from PIL import Image

from pyg_vision.data import skeleton_sequence
from pyg_vision.prediction import find_images, find_skeletons
from tests import docstring_files


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    docstring_files.write(folder)
    return folder


def names(samples, root):
    return [str(sample.source).removeprefix(f"{root}/") for sample in samples]


def test_images_of_files_folders_and_patterns(files):
    photos = files / "pictures"
    four = ["cat/cat_0.png", "cat/cat_1.png", "dog/dog_0.png", "dog/dog_1.png"]
    assert names(find_images(photos), photos) == four
    assert names(find_images(str(photos / "*" / "*_1.png")), photos) == four[1::2]
    assert names(find_images([photos / "dog", photos / "cat/cat_0.png"]), photos) == [
        *four[2:], four[0],
    ]  # fmt: skip
    assert next(find_images(photos)).value.mode == "RGB"


def test_images_as_arrays():
    pixels = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)
    given = [pixels, torch.from_numpy(pixels).permute(2, 0, 1), Image.fromarray(pixels)]
    for number, sample in enumerate(find_images(given)):
        assert sample.source == str(number)
        assert np.array_equal(np.asarray(sample.value), pixels)
    (grey,) = find_images(np.full((2, 2, 1), 7, dtype=np.uint8))
    assert grey.value.getpixel((0, 0)) == (7, 7, 7)


def test_what_is_no_image(files):
    with pytest.raises(ValueError, match=r"dog_2.png' is no image"):
        list(find_images(files / "photos"))
    with pytest.raises(FileNotFoundError, match="there is no file 'none'"):
        list(find_images("none"))
    with pytest.raises(FileNotFoundError, match="that ends in .jpg"):
        list(find_images(files / "clips"))
    with pytest.raises(TypeError, match="must be a path, a PIL image"):
        list(find_images(3))
    with pytest.raises(ValueError, match=r"an image must be \[C, H, W\]"):
        list(find_images(torch.ones(2, 2)))


def test_values_of_images_are_checked():
    for image in (torch.full((3, 2, 2), 1.5), np.full((2, 2, 3), -1.0), torch.full((3, 2, 2), 200)):
        with pytest.raises(ValueError, match="must be from 0 to 1|must be of bytes"):
            list(find_images(image))
    with pytest.raises(ValueError, match=r"and not empty \(got shape \[3, 0, 4\]\)"):
        list(find_images(torch.ones(3, 0, 4)))
    deep = Image.fromarray(np.full((2, 2), 25700, dtype=np.uint16))
    assert next(find_images(deep)).value.getpixel((0, 0)) == (100, 100, 100)
    (half,) = find_images(np.full((2, 2, 3), 0.5))
    assert half.value.getpixel((0, 0)) == (127, 127, 127)


def test_sequences_of_files_folders_and_patterns(files):
    assert names(find_skeletons(files / "data" / "nw_ucla"), files) == [
        f"data/nw_ucla/{name}.json"
        for name in ("a01_s01_e00_v01", "a04_s01_e00_v02", "a04_s01_e00_v03")
    ]
    # The folders of OpenPose are one sequence each.
    videos = list(find_skeletons(files / "gestures", size=(1920, 1080)))
    assert names(videos, files / "gestures") == [
        "clap/take_1", "clap/take_2", "wave/take_1", "wave/take_2",
    ]  # fmt: skip
    several = list(find_skeletons(files / "data" / "ucf101.pkl", "coco"))
    assert several[1].source.endswith("ucf101.pkl:v_Biking_g01")


def test_sequences_as_arrays_and_graphs():
    x = torch.rand(2, 5, 17, 2)
    graph = skeleton_sequence(x, "coco")
    for sample in find_skeletons([x, x.numpy(), graph], "coco"):
        assert torch.equal(sample.value.x, graph.x)
    with pytest.raises(ValueError, match="'layout' must say which skeleton"):
        list(find_skeletons(x))
    with pytest.raises(TypeError, match="must be a path, a single graph"):
        list(find_skeletons(3))
