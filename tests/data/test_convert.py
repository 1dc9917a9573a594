import numpy as np
import pytest
import torch
from PIL import Image
from torchvision import tv_tensors

from pyg_vision.data import image_to_rgb, image_to_tensor

COLOR = ["RGB", "RGBX", "RGBA", "P", "PA", "CMYK", "YCbCr", "HSV", "LAB"]


def colored(height=3, width=4):
    generator = np.random.default_rng(0)
    return Image.fromarray(generator.integers(0, 256, (height, width, 3), dtype=np.uint8))


def wide(values):
    return Image.fromarray(np.array(values, dtype=np.uint16))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L", "F"])
def test_grey_modes_have_one_channel(mode):
    x = image_to_tensor(Image.new(mode, (4, 3)))
    assert x.shape == (1, 3, 4)
    assert x.dtype == torch.float


def test_grey_alpha_premultiplied_is_undone():
    image = Image.new("LA", (1, 1), (200, 128)).convert("La")
    assert image.mode == "La"
    assert image_to_tensor(image).item() * 255 == pytest.approx(200, abs=1.5)


@pytest.mark.parametrize("mode", COLOR)
def test_color_modes_have_three_channels_of_bytes_over_255(mode):
    image = Image.new("LAB", (4, 3)) if mode == "LAB" else colored().convert(mode)
    x = image_to_tensor(image)
    assert x.shape == (3, 3, 4)
    assert x.is_contiguous()
    expected = np.asarray(image_to_rgb(image)).transpose(2, 0, 1) / np.float32(255)
    assert np.array_equal(x.numpy(), expected)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "RGBX", "CMYK", "PA"])
def test_colors_are_those_of_the_picture(mode):
    image = Image.new("RGB", (1, 1), (255, 0, 51)).convert(mode)
    assert image_to_tensor(image).flatten().tolist() == pytest.approx([1.0, 0.0, 0.2])


def test_black_and_white_is_zero_and_one():
    image = Image.fromarray(np.array([[False, True]]))
    assert image.mode == "1"
    assert image_to_tensor(image).tolist() == [[[0.0, 1.0]]]


def test_alpha_is_dropped_not_blended():
    transparent = Image.new("RGBA", (1, 1), (255, 0, 51, 0))
    assert image_to_tensor(transparent).flatten().tolist() == pytest.approx([1.0, 0.0, 0.2])
    assert image_to_tensor(Image.new("LA", (1, 1), (51, 0))).item() == pytest.approx(0.2)


def test_premultiplied_alpha_is_undone():
    image = Image.new("RGBA", (1, 1), (200, 100, 0, 128)).convert("RGBa")
    assert image.mode == "RGBa"
    x = image_to_tensor(image).flatten() * 255
    torch.testing.assert_close(x, torch.tensor([200.0, 100.0, 0.0]), atol=1.5, rtol=0)


@pytest.mark.filterwarnings("error")
def test_a_palette_becomes_its_colors_even_with_transparency(tmp_path):
    image = Image.new("P", (2, 1))
    image.putpalette([255, 0, 51, 0, 51, 255])
    image.putpixel((1, 0), 1)
    image.save(tmp_path / "palette.png", transparency=bytes([0, 255]))
    with Image.open(tmp_path / "palette.png") as read:
        assert read.mode == "P"
        x = image_to_tensor(read)
    torch.testing.assert_close(x[:, 0, 0], torch.tensor([1.0, 0.0, 0.2]))
    torch.testing.assert_close(x[:, 0, 1], torch.tensor([0.0, 0.2, 1.0]))


@pytest.mark.parametrize("suffix", ["png", "tiff", "pgm"])
def test_sixteen_bits_are_kept(tmp_path, suffix):
    values = [[0, 300], [65535, 40000]]
    wide(values).save(tmp_path / f"wide.{suffix}")
    with Image.open(tmp_path / f"wide.{suffix}") as image:
        x = image_to_tensor(image)
    torch.testing.assert_close(x, torch.tensor([values]) / 65535)


def test_sixteen_bits_become_rgb_by_scaling_not_clipping():
    rgb = np.asarray(image_to_rgb(wide([[0, 257 * 10, 65535]])))
    assert rgb.tolist() == [[[0] * 3, [10] * 3, [255] * 3]]


def test_thirty_two_bits_beyond_sixteen_are_refused():
    image = Image.fromarray(np.array([[-1, 70000]], dtype=np.int32))
    for convert in (image_to_tensor, image_to_rgb):
        with pytest.raises(ValueError, match=r"mode 'I' must lie in 0 … 65535 \(got -1 … 70000\)"):
            convert(image)


def test_floats_are_taken_as_they_are():
    image = Image.fromarray(np.array([[-2.5, 1000.0]], dtype=np.float32))
    assert image.mode == "F"
    assert image_to_tensor(image).tolist() == [[[-2.5, 1000.0]]]
    with pytest.raises(ValueError, match="mode 'F' to RGB"):
        image_to_rgb(image)


def test_rgb_is_returned_unchanged():
    image = colored()
    assert image_to_rgb(image) is image


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_float_tensors_are_taken_as_they_are(dtype):
    image = torch.randn(5, 2, 3).to(dtype)
    assert image_to_tensor(image).dtype == dtype
    assert torch.equal(image_to_tensor(image), image)


@pytest.mark.parametrize(("dtype", "top"), [(torch.uint8, 255), (torch.uint16, 65535)])
def test_integer_tensors_are_scaled_and_left_alone(dtype, top):
    image = torch.tensor([[[0, 1, top]]]).to(dtype)
    x = image_to_tensor(image)
    torch.testing.assert_close(x, torch.tensor([[[0.0, 1 / top, 1.0]]]))
    assert image.tolist() == [[[0, 1, top]]]


def test_the_same_picture_gives_the_same_numbers_in_any_type():
    image = colored()
    tensor = torch.from_numpy(np.array(image)).permute(2, 0, 1)
    assert torch.equal(image_to_tensor(image), image_to_tensor(tensor))


def test_node_features_are_plain_tensors():
    image = tv_tensors.Image(torch.rand(3, 2, 2))
    assert type(image_to_tensor(image)) is torch.Tensor


def test_gradients_flow_through_float_tensors():
    image = torch.rand(1, 2, 2, requires_grad=True)
    image_to_tensor(image).sum().backward()
    assert torch.equal(image.grad, torch.ones(1, 2, 2))


@pytest.mark.parametrize("dtype", [torch.int64, torch.bool, torch.complex64])
def test_other_data_types_are_refused(dtype):
    with pytest.raises(TypeError, match=rf"torch.uint8 or torch.uint16 \(got {dtype}\)"):
        image_to_tensor(torch.zeros(1, 2, 2, dtype=dtype))


def test_shapes_are_checked():
    with pytest.raises(ValueError, match=r"got shape \[2, 2\]\); add the channel"):
        image_to_tensor(torch.zeros(2, 2))
    with pytest.raises(ValueError, match=r"got shape \[1, 3, 2, 2\]\)$"):
        image_to_tensor(torch.zeros(1, 3, 2, 2))


@pytest.mark.parametrize("image", [np.zeros((2, 2, 3)), "image.png", None])
def test_other_inputs_are_refused(image):
    with pytest.raises(TypeError, match="PIL image or a tensor"):
        image_to_tensor(image)
