import pickle

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from torch_geometric.transforms import Compose
from torchvision.transforms import Compose as ImageCompose
from torchvision.transforms import Resize

from pyg_vision.data import fold_batch, image_graph, image_to_tensor
from pyg_vision.transforms import ToPatchNodes, ToPixelNodes


def photo(height=8, width=12):
    values = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(values)


@given(
    grid=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    patch=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    channels=st.integers(1, 4),
)
def test_patch_nodes_are_the_image_graph(grid, patch, channels):
    image = torch.rand(channels, grid[0] * patch[0], grid[1] * patch[1])
    data, expected = ToPatchNodes(patch)(image), image_graph(image, patch)
    assert data.validate()
    assert data.keys() == expected.keys()
    assert torch.equal(data.x, expected.x)
    assert torch.equal(data.pos, expected.pos)
    assert (data.grid_size, data.patch_size) == (grid, patch)
    assert torch.equal(fold_batch(data)[0], image)


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "P", "CMYK", "I;16"])
def test_patch_nodes_of_pillow_images(mode):
    image = Image.new(mode, (12, 8)) if mode == "I;16" else photo().convert(mode)
    data = ToPatchNodes(4)(image)
    channels = 1 if mode in ("L", "I;16") else 3
    assert data.x.shape == (6, channels * 16)
    assert torch.equal(fold_batch(data)[0], image_to_tensor(image))


def test_bytes_are_scaled_to_one():
    image = torch.tensor([[[0, 51], [255, 102]]], dtype=torch.uint8)
    x = ToPatchNodes(2)(image).x
    torch.testing.assert_close(x, torch.tensor([[0.0, 0.2, 1.0, 0.4]]))


def test_the_image_is_neither_changed_nor_shared():
    image = torch.rand(1, 4, 4)
    before = image.clone()
    ToPatchNodes(2)(image).x.zero_()
    assert torch.equal(image, before)


def test_the_image_is_not_copied_first(monkeypatch):
    def refuse(image):
        raise AssertionError("all pixels were copied")

    monkeypatch.setattr(Image.Image, "__copy__", refuse, raising=False)
    assert ToPatchNodes(2)(photo()).num_nodes == 24


def test_pixel_nodes():
    image = torch.rand(3, 4, 5)
    data = ToPixelNodes()(image)
    assert data.validate()
    assert torch.equal(data.x, image.flatten(1).T)
    assert (data.grid_size, data.patch_size) == ((4, 5), (1, 1))
    assert data.pos[7].tolist() == [2.0, 1.0]  # x and y of the pixel in row 1, column 2
    assert torch.equal(fold_batch(data)[0], image)


def test_after_torchvision_and_in_a_pyg_chain():
    transform = ImageCompose([Resize((6, 8)), ToPatchNodes(2)])
    assert transform(photo()).grid_size == (3, 4)
    assert Compose([ToPatchNodes(2)])(photo()).grid_size == (4, 6)


def test_sizes_that_do_not_divide_are_named():
    with pytest.raises(ValueError, match=r"8×12 pixels .* 5×5 pixels; .* is 10×10"):
        ToPatchNodes(5)(photo())


@pytest.mark.parametrize("image", [np.zeros((4, 4, 3)), [1.0], None])
def test_only_images_are_taken(image):
    for transform in (ToPatchNodes(2), ToPixelNodes()):
        with pytest.raises(TypeError, match="an image must be a PIL image or a tensor"):
            transform(image)


def test_the_patch_size_is_checked_on_construction():
    with pytest.raises(TypeError, match="'patch_size' must be"):
        ToPatchNodes("16")
    with pytest.raises(ValueError, match="'patch_size' must be at least 1"):
        ToPatchNodes((4, 0))


def test_repr_and_pickle():
    assert str(ToPatchNodes(16)) == "ToPatchNodes(patch_size=(16, 16))"
    assert str(ToPixelNodes()) == "ToPixelNodes()"
    transform = pickle.loads(pickle.dumps(ToPatchNodes((2, 4))))
    assert transform(photo()).patch_size == (2, 4)
