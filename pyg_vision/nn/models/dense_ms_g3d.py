r"""MS-G3D as published: the baseline and the proof of parity."""

from __future__ import annotations

from typing import Any

from torch.nn import Module

from pyg_vision.nn.dense.dense_msg3d_block import DenseMSG3DBlock
from pyg_vision.nn.models._dense_skeleton import DenseSkeleton
from pyg_vision.nn.models.ms_g3d import MSG3D


class DenseMSG3D(DenseSkeleton, MSG3D):
    r"""The :term:`dense twin` of :class:`MSG3D`, keeping the published sequence of operations.

    Args:
        in_channels (int): Channels of a joint.
        num_classes (int): The number of classes.
        **kwargs (optional): Further arguments of :class:`MSG3D` but for those about batches.

    Shapes:
        - **input:** a dense tensor :math:`(N, C, T, V, M)`
        - **output:** logits :math:`(N, \textrm{num_classes})`

    Example:
        >>> import torch
        >>> from pyg_vision.nn import DenseMSG3D
        >>> model = DenseMSG3D(in_channels=3, num_classes=60, channels=24).eval()
        >>> model(torch.randn(1, 3, 20, 25, 2)).shape
        torch.Size([1, 60])
    """

    def make_block(self, *args: Any, **kwargs: Any) -> Module:
        r"""Returns a block.

        Args:
            *args: Its arguments.
            **kwargs: Further ones.
        """
        return DenseMSG3DBlock(*args, **kwargs)
