r"""Two classifiers side by side, one of which learns from a teacher."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import Dropout, Module, Parameter, Sequential

from pyg_vision.nn.layers.activations import make_act
from pyg_vision.nn.layers.grouped_linear import GroupedLinear


class DistilledHead(Module):
    r"""The head of MobileViG and the models after it: hard distillation from the `"Training
    data-efficient image transformers & distillation through attention"
    <https://arxiv.org/abs/2012.12877>`_ paper.

    .. math::
        \mathbf{h} = \sigma(\textrm{BN}(\mathbf{W} \mathbf{x})), \qquad
        \mathbf{y} = \frac{\mathbf{W}_1 \mathbf{h} + \mathbf{W}_2 \mathbf{h}}{2}

    In training the first classifier learns the labels, the second what a teacher says, see
    :meth:`both`; the mean of them is one linear map, which :meth:`fuse_layers` makes.

    Args:
        in_channels (int): Size of each input.
        hidden_channels (int): Size of :math:`\mathbf{h}`.
        num_classes (int): The number of classes.
        distilled (bool, optional): Whether there is a second classifier. (default: :obj:`True`)
        act (str, optional): The activation. (default: :obj:`"gelu"`)
        dropout (float, optional): Dropout before the classifiers. (default: :obj:`0.0`)
        linear (Callable, optional): Makes a linear layer, from the sizes of input and output.
            (default: :class:`GroupedLinear`)
        norm_layer (Callable, optional): Makes a norm of so many channels.
            (default: :class:`torch.nn.BatchNorm1d`)

    Shapes:
        - **input:** features :math:`(B, C)`, or maps of one pixel for the dense twin
        - **output:** logits :math:`(B, \textrm{num_classes})`

    Example:
        >>> import torch
        >>> from pyg_vision.nn import DistilledHead
        >>> head = DistilledHead(16, 32, num_classes=5)
        >>> head(torch.randn(4, 16)).shape
        torch.Size([4, 5])
        >>> logits, of_teacher = head.both(torch.randn(4, 16))
    """

    dist: Module | None

    def __init__(
        self,
        in_channels: int,
        hidden_channels: int,
        num_classes: int,
        distilled: bool = True,
        act: str = "gelu",
        dropout: float = 0.0,
        linear: Callable[[int, int], Module] = GroupedLinear,
        norm_layer: Callable[[int], Module] = torch.nn.BatchNorm1d,
    ) -> None:
        super().__init__()
        self.embed = Sequential(
            linear(in_channels, hidden_channels), norm_layer(hidden_channels), make_act(act)
        )
        self.dropout = Dropout(dropout)
        self.fc = linear(hidden_channels, num_classes)
        self.dist = linear(hidden_channels, num_classes) if distilled else None

    def fuse_layers(self) -> None:
        r"""Makes one classifier of two."""
        if self.dist is not None:
            for name in ("weight", "bias"):
                mean = (getattr(self.fc, name).detach() + getattr(self.dist, name).detach()) / 2
                setattr(self.fc, name, Parameter(mean, requires_grad=False))
            self.dist = None

    def forward(self, x: Tensor) -> Tensor:
        r"""Returns the mean of the logits of both.

        Args:
            x (torch.Tensor): The features.
        """
        h = self.dropout(self.embed(x))
        logits: Tensor = self.fc(h)
        return logits if self.dist is None else (logits + self.dist(h)) / 2

    def both(self, x: Tensor) -> tuple[Tensor, Tensor]:
        r"""Returns the logits of each, the second for what a teacher says.

        Args:
            x (torch.Tensor): The features.

        Raises:
            RuntimeError: If there is no second classifier.
        """
        if self.dist is None:
            raise RuntimeError("this head has one classifier; make the model with distilled=True")
        h = self.dropout(self.embed(x))
        return self.fc(h), self.dist(h)
