r"""Training of image models."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import Module
from torch_geometric.data import Data
from torchvision.transforms import v2

from pyg_vision.training._classifier import Classifier


class ImageClassifier(Classifier):
    r"""Trains a model that classifies images.

    With both mixup and cutmix, each batch is mixed by one of the two, at even chances. They are
    those of the `"mixup: Beyond Empirical Risk Minimization" <https://arxiv.org/abs/1710.09412>`_
    and the `"CutMix: Regularization Strategy to Train Strong Classifiers with Localizable Features"
    <https://arxiv.org/abs/1905.04899>`_ papers.

    Args:
        model (str): See :class:`Classifier`, which has all further arguments.
        mixup (float, optional): The :math:`\alpha` of mixup; none if zero. (default: :obj:`0.0`)
        cutmix (float, optional): The :math:`\alpha` of cutmix; none if zero.
            (default: :obj:`0.0`)
        **kwargs (optional): Arguments of :class:`Classifier`.

    Raises:
        ValueError: If there is no such model, optimiser or schedule, or a number is negative.

    Example:
        >>> from pyg_vision.training import ImageClassifier
        >>> module = ImageClassifier("vig_ti", options={"image_size": 64}, mixup=0.8, ema=0.999)
        >>> module.build(["cat", "dog"])
        >>> module.evaluated.num_classes
        2
    """

    unit = "images"

    def __init__(self, model: str, mixup: float = 0.0, cutmix: float = 0.0, **kwargs: Any) -> None:
        for name, value in (("mixup", mixup), ("cutmix", cutmix)):
            if value < 0:
                raise ValueError(f"'{name}' must not be negative (got {value})")
        super().__init__(model, **kwargs)

    def run(self, model: Module, batch: Any) -> tuple[Tensor, Tensor, Tensor]:
        r"""Returns logits, labels and the numbers of the images of a batch."""
        if isinstance(batch, Data):  # graphs of patches
            return model(batch), batch.y, batch.sample_number
        images, labels, index = batch
        return model(images), labels, index

    def mix(self, batch: Any) -> Any:
        r"""Returns the batch after mixup or cutmix, with labels that are probabilities."""
        classes = len(self.classes)
        kinds = ((v2.MixUp, self.hparams["mixup"]), (v2.CutMix, self.hparams["cutmix"]))
        ways = [kind(alpha=alpha, num_classes=classes) for kind, alpha in kinds if alpha > 0]
        if not ways:
            return batch
        if isinstance(batch, Data):
            raise ValueError("'mixup' and 'cutmix' are for images, not for graphs of patches")
        # torchvision mixes neighbours, which are the same sample where samples are repeated.
        order = torch.randperm(len(batch[1]))
        images, labels, index = (part[order.to(part.device)] for part in batch)
        return (*v2.RandomChoice(ways)(images, labels), index)
