r"""How a model is looked at: as it is, in evaluation mode."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import Tensor
from torch.nn import Module


@contextmanager
def evaluating(model: Module) -> Iterator[None]:
    r"""Puts a model into evaluation mode for a while.

    Args:
        model (torch.nn.Module): The model.
    """
    modes = [(module, module.training) for module in model.modules()]
    try:
        for module, _ in modes:
            module.training = False
        yield
    finally:
        for module, mode in modes:
            module.training = mode


def one_image(image: Tensor) -> Tensor:
    r"""Returns an image as a batch of one, on no graph of gradients.

    Args:
        image (torch.Tensor): The image :math:`(C, H, W)` or :math:`(1, C, H, W)`.
    """
    if not isinstance(image, Tensor):
        raise TypeError(
            f"'image' must be a tensor [C, H, W], preprocessed as the weights ask for (got "
            f"'{type(image).__name__}')"
        )
    single = image.unsqueeze(0) if image.dim() == 3 else image
    if single.dim() != 4 or single.size(0) != 1 or not single.is_floating_point():
        raise ValueError(
            f"'image' must be one floating-point image [C, H, W] (got {image.dtype} of shape "
            f"{list(image.shape)})"
        )
    return single.detach()
