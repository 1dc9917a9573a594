r"""Pyramid Vision GNN as published: the baseline and the proof of parity."""

from __future__ import annotations

from pyg_vision.nn.models.dense_vig import DenseVisionGNN
from pyg_vision.nn.models.pyramid_vig import PyramidViG


class DensePyramidViG(DenseVisionGNN, PyramidViG):
    r"""The :term:`dense twin` of :class:`PyramidViG`, keeping the published sequence of operations.

    Maps :math:`(B, C, H, W)`, 1x1 convolutions, the bias of all pairs resampled as a matrix,
    :func:`torch.topk` on the full distance matrix, gathering both ends of every edge and a maximum
    over the last axis, as in the `"Vision GNN: An Image is Worth Graph of Nodes"
    <https://arxiv.org/abs/2206.00272>`_ paper. It takes the same arguments as :class:`PyramidViG`
    but for its parts, and shares its state dict. Its features are maps :math:`(B, C, H, W)`.

    Args:
        *args (optional): Arguments of :class:`PyramidViG`.
        **kwargs (optional): Arguments of :class:`PyramidViG`.

    Shapes:
        - **input:** images :math:`(B, C_{in}, H, W)`, or a PyG batch of patch graphs
        - **output:** logits :math:`(B, \textrm{num_classes})`

    Example:
        >>> import torch
        >>> from pyg_vision.nn import DensePyramidViG, PyramidViG
        >>> options = {"channels": (16, 32), "depths": (1, 1), "reduce_ratios": (4, 2)}
        >>> options |= {"num_classes": 10, "image_size": 64}
        >>> model, twin = PyramidViG(**options).eval(), DensePyramidViG(**options).eval()
        >>> twin.load_state_dict(model.state_dict())
        <All keys matched successfully>
        >>> twin(torch.rand(2, 3, 64, 64)).shape
        torch.Size([2, 10])
    """
