r"""Norms of node-major features."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import BatchNorm1d, LazyBatchNorm1d, Module

NORMS = ("batch", "instance")


class NodeInstanceNorm(Module):
    r"""Normalises each graph of features :math:`(B, *, C)` by itself, one graph if :math:`(N, C)`.

    Without parameters, as the instance norm of the published graph convolutions.
    """

    eps = 1e-5

    def forward(self, x: Tensor) -> Tensor:
        r"""Runs the layer."""
        dims = (0,) if x.dim() == 2 else tuple(range(1, x.dim() - 1))
        var, mean = torch.var_mean(x, dim=dims, correction=0, keepdim=True)
        return (x - mean) * (var + self.eps).rsqrt()


def make_norm(norm: str, channels: int) -> Module:
    r"""Returns the node-major norm of that published name."""
    if norm == "batch":
        return BatchNorm1d(channels) if channels > 0 else LazyBatchNorm1d()
    if norm == "instance":
        return NodeInstanceNorm()
    raise ValueError(f"'norm' must be one of {', '.join(NORMS)} (got {norm!r})")
