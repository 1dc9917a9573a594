r"""Hard distillation: a student's second classifier learns what a teacher says."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn import Module

from pyg_vision.nn import find_builder
from pyg_vision.weights import load_weights


def check_teacher(name: str, options: dict[str, Any] | None, checkpoint: str | None) -> None:
    r"""Raises unless a teacher has weights.

    Args:
        name (str): Its name.
        options (dict, optional): Its arguments.
        checkpoint (str, optional): The file of its weights.
    """
    given = options or {}
    if checkpoint is None and not given.get("weights") and not given.get("pretrained"):
        raise ValueError(
            f"the teacher '{name}' has no weights: set 'teacher_checkpoint', or 'weights' (of timm "
            f"'pretrained') in 'teacher_options'"
        )


def make_teacher(
    name: str, options: dict[str, Any] | None, checkpoint: str | None, num_classes: int
) -> Module:
    r"""Returns a teacher in evaluation mode, without gradients.

    Args:
        name (str): A name of :func:`~pyg_vision.nn.list_models`, the path of a model of
            torchvision, or :obj:`"timm."` and the name of a model of timm.
        options (dict, optional): Its arguments, such as :obj:`weights`.
        checkpoint (str, optional): The file of its weights, in place of these.
        num_classes (int): The number of classes.
    """
    check_teacher(name, options, checkpoint)
    # Without a file the classes are those of its weights: of another number they would be random.
    given: dict[str, Any] = {} if checkpoint is None else {"num_classes": num_classes}
    given |= options or {}
    if name.startswith("timm."):
        try:
            import timm
        except ImportError as error:
            raise ImportError(
                f"the teacher '{name}' needs timm: pip install pyg-vision[timm]"
            ) from error
        teacher: Module = timm.create_model(name.removeprefix("timm."), **given)
    else:
        teacher = find_builder(name)(**given)
    told = getattr(teacher, "num_classes", num_classes)
    if told != num_classes:
        raise ValueError(f"the teacher '{name}' tells {told} classes, the data has {num_classes}")
    if checkpoint is not None:
        load_weights(teacher, checkpoint)
    return teacher.eval().requires_grad_(False)


def check_student(model: Module, name: str) -> None:
    r"""Raises unless a model has a classifier for a teacher.

    Args:
        model (torch.nn.Module): The model.
        name (str): Its name.
    """
    if not hasattr(model, "forward_both") or getattr(model, "distilled", True) is False:
        raise ValueError(
            f"'{name}' has no second classifier to learn from a teacher; MobileViG, MobileViGv2, "
            f"GreedyViG and AdaptViG have one, with distilled=True"
        )


def teacher_loss(teacher: Module, images: Tensor, logits: Tensor) -> Tensor:
    r"""Returns the cross-entropy of a student with the class that a teacher says.

    Args:
        teacher (torch.nn.Module): The teacher.
        images (torch.Tensor): The images, as the student sees them.
        logits (torch.Tensor): Those of the student's second classifier.
    """
    with torch.no_grad():
        said: Tensor = teacher(images)
    if said.shape != logits.shape:
        raise ValueError(
            f"the teacher tells {said.size(-1)} classes, the student {logits.size(-1)}"
        )
    return F.cross_entropy(logits, said.argmax(dim=-1))
