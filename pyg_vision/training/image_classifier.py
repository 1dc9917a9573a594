r"""Training of image models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import Module
from torch_geometric.data import Data
from torchvision.transforms import v2

from pyg_vision.training._classifier import Classifier
from pyg_vision.training._distillation import (
    check_student,
    check_teacher,
    make_teacher,
    teacher_loss,
)


class ImageClassifier(Classifier):
    r"""Trains a model that classifies images.

    With both mixup and cutmix, each batch is mixed by one of the two, at even chances. They are
    those of the `"mixup: Beyond Empirical Risk Minimization" <https://arxiv.org/abs/1710.09412>`_
    and the `"CutMix: Regularization Strategy to Train Strong Classifiers with Localizable Features"
    <https://arxiv.org/abs/1905.04899>`_ papers.

    A model with a second classifier, such as :class:`~pyg_vision.nn.GreedyViG`, may learn from a
    :obj:`teacher`, by hard distillation of the `"Training data-efficient image transformers &
    distillation through attention" <https://arxiv.org/abs/2012.12877>`_ paper:

    .. math::
        (1 - \alpha) \, \textrm{CE}(\mathbf{y}_1, \textrm{label}) +
        \alpha \, \textrm{CE}(\mathbf{y}_2, \arg\max \textrm{teacher}(\mathbf{X}))

    The teacher sees the images of the student, normalised as for it.

    Args:
        model (str): See :class:`Classifier`, which has all further arguments.
        mixup (float, optional): The :math:`\alpha` of mixup; none if zero. (default: :obj:`0.0`)
        cutmix (float, optional): The :math:`\alpha` of cutmix; none if zero.
            (default: :obj:`0.0`)
        teacher (str, optional): A name of :func:`~pyg_vision.nn.list_models`, the path of a model
            of torchvision such as :obj:`"torchvision.models.regnet_y_16gf"`, or of timm such as
            :obj:`"timm.regnety_160.deit_in1k"`. (default: none)
        teacher_options (dict, optional): Its arguments, such as :obj:`{"weights": "DEFAULT"}`, for
            timm :obj:`{"pretrained": True}`. (default: none)
        teacher_checkpoint (str, optional): The file of its weights, in place of these.
            (default: none)
        distillation_alpha (float, optional): The share :math:`\alpha` of the teacher in the loss.
            (default: :obj:`0.5`)
        **kwargs (optional): Arguments of :class:`Classifier`.

    Raises:
        ValueError: If there is no such model, optimiser or schedule, a number is out of range, or
            the model has no classifier for a teacher, or the teacher no weights.

    Example:
        >>> from pyg_vision.training import ImageClassifier
        >>> module = ImageClassifier("vig_ti", options={"image_size": 64}, mixup=0.8, ema=0.999)
        >>> module.build(["cat", "dog"])
        >>> module.evaluated.num_classes
        2
    """

    unit = "images"

    def __init__(
        self,
        model: str,
        mixup: float = 0.0,
        cutmix: float = 0.0,
        teacher: str | None = None,
        teacher_options: dict[str, Any] | None = None,
        teacher_checkpoint: str | None = None,
        distillation_alpha: float = 0.5,
        **kwargs: Any,
    ) -> None:
        for name, value in (("mixup", mixup), ("cutmix", cutmix)):
            if value < 0:
                raise ValueError(f"'{name}' must not be negative (got {value})")
        if not 0.0 <= distillation_alpha <= 1.0:
            raise ValueError(f"'distillation_alpha' must be from 0 to 1 (got {distillation_alpha})")
        if teacher is None and (teacher_options or teacher_checkpoint):
            raise ValueError("'teacher_options' and 'teacher_checkpoint' are of a 'teacher'")
        super().__init__(model, **kwargs)
        # In a tuple, so that it is no part of this module, its checkpoints and its optimiser.
        self._teacher: tuple[Module, ...] = ()

    def build(
        self,
        classes: Sequence[str],
        options: Mapping[str, Any] | None = None,
        multi_label: bool = False,
    ) -> None:
        r"""Makes the model.

        Args:
            classes (list of str): See :class:`Classifier`.
            options (dict, optional): See :class:`Classifier`. (default: none)
            multi_label (bool, optional): See :class:`Classifier`. (default: :obj:`False`)
        """
        super().build(classes, options, multi_label)
        name = self.hparams["teacher"]
        if name is None:
            return
        if multi_label:
            raise ValueError("a 'teacher' tells one class of an image, not any number of labels")
        check_student(self.trained, self.hparams["model"])
        check_teacher(name, *self._teacher_weights)

    @property
    def _teacher_weights(self) -> tuple[dict[str, Any] | None, str | None]:
        return self.hparams["teacher_options"], self.hparams["teacher_checkpoint"]

    def setup(self, stage: str) -> None:
        r"""Makes the model, and for training its teacher.

        Args:
            stage (str): What the trainer is about to do.
        """
        super().setup(stage)
        if stage == "fit":
            self._find_teacher()

    def _find_teacher(self) -> Module | None:
        name = self.hparams["teacher"]
        if name is not None and not self._teacher:
            self._teacher = (make_teacher(name, *self._teacher_weights, len(self.classes)),)
        return self._teacher[0] if self._teacher else None

    def training_loss(self, batch: Any) -> tuple[Tensor, int]:
        r"""Returns the mean loss over the images of a batch, and their number.

        Args:
            batch: What :meth:`mix` returned.
        """
        teacher = self._find_teacher()
        if teacher is None:
            return super().training_loss(batch)
        if isinstance(batch, Data):
            raise ValueError("a 'teacher' is told images, not graphs of patches")
        images, labels, _ = batch
        teacher.to(images.device, images.dtype)
        own, of_teacher = self.trained.forward_both(images)  # type: ignore[operator]
        alpha = self.hparams["distillation_alpha"]
        loss = (1.0 - alpha) * self.label_loss(own, labels)
        return loss + alpha * teacher_loss(teacher, images, of_teacher), images.size(0)

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
