r"""Dynamic graphs as published, on maps of frames and joints."""

from __future__ import annotations

import torch
from torch import Tensor

from pyg_vision.nn.conv.dynamic_graph_conv import DynamicGraphConv
from pyg_vision.nn.dense.dense_adaptive import as_conv


class DenseDynamicGraphConv(DynamicGraphConv):
    r"""The :term:`dense twin` of :class:`DynamicGraphConv`, on maps of frames and joints, of which
    each has graphs of its own.

    Args:
        in_channels (int): Size of each input.
        out_channels (int): Size of each output.
        adjacency (torch.Tensor): The weights :math:`(R, V, V)` that learning begins with.
        mid_channels (int, optional): The channels of a relation. (default: as of the twin)

    Shapes:
        - **input:** features :math:`(N, C_{in}, T, V)`
        - **output:** features :math:`(N, C_{out}, T, V)`

    Example:
        >>> import torch
        >>> from pyg_vision.nn import DenseDynamicGraphConv
        >>> conv = DenseDynamicGraphConv(3, 64, torch.rand(8, 17, 17))
        >>> conv(torch.randn(2, 3, 30, 17)).shape
        torch.Size([2, 64, 30, 17])
    """

    def forward(self, x: Tensor) -> Tensor:  # type: ignore[override]
        r"""Runs the layer.

        Args:
            x (torch.Tensor): The features.
        """
        num, _, frames, joints = x.shape
        lin, norm, relu = self.pre
        h = relu(norm(as_conv(lin, x).flatten(2)))
        h = h.view(num, self.num_relations, -1, frames, joints)
        mean = x.mean(dim=-2, keepdim=True)
        p, q = (
            as_conv(layer, mean).view(num, self.num_relations, -1, joints)
            for layer in (self.source, self.target)
        )
        inter = torch.einsum("nkcv,nkcw->nkvw", p, q).softmax(-2)
        intra = torch.tanh(p.unsqueeze(-1) - q.unsqueeze(-2))
        graph = intra * self.alpha[0] + inter.unsqueeze(2) * self.beta[0]
        graph = graph + self.adjacency[None, :, None]
        h = torch.einsum("nkctv,nkcvw->nkctw", h, graph)
        return as_conv(self.post, h.reshape(num, -1, frames, joints))
