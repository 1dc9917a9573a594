"""The class of each pixel: a semantic FPN on Pyramid ViG, and a U-Net with graph blocks in its
decoder.

    python -m examples.segmentation --model semantic_fpn
    python -m examples.segmentation --model unet
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn import BatchNorm2d, Conv2d, GroupNorm, Module, ModuleList, ReLU, Sequential, Upsample
from torch.utils.data import DataLoader, Dataset

from examples import training
from examples.shapes import CLASSES, Shapes, collate
from examples.training import BACKBONES, small_pyramid
from pyg_vision.nn import BackboneWithFPN, Grapher2d

STEPS = {"semantic_fpn": 1800, "unet": 600}
MODELS = tuple(STEPS)


class SemanticFPN(Module):
    """The segmentation head of the "Panoptic Feature Pyramid Networks" paper
    (https://arxiv.org/abs/1901.02446) on a Pyramid ViG: each map of the pyramid is brought to
    stride 4 by convolutions and upsampling, and their sum is classified.

    Args:
        backbone: The model with its feature pyramid, of strides 4, 8, 16 and 32.
        num_classes: The number of classes.
    """

    def __init__(self, backbone: BackboneWithFPN, num_classes: int) -> None:
        super().__init__()
        self.backbone = backbone
        channels = backbone.out_channels
        self.levels = ModuleList()
        for doublings in range(len(backbone.body.channels)):
            parts = [] if doublings else self._step(channels)
            for _ in range(doublings):
                parts += [*self._step(channels), Upsample(scale_factor=2.0, mode="bilinear")]
            self.levels.append(Sequential(*parts))
        self.predict = Conv2d(channels, num_classes, 1)

    @staticmethod
    def _step(channels: int) -> list[Module]:
        return [Conv2d(channels, channels, 3, padding=1), GroupNorm(8, channels), ReLU()]

    def forward(self, x: Tensor) -> Tensor:
        maps = self.backbone(x)
        size = maps["0"].shape[-2:]
        total = torch.zeros_like(maps["0"])
        for i, level in enumerate(self.levels):
            # The model rounds sides up that do not divide by 32.
            total = total + F.interpolate(level(maps[str(i)]), size, mode="bilinear")
        return F.interpolate(self.predict(total), x.shape[-2:], mode="bilinear")


class GraphUNet(Module):
    """A U-Net (https://arxiv.org/abs/1505.04597) that looks for similar places of the image while
    it decodes: a `Grapher2d` follows the convolutions of each stage of the decoder but the last.

    Args:
        num_classes: The number of classes.
        channels: The channels of each stage, from the first to the deepest.
        reduce_ratios: The `reduce_ratio` of the graph blocks of all stages but the first: on large
            maps, neighbours are means over squares of positions.
    """

    def __init__(
        self,
        num_classes: int,
        channels: tuple[int, ...] = (16, 32, 64, 128),
        reduce_ratios: tuple[int, ...] = (4, 2, 1),
    ) -> None:
        super().__init__()
        before = (3, *channels[:-1])
        self.encoder = ModuleList(_convs(c, d) for c, d in zip(before, channels, strict=True))
        self.bridge = Grapher2d(channels[-1], reduce_ratio=reduce_ratios[-1])
        self.decoder = ModuleList()
        for i in reversed(range(len(channels) - 1)):
            convs = _convs(channels[i] + channels[i + 1], channels[i])
            if i > 0:
                convs.append(Grapher2d(channels[i], reduce_ratio=reduce_ratios[i - 1]))
            self.decoder.append(convs)
        self.predict = Conv2d(channels[0], num_classes, 1)

    def forward(self, x: Tensor) -> Tensor:
        skips = []
        for i, stage in enumerate(self.encoder):
            x = stage(F.max_pool2d(x, 2) if i > 0 else x)
            skips.append(x)
        x = self.bridge(skips.pop())
        for stage in self.decoder:
            skip = skips.pop()
            x = stage(torch.cat([skip, F.interpolate(x, skip.shape[-2:], mode="bilinear")], dim=1))
        logits: Tensor = self.predict(x)
        return logits


def _convs(before: int, channels: int) -> Sequential:
    parts: list[Module] = []
    for c in (before, channels):
        parts += [Conv2d(c, channels, 3, padding=1, bias=False), BatchNorm2d(channels), ReLU()]
    return Sequential(*parts)


def make_segmenter(name: str, image_size: int = 128, backbone: str = "pvig") -> Module:
    """Returns a model of the class of each pixel, by one of `MODELS`; the semantic FPN on one of
    `BACKBONES`."""
    if name == "unet":
        return GraphUNet(len(CLASSES))
    if name != "semantic_fpn":
        raise ValueError(f"the model must be one of {', '.join(MODELS)} (got {name!r})")
    pyramid = BackboneWithFPN(small_pyramid(image_size, backbone), 64)
    return SemanticFPN(pyramid, len(CLASSES))


def _batch(images: list[Tensor], targets: list[Any]) -> tuple[Tensor, Tensor]:
    """Returns images scaled to [-1, 1], and the class of each pixel."""
    return torch.stack(images) * 2 - 1, torch.stack([target["classes"] for target in targets])


def train(
    model: Module, data: Dataset[Any], steps: int, batch_size: int = 8, lr: float = 2e-3
) -> Iterator[dict[str, float]]:
    """Trains a model and yields the loss of each step."""

    def losses(batch: tuple[list[Tensor], list[Any]]) -> dict[str, Tensor]:
        x, classes = _batch(*batch)
        return {"loss": F.cross_entropy(model(x), classes)}

    loader = DataLoader(data, batch_size, shuffle=True, drop_last=True, collate_fn=collate)
    return training.train(model, loader, steps, losses, lr)


@torch.inference_mode()
def evaluate(model: Module, data: Dataset[Any], batch_size: int = 20) -> dict[str, float]:
    """Returns the mean intersection over union of the classes, and the accuracy of the pixels."""
    model.eval()
    n = len(CLASSES)
    counts = torch.zeros(n, n, dtype=torch.long)  # by true and predicted class
    for images, targets in DataLoader(data, batch_size, collate_fn=collate):
        x, classes = _batch(images, targets)
        pairs = classes * n + model(x).argmax(dim=1)
        counts += pairs.flatten().bincount(minlength=n * n).view(n, n)
    hits = counts.diagonal()
    union = counts.sum(dim=0) + counts.sum(dim=1) - hits
    return {
        "mIoU": float((hits / union.clamp(min=1)).mean()),
        "accuracy": float(hits.sum() / counts.sum()),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", choices=MODELS, default="semantic_fpn")
    parser.add_argument("--backbone", choices=BACKBONES, default="pvig", help="of semantic_fpn")
    parser.add_argument("--steps", type=int, help="batches (1800; 600 of the U-Net)")
    parser.add_argument("--batch_size", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    values = parser.parse_args()
    steps = values.steps or STEPS[values.model]
    torch.manual_seed(values.seed)
    model = make_segmenter(values.model, backbone=values.backbone)
    data = Shapes(steps * values.batch_size, seed=values.seed)
    training.show(train(model, data, steps, values.batch_size))
    print(training.as_text(evaluate(model, Shapes(200, seed=values.seed + 1_000_000))))


if __name__ == "__main__":
    main()
