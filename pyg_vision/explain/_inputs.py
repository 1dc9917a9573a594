r"""What is explained: a model as it is, in evaluation mode, and one image."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import Tensor
from torch.nn import Module

from pyg_vision._checks import check_finite
from pyg_vision.nn import (
    AdaptViG,
    Grapher,
    GraphMixer,
    GreedyViG,
    MobileViG,
    MobileViGv2,
    PyramidViG,
    ViG,
    WiGNet,
)

# The models of images whose blocks have graphs.
ImageModel = ViG | PyramidViG | MobileViG | MobileViGv2 | GreedyViG | AdaptViG | WiGNet


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
    check_finite("image", single)
    return single.detach().clone()  # outside of what it was made by, such as inference mode


def graph_blocks(model: object) -> list[Grapher | GraphMixer]:
    r"""Returns the graph blocks of a Vision GNN.

    Args:
        model: The model.

    Raises:
        TypeError: If it is none, or has no graph blocks, as dense twins.
    """
    found: list[Grapher | GraphMixer] = []
    if isinstance(model, ImageModel):
        found = [m for m in model.modules() if isinstance(m, Grapher | GraphMixer)]
    if not found:
        raise TypeError(
            f"'model' must be a ViG, PyramidViG or another image model with graphs (got "
            f"'{type(model).__name__}')"
        )
    return found
