r"""Which pixels speak for a class."""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor
from torch.nn import Module

from pyg_vision._checks import check_finite, check_int
from pyg_vision.explain._inputs import evaluating, one_image

Method = Literal["integrated_gradients", "saliency", "occlusion"]
METHODS = ("integrated_gradients", "saliency", "occlusion")


@torch.inference_mode(False)
def attribute(
    model: Module,
    image: Tensor,
    target: int | None = None,
    *,
    method: Method = "integrated_gradients",
    baseline: Tensor | float = 0.0,
    steps: int = 32,
    patch_size: int = 16,
) -> Tensor:
    r"""Returns how much each pixel of an image speaks for a class.

    .. math::
        a_p = \sum_c (x_{pc} - b_{pc}) \int_0^1 \frac{\partial f_t}{\partial x_{pc}}
        \big(\mathbf{b} + \alpha (\mathbf{x} - \mathbf{b})\big) \, d\alpha

    These are the integrated gradients of the `"Axiomatic Attribution for Deep Networks"
    <https://arxiv.org/abs/1703.01365>`_ paper. The graphs of a model that builds graphs are those
    of the image on all of the way: chosen anew, they would change in jumps that no gradient sees,
    and the attributions would not add up to :math:`f_t(\mathbf{x}) - f_t(\mathbf{b})`.

    Args:
        model (torch.nn.Module): A model of images that returns logits, such as
            :func:`~pyg_vision.nn.pvig_ti`. It runs in evaluation mode.
        image (torch.Tensor): The image :math:`(C, H, W)`, preprocessed as for the model.
        target (int, optional): The class. (default: the one with the largest logit)
        method (str, optional): :obj:`"integrated_gradients"`; :obj:`"saliency"`, the largest
            absolute gradient of the channels of a pixel; or :obj:`"occlusion"`, by how much the
            logit falls if a square of pixels is replaced by the baseline, each with graphs of its
            own. (default: :obj:`"integrated_gradients"`)
        baseline (torch.Tensor or float, optional): The image, or the value, that stands for
            nothing. (default: :obj:`0.0`, the grey of images in [-1, 1])
        steps (int, optional): The points of the integral. (default: :obj:`32`)
        patch_size (int, optional): The side of the squares of :obj:`"occlusion"`.
            (default: :obj:`16`)

    Returns:
        torch.Tensor: The attributions :math:`(H, W)`, of the same type as the image.

    Raises:
        TypeError: If the image is no tensor.
        ValueError: If it is not one image, there is no such class or method, the baseline has
            another shape, or one of them holds a NaN.

    Example:
        >>> import torch
        >>> from pyg_vision.explain import attribute
        >>> from pyg_vision.nn import PyramidViG
        >>> model = PyramidViG(channels=(8, 16), depths=(1, 1), reduce_ratios=(2, 1), num_classes=3)
        >>> attribute(model, torch.rand(3, 64, 96), target=2).shape
        torch.Size([64, 96])
    """
    x = one_image(image)
    if method not in METHODS:
        raise ValueError(f"'method' must be one of {', '.join(METHODS)} (got {method!r})")
    check_int("steps", steps)
    check_int("patch_size", patch_size)
    origin = torch.as_tensor(baseline, dtype=x.dtype, device=x.device)
    if origin.dim() and origin.shape not in (x.shape, x.shape[1:]):
        raise ValueError(
            f"'baseline' must be a number or an image of shape {list(x.shape[1:])} (got shape "
            f"{list(origin.shape)})"
        )
    check_finite("baseline", origin)
    origin = origin.expand_as(x)
    with evaluating(model):
        logits, given = _run(model, x)
        target = _check_target(logits, target)
        if method == "occlusion":
            return _occlude(model, x, origin, target, float(logits[0, target]), patch_size)
        if method == "saliency":
            return _gradient(model, x, target, given).abs().amax(dim=1)[0]
        total = torch.zeros_like(x)
        for i in range(steps):
            total += _gradient(model, origin + (i + 0.5) / steps * (x - origin), target, given)
    return ((x - origin) * total / steps).sum(dim=1)[0]


@torch.no_grad()
def _run(model: Module, x: Tensor) -> tuple[Tensor, dict[str, Any]]:
    r"""Returns logits, and what holds the graphs of the model fixed."""
    forward_graphs = getattr(model, "forward_graphs", None)
    if forward_graphs is None:
        return model(x), {}
    logits, graphs = forward_graphs(x)
    return logits, {"neighbors": graphs}


def _check_target(logits: Tensor, target: int | None) -> int:
    if logits.dim() != 2 or logits.size(0) != 1 or logits.size(1) == 0:
        raise ValueError(
            f"the model must return a logit for each class (got shape {list(logits.shape)})"
        )
    if target is None:
        return int(logits.argmax())
    if type(target) is not int or not 0 <= target < logits.size(1):
        raise ValueError(f"'target' must be one of {logits.size(1)} classes (got {target!r})")
    return target


@torch.enable_grad()
def _gradient(model: Module, x: Tensor, target: int, given: dict[str, Any]) -> Tensor:
    x = x.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(model(x, **given)[0, target], x)
    return gradient


@torch.no_grad()
def _occlude(
    model: Module, x: Tensor, origin: Tensor, target: int, logit: float, side: int
) -> Tensor:
    found = torch.empty_like(x[0, 0])
    for top in range(0, x.size(2), side):
        for left in range(0, x.size(3), side):
            square = (..., slice(top, top + side), slice(left, left + side))
            hidden = x.clone()
            hidden[square] = origin[square]
            found[square[1:]] = logit - model(hidden)[0, target]
    return found
