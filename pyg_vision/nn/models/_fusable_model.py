r"""Copies of models for inference."""

from __future__ import annotations

import copy
from typing import Self

from torch.nn import Module
from torch.nn.parameter import is_lazy

from pyg_vision.nn.layers.fold_norms import fold_all_norms


class FusableModel(Module):
    r"""A model that makes a copy of itself for inference."""

    _fused = False

    def fuse(self) -> Self:
        r"""Returns a copy for inference alone, with the same outputs up to rounding.

        .. math::
            \gamma \, \frac{\mathbf{W} \mathbf{x} + \mathbf{b} - \mu}{\sqrt{\sigma^2 + \epsilon}}
            + \beta = \mathbf{W}^{\prime} \mathbf{x} + \mathbf{b}^{\prime}

        Each batch norm is folded into the linear map or convolution before it, or becomes one
        multiplication and addition; activations overwrite what is before them. The copy is in
        evaluation mode, its parameters need no gradients, and :meth:`train` raises; the model
        itself is not changed.

        Raises:
            ValueError: If parameters have no size yet.
        """
        for name, value in self.named_parameters():
            if is_lazy(value):
                raise ValueError(f"'{name}' has no size yet; run the model once before it is fused")
        model = copy.deepcopy(self).requires_grad_(False).eval()
        fold_all_norms(model)
        for module in model.modules():
            if isinstance(module, FusableModel):
                module._fused = True
        return model

    def train(self, mode: bool = True) -> Self:
        r"""Sets training or evaluation mode.

        Args:
            mode (bool, optional): Whether to train. (default: :obj:`True`)

        Raises:
            RuntimeError: If the model was made by :meth:`fuse`.
        """
        if mode and self._fused:
            raise RuntimeError(
                "this model was made by fuse() and serves inference alone; train the one that it "
                "was made from"
            )
        return super().train(mode)
