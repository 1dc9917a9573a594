"""ResNet-18 for images of 64 pixels, to hold ViG against: see docs/benchmarks/imagenette.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch.nn import Conv2d, Identity, Module

from pyg_vision.training import ImageClassifier


class SmallResNetClassifier(ImageClassifier):
    """Trains torchvision's ResNet-18, whose stem halves the image once instead of twice: a 3x3
    convolution with a stride of two, and no pooling.
    """

    def build(
        self,
        classes: Sequence[str],
        options: Mapping[str, Any] | None = None,
        multi_label: bool = False,
    ) -> None:
        """Makes the model, then its stem."""
        super().build(classes, options, multi_label)
        for model in filter(None, (self.model, self.ema and self.ema.module)):
            _replace_stem(model)

    def __init__(self, model: str = "torchvision.models.resnet18", **kwargs: Any) -> None:
        super().__init__(model, **kwargs)


def _replace_stem(model: Module) -> None:
    model.conv1 = Conv2d(3, 64, 3, stride=2, padding=1, bias=False)
    model.maxpool = Identity()
