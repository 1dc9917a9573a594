r"""The feed-forward block of Vision GNN."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor
from torch.nn import Module, Sequential

from pyg_vision.nn.layers.activations import in_place, make_act
from pyg_vision.nn.layers.drop_path import DropPath
from pyg_vision.nn.layers.layer_scale import LayerScale, fold_scale
from pyg_vision.nn.layers.mlp import node_mlp
from pyg_vision.nn.layers.overwriting import act_in_place


class FFN(Module):
    r"""The feed-forward block from the `"Vision GNN: An Image is Worth Graph of Nodes"
    <https://arxiv.org/abs/2206.00272>`_ paper.

    .. math::
        \mathbf{X}^{\prime} = \mathbf{X} + \textrm{BN}(\mathbf{W}_2 \,
        \sigma(\textrm{BN}(\mathbf{W}_1 \mathbf{X})))

    Args:
        channels (int): Size of each input and output.
        hidden_channels (int, optional): Size of the hidden features.
            (default: four times :obj:`channels`)
        act (str, optional): The activation. (default: :obj:`"gelu"`)
        drop_path (float, optional): Probability of stochastic depth. (default: :obj:`0.0`)
        mlp (Callable, optional): Makes a linear layer and its norm. (default: :func:`node_mlp`)
        layer_scale (float, optional): The first value of a :class:`LayerScale` of the branch,
            :obj:`None` for none. (default: :obj:`None`)

    Shapes:
        - **input:** node features :math:`(B, N, C)` or :math:`(|\mathcal{V}|, C)`
        - **output:** the same

    Example:
        >>> import torch
        >>> from pyg_vision.nn import FFN
        >>> FFN(48)(torch.randn(2, 196, 48)).shape
        torch.Size([2, 196, 48])
    """

    _maps = False  # whether inputs are maps, with the channels in dimension one

    def __init__(
        self,
        channels: int,
        hidden_channels: int | None = None,
        act: str = "gelu",
        drop_path: float = 0.0,
        mlp: Callable[..., Sequential] = node_mlp,
        layer_scale: float | None = None,
    ) -> None:
        super().__init__()
        hidden = 4 * channels if hidden_channels is None else hidden_channels
        self.fc1 = mlp(channels, hidden, norm="batch")
        self.act = make_act(act)
        self.fc2 = mlp(hidden, channels, norm="batch")
        self.scale: LayerScale | None = None
        if layer_scale is not None:
            self.scale = LayerScale(channels, layer_scale, maps=self._maps)
        self.drop_path = DropPath(drop_path)

    def fuse_layers(self) -> None:
        r"""Folds the layer scale into the norm before it, and lets the activation overwrite its
        input, the output of a layer.
        """
        self.scale = fold_scale(self.scale, self.fc2[-1])
        self.act = in_place(self.act)

    def forward(
        self, x: Tensor, batch: Tensor | None = None, batch_size: int | None = None
    ) -> Tensor:
        r"""Runs the block.

        Args:
            x (torch.Tensor): The node features.
            batch (torch.Tensor, optional): The graph of each node. (default: :obj:`None`)
            batch_size (int, optional): The number of graphs. (default: :obj:`None`)
        """
        h = self.fc1(x)
        owned = act_in_place(self.fc1, self.act, h)
        h = self.fc2(self.act(h) if owned is None else owned)
        h = h if self.scale is None else self.scale(h)
        return x + self.drop_path(h, batch, batch_size)
