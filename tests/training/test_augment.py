"""RandAugment against timm's definition (timm/data/auto_augment.py)."""

import random

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageOps

from pyg_vision.training import RandAugmentIncreasing
from pyg_vision.training import augment as module


@pytest.fixture
def image():
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (24, 36, 3), dtype=np.uint8))


def pixels(image):
    return np.asarray(image).astype(int)


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("level", [0.0, 4.2, 9.0, 10.0])
def test_operations_are_those_of_timm(image, level, sign, monkeypatch):
    """Each with the level that timm's functions make of a magnitude."""
    monkeypatch.setattr(module, "_either", lambda value: sign * value)
    factor = max(0.1, 1.0 + sign * level / 10 * 0.9)
    expected = {
        "auto_contrast": ImageOps.autocontrast(image),
        "equalize": ImageOps.equalize(image),
        "invert": ImageOps.invert(image),
        "solarize": ImageOps.solarize(image, 256 - min(256, int(level / 10 * 256))),
        "color": ImageEnhance.Color(image).enhance(factor),
        "contrast": ImageEnhance.Contrast(image).enhance(factor),
        "brightness": ImageEnhance.Brightness(image).enhance(factor),
        "sharpness": ImageEnhance.Sharpness(image).enhance(factor),
    }
    bits = 4 - int(level / 10 * 4)
    expected["posterize"] = ImageOps.posterize(image, bits) if bits > 0 else None
    for name, wanted in expected.items():
        if wanted is not None:
            assert (pixels(module.apply(image, name, level)) == pixels(wanted)).all(), name


def test_solarize_add_adds_below_the_middle(image):
    found, before = pixels(module.apply(image, "solarize_add", 9.0)), pixels(image)
    assert (found == np.where(before < 128, np.minimum(255, before + 99), before)).all()


@pytest.mark.parametrize(
    ("name", "matrix"),
    [
        ("shear_x", (1, 0.15, 0, 0, 1, 0)),
        ("shear_y", (1, 0, 0, 0.15, 1, 0)),
        ("translate_x", (1, 0, 0.225 * 36, 0, 1, 0)),
        ("translate_y", (1, 0, 0, 0, 1, 0.225 * 24)),
    ],
)
def test_warps_are_affine_maps(image, name, matrix, monkeypatch):
    monkeypatch.setattr(module, "_either", lambda value: value)
    monkeypatch.setattr(module.random, "choice", lambda modes: modes[0])
    wanted = image.transform(
        image.size, Image.Transform.AFFINE, matrix, resample=2, fillcolor=(128, 128, 128)
    )
    assert (pixels(module.apply(image, name, 5.0)) == pixels(wanted)).all()


def test_rotation_is_up_to_thirty_degrees(image, monkeypatch):
    monkeypatch.setattr(module, "_either", lambda value: value)
    monkeypatch.setattr(module.random, "choice", lambda modes: modes[0])
    wanted = image.rotate(30.0, resample=2, fillcolor=(128, 128, 128))
    assert (pixels(module.apply(image, "rotate", 10.0)) == pixels(wanted)).all()


def test_two_operations_at_even_chances_with_levels_about_nine(image, monkeypatch):
    seen = []
    monkeypatch.setattr(module, "apply", lambda image, name, level: seen.append((name, level)))
    random.seed(0)
    augment = RandAugmentIncreasing("rand-m9-mstd0.5-inc1")
    for _ in range(3000):
        augment(image)
    assert len(seen) == pytest.approx(3000, rel=0.05)  # 2 x 1/2
    assert {name for name, _ in seen} == set(module.OPERATIONS)
    levels = np.array([level for _, level in seen])
    assert levels.mean() == pytest.approx(9.0, abs=0.05)
    assert levels.max() <= 10.0
    assert levels.std() == pytest.approx(0.48, abs=0.05)  # a little less, being kept below 10


def test_how_it_is_written():
    augment = RandAugmentIncreasing("m7-n3-mstd1-inc1")
    assert (augment.magnitude, augment.number, augment.deviation) == (7, 3, 1.0)
    assert RandAugmentIncreasing("m9-inc1").number == 2
    with pytest.raises(ValueError, match="written as"):
        RandAugmentIncreasing("m9-mstd0.5")
