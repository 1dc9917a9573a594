r"""Batch norms whose statistics are those of all processes, on any device."""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed as dist
from lightning.pytorch.plugins.layer_sync import LayerSync
from torch import Tensor
from torch.nn import BatchNorm1d, BatchNorm2d, BatchNorm3d, Module, SyncBatchNorm
from torch.nn.modules.batchnorm import _BatchNorm


class ProcessSum(torch.autograd.Function):
    r"""The sum of a tensor over all processes, whose gradient is the sum of all gradients.

    Example:
        >>> import torch
        >>> from pyg_vision.training import ProcessSum
        >>> ProcessSum.apply(torch.ones(2))  # one process
        tensor([1., 1.])
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        r"""Adds up."""
        return _sum(x)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        r"""Adds up the gradients."""
        return _sum(grad)


def _sum(x: Tensor) -> Tensor:
    total = x.contiguous().clone()
    if dist.is_initialized():
        dist.all_reduce(total)
    return total


class ProcessBatchNorm(_BatchNorm):
    r"""A batch norm whose mean and variance in training are those of the batches of all processes.

    .. math::
        \mu = \frac{\sum_r \sum_i x_{r,i}}{\sum_r n_r}, \qquad
        \sigma^2 = \frac{\sum_r \sum_i (x_{r,i} - \mu)^2}{\sum_r n_r}

    over the :math:`n_r` samples of each process :math:`r`, as many as they are. It is what
    :class:`torch.nn.SyncBatchNorm` computes on GPUs, on any device and backend.

    Args:
        num_features (int): The channels.
        eps (float, optional): Added to the variance. (default: :obj:`1e-5`)
        momentum (float, optional): How fast the running statistics change. (default: :obj:`0.1`)
        affine (bool, optional): Whether to scale and shift. (default: :obj:`True`)
        track_running_stats (bool, optional): Whether there are running statistics.
            (default: :obj:`True`)

    Shapes:
        - **input:** :math:`(N, C)` or :math:`(N, C, *)`
        - **output:** the same

    Example:
        >>> import torch
        >>> from pyg_vision.training import ProcessBatchNorm
        >>> x = torch.randn(8, 4)
        >>> torch.allclose(ProcessBatchNorm(4)(x), torch.nn.BatchNorm1d(4)(x), atol=1e-6)
        True
    """

    def _check_input_dim(self, input: Tensor) -> None:
        if input.dim() < 2:
            raise ValueError(f"expected an input of 2 dimensions or more (got {input.dim()})")

    def forward(self, x: Tensor) -> Tensor:
        r"""Normalises.

        Args:
            x (torch.Tensor): The input.
        """
        self._check_input_dim(x)
        if not self.training or not dist.is_initialized():
            return super().forward(x)
        dims = [dim for dim in range(x.dim()) if dim != 1]
        shape = [1, -1] + [1] * (x.dim() - 2)
        number = x.new_tensor([x.numel() // x.size(1)])
        total: Tensor = ProcessSum.apply(torch.cat([x.sum(dims), number]))
        count = total[-1].detach()
        mean = total[:-1] / count
        centred = x - mean.view(shape)
        squares: Tensor = ProcessSum.apply(centred.square().sum(dims))
        variance = squares / count
        self._track(mean.detach(), variance.detach(), count)
        out = centred * (variance + self.eps).rsqrt().view(shape)
        if self.affine:
            out = out * self.weight.view(shape) + self.bias.view(shape)
        return out

    @torch.no_grad()
    def _track(self, mean: Tensor, variance: Tensor, count: Tensor) -> None:
        if self.running_mean is None or self.running_var is None:
            return
        share = self.momentum
        if self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
            if share is None:
                share = 1.0 / float(self.num_batches_tracked)
        self.running_mean.lerp_(mean.to(self.running_mean), share or 0.0)
        unbiased = variance * count / (count - 1).clamp(min=1)
        self.running_var.lerp_(unbiased.to(self.running_var), share or 0.0)


class SyncNorms(LayerSync):
    r"""Replaces batch norms for training in several processes: by torch's on GPUs, and by
    :class:`ProcessBatchNorm` elsewhere.

    Example:
        >>> import torch
        >>> from pyg_vision.training import SyncNorms
        >>> model = SyncNorms().apply(torch.nn.Sequential(torch.nn.BatchNorm2d(3)))
        >>> type(model[0]).__name__
        'ProcessBatchNorm'
    """

    def apply(self, model: Module) -> Module:
        r"""Replaces the norms.

        Args:
            model (torch.nn.Module): The model.
        """
        on_gpu = any(parameter.is_cuda for parameter in model.parameters())
        if on_gpu:
            converted: Module = SyncBatchNorm.convert_sync_batchnorm(model)  # type: ignore[no-untyped-call]
            return converted
        return _replace(model, (BatchNorm1d, BatchNorm2d, BatchNorm3d), ProcessBatchNorm)

    def revert(self, model: Module) -> Module:
        r"""Puts plain norms in their place, so that the model runs in one process.

        Args:
            model (torch.nn.Module): The model.
        """
        return _replace(model, (ProcessBatchNorm, SyncBatchNorm), AnyBatchNorm)


class AnyBatchNorm(_BatchNorm):
    r"""A batch norm for inputs of any number of dimensions.

    Example:
        >>> import torch
        >>> from pyg_vision.training import AnyBatchNorm
        >>> AnyBatchNorm(4)(torch.randn(2, 4, 5)).shape
        torch.Size([2, 4, 5])
    """

    def _check_input_dim(self, input: Tensor) -> None:
        return


def _replace(model: Module, kinds: tuple[type[Module], ...], kind: type[_BatchNorm]) -> Module:
    if isinstance(model, kinds):
        old: Any = model
        new = kind(old.num_features, old.eps, old.momentum, old.affine, old.track_running_stats)
        for name in ("weight", "bias", "running_mean", "running_var", "num_batches_tracked"):
            setattr(new, name, getattr(old, name))
        new.train(old.training)
        return new
    for name, child in model.named_children():
        setattr(model, name, _replace(child, kinds, kind))
    return model
