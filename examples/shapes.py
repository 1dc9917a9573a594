"""Images to learn from without a download: shapes on textured noise.

Each image holds one to five circles, squares and triangles of random size, place, angle and colour,
of which the later ones cover the earlier ones. Image `i` of a seed is always the same.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch import Tensor
from torch.utils.data import Dataset

CLASSES = ("background", "circle", "square", "triangle")
MOST = 5  # objects of an image
VISIBLE = 0.35  # the share of an object that must be seen, else it counts as part of none


class Shapes(Dataset[tuple[Tensor, dict[str, Tensor]]]):
    """Pairs of an image `(3, size, size)` in [0, 1] and its target, as torchvision's detectors take
    them: `boxes` `(n, 4)` in pixels, `labels` `(n)`, `masks` `(n, size, size)`, and `classes`, the
    class of each pixel.

    Args:
        length: The number of images.
        size: Their height and width.
        seed: Which ones.
        most: How many objects an image holds at most.
    """

    def __init__(self, length: int, size: int = 128, seed: int = 0, most: int = MOST) -> None:
        self.length, self.size, self.seed, self.most = length, size, seed, most

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> tuple[Tensor, dict[str, Tensor]]:
        if not 0 <= index < self.length:
            raise IndexError(f"there are {self.length} images (got index {index})")
        rng = np.random.default_rng((self.seed, index))
        image = _background(self.size, rng)
        owner = np.zeros((self.size, self.size), dtype=np.int64)  # the object of each pixel
        labels, areas = [], []
        for number in range(1, int(rng.integers(1, self.most, endpoint=True)) + 1):
            label = int(rng.integers(1, len(CLASSES)))
            inside = _outline(label, self.size, rng)
            color = _color(image[inside].mean(axis=0), rng)
            image[inside] = color + rng.normal(0.0, 0.04, (int(inside.sum()), 3))
            owner[inside] = number
            labels.append(label)
            areas.append(int(inside.sum()))
        return torch.from_numpy(image.clip(0, 1)).float().permute(2, 0, 1), _target(
            owner, labels, areas
        )


def collate(batch: list[tuple[Tensor, Any]]) -> tuple[list[Tensor], list[Any]]:
    """Returns the images and the targets of a batch, each as a list."""
    images, targets = zip(*batch, strict=True)
    return list(images), list(targets)


def _background(size: int, rng: np.random.Generator) -> np.ndarray[Any, Any]:
    """Returns noise of several scales, in two colours."""
    texture = np.zeros((size, size), dtype=np.float32)
    for cell in (4, 8, 16, 32):
        cells = rng.standard_normal((-(-size // cell) + 1,) * 2, dtype=np.float32)
        whole = Image.fromarray(cells).resize((size, size), Image.Resampling.BICUBIC)
        texture += np.asarray(whole) * (cell / 60)
    weight = 1 / (1 + np.exp(-2 * texture))[..., None]
    low, high = rng.uniform(0.1, 0.9, (2, 3)).astype(np.float32)
    noise = rng.standard_normal((size, size, 3), dtype=np.float32)
    return high + weight * (low - high) + 0.05 * noise


def _color(around: np.ndarray[Any, Any], rng: np.random.Generator) -> np.ndarray[Any, Any]:
    """Returns a colour that can be told from what it covers."""
    while True:
        color: np.ndarray[Any, Any] = rng.uniform(0.0, 1.0, 3)
        if np.abs(color - around).max() > 0.3:
            return color


def _outline(label: int, size: int, rng: np.random.Generator) -> np.ndarray[Any, Any]:
    """Returns which pixels an object of that class covers."""
    radius = rng.uniform(0.07, 0.22) * size
    x, y = rng.uniform(0.6 * radius, size - 0.6 * radius, 2)
    image = Image.new("1", (size, size))
    draw = ImageDraw.Draw(image)
    if CLASSES[label] == "circle":
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=1)
    else:
        corners = 4 if CLASSES[label] == "square" else 3
        draw.regular_polygon((x, y, radius), corners, rotation=int(rng.integers(360)), fill=1)
    return np.asarray(image)


def _target(owner: np.ndarray[Any, Any], labels: list[int], areas: list[int]) -> dict[str, Tensor]:
    boxes, masks, kept = [], [], []
    classes = np.zeros_like(owner)
    for number, (label, area) in enumerate(zip(labels, areas, strict=True), 1):
        mask = owner == number
        classes[mask] = label
        if mask.sum() < VISIBLE * area:
            continue
        rows, columns = np.nonzero(mask)
        boxes.append([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])
        masks.append(mask)
        kept.append(label)
    return {
        "boxes": torch.tensor(np.array(boxes), dtype=torch.float32),
        "labels": torch.tensor(kept),
        "masks": torch.from_numpy(np.stack(masks)).to(torch.uint8),
        "classes": torch.from_numpy(classes),
    }
